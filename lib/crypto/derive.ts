/**
 * The one key derivation of the format: HKDF-SHA-256 (RFC 5869), info = "tarzan v1 " + label.
 *
 * Every secret is 32 bytes of full entropy, so no salt is needed to derive from it; a salt comes in where a key must
 * belong to one object only (a brick's toc, a ledger object). A reader of another format version derives other keys from
 * the same root, because the info differs.
 */
import { unshared } from "./bytes.ts";
import { encodeText } from "./text.ts";

const INFO_PREFIX = "tarzan v1 ";

/** Bytes of the root and of all secrets and keys that are derived from it, the chunker's table excepted. */
export const SECRET_BYTES = 32;

/** `D(secret, label)` of the format: 32 bytes (or `lengthBytes`) that tell nothing about the secret or about other labels. */
export async function deriveKey(
  secret: Uint8Array,
  label: string,
  options: { lengthBytes?: number; salt?: Uint8Array } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  if (secret.length !== SECRET_BYTES) {
    throw new TypeError(`Cannot derive "${label}": the secret has ${secret.length} bytes, not ${SECRET_BYTES}`);
  }
  return await hkdfSha256(secret, {
    info: encodeText(INFO_PREFIX + label),
    salt: options.salt ?? new Uint8Array(0),
    lengthBytes: options.lengthBytes ?? SECRET_BYTES,
  });
}

/** HKDF-SHA-256 as RFC 5869 has it; an empty salt is the RFC's "not provided". */
export async function hkdfSha256(
  secret: Uint8Array,
  options: { salt: Uint8Array; info: Uint8Array; lengthBytes: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", unshared(secret), "HKDF", false, ["deriveBits"]);
  const parameters = {
    name: "HKDF",
    hash: "SHA-256",
    salt: unshared(options.salt),
    info: unshared(options.info),
  };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, 8 * options.lengthBytes));
}
