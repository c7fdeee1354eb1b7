/** Byte strings put together, numbers inside them, and their memory given back. */

/** All parts one after the other, in fresh memory. */
export function concatBytes(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The unsigned little-endian 32-bit number at `offset`. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, true);
}

/** Writes an unsigned little-endian 32-bit number; a value that does not fit is a RangeError, not its low bits. */
export function writeU32(bytes: Uint8Array, offset: number, value: number): void {
  if (!isU32(value)) throw new RangeError(`Cannot write ${value} as an unsigned 32-bit number`);
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).setUint32(offset, value, true);
}

/** Whether `value` is an integer from 0 to 2^32 - 1. */
export function isU32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}

/** The same bytes, not in a SharedArrayBuffer: Web Crypto refuses views of shared memory. Copies only those. */
export function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? bytes as Uint8Array<ArrayBuffer> : new Uint8Array(bytes);
}

/** Arrays that are smaller may share their memory with others (node's pool), and are not worth it. */
const LEAST_FREED_BYTES = 64 * 1024;

/**
 * Ends the use of an array that has its memory for itself: it, and every view of it, has length 0 afterwards. The garbage
 * collector sees small objects that hold megabytes elsewhere, and comes by too seldom; at a gigabyte a second, hundreds of
 * megabytes would be waiting for it in every thread.
 */
export function free({ buffer }: Uint8Array | Int32Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > LEAST_FREED_BYTES) buffer.transfer(0);
}
