// How large things are: tables by hand, and bounds for every length.

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  brickFileBytes,
  GIB,
  KIB,
  LIMITS,
  MIB,
  sealedBlockBytes,
  sizeStep,
  TAG_BYTES,
  tocFrameBytes,
} from "../../lib/brick/mod.ts";

Deno.test("a brick's size is rounded up to steps between 64 KiB and 1 MiB", () => {
  // 2^(E - S) with E = floor(log2 L), S = floor(log2 E) + 1, in these bounds.
  const table: [length: number, step: number][] = [
    [2000, 64 * KIB],
    [64 * KIB, 64 * KIB],
    [1 * MIB, 64 * KIB],
    [2 * MIB - 1, 64 * KIB],
    [2 * MIB, 64 * KIB],
    [4 * MIB - 1, 64 * KIB],
    [4 * MIB, 128 * KIB],
    [8 * MIB - 1, 128 * KIB],
    [8 * MIB, 256 * KIB],
    [16 * MIB, 512 * KIB],
    [32 * MIB - 1, 512 * KIB],
    [32 * MIB, MIB],
    [128 * MIB, MIB],
    [GIB, MIB],
    [8 * GIB, MIB],
  ];
  for (const [length, step] of table) assert.equal(sizeStep(length), step, `${length}`);
});

Deno.test("a brick's file is the least multiple of its step that fits", () => {
  const table: [length: number, file: number][] = [
    [2000, 64 * KIB],
    [64 * KIB, 64 * KIB],
    [64 * KIB + 1, 128 * KIB],
    [4 * MIB, 4 * MIB],
    [4 * MIB + 1, 4 * MIB + 128 * KIB],
    [32 * MIB + 1, 33 * MIB],
    [127 * MIB + 1, 128 * MIB],
    [GIB, GIB],
  ];
  for (const [length, file] of table) assert.equal(brickFileBytes(length), file, `${length}`);
});

Deno.test("any brick's file holds it, in whole steps, and wastes less than one", () => {
  fc.assert(fc.property(fc.integer({ min: 100, max: LIMITS.brickBytes }), (length) => {
    const step = sizeStep(length);
    const file = brickFileBytes(length);
    assert.ok(file >= length && file - length < step);
    assert.equal(file % step, 0);
    assert.ok(step >= 64 * KIB && step <= MIB);
    // Padmé's bound, once the least step is behind.
    if (length >= 4 * MIB) assert.ok((file - length) / length < 0.125);
  }));
});

Deno.test("larger contents never make a smaller file, and a file's own size is stable", () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 2 * GIB }), fc.integer({ min: 0, max: 4 * MIB }), (length, more) => {
      assert.ok(brickFileBytes(length + more) >= brickFileBytes(length));
      assert.equal(brickFileBytes(brickFileBytes(length)), brickFileBytes(length));
    }),
  );
});

Deno.test("a toc frame with its tag is a multiple of 4 KiB and holds every record", () => {
  const table: [blocks: number, chunks: number, bytes: number][] = [
    [0, 0, 4096],
    [1, 1, 4096],
    [1, 112, 4096],
    [1, 113, 8192],
    [128, 512, 20 * KIB],
  ];
  for (const [blocks, chunks, bytes] of table) {
    assert.equal(tocFrameBytes(blocks, chunks), bytes, `${blocks} ${chunks}`);
  }
  fc.assert(fc.property(fc.nat(LIMITS.blocks), fc.nat(1_000_000), (blocks, chunks) => {
    const bytes = tocFrameBytes(blocks, chunks);
    const plain = 8 + 12 * blocks + 36 * chunks;
    assert.equal(bytes % 4096, 0);
    assert.ok(bytes - TAG_BYTES >= plain && bytes - TAG_BYTES - plain < 4096);
  }));
});

Deno.test("a sealed block takes a codec byte and a tag more than its payload", () => {
  assert.equal(sealedBlockBytes(1), 18);
  assert.equal(sealedBlockBytes(MIB), MIB + 17);
});
