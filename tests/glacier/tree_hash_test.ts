// Tree hashes against other implementations' vectors, however the stream comes.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { LEAF_BYTES, TreeHasher } from "../../lib/glacier/mod.ts";
import vectors from "../vectors/glacier_tree_hash.json" with { type: "json" };

interface Vector {
  byte?: number | null;
  text?: string;
  length: number;
  treeHash: string;
  linear?: string;
  from: string;
}

const cases: Vector[] = vectors.cases;

function input({ byte, text, length }: Vector): Uint8Array {
  if (text !== undefined) return new TextEncoder().encode(text);
  if (typeof byte === "number") return new Uint8Array(length).fill(byte);
  return Uint8Array.from({ length }, (_, i) => i % 251);
}

function label({ byte, text, length, from }: Vector): string {
  return `${text ?? byte ?? "i % 251"} x ${length} (${from})`;
}

/** The hash of `data` in pieces of the lengths that `next` gives. */
function inPieces(data: Uint8Array, next: () => number): string {
  const hasher = new TreeHasher();
  for (let at = 0; at < data.length;) {
    const piece = data.subarray(at, at + next());
    hasher.update(piece);
    at += piece.length;
  }
  return hasher.digest().toHex();
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

Deno.test("tree hashes are those of other implementations, for the stream as a whole", () => {
  for (const vector of cases) {
    const data = input(vector);
    assert.equal(data.length, vector.length);
    assert.equal(inPieces(data, () => Infinity), vector.treeHash, label(vector));
    if (vector.linear !== undefined) assert.equal(sha256(data).toHex(), vector.linear, label(vector));
  }
});

Deno.test("pieces that end just before, at and just behind a leaf give the same tree hash", () => {
  for (const vector of cases) {
    const data = input(vector);
    for (const length of [LEAF_BYTES - 1, LEAF_BYTES, LEAF_BYTES + 1, 3 * LEAF_BYTES - 7, 65_537]) {
      assert.equal(inPieces(data, () => length), vector.treeHash, `${label(vector)} in pieces of ${length}`);
    }
  }
});

Deno.test("byte by byte, small inputs give the same tree hash", () => {
  for (const vector of cases.filter(({ length }) => length <= 1024)) {
    assert.equal(inPieces(input(vector), () => 1), vector.treeHash, label(vector));
  }
});

Deno.test("leaves that were hashed elsewhere give the same tree hash", () => {
  for (const vector of cases) {
    const data = input(vector);
    const hasher = new TreeHasher();
    for (let at = 0; at < data.length; at += LEAF_BYTES) hasher.addLeaf(sha256(data.subarray(at, at + LEAF_BYTES)));
    assert.equal(hasher.digest().toHex(), vector.treeHash, label(vector));
  }
});

Deno.test("a leaf cannot be added in the middle of another", () => {
  const hasher = new TreeHasher();
  hasher.update(new Uint8Array(1));
  assert.throws(() => hasher.addLeaf(new Uint8Array(32)), /in the middle/);
  hasher.update(new Uint8Array(LEAF_BYTES - 1));
  hasher.addLeaf(sha256(new Uint8Array(5)));
  assert.equal(hasher.digest().toHex(), inPieces(new Uint8Array(LEAF_BYTES + 5), () => Infinity));
});

/** The definition: pair up a level until one is left; an odd one goes up as it is. */
function rootOf(leaves: Uint8Array[]): Uint8Array {
  let level = leaves;
  while (level.length > 1) {
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) => {
      const pair = level.slice(2 * i, 2 * i + 2);
      return pair.length === 1 ? pair[0]! : createHash("sha256").update(pair[0]!).update(pair[1]!).digest();
    });
  }
  return level[0]!;
}

Deno.test("any number of leaves gives the root that pairing them level by level gives", () => {
  for (let count = 1; count <= 130; count++) {
    const leaves = Array.from({ length: count }, (_, i) => sha256(Uint8Array.of(i)));
    const hasher = new TreeHasher();
    for (const leaf of leaves) hasher.addLeaf(leaf);
    assert.equal(hasher.digest().toHex(), rootOf(leaves).toHex(), `${count} leaves`);
  }
});

Deno.test("however a stream is cut into pieces, its tree hash is the same", () => {
  const data = Uint8Array.from({ length: 3 * LEAF_BYTES + 77 }, (_, i) => i % 251);
  const whole = inPieces(data, () => Infinity);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 2 * LEAF_BYTES }), { minLength: 1 }), (lengths) => {
      let i = 0;
      assert.equal(inPieces(data, () => Math.max(lengths[i++ % lengths.length]!, 4096)), whole);
    }),
    { numRuns: 30 },
  );
});
