/**
 * Opens age files that are sealed to a passphrase. The age package could, but on this thread, and it leaves scrypt's 128 MiB
 * to the garbage collector for the rest of a backup.
 */
import type { Identity } from "age-encryption";
import { readAgeStanzas } from "./age_header.ts";
import { concatBytes } from "./bytes.ts";
import { DamageError } from "./errors.ts";
import { scrypt } from "./scrypt.ts";
import { encodeText } from "./text.ts";

const LABEL = "age-encryption.org/v1/scrypt";
const SALT_BYTES = 16;
/** A file key of 16 bytes, and a tag. */
const BODY_BYTES = 32;
const BLOCK_SIZE = 8;

/**
 * An identity for the age package that opens `file`, unless that has no passphrase stanza. The caller has checked that it
 * wants to pay for the work factor. scrypt has begun when this function returns, so that the age package can be loaded
 * meanwhile.
 */
export async function scryptIdentity(
  file: Uint8Array,
  passphrase: string,
  options: { what: string },
): Promise<Identity | undefined> {
  const stanzas = readAgeStanzas(file, { ...options, limitBytes: file.length });
  const stanza = stanzas.find(({ type }) => type === "scrypt");
  if (stanza === undefined) return undefined;
  const bad = () => new DamageError(`Cannot open ${options.what}: its age header is malformed`);
  const [saltText = "", workFactor = ""] = stanza.args;
  if (stanzas.length !== 1 || stanza.args.length !== 2 || !/^[1-9][0-9]?$/.test(workFactor)) throw bad();
  const salt = fromBase64(saltText);
  if (salt?.length !== SALT_BYTES) throw bad();
  const labelled = concatBytes(encodeText(LABEL), salt);
  const key = await scrypt(passphrase, { salt: labelled, N: 2 ** Number(workFactor), r: BLOCK_SIZE });
  // The age package has it too, and is loaded by now.
  const { chacha20poly1305 } = await import("@noble/ciphers/chacha.js");
  return {
    unwrapFileKey([sealed]) {
      if (sealed?.body.length !== BODY_BYTES) throw bad();
      try {
        return chacha20poly1305(key, new Uint8Array(12)).decrypt(sealed.body);
      } catch {
        // The tag is wrong: another passphrase.
        return null;
      }
    },
  };
}

function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { lastChunkHandling: "loose" });
  } catch {
    return undefined;
  }
}
