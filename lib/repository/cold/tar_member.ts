/**
 * Bundles are plain tars, so that any tar takes them apart. The same members give the same bytes on every machine and every
 * day: no times, no owners, names in ascending order.
 */

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
/** Eleven octal digits. */
const MOST_BYTES = 8 ** 11 - 1;
/** The two blocks of zeros that end a tar. */
export const TAR_END_BYTES = 2 * BLOCK_BYTES;

/** How much a member takes: its header, its bytes, and what fills the last block. */
export function memberBytes(bytes: number): number {
  return BLOCK_BYTES + Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** Where the bytes of a member begin, counted from its header. */
export const MEMBER_HEADER_BYTES = BLOCK_BYTES;

/** The ustar header of a regular file (POSIX.1-1988). */
export function memberHeader(name: string, bytes: number): Uint8Array<ArrayBuffer> {
  if (!/^[!-~]+$/.test(name) || name.length > NAME_BYTES || !(bytes >= 0 && bytes <= MOST_BYTES)) {
    throw new RangeError(`Cannot put ${name} of ${bytes} bytes into a bundle: a tar takes no such name or length`);
  }
  const header = new Uint8Array(BLOCK_BYTES);
  const put = (text: string, at: number) => header.set(new TextEncoder().encode(text), at);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0") + "\0";
  put(name, 0);
  put(octal(0o444, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(bytes, 11), 124);
  put(octal(0, 11), 136);
  put("        ", 148);
  put("0", 156);
  put("ustar\x0000", 257);
  put(octal(0, 7), 329);
  put(octal(0, 7), 337);
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
