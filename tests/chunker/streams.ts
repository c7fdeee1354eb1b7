// Cutting a stream the way the pipeline does: pieces of it appear somewhere in the kernel's memory, one after the other.

import { Cutter, type Kernel } from "../../lib/chunker/mod.ts";

/** Where the tests keep their gear table; pieces lie behind it. */
export const TABLE_AT = 64;
const PIECES_AT = 4096;

/**
 * The lengths of the chunks of `data`, given to the cutter in pieces of the lengths `pieces()` says, alternately at two places
 * of the memory. The cutter must be at a stream's beginning.
 */
export function cutInPieces(kernel: Kernel, cutter: Cutter, data: Uint8Array, pieces: () => number): number[] {
  const memory = new Uint8Array(kernel.memory.buffer);
  const half = Math.floor((memory.length - PIECES_AT) / 2);
  const lengths: number[] = [];
  let place = PIECES_AT;
  for (let done = 0; done < data.length;) {
    const piece = data.subarray(done, done + Math.min(pieces(), half));
    memory.set(piece, place);
    let from = place;
    for (;;) {
      const before = cutter.length;
      const cut = cutter.next(from, place + piece.length);
      if (cut === -1) break;
      lengths.push(before + cut - from);
      from = cut;
    }
    done += piece.length;
    place = place === PIECES_AT ? PIECES_AT + half : PIECES_AT;
  }
  if (cutter.length > 0) lengths.push(cutter.length);
  cutter.begin();
  return lengths;
}
