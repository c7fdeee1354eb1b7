// Cutting bytes that are in the heap, such as page tables and chunk lists: copied piece by piece through a small memory that
// is this module's own. Bodies are cut in place by a Cutter instead.

import { Cutter } from "./cutter.ts";
import { type GearTable, TABLE_BYTES } from "./gear.ts";
import { Kernel } from "./kernel.ts";
import type { ChunkSizes } from "./sizes.ts";

const PIECE_BYTES = 256 * 1024;

let own: Kernel | undefined;

/** The lengths of the chunks of `data`, in order; they add up to its length. */
export function cutLengths(data: Uint8Array, table: GearTable, sizes: ChunkSizes): number[] {
  const kernel = own ??= new Kernel(new WebAssembly.Memory({ initial: 5, maximum: 5, shared: true }));
  const bytes = new Uint8Array(kernel.memory.buffer);
  bytes.set(table.bytes, 0);
  const cutter = new Cutter(kernel, 0, sizes);
  const lengths: number[] = [];
  for (let done = 0; done < data.length; done += PIECE_BYTES) {
    const piece = data.subarray(done, done + PIECE_BYTES);
    bytes.set(piece, TABLE_BYTES);
    let from = TABLE_BYTES;
    for (;;) {
      const before = cutter.length;
      const cut = cutter.next(from, TABLE_BYTES + piece.length);
      if (cut === -1) break;
      lengths.push(before + cut - from);
      from = cut;
    }
  }
  if (cutter.length > 0) lengths.push(cutter.length);
  return lengths;
}
