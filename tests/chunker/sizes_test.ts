import assert from "node:assert/strict";
import { checkSizes, masksOf } from "../../lib/chunker/mod.ts";

const KIB = 1024;

Deno.test("the masks are frozen: the topmost log2(average) + 2 bits before the average, - 2 from there on", () => {
  const masks = (average: number) => {
    const { small, large } = masksOf({ min: 1, average, max: 2 ** 30 });
    return [small.toString(16), large.toString(16)];
  };
  assert.deepEqual(masks(256), ["ffc0000000000000", "fc00000000000000"]);
  assert.deepEqual(masks(64 * KIB), ["ffffc00000000000", "fffc000000000000"]);
  assert.deepEqual(masks(256 * KIB), ["fffff00000000000", "ffff000000000000"]);
  assert.deepEqual(masks(8192 * KIB), ["ffffff8000000000", "fffff80000000000"]);
});

Deno.test("log2 of the average is rounded to the nearest integer, exactly", () => {
  const bits = (average: number) => {
    const ones = masksOf({ min: 1, average, max: 2 ** 30 }).large.toString(2).replaceAll("0", "").length;
    return ones + 2;
  };
  for (let n = 4; n <= 23; n++) {
    // 2^n times the square root of 2 lies between these two neighbours.
    const below = Math.floor(2 ** n * Math.SQRT2);
    assert.equal(bits(2 ** n), n);
    assert.equal(bits(below), n, `average ${below}`);
    assert.equal(bits(below + 1), n + 1, `average ${below + 1}`);
  }
});

Deno.test("sizes of a repository are even, growing, and between 4 KiB and 16 MiB", () => {
  checkSizes({ min: 64 * KIB, average: 256 * KIB, max: 1024 * KIB });
  checkSizes({ min: 4096, average: 4098, max: 16 * KIB * KIB });
  const refused: [number, number, number, RegExp][] = [
    [4094, 8192, 16384, /smallest must be at least 4096/],
    [4096, 8192, 16 * KIB * KIB + 2, /largest must be at most 16777216/],
    [4097, 8192, 16384, /even/],
    [4096, 8191, 16384, /even/],
    [4096, 8192, 16383, /even/],
    [4096, 4096, 16384, /larger than the one before/],
    [4096, 16384, 16384, /larger than the one before/],
    [4096, NaN, 16384, /even/],
    [4096, 8192.5, 16384, /even/],
    [-4096, 8192, 16384, /smallest/],
  ];
  for (const [min, average, max, message] of refused) {
    assert.throws(() => checkSizes({ min, average, max }), message, `${min}/${average}/${max}`);
  }
  const outside = { min: 2, average: 4, max: 8 };
  assert.throws(() => checkSizes(outside, "tarzan.json"), {
    name: "RangeError",
    message: "Cannot use the chunk sizes 2/4/8 of tarzan.json: the smallest must be at least 4096",
  });
});
