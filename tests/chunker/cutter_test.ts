import assert from "node:assert/strict";
import fc from "fast-check";
import { cutReference, Cutter, gearTable, Kernel } from "../../lib/chunker/mod.ts";
import vectors from "../vectors/fastcdc_own.json" with { type: "json" };
import { generate, randomBytes, TABLE } from "./generated.ts";
import { cutInPieces, TABLE_AT } from "./streams.ts";

function kernelWith(table: Uint8Array, options?: { portable: boolean }): Kernel {
  const kernel = new Kernel(new WebAssembly.Memory({ initial: 20, maximum: 20, shared: true }), options);
  new Uint8Array(kernel.memory.buffer).set(table, TABLE_AT);
  return kernel;
}

/** Piece lengths from 0 up, seeded. */
function pieceLengths(seed: number, most: number): () => number {
  const bytes = new DataView(randomBytes(4096, seed).buffer);
  let at = 0;
  return () => bytes.getUint32(at++ * 4 % 4096, true) % most;
}

for (const { data: kind, length, lengths, ...sizes } of vectors.cases) {
  Deno.test(`frozen cuts of ${length} bytes of ${kind}, ${sizes.min}/${sizes.average}/${sizes.max}`, () => {
    const data = generate(kind, length);
    assert.deepEqual(cutReference(data, gearTable(TABLE), sizes), lengths);
    const kernel = kernelWith(TABLE);
    const cutter = new Cutter(kernel, TABLE_AT, sizes);
    const pieces = [() => length, () => 4096, pieceLengths(length + 1, 3 * sizes.average)];
    if (length < 20_000) pieces.push(() => 1);
    for (const next of pieces) assert.deepEqual(cutInPieces(kernel, cutter, data, next), lengths);
  });
}

Deno.test("the table of the frozen vectors is the documented one", () => {
  const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  assert.deepEqual({ first: hex(TABLE.subarray(0, 8)), last: hex(TABLE.subarray(-8)) }, vectors.table);
});

Deno.test("however a stream is split, kernel, portable kernel and reference cut it alike", () => {
  const kernels = [kernelWith(TABLE), kernelWith(TABLE, { portable: true })];
  const sizes = fc.tuple(
    fc.integer({ min: 1, max: 300 }),
    fc.integer({ min: 1, max: 500 }),
    fc.integer({ min: 1, max: 900 }),
  )
    .map(([min, more, most]) => ({ min, average: min + more + 16, max: min + more + 16 + most }));
  const stream = fc.record({
    length: fc.nat(20_000),
    seed: fc.integer({ min: 1 }),
    pieces: fc.integer({ min: 1, max: 3000 }),
  });
  fc.assert(fc.property(sizes, stream, (size, { length, seed, pieces }) => {
    const data = randomBytes(length, seed);
    const expected = cutReference(data, gearTable(TABLE), size);
    for (const kernel of kernels) {
      const cutter = new Cutter(kernel, TABLE_AT, size);
      assert.deepEqual(cutInPieces(kernel, cutter, data, pieceLengths(seed, pieces + 1)), expected);
    }
  }));
});

Deno.test("two cutters share a kernel, each with its own table and its own chunk", () => {
  const kernel = kernelWith(TABLE);
  const memory = new Uint8Array(kernel.memory.buffer);
  const other = randomBytes(2048, 99);
  memory.set(other, 200_000);
  const sizes = { min: 64, average: 256, max: 1024 };
  const data = randomBytes(30_000, 12);
  memory.set(data, 4096);
  const streams = [TABLE_AT, 200_000].map((table) => ({
    cutter: new Cutter(kernel, table, sizes),
    lengths: [] as number[],
  }));
  for (let from = 4096; from < 4096 + data.length; from += 100) {
    for (const { cutter, lengths } of streams) {
      for (let at = from;;) {
        const before = cutter.length;
        const cut = cutter.next(at, from + 100);
        if (cut === -1) break;
        lengths.push(before + cut - at);
        at = cut;
      }
    }
  }
  for (const { cutter, lengths } of streams) lengths.push(cutter.length);
  assert.deepEqual(streams[0]!.lengths, cutReference(data, gearTable(TABLE), sizes));
  assert.deepEqual(streams[1]!.lengths, cutReference(data, gearTable(other), sizes));
});

// A table and masks with which a cut is at the first byte 0 from `min` on, and nowhere else.
const AT_ZERO = new Uint8Array(new BigUint64Array(256).fill(1n << 63n, 1).buffer);
const TOP_BIT = { small: 1n << 63n, large: 1n << 63n };
const SMALL = { min: 4, average: 8, max: 12 };

/** The kernel and cutter of a test by hand, with `bytes` at 4096. */
function byHand(bytes: number[]): Cutter {
  const kernel = kernelWith(AT_ZERO);
  new Uint8Array(kernel.memory.buffer).set(bytes, 4096);
  return new Cutter(kernel, TABLE_AT, SMALL, TOP_BIT);
}

Deno.test("the byte that triggers a cut opens the next chunk", () => {
  const cutter = byHand([1, 1, 1, 1, 1, 0, 1, 1]);
  assert.equal(cutter.next(4096, 4104), 4101);
  assert.equal(cutter.length, 0);
  assert.equal(cutter.next(4101, 4104), -1);
  assert.equal(cutter.length, 3);
});

Deno.test("the byte at min is the first that can trigger", () => {
  assert.equal(byHand([0, 0, 0, 0, 1, 1, 0]).next(4096, 4103), 4102);
  assert.equal(byHand([1, 1, 1, 1, 0, 1, 1]).next(4096, 4103), 4100);
});

Deno.test("a chunk may end where a piece begins", () => {
  const cutter = byHand([1, 1, 1, 1, 1, 0]);
  assert.equal(cutter.next(4096, 4101), -1);
  assert.equal(cutter.next(4101, 4102), 4101);
  assert.equal(cutter.next(4101, 4102), -1);
  assert.equal(cutter.length, 1);
});

Deno.test("a chunk of max bytes ends with its last byte, without seeing the next one", () => {
  const cutter = byHand(Array(24).fill(1));
  assert.equal(cutter.next(4096, 4108), 4108);
  assert.equal(cutter.length, 0);
  assert.equal(cutter.next(4108, 4119), -1);
  assert.equal(cutter.next(4119, 4120), 4120);
});

Deno.test("the last byte of an odd remainder is tested too, so a stream may end with a chunk of one byte", () => {
  const data = Uint8Array.of(1, 1, 1, 1, 1, 1, 0);
  const cutter = byHand([...data]);
  assert.equal(cutter.next(4096, 4103), 4102);
  assert.equal(cutter.next(4102, 4103), -1);
  assert.equal(cutter.length, 1);
  assert.deepEqual(cutReference(data, gearTable(AT_ZERO), SMALL, TOP_BIT), [6, 1]);
});

Deno.test("begin forgets the chunk so far", () => {
  const cutter = byHand([1, 1, 1, 1, 1, 1, 0, 1, 1]);
  assert.equal(cutter.next(4096, 4100), -1);
  cutter.begin();
  assert.equal(cutter.length, 0);
  assert.equal(cutter.next(4100, 4105), -1);
  assert.equal(cutter.length, 5);
});

Deno.test("no bytes change nothing", () => {
  const cutter = byHand([1, 1, 1, 1, 1, 0]);
  assert.equal(cutter.next(4096, 4096), -1);
  assert.equal(cutter.next(4096, 4099), -1);
  assert.equal(cutter.next(5000, 5000), -1);
  assert.equal(cutter.length, 3);
  assert.equal(cutter.next(4099, 4102), 4101);
});

Deno.test("sizes out of order and ranges that end before they begin are refused", () => {
  const kernel = kernelWith(TABLE);
  for (const [min, average, max] of [[0, 8, 12], [8, 8, 12], [4, 12, 12], [4, NaN, 12]] as const) {
    assert.throws(() => new Cutter(kernel, TABLE_AT, { min, average, max }, TOP_BIT), /Cannot cut chunks of/);
  }
  assert.throws(() => new Cutter(kernel, TABLE_AT, SMALL, TOP_BIT).next(10, 9), /they end before they begin/);
});
