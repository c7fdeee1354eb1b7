/**
 * Streams to recipes and back without bricks: the real splitter, cutter, recipe writer and replay, with chunks in a list.
 * A thousand times cheaper than a backup, for the streams that are too many.
 */
import assert from "node:assert/strict";
import { cutLengths, gearTable } from "../../lib/chunker/mod.ts";
import { EVENT } from "../../lib/pipeline/cutting.ts";
import {
  type GetChunk,
  type PageRef,
  type PutChunk,
  RecipeWriter,
  replay,
  STREAM_SIZES,
} from "../../lib/snapshot/mod.ts";
import { TABLE } from "../chunker/generated.ts";
import { newCutter, smallArena } from "../pipeline/plans.ts";
import { later } from "../snapshot/chunks.ts";

const table = gearTable(TABLE);
const cut = (bytes: Uint8Array) => cutLengths(bytes, table, STREAM_SIZES);
const arena = smallArena(1);
const slot = arena.slots[0]!;
const memory = new Uint8Array(arena.memory.buffer);
const chunkTable = new DataView(arena.memory.buffer, slot.chunkTable);

/** Chunks by number: an id is where its chunk stands, which costs no hash. */
class Shelf {
  readonly #chunks: Uint8Array[] = [];

  readonly put: PutChunk = (_kind, bytes) => {
    assert.ok(bytes.length > 0, "an empty chunk");
    const id = new Uint8Array(32);
    // Not 0: an id of zeros stands for no chunk.
    new DataView(id.buffer).setUint32(0, this.#chunks.push(bytes));
    return id;
  };

  at(id: Uint8Array): Uint8Array {
    return this.#chunks[new DataView(id.buffer, id.byteOffset).getUint32(0) - 1]!;
  }

  // deno-lint-ignore require-await
  readonly get: GetChunk = async (_kind, id) => this.at(id);
}

/** Puts a stream, of at most a slot, where `prefixComesBack` finds it. */
export function load(input: Uint8Array): void {
  memory.set(input, slot.fresh);
}

/** Fails unless the first `length` bytes of what was loaded come back. */
export async function prefixComesBack(input: Uint8Array, length: number): Promise<void> {
  const shelf = new Shelf();
  let at = 0;
  for await (const run of replay(later(pagesOf(length, shelf)), shelf.get)) {
    for (const segment of run) {
      const bytes = "bytes" in segment
        ? segment.bytes
        : shelf.at(segment.id).subarray(segment.from, segment.from + segment.length);
      if (at + bytes.length > length || Buffer.compare(bytes, input.subarray(at, at + bytes.length)) !== 0) {
        assert.fail(`the first ${length} bytes: other bytes between ${at} and ${at + bytes.length}`);
      }
      at += bytes.length;
    }
  }
  if (at !== length) assert.fail(`the first ${length} bytes: only ${at} came back`);
}

/** The recipe of what was loaded. Data chunks stay where they are, in the slot. */
function pagesOf(length: number, shelf: Shelf): PageRef[] {
  const pages: PageRef[] = [];
  const writer = new RecipeWriter({ put: shelf.put, cut, onPage: (page) => void pages.push(page) });
  const { events } = newCutter(arena).plan(slot, length, true);
  for (let i = 0; i < events.length; i += 3) {
    const [code, a, b] = [events[i], events[i + 1]!, events[i + 2]!];
    if (code === EVENT.raw || code === EVENT.begins) writer.raw(memory.subarray(a, b), code === EVENT.begins);
    else if (code === EVENT.entry) writer.entry(a);
    else if (code === EVENT.small) writer.small(memory.subarray(a, b));
    else if (code === EVENT.bodyEnd) writer.bodyEnd();
    else {
      const from = chunkTable.getUint32(a * 8, true);
      const chunk = memory.subarray(from, from + chunkTable.getUint32(a * 8 + 4, true)) as Uint8Array<ArrayBuffer>;
      writer.chunk(shelf.put("D", chunk), chunk.length);
    }
  }
  writer.finish();
  return pages;
}
