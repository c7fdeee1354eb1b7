/** Byte strings put together, and numbers inside them. */

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
