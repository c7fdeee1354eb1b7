/**
 * The age-encryption package, loaded when first needed: it takes 20 to 35 ms, as long as everything else at start-up, and
 * most commands that read no slot and no brick never need it.
 */
import { DamageError, WrongKeyError } from "./errors.ts";
import { scryptIdentity } from "./scrypt_identity.ts";

type Age = typeof import("age-encryption");

let loading: Promise<Age> | undefined;

/** The package; the same object every time. */
export function loadAge(): Promise<Age> {
  loading ??= import("age-encryption");
  return loading;
}

/** What opens an age file. */
export type AgeOpener = { passphrase: string } | { identities: readonly string[] };

/**
 * The plaintext of an age file. WrongKeyError (with `wrongKey` as its message) when no stanza is for this key, DamageError
 * for everything else. A flipped bit *inside a stanza* cannot be told from a wrong key: check the bytes by other means
 * (a MAC, a hash in the name) first, then a WrongKeyError means what it says.
 */
export async function openAge(
  file: Uint8Array,
  opener: AgeOpener,
  options: { what: string; wrongKey: string },
): Promise<Uint8Array<ArrayBuffer>> {
  // scrypt first: the package is loaded while another thread computes.
  const scrypt = "passphrase" in opener ? scryptIdentity(file, opener.passphrase, options) : undefined;
  const [ofPassphrase, { Decrypter }] = await Promise.all([scrypt, loadAge()]);
  const decrypter = new Decrypter();
  if (ofPassphrase !== undefined) decrypter.addIdentity(ofPassphrase);
  for (const identity of "identities" in opener ? opener.identities : []) addIdentity(decrypter, identity);
  // Identities are asked in order: this one is reached only when none of those above knew a stanza.
  decrypter.addIdentity({
    unwrapFileKey() {
      throw new WrongKeyError(options.wrongKey);
    },
  });
  try {
    return new Uint8Array(await decrypter.decrypt(file));
  } catch (error) {
    if (error instanceof WrongKeyError || error instanceof DamageError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new DamageError(`Cannot open ${options.what}: it is damaged or cut short (${why})`, { cause: error });
  }
}

function addIdentity(decrypter: InstanceType<Age["Decrypter"]>, identity: string): void {
  try {
    decrypter.addIdentity(identity);
  } catch {
    // The cause is dropped on purpose: its text may repeat a secret key.
    throw new WrongKeyError(
      "Cannot use an age identity: it is not a whole AGE-SECRET-KEY-1… or AGE-SECRET-KEY-PQ-1… line",
    );
  }
}

/** The recipient that belongs to an age identity. */
export async function recipientOf(identity: string): Promise<string> {
  return await (await loadAge()).identityToRecipient(identity);
}
