// Slots to plans: the same parts and the same chunks, however the stream falls into slots.

import assert from "node:assert/strict";
import fc from "fast-check";
import { SLOT_BYTES, SLOT_CHUNKS } from "../../lib/pipeline/arena.ts";
import { blocks, END, header, member } from "../tar/archives.ts";
import { randomBytes } from "../chunker/generated.ts";
import { byModel, bySlots, bytesOf, concat, type Found, newCutter, SIZES, smallArena } from "./plans.ts";
import { anyTar } from "./tars.ts";

const arena = smallArena();

function agree(input: Uint8Array, fills: () => number): Found[] {
  const { found } = bySlots(input, fills, arena);
  assert.deepEqual(found, byModel(input));
  assert.ok(Buffer.compare(bytesOf(found), input) === 0, "other bytes");
  return found;
}

Deno.test("any stream is cut like its bodies one by one, however it falls into slots", () => {
  const fills = fc.array(fc.oneof(fc.integer({ min: 1, max: 700 }), fc.integer({ min: 1, max: 20_000 })), {
    minLength: 1,
  });
  fc.assert(
    fc.property(anyTar, fills, (input, lengths) => {
      let i = 0;
      // No fill may take for ever: a stream of 100 KiB a byte at a time is another test's.
      agree(input, () => Math.max(lengths[i++ % lengths.length]!, Math.ceil(input.length / 2000)));
    }),
    { numRuns: 150 },
  );
});

Deno.test("a stream that comes byte by byte is cut the same", () => {
  const input = concat([member({ name: "a" }, randomBytes(3000, 1)), member({ name: "b" }, randomBytes(300, 2)), END]);
  agree(input, () => 1);
});

Deno.test("slots of whole length, with bodies and chunks across their bounds, are cut the same", () => {
  const input = concat([
    member({ name: "first" }, randomBytes(SLOT_BYTES - 1000, 1)),
    member({ name: "across" }, randomBytes(3000, 2)),
    member({ name: "long" }, randomBytes(2 * SLOT_BYTES, 3)),
    END,
  ]);
  const found = agree(input, () => SLOT_BYTES);
  assert.equal(found.filter(({ kind }) => kind === "entry").length, 3);
});

Deno.test("a stream of whole slots ends with an empty one", () => {
  const input = randomBytes(SLOT_BYTES, 4);
  const { found, cutter } = bySlots(input, fillsOf([SLOT_BYTES, 0]), arena);
  assert.deepEqual(found, byModel(input));
  assert.equal(cutter.status.opaqueBytes, SLOT_BYTES);
});

function fillsOf(lengths: number[]): () => number {
  let i = 0;
  return () => lengths[i++]!;
}

Deno.test("an empty stream is an empty plan, and incomplete", () => {
  const { found, cutter } = bySlots(new Uint8Array(), () => SLOT_BYTES, arena);
  assert.deepEqual(found, []);
  assert.equal(cutter.status.incomplete, "it is empty");
});

Deno.test("bodies of under 512 bytes are small, and longer ones are cut", () => {
  for (const [length, kind] of [[1, "small"], [511, "small"], [512, "chunk"], [513, "chunk"]] as const) {
    const found = agree(concat([member({}, randomBytes(length, 5)), END]), () => 100);
    assert.equal(found.find((item) => item.kind === "small" || item.kind === "chunk")?.kind, kind, `${length} bytes`);
  }
});

Deno.test("the densest stream there can be has no more chunks than a slot's table holds", () => {
  // Bodies of 513 bytes, each followed by padding that is not zero: two chunks in three blocks.
  const dense = concat([header({ size: 513 }), blocks(randomBytes(513, 6), 0x55)]);
  const streams = [
    Array.from({ length: Math.ceil(SLOT_BYTES / dense.length) }, () => dense),
    // Damaged headers, each a nameless body, each followed by a good one.
    Array.from({ length: SLOT_BYTES / 1024 }, () => concat([header({ sum: "wrong" }), header()])),
  ];
  for (const stream of streams) {
    const found = agree(concat([...stream, END]), () => SLOT_BYTES);
    assert.ok(found.filter(({ kind }) => kind === "chunk").length < SLOT_CHUNKS);
  }
});

Deno.test("an entry whose announced body never comes does not make what follows small", () => {
  // A sparse file of five bytes with more than a MiB of its map, which then breaks off: what follows is no part of it.
  const map = new Uint8Array(512).fill(0x30);
  map.fill(0, 505);
  map[504] = 1;
  const sparse = header({ type: "S", magic: "gnu", size: 5, patch: [[482, "\x01"]] });
  const input = concat([sparse, ...Array.from({ length: 2050 }, () => map), randomBytes(50_000, 7)]);
  const found = agree(input, () => 30_000);
  assert.ok(found.filter(({ kind }) => kind === "chunk").length >= 50_000 / SIZES.max);
  for (const item of found) assert.ok(item.kind !== "small" || item.bytes.length <= 5);
});

Deno.test("names that look like objects of a repository are told, each slot's at most sixteen", () => {
  const hash = "ab".repeat(32);
  const names = [`backup/bricks/ab/${hash}`, `meta/cd/cd${hash.slice(2)}`];
  const others = [`bricks/ab/${hash}x`, `other/ab/${hash}`, hash, `bricks/${hash}`];
  const slot = arena.slots[0]!;
  const plan = (names: string[]) => {
    const input = concat([...names.map((name) => header({ name, type: "0" })), END]);
    new Uint8Array(arena.memory.buffer).set(input, slot.fresh);
    return newCutter(arena).plan(slot, input.length, true).brickNames;
  };
  assert.deepEqual(plan([...names, ...others]), [hash, `cd${hash.slice(2)}`]);
  assert.equal(plan(Array.from({ length: 40 }, () => names[0]!)).length, 16);
});
