// How archives are cut for upload and download.

import assert from "node:assert/strict";
import fc from "fast-check";
import { isTreeHashAligned, LEAF_BYTES, TreeHasher } from "../../lib/glacier/mod.ts";
import { isUsablePartSize, partBytesFor, partsOf } from "../../lib/glacier/vault/parts.ts";
import { piecesOf } from "../../lib/glacier/vault/pieces.ts";

const MiB = LEAF_BYTES;

Deno.test("bricks go in parts of 16 to 64 MiB, archives of any size in at most 10,000", () => {
  assert.deepEqual([1, 16, 128, 512].map((size) => partBytesFor(size * MiB) / MiB), [16, 16, 16, 16]);
  assert.deepEqual([513, 1024, 1025, 4096, 600_000].map((size) => partBytesFor(size * MiB) / MiB), [
    32,
    32,
    64,
    64,
    64,
  ]);
  assert.equal(partBytesFor(10_000 * 64 * MiB), 64 * MiB);
  assert.equal(partBytesFor(10_000 * 64 * MiB + 1), 128 * MiB);
});

Deno.test("parts follow one another, all alike but the last, and every size that is chosen is one that can be used", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 3 * 1024 * MiB }), (bytes) => {
    const size = partBytesFor(bytes);
    assert.ok(isUsablePartSize(size, bytes));
    const parts = partsOf(bytes, size);
    assert.ok(parts.length <= 10_000);
    let at = 0;
    for (const { from, length } of parts) {
      assert.equal(from, at);
      assert.ok(length === size || from + length === bytes);
      at += length;
    }
    assert.equal(at, bytes);
  }));
});

Deno.test("uploads that others began are gone on with only where their parts fit into memory and make a tree", () => {
  for (const size of [1, 2, 4, 8, 16, 32, 64]) assert.ok(isUsablePartSize(size * MiB, 128 * MiB));
  for (const size of [0, 0.5, 3, 12, 128, 4096]) assert.ok(!isUsablePartSize(size * MiB, 128 * MiB));
  assert.ok(!isUsablePartSize(MiB, 10_001 * MiB));
});

Deno.test("the tree hash of the parts' tree hashes is that of the whole", () => {
  const hash = (bytes: Uint8Array) => {
    const hasher = new TreeHasher();
    hasher.update(bytes);
    return hasher.digest();
  };
  const whole = Uint8Array.from({ length: 5 * MiB + 7 }, (_, i) => i % 253);
  for (const size of [1, 2, 4]) {
    const parts = new TreeHasher();
    // Leaves or inner nodes: they are joined the same way.
    for (const { from, length } of partsOf(whole.length, size * MiB)) {
      parts.addLeaf(hash(whole.subarray(from, from + length)));
    }
    assert.equal(parts.digest().toHex(), hash(whole).toHex());
  }
});

Deno.test("a range is downloaded in pieces that are exactly it; all whole MiB of it in pieces that can be verified", () => {
  const range = fc.integer({ min: 1, max: 70 * MiB }).chain((archive) =>
    fc.tuple(fc.constant(archive), fc.integer({ min: 0, max: archive - 1 }), fc.boolean()).chain(
      ([archive, from, aligned]) => {
        const start = aligned ? from - from % MiB : from;
        return fc.tuple(fc.constant(archive), fc.constant(start), fc.integer({ min: 1, max: archive - start }));
      },
    )
  );
  fc.assert(fc.property(range, ([archive, from, length]) => {
    const pieces = piecesOf({ from, length }, archive);
    let at = from;
    for (const piece of pieces) {
      assert.equal(piece.from, at);
      assert.ok(piece.length > 0 && piece.length <= 16 * MiB);
      const wholeLeaves = piece.from % MiB === 0 &&
        ((piece.from + piece.length) % MiB === 0 || piece.from + piece.length === archive);
      if (wholeLeaves) assert.ok(isTreeHashAligned(piece, archive), `${piece.from} + ${piece.length} of ${archive}`);
      // What cannot be verified is at the two ends only, and less than two MiB.
      else assert.ok(piece.length < 2 * MiB && (piece === pieces[0] || piece === pieces.at(-1)));
      at += piece.length;
    }
    assert.equal(at, from + length);
  }));
});

Deno.test("a whole archive is downloaded in pieces of 16 MiB", () => {
  const lengths = piecesOf({ from: 0, length: 40 * MiB + 5 }, 40 * MiB + 5).map(({ length }) => length / MiB);
  assert.deepEqual(lengths, [16, 16, 8 + 5 / MiB]);
});

Deno.test("a range within two neighbouring MiB is one request", () => {
  assert.equal(piecesOf({ from: MiB - 10, length: 20 }, 8 * MiB).length, 1);
  assert.equal(piecesOf({ from: 5, length: 20 }, 8 * MiB).length, 1);
});
