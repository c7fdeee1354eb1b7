import assert from "node:assert/strict";
import { LeafHasher } from "../../lib/glacier/leaf_hasher.ts";
import { LEAF_BYTES, TreeHasher } from "../../lib/glacier/tree_hash.ts";

for (const length of [0, 1, LEAF_BYTES - 1, LEAF_BYTES, LEAF_BYTES + 1, 7 * LEAF_BYTES, 9 * LEAF_BYTES + 5]) {
  Deno.test(`leaves hashed beside this thread give the tree hash of ${length} bytes`, async () => {
    const bytes = Uint8Array.from({ length }, (_, i) => i % 251);
    const expected = new TreeHasher();
    expected.update(bytes);
    const hasher = new LeafHasher();
    const leaf = new Uint8Array(LEAF_BYTES);
    for (let at = 0; at < length; at += LEAF_BYTES) {
      const piece = bytes.subarray(at, at + LEAF_BYTES);
      leaf.set(piece);
      // The next leaf goes into the same memory: what was given must have been copied.
      await hasher.add(leaf.subarray(0, piece.length));
    }
    assert.deepEqual(await hasher.digest(), expected.digest());
  });
}

Deno.test("a leaf of more than a MiB is refused", async () => {
  await assert.rejects(new LeafHasher().add(new Uint8Array(LEAF_BYTES + 1)), RangeError);
});
