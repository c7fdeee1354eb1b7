/**
 * Key slots: one age file around the text of a bundle, sealed to a passphrase or to people's age recipients. Any age tool
 * opens one that is sealed in a way it knows.
 *
 * A slot to a *recipient* proves nothing about who made it, since recipients are public: whoever opens one must compare the
 * bundle's hash with a pin. A slot to a passphrase was made by somebody who knew it.
 */
import { type AgeOpener, loadAge, openAge } from "./age.ts";
import { readAgeStanzas } from "./age_header.ts";
import { SLOT_LIMIT_BYTES } from "./bundle.ts";
import { DamageError, UnsupportedError, WrongKeyError } from "./errors.ts";
import { decodeText } from "./text.ts";

/** log2 of scrypt's cost for new slots: a third of a second to open one, 64 MiB of memory. */
export const SCRYPT_WORK_FACTOR = 17;
/** The highest that is worked on: about three seconds, half a GiB of memory. Whoever stores the slot chooses it. */
const MOST_WORK_FACTOR = 20;
/** Stanzas that a quantum computer does not open either, as far as is known. */
const POST_QUANTUM_TYPES = new Set(["mlkem768x25519", "mlkem768p256tag"]);

/** How a slot is sealed, which anyone can read. */
export type SlotSeal =
  | { readonly kind: "passphrase"; readonly workFactor: number }
  | { readonly kind: "recipients"; readonly types: readonly string[] };

/** For whom a slot is sealed. `workFactor` is log2 of scrypt's cost, 17 unless a test wants it cheap. */
export type SlotFor = { passphrase: string; workFactor?: number } | { recipients: readonly string[] };

/** Seals the text of a bundle; the result is a binary age file. */
export async function sealSlot(bundleText: string, to: SlotFor): Promise<Uint8Array<ArrayBuffer>> {
  const { Encrypter } = await loadAge();
  const encrypter = new Encrypter();
  if ("passphrase" in to) {
    if (to.passphrase === "") throw new TypeError("Cannot seal a key slot to an empty passphrase");
    const workFactor = to.workFactor ?? SCRYPT_WORK_FACTOR;
    if (!(workFactor >= 1 && workFactor <= MOST_WORK_FACTOR)) {
      throw new RangeError(
        `Cannot seal a key slot: a scrypt work factor is 1 to ${MOST_WORK_FACTOR}, not ${workFactor}`,
      );
    }
    encrypter.setPassphrase(to.passphrase);
    encrypter.setScryptWorkFactor(workFactor);
  } else {
    if (to.recipients.length === 0) throw new TypeError("Cannot seal a key slot to no recipient");
    for (const recipient of to.recipients) {
      if (/^AGE-(SECRET-KEY|PLUGIN)-/i.test(recipient)) {
        throw new TypeError('Cannot seal a key slot to a secret key: give its recipient, which "age-keygen -y" prints');
      }
      try {
        encrypter.addRecipient(recipient);
      } catch (cause) {
        throw new Error(`Cannot seal a key slot to "${recipient}": it is not a whole age1… recipient`, { cause });
      }
    }
  }
  const slot = new Uint8Array(await encrypter.encrypt(bundleText));
  if (slot.length > SLOT_LIMIT_BYTES) {
    throw new RangeError(
      `Cannot seal a key slot of ${slot.length} bytes: ${SLOT_LIMIT_BYTES} is the limit. Name fewer recipients`,
    );
  }
  return slot;
}

/** How a slot is sealed. Refuses what is too large, no age file, or too costly to open, before any work. */
export function inspectSlot(slot: Uint8Array, what = "the key slot"): SlotSeal {
  if (slot.length > SLOT_LIMIT_BYTES) {
    throw new DamageError(`Cannot read ${what}: it is longer than ${SLOT_LIMIT_BYTES} bytes`);
  }
  const stanzas = readAgeStanzas(slot, { what, limitBytes: SLOT_LIMIT_BYTES });
  const scrypt = stanzas.find((stanza) => stanza.type === "scrypt");
  if (scrypt === undefined) return { kind: "recipients", types: stanzas.map((stanza) => stanza.type) };
  const [, workFactor] = scrypt.args;
  if (stanzas.length !== 1 || scrypt.args.length !== 2 || !/^[1-9][0-9]{0,9}$/.test(workFactor!)) {
    throw new DamageError(`Cannot read ${what}: its age header is malformed`);
  }
  if (Number(workFactor) > MOST_WORK_FACTOR) {
    throw new UnsupportedError(
      `Cannot open ${what}: it asks for 2^${workFactor} rounds of scrypt, more than the 2^${MOST_WORK_FACTOR} that tarzan does`,
    );
  }
  return { kind: "passphrase", workFactor: Number(workFactor) };
}

/** Whether nothing in this slot would fall to a quantum computer: a passphrase, or hybrid recipients only. */
export function isPostQuantum(seal: SlotSeal): boolean {
  return seal.kind === "passphrase" || seal.types.every((type) => POST_QUANTUM_TYPES.has(type));
}

/**
 * The text of the bundle in a slot. Check the slot's name first (`checkSlotName`): then WrongKeyError means a wrong key, not
 * a flipped bit. Compare the text's hash with the pin afterwards.
 */
export async function openSlot(slot: Uint8Array, opener: AgeOpener, what = "the key slot"): Promise<string> {
  const seal = inspectSlot(slot, what);
  const passphrase = "passphrase" in opener;
  if (passphrase && seal.kind === "recipients") {
    throw new WrongKeyError(
      `Cannot open ${what} with a passphrase: it is sealed to ${seal.types.join(", ")}. Give an age identity file`,
    );
  }
  if (!passphrase && seal.kind === "passphrase") {
    throw new WrongKeyError(`Cannot open ${what} with an age identity: it is sealed with a passphrase`);
  }
  const plain = await openAge(slot, opener, {
    what,
    wrongKey: passphrase
      ? `Wrong passphrase for ${what}. Generated passphrases are ten lower-case words joined by dashes; upper and lower ` +
        "case, blanks and accents count"
      : `None of the age identities opens ${what}: it is sealed to somebody else`,
  });
  const text = decodeText(plain);
  if (text === undefined) throw new DamageError(`Cannot read ${what}: what is in it is no text`);
  return text;
}
