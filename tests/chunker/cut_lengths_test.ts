import assert from "node:assert/strict";
import { cutLengths, cutReference, gearTable } from "../../lib/chunker/mod.ts";
import { generate, randomBytes, TABLE } from "./generated.ts";

const table = gearTable(TABLE);

Deno.test("cuts bytes of the heap as if they were one piece, whatever their length", () => {
  const sizes = { min: 16 * 1024, average: 64 * 1024, max: 256 * 1024 };
  for (const length of [0, 1, 16 * 1024, 256 * 1024, 256 * 1024 + 1, 1_000_000]) {
    const data = generate("lines", length);
    assert.deepEqual(cutLengths(data, table, sizes), cutReference(data, table, sizes), `${length} bytes`);
  }
});

Deno.test("nothing of one stream or table is left for the next", () => {
  const sizes = { min: 64, average: 256, max: 1024 };
  const data = randomBytes(10_000, 21);
  const other = gearTable(randomBytes(2048, 22));
  const first = cutLengths(data, table, sizes);
  assert.deepEqual(cutLengths(data, other, sizes), cutReference(data, other, sizes));
  assert.deepEqual(cutLengths(data, table, sizes), first);
  assert.notDeepEqual(cutLengths(data, other, sizes), first);
});
