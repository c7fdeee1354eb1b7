/**
 * Keys of bricks, and the sealed part of an index, as small age files to one hybrid recipient (ML-KEM-768 + X25519): the age
 * tool, 1.3 or later, opens them. A reader takes exactly one stanza, of that type: nothing else was ever written.
 */
import { loadAge, openAge } from "./age.ts";
import { readAgeStanzas } from "./age_header.ts";
import { UnsupportedError } from "./errors.ts";

/** No header of such a file is longer; one takes about 1.7 KB. */
const HEADER_LIMIT_BYTES = 16 * 1024;
const STANZA_TYPE = "mlkem768x25519";

/** Wraps a key, or other small bytes, to a hybrid recipient (age1pq1…). */
export async function wrapKey(plain: Uint8Array, recipient: string): Promise<Uint8Array<ArrayBuffer>> {
  const { Encrypter } = await loadAge();
  if (!recipient.startsWith("age1pq1")) throw new TypeError("Keys are wrapped to hybrid recipients only: age1pq1…");
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return new Uint8Array(await encrypter.encrypt(new Uint8Array(plain)));
}

/** Checks, without a key, that an age file has the one stanza that wrapped keys have. `what` names it in errors. */
export function checkWrap(file: Uint8Array, what: string): void {
  const types = readAgeStanzas(file, { what, limitBytes: HEADER_LIMIT_BYTES }).map((stanza) => stanza.type);
  if (types.length === 1 && types[0] === STANZA_TYPE) return;
  throw new UnsupportedError(`Cannot open ${what}: it is sealed by ${types.join(", ")}, not by ${STANZA_TYPE} alone`);
}

/**
 * What was wrapped. Check the MAC of whatever holds the file first: then WrongKeyError means that the identity is not the
 * one, and DamageError cannot happen. Without that, a flipped bit may look like a wrong key.
 */
export async function unwrapKey(file: Uint8Array, identity: string, what: string): Promise<Uint8Array<ArrayBuffer>> {
  checkWrap(file, what);
  return await openAge(file, { identities: [identity] }, {
    what,
    wrongKey: `This key does not open ${what}: it was sealed for another repository or another role`,
  });
}
