/**
 * The reading thread's work: fills free slots from the source and plans them. It waits for a slot, never for a message in
 * between, so it may block in a read without holding anybody up.
 */
import type { Arena, Slot } from "./arena.ts";
import { SLOT_BYTES } from "./arena.ts";
import { type CuttingOptions, type Plan, SlotCutter } from "./cutting.ts";
import { openSource, type SourceSpec } from "./source.ts";
import type { SplitStatus } from "../tar/mod.ts";

/** A slot that was read and planned. */
export interface ReadSlot {
  slot: number;
  length: number;
  plan: Plan;
}

/** How the stream ended. */
export interface ReadEnd {
  status: SplitStatus;
  bytes: number;
  exitCode: number | undefined;
}

/** Reads a whole source; `freeSlot` gives the number of a slot that nobody uses, `emit` takes one that is ready. */
export async function readAll(
  spec: SourceSpec,
  options: {
    arena: Arena;
    cutting: CuttingOptions;
    freeSlot: () => Promise<number>;
    emit: (slot: ReadSlot) => void;
  },
): Promise<ReadEnd> {
  const { arena } = options;
  const source = openSource(spec);
  const cutter = new SlotCutter(arena, options.cutting);
  const memory = new Uint8Array(arena.memory.buffer);
  let bytes = 0;
  for (let final = false; !final;) {
    const slot = arena.slots[await options.freeSlot()]!;
    const length = await fill(slot);
    final = length < SLOT_BYTES;
    bytes += length;
    options.emit({ slot: slot.number, length, plan: cutter.plan(slot, length, final) });
  }
  return { status: cutter.status, bytes, exitCode: await source.close() };

  async function fill(slot: Slot): Promise<number> {
    let length = 0;
    while (length < SLOT_BYTES) {
      const read = source.read(memory.subarray(slot.fresh + length, slot.fresh + SLOT_BYTES));
      const count = typeof read === "number" ? read : await read;
      if (count === null) break;
      length += count;
    }
    return length;
  }
}
