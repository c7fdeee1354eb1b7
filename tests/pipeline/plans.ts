/** Plans of a stream: by the slot cutter, and by a slow model of it that has the whole stream in memory. */
import { type ChunkSizes, cutReference, gearTable } from "../../lib/chunker/mod.ts";
import { idScratchBytes } from "../../lib/crypto/mod.ts";
import { type Arena, makeArena, type Slot } from "../../lib/pipeline/arena.ts";
import { EVENT, type Plan, SlotCutter } from "../../lib/pipeline/cutting.ts";
import { SMALL_BODY_BYTES } from "../../lib/snapshot/mod.ts";
import { Splitter, type TarSink } from "../../lib/tar/mod.ts";
import { TABLE } from "../chunker/generated.ts";

/** Small enough that short bodies have many chunks. */
export const SIZES: ChunkSizes = { min: 256, average: 1024, max: 4096 };

/** What a stream was found to be made of. Neighbouring raw bytes and pieces of a small body are joined. */
export type Found =
  | { kind: "raw"; begins: boolean; bytes: Uint8Array }
  | { kind: "entry"; hash: number }
  | { kind: "small"; bytes: Uint8Array }
  | { kind: "chunk"; bytes: Uint8Array }
  | { kind: "bodyEnd" };

/** Something that depends on the whole name, in the place of a keyed hash. */
export function nameHash(name: Uint8Array): number {
  return name.reduce((sum, byte) => (sum * 31 + byte) & 0xff, 7);
}

/** An arena with `slots` slots and no block buffers. */
export function smallArena(slots = 2): Arena {
  const none = { count: 0, capacity: 0 };
  const scratchBytes = idScratchBytes(SIZES.max);
  const options = { maxChunk: SIZES.max, threads: 1, scratchBytes, slots, dataBuffers: none, metaBuffers: none };
  const arena = makeArena(options);
  new Uint8Array(arena.memory.buffer).set(TABLE, arena.gear);
  return arena;
}

/** Adds to what was found, joined with what is there. */
function add(found: Found[], item: Found): void {
  const last = found.at(-1);
  const joins = last?.kind === item.kind && ((item.kind === "raw" && !item.begins) || item.kind === "small");
  if (!joins) return void found.push(item);
  (last as { bytes: Uint8Array }).bytes = concat([
    (last as { bytes: Uint8Array }).bytes,
    (item as { bytes: Uint8Array }).bytes,
  ]);
}

/** A slot cutter at the beginning of a stream. */
export function newCutter(arena: Arena): SlotCutter {
  return new SlotCutter(arena, { sizes: SIZES, smallBodyBytes: SMALL_BODY_BYTES, nameHash });
}

/** What the slot cutter finds when slots are filled with so many bytes each. */
export function bySlots(input: Uint8Array, fills: () => number, arena: Arena): { found: Found[]; cutter: SlotCutter } {
  const cutter = newCutter(arena);
  const memory = new Uint8Array(arena.memory.buffer);
  const found: Found[] = [];
  let at = 0;
  let turn = 0;
  for (let final = false; !final;) {
    const slot = arena.slots[turn++ % arena.slots.length]!;
    const piece = input.subarray(at, at + fills());
    at += piece.length;
    final = at === input.length;
    memory.set(piece, slot.fresh);
    take(found, arena, slot, cutter.plan(slot, piece.length, final));
  }
  return { found, cutter };
}

function take(found: Found[], arena: Arena, slot: Slot, { events }: Plan): void {
  const memory = new Uint8Array(arena.memory.buffer);
  const table = new DataView(arena.memory.buffer);
  const copy = (from: number, to: number) => memory.slice(from, to);
  for (let i = 0; i < events.length; i += 3) {
    const [code, a, b] = [events[i], events[i + 1]!, events[i + 2]!];
    if (code === EVENT.raw || code === EVENT.begins) {
      add(found, { kind: "raw", begins: code === EVENT.begins, bytes: copy(a, b) });
    } else if (code === EVENT.entry) add(found, { kind: "entry", hash: a });
    else if (code === EVENT.small) add(found, { kind: "small", bytes: copy(a, b) });
    else if (code === EVENT.bodyEnd) add(found, { kind: "bodyEnd" });
    else {
      const from = table.getUint32(slot.chunkTable + a * 8, true);
      const length = table.getUint32(slot.chunkTable + a * 8 + 4, true);
      add(found, { kind: "chunk", bytes: copy(from, from + length) });
    }
  }
}

/** What a stream is made of: the splitter over the whole of it, the reference chunker over each body. */
export function byModel(input: Uint8Array): Found[] {
  const found: Found[] = [];
  const table = gearTable(TABLE);
  let smallBytes = 0;
  let body: Uint8Array[] = [];
  const sink: TarSink = {
    raw: (from, to, begins) => add(found, { kind: "raw", begins, bytes: input.slice(from, to) }),
    entry(name, size) {
      add(found, { kind: "entry", hash: nameHash(name) });
      smallBytes = size < SMALL_BODY_BYTES ? size : 0;
    },
    body: (from, to) => void body.push(input.slice(from, to)),
    bodyEnd() {
      const bytes = concat(body);
      if (smallBytes > 0) add(found, { kind: "small", bytes: bytes.slice(0, smallBytes) });
      let at = smallBytes;
      for (const length of cutReference(bytes.slice(smallBytes), table, SIZES)) {
        add(found, { kind: "chunk", bytes: bytes.slice(at, at += length) });
      }
      add(found, { kind: "bodyEnd" });
      smallBytes = 0;
      body = [];
    },
  };
  new Splitter().split(input, 0, input.length, true, sink);
  return found;
}

/** All bytes that were found, in order. */
export function bytesOf(found: Found[]): Uint8Array {
  return concat(found.flatMap((item) => "bytes" in item ? [item.bytes] : []));
}

/** One array after the other. */
export function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
