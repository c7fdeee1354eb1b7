/**
 * Old GNU sparse headers (type S under GNU magic): the map goes on in extension blocks between the header and the body, as long as
 * a flag says so. The size field does not count them. (star counts its own in the size, so there they are body; a ustar or v7 header
 * with type S has none.)
 */

import { BLOCK_BYTES, type Dialect, TYPE_AT } from "./block.ts";
import { TYPE } from "./body_rule.ts";

const HEADER_FLAG_AT = 482;
const BLOCK_FLAG_AT = 504;
const NUMBERS_IN_BLOCK = 42;
const NUMBER_BYTES = 12;

/** Whether extension blocks follow the header at `at`. */
export function hasSparseExtension(bytes: Uint8Array, at: number, dialect: Dialect): boolean {
  return dialect === "gnu" && bytes[at + TYPE_AT] === TYPE.sparse && bytes[at + HEADER_FLAG_AT] !== 0;
}

/** Whether another extension block follows the one at `at`. */
export function continuesSparse(bytes: Uint8Array, at: number): boolean {
  return bytes[at + BLOCK_FLAG_AT] !== 0;
}

/**
 * Whether the block at `at` can be an extension block: offsets and lengths in octal or base-256, a flag, zeros. They have no checksum,
 * and a block that is none must not pass as header bytes: then it is a piece of a body.
 */
export function isSparseExtension(bytes: Uint8Array, at: number): boolean {
  for (let n = 0; n < NUMBERS_IN_BLOCK; n++) {
    const from = at + n * NUMBER_BYTES;
    if (bytes[from] === 0x80) continue;
    for (let i = from; i < from + NUMBER_BYTES; i++) {
      const byte = bytes[i]!;
      if (byte !== 0 && byte !== 0x20 && (byte < 0x30 || byte > 0x37)) return false;
    }
  }
  const flag = bytes[at + BLOCK_FLAG_AT]!;
  if (flag > 1 && flag !== 0x30 && flag !== 0x31) return false;
  for (let i = at + BLOCK_FLAG_AT + 1; i < at + BLOCK_BYTES; i++) if (bytes[i] !== 0) return false;
  return true;
}
