/**
 * SHA-256 and HMAC-SHA-256, synchronous: small inputs (headers, JSON) are not worth a promise, and long ones run through
 * node:crypto at more than 1 GB/s, as fast as Web Crypto does them.
 */
import { createHash, createHmac } from "node:crypto";

/** SHA-256 of bytes or of the UTF-8 of a text. */
export function sha256(data: Uint8Array | string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(data).digest());
}

/** A SHA-256 that takes its input in pieces. */
export interface Sha256 {
  /** Takes the next bytes; they may change afterwards. */
  update(bytes: Uint8Array): void;
  /** The hash of all bytes; ends the use of this object. */
  digest(): Uint8Array<ArrayBuffer>;
}

/** Begins a SHA-256 over a stream. */
export function beginSha256(): Sha256 {
  const hash = createHash("sha256");
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => new Uint8Array(hash.digest()),
  };
}

/** HMAC-SHA-256; compare the result with `equalBytes` only. */
export function hmacSha256(key: Uint8Array, data: Uint8Array | string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHmac("sha256", key).update(data).digest());
}
