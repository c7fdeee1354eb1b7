import assert from "node:assert/strict";
import fc from "fast-check";
import { cutReference, gearTable, Kernel } from "../../lib/chunker/mod.ts";
import { scanGear } from "../../lib/chunker/gear.ts";
import { randomBytes, TABLE } from "./generated.ts";

/** The definition in one line of BigInt, to test both fast forms with. */
function scanSlowly(data: Uint8Array, table: bigint[], hash: bigint, mask: bigint): { at: number; hash: bigint } {
  let at = 0;
  for (; at < data.length; at++) {
    hash = BigInt.asUintN(64, (hash << 1n) + table[data[at]!]!);
    if ((hash & mask) === 0n) break;
  }
  return { at, hash };
}

const CORNERS = [
  0n,
  1n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const word = fc.oneof(fc.constantFrom(...CORNERS), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
const MASKS = [1n, 1n << 31n, 1n << 32n, 1n << 63n, 0xffffffffn, 0xffffffffn << 32n, 2n ** 64n - 1n, 0x180000000n];

Deno.test("kernel and reference are 64-bit arithmetic, carries and corners included", () => {
  const kernel = new Kernel();
  const portable = new Kernel(kernel.memory, { portable: true });
  const memory = new Uint8Array(kernel.memory.buffer);
  const words = fc.array(word, { minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(words, fc.uint8Array({ maxLength: 70 }), word, fc.constantFrom(...MASKS), (four, bytes, hash, mask) => {
      const table = Array.from({ length: 256 }, (_, i) => four[i % 4]!);
      const tableBytes = new Uint8Array(BigUint64Array.from(table).buffer);
      const expected = scanSlowly(bytes, table, hash, mask);
      assert.deepEqual(scanGear(bytes, 0, bytes.length, { table: gearTable(tableBytes), hash, mask }), expected);
      memory.set(tableBytes, 8);
      memory.set(bytes, 5001);
      for (const each of [kernel, portable]) {
        assert.equal(each.scan(5001, 5001 + bytes.length, { table: 8, hash, mask }) - 5001, expected.at);
        if (expected.at === bytes.length) assert.equal(each.hash, expected.hash);
      }
    }),
  );
});

Deno.test("a gear table is 2,048 bytes, read little-endian wherever they lie in a buffer", () => {
  const shifted = new Uint8Array(2051);
  shifted.set(TABLE, 3);
  const { low, high } = gearTable(shifted.subarray(3));
  assert.deepEqual([low, high], [gearTable(TABLE).low, gearTable(TABLE).high]);
  assert.deepEqual([gearTable(TABLE).low[0]!.toString(16), gearTable(TABLE).high[0]!.toString(16)], [
    "1f6c74da",
    "af18f801",
  ]);
  assert.throws(() => gearTable(new Uint8Array(2047)), /2047 bytes: it has 2048/);
});

Deno.test("chunks are at least min and at most max bytes long, but for the last, and add up to the data", () => {
  const sizes = { min: 64, average: 256, max: 512 };
  const lengths = cutReference(randomBytes(100_000, 5), gearTable(TABLE), sizes);
  assert.equal(lengths.reduce((sum, length) => sum + length), 100_000);
  assert.ok(lengths.slice(0, -1).every((length) => length >= sizes.min && length <= sizes.max));
  assert.ok(lengths.filter((length) => length === sizes.max).length < lengths.length / 10);
});

Deno.test("after an insertion nearly all chunks are the same ones again", () => {
  const sizes = { min: 64, average: 256, max: 1024 };
  const data = randomBytes(60_000, 6);
  const ends = (bytes: Uint8Array) => {
    let end = 0;
    return cutReference(bytes, gearTable(TABLE), sizes).map((length) => (end += length));
  };
  const before = ends(data);
  const after = new Set(ends(Uint8Array.of(1, 2, 3, ...data)).map((end) => end - 3));
  assert.ok(before.filter((end) => after.has(end)).length > before.length * 0.95);
});
