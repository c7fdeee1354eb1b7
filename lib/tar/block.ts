/**
 * The 512-byte block of a tar: is it a header, and what do its fields say.
 *
 * Every function takes the array and an offset, never a copy, since this runs once for each entry of streams with millions of
 * them. A header is what has a right checksum: early tars have no magic, so nothing else tells it from data. Old Sun and BSD tars
 * summed signed bytes, hence the second sum.
 */

/** Tar counts in these. */
export const BLOCK_BYTES = 512;

/** What a block is where a header may stand. */
export type BlockKind = "zeros" | "header" | "other";

/** Which of the three layouts a header has: they differ in what bytes 257 to 512 mean. */
export type Dialect = "v7" | "ustar" | "gnu";

/** Where a field of a header is, and how long. */
export type Field = readonly [offset: number, length: number];

/** The header fields. */
export const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  link: [157, 100],
  user: [265, 32],
  group: [297, 32],
  devMajor: [329, 8],
  devMinor: [337, 8],
  prefix: [345, 155],
  gnuRealSize: [483, 12],
  starRealSize: [452, 12],
} as const satisfies Record<string, Field>;

/** The offset of the type flag. */
export const TYPE_AT = 156;

const MAGIC_AT = 257;
const SPACE = 0x20;
const ZERO_DIGIT = 0x30;

/** Sorts the block at `at`; all of its 512 bytes must be there. */
export function classify(bytes: Uint8Array, at: number): BlockKind {
  let sum = 0;
  let high = 0;
  const end = at + BLOCK_BYTES;
  for (let i = at; i < end; i++) {
    const byte = bytes[i]!;
    sum += byte;
    high += byte >> 7;
  }
  if (sum === 0) return "zeros";
  const recorded = readChecksum(bytes, at + FIELD.checksum[0]);
  if (recorded < 0) return "other";
  // The sums count the checksum field itself as eight spaces.
  for (let i = 0; i < FIELD.checksum[1]; i++) {
    const byte = bytes[at + FIELD.checksum[0] + i]!;
    sum += SPACE - byte;
    high -= byte >> 7;
  }
  return recorded === sum || recorded === sum - 256 * high ? "header" : "other";
}

/** Whether [from, to) holds nothing but zeros; true when it is empty. */
export function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Whether "ustar" stands where POSIX and GNU headers have it. `to` may cut the block short. */
export function hasMagic(bytes: Uint8Array, at: number, to = at + BLOCK_BYTES): boolean {
  const m = at + MAGIC_AT;
  return m + 5 <= to && bytes[m] === 0x75 && bytes[m + 1] === 0x73 && bytes[m + 2] === 0x74 && bytes[m + 3] === 0x61 &&
    bytes[m + 4] === 0x72;
}

/** The layout of the header at `at`: GNU writes "ustar  ", POSIX "ustar" and a zero (or, sloppily, something else). */
export function dialectOf(bytes: Uint8Array, at: number): Dialect {
  if (!hasMagic(bytes, at)) return "v7";
  return bytes[at + MAGIC_AT + 5] === SPACE ? "gnu" : "ustar";
}

/**
 * A numeric field: octal digits with blanks around, or base-256 when its first bit is set. Blank is 0. NaN when it is neither, or beyond
 * 2^53, where a number could no longer be trusted to the byte.
 */
export function readNumber(bytes: Uint8Array, at: number, [offset, length]: Field): number {
  let i = at + offset;
  if (bytes[i]! & 0x80) return readBase256(bytes, i, length);
  const end = i + length;
  // One leading zero byte is what some old writer left of a field that overflowed. After two, readers no longer agree.
  if (bytes[i] === 0) i++;
  while (i < end && bytes[i] === SPACE) i++;
  if (i === end || isZero(bytes, i, end)) return 0;
  const negative = bytes[i] === 0x2d;
  if (negative) i++;
  const first = i;
  let value = 0;
  for (; i < end; i++) {
    const digit = bytes[i]! - ZERO_DIGIT;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  if (i === first || (i < end && !isBlank(bytes[i]!))) return NaN;
  return negative ? -value : value;
}

/** The size field of the header at `at`; NaN when it is negative or no number. */
export function readSize(bytes: Uint8Array, at: number): number {
  const size = readNumber(bytes, at, FIELD.size);
  return size >= 0 ? size : NaN;
}

/** Whether the size field says a number at all: a blank one reads as 0, which is too little to rely on in a damaged header. */
export function sizeIsWritten(bytes: Uint8Array, at: number): boolean {
  const [offset, length] = FIELD.size;
  for (let i = at + offset; i < at + offset + length; i++) if (!isBlank(bytes[i]!)) return true;
  return false;
}

/** A copy of a text field: up to its first zero byte, or all of it. */
export function readText(bytes: Uint8Array, at: number, field: Field): Uint8Array {
  return viewText(bytes, at, field).slice();
}

/** `readText` without the copy, which takes most of its time. */
export function viewText(bytes: Uint8Array, at: number, [offset, length]: Field): Uint8Array {
  const from = at + offset;
  let end = from;
  while (end < from + length && bytes[end] !== 0) end++;
  return bytes.subarray(from, end);
}

/** A copy of the name in the header block itself. */
export function readName(bytes: Uint8Array, at: number, dialect: Dialect): Uint8Array {
  return viewName(bytes, at, dialect).slice();
}

/** `readName` without the copy. The prefix is part of it only in POSIX headers; GNU keeps other things there. */
export function viewName(bytes: Uint8Array, at: number, dialect: Dialect): Uint8Array {
  const name = viewText(bytes, at, FIELD.name);
  if (dialect !== "ustar" || bytes[at + FIELD.prefix[0]] === 0) return name;
  // star puts two times behind a prefix of 131 bytes; it always ends that with a zero, so reading up to a zero fits both.
  const prefix = viewText(bytes, at, FIELD.prefix);
  const joined = new Uint8Array(prefix.length + 1 + name.length);
  joined.set(prefix);
  joined[prefix.length] = 0x2f;
  joined.set(name, prefix.length + 1);
  return joined;
}

/** How many bytes of padding follow `size` bytes. (No bit operations: sizes go beyond 32 bits.) */
export function paddingLength(size: number): number {
  return (BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === 0;
}

function readBase256(bytes: Uint8Array, at: number, length: number): number {
  const negative = (bytes[at]! & 0x40) !== 0;
  let value = 0;
  for (let i = at; i < at + length; i++) {
    const byte = i === at ? bytes[i]! & 0x7f : bytes[i]!;
    value = value * 256 + (negative ? (i === at ? 0x7f : 0xff) - byte : byte);
    if (value > Number.MAX_SAFE_INTEGER) return NaN;
  }
  return negative ? -value - 1 : value;
}

/** -1 when the field is not digits and blanks. */
function readChecksum(bytes: Uint8Array, at: number): number {
  let value = -1;
  let over = false;
  for (let i = at; i < at + FIELD.checksum[1]; i++) {
    const byte = bytes[i]!;
    const digit = byte - ZERO_DIGIT;
    if (digit >= 0 && digit <= 7) {
      if (!over) value = (value < 0 ? 0 : value) * 8 + digit;
    } else if (isBlank(byte)) {
      over = value >= 0;
    } else return -1;
  }
  return value;
}
