/** Tree hashes against published vectors, and the alignment rule against the tree itself. */
import assert from "node:assert/strict";
import { isTreeAligned, LeafHasher, mebibyte, rangeTreeHash, treeHash } from "./vault/tree_hash.ts";

/** Byte, MiB, tree hash; from the tests of botocore, aws-sdk-cpp, aws-sdk-js-v3 and rdwilliamson/aws. */
const vectors: readonly [string, number, string][] = [
  ["a", 1, "9bc1b2a288b26af7257a36277ae3816a7d4f16e89c1e7e77d0a5c48bad62b360"],
  ["a", 2, "560c2c9333c719cb00cfdffee3ba293db17f58743cdd1f7e4055373ae6300afa"],
  ["a", 4, "9491cb2ed1d4e7cd53215f4017c23ec4ad21d7050a1e6bb636c4f67e8cddb844"],
  ["0", 3, "940257b3e0d13f92c98dc3fc32182e3acd07a81fe82f2b2dcd1802e1eedc5a3c"],
  ["0", 5.5, "154e26c78fd74d0c2c9b3cc4644191619dc4f2cd539ae2a74d5fd07957a3ee6a"],
  ["0", 8, "ff9ea39186cb33cd5ade7aca078e297a1622f8c1abdd4cc47bcbf66dc5877e1f"],
  ["\0", 5.5, "a3a82dbe3644dd6046be472f2e3ec1f8ef47f8f3adb86d0de4de7a254f255455"],
];

function leavesOf(bytes: Uint8Array, pieceLength: number) {
  const hasher = new LeafHasher();
  for (let at = 0; at < bytes.length; at += pieceLength) hasher.update(bytes.subarray(at, at + pieceLength));
  return hasher.end();
}

Deno.test("tree hashes are the published ones, however the bytes come", () => {
  for (const [byte, mebibytes, hash] of vectors) {
    const bytes = new Uint8Array(mebibytes * mebibyte).fill(byte.charCodeAt(0));
    assert.equal(treeHash(leavesOf(bytes, bytes.length).leaves), hash, `${byte} x ${mebibytes} MiB`);
    assert.equal(treeHash(leavesOf(bytes, 700_001).leaves), hash);
  }
  assert.equal(treeHash([]), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

Deno.test("a range is aligned exactly when it is a subtree: every range of 1 to 69 MiB", () => {
  for (let leaves = 1; leaves <= 69; leaves++) {
    const subtrees = new Set<string>();
    let level = Array.from({ length: leaves }, (_, index) => [index, index + 1] as const);
    for (;;) {
      for (const [from, to] of level) subtrees.add(`${from}-${to}`);
      if (level.length === 1) break;
      level = level.flatMap((left, at) => at % 2 === 1 ? [] : [[left[0], (level[at + 1] ?? left)[1]] as const]);
    }
    const length = leaves * mebibyte - 500;
    for (let from = 0; from < leaves; from++) {
      for (let to = from + 1; to <= leaves; to++) {
        const range = { from: from * mebibyte, to: Math.min(to * mebibyte, length) - 1 };
        assert.equal(isTreeAligned(range, length), subtrees.has(`${from}-${to}`), `${from}-${to} of ${leaves}`);
      }
    }
  }
});

Deno.test("the hash of an aligned range is that of its bytes alone", () => {
  const bytes = Uint8Array.from({ length: 6.5 * mebibyte }, (_, at) => at % 251);
  const archive = { length: bytes.length, leaves: leavesOf(bytes, bytes.length).leaves };
  for (const [from, to] of [[2, 4], [4, 6.5], [6, 6.5], [0, 6.5]] as const) {
    const range = { from: from * mebibyte, to: to * mebibyte - 1 };
    const alone = treeHash(leavesOf(bytes.subarray(range.from, range.to + 1), mebibyte).leaves);
    assert.equal(rangeTreeHash(range, archive), alone);
  }
  assert.equal(rangeTreeHash({ from: mebibyte, to: 3 * mebibyte - 1 }, archive), undefined);
});
