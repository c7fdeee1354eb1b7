// Ranges of vault retrievals against the hash tree itself.

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type ByteRange,
  isMegabyteAligned,
  isTreeHashAligned,
  LEAF_BYTES,
  megabyteAlignedAround,
  treeHashAlignedAround,
} from "../../lib/glacier/mod.ts";

type Leaves = readonly [first: number, end: number];

/** The nodes of a tree over `count` leaves, built as the hash is: in pairs, an odd one carried up. */
function nodesOf(count: number): Leaves[] {
  const nodes: Leaves[] = [];
  let level = Array.from({ length: count }, (_, leaf): Leaves => [leaf, leaf + 1]);
  while (level.length > 1) {
    nodes.push(...level);
    const above: Leaves[] = [];
    for (let at = 0; at < level.length; at += 2) above.push([level[at]![0], (level[at + 1] ?? level[at]!)[1]]);
    level = above;
  }
  return [...nodes, ...level];
}

function bytesOf([first, end]: Leaves, archiveBytes: number): ByteRange {
  return { from: first * LEAF_BYTES, length: Math.min(end * LEAF_BYTES, archiveBytes) - first * LEAF_BYTES };
}

/** Lengths of archives of up to 69 MiB: whole ones, and with a last MiB of one byte or all but one. */
function* archives(): Generator<{ archiveBytes: number; count: number }> {
  for (let count = 1; count <= 69; count++) {
    for (const last of [1, LEAF_BYTES - 1, LEAF_BYTES]) yield { archiveBytes: (count - 1) * LEAF_BYTES + last, count };
  }
}

Deno.test("a range is tree-hash aligned exactly if it is a node of the archive's tree, for all ranges up to 69 MiB", () => {
  for (const { archiveBytes, count } of archives()) {
    const nodes = new Set(nodesOf(count).map(String));
    for (let first = 0; first < count; first++) {
      for (let end = first + 1; end <= count; end++) {
        const aligned = isTreeHashAligned(bytesOf([first, end], archiveBytes), archiveBytes);
        if (aligned !== nodes.has(String([first, end]))) assert.fail(`[${first}, ${end}) of ${archiveBytes} bytes`);
      }
    }
  }
});

Deno.test("the tree-hash aligned range around bytes is the smallest node that covers them, for all ranges up to 69 MiB", () => {
  for (const { archiveBytes, count } of archives()) {
    const nodes = nodesOf(count);
    for (let first = 0; first < count; first++) {
      // Seen from this leaf, the nodes that hold it, the smallest first.
      const chain = nodes.filter(([start, end]) => start <= first && first < end).sort((a, b) =>
        a[1] - a[0] - b[1] + b[0]
      );
      for (let end = first + 1; end <= count; end++) {
        const smallest = bytesOf(chain.find((node) => node[1] >= end)!, archiveBytes);
        const found = treeHashAlignedAround(bytesOf([first, end], archiveBytes), archiveBytes);
        if (found.from !== smallest.from || found.length !== smallest.length) {
          assert.fail(`around [${first}, ${end}) of ${archiveBytes} bytes: ${JSON.stringify(found)}`);
        }
      }
    }
  }
});

Deno.test("of an archive of 6.5 MiB, two MiB can be asked for with a hash only where the tree has them", () => {
  const archiveBytes = 6.5 * LEAF_BYTES;
  const aligned = [0, 1, 2, 3, 4, 5].filter((first) =>
    isTreeHashAligned({ from: first * LEAF_BYTES, length: 2 * LEAF_BYTES }, archiveBytes)
  );
  assert.deepEqual(aligned, [0, 2, 4]);
  assert.equal(isTreeHashAligned({ from: 4 * LEAF_BYTES, length: 2.5 * LEAF_BYTES }, archiveBytes), true);
});

Deno.test("a range that is not of whole MiB, or not in the archive, is not aligned in either way", () => {
  const archiveBytes = 8 * LEAF_BYTES + 5;
  for (
    const range of [
      { from: 1, length: LEAF_BYTES },
      { from: 0, length: LEAF_BYTES - 1 },
      { from: 8 * LEAF_BYTES, length: 4 },
      { from: 8 * LEAF_BYTES, length: LEAF_BYTES },
      { from: 0, length: 0 },
      { from: -LEAF_BYTES, length: 2 * LEAF_BYTES },
      { from: NaN, length: LEAF_BYTES },
    ]
  ) {
    assert.equal(isMegabyteAligned(range, archiveBytes), false, JSON.stringify(range));
    assert.equal(isTreeHashAligned(range, archiveBytes), false, JSON.stringify(range));
  }
  assert.equal(isMegabyteAligned({ from: LEAF_BYTES, length: 2 * LEAF_BYTES }, archiveBytes), true);
  assert.equal(isTreeHashAligned({ from: LEAF_BYTES, length: 2 * LEAF_BYTES }, archiveBytes), false);
});

Deno.test("the aligned ranges around any bytes cover them, are aligned and lie in the archive, however large it is", () => {
  const anyBytes = fc.tuple(
    fc.integer({ min: 1, max: 40 * 1024 ** 4 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
    .map(([archiveBytes, a, b]) => {
      const from = Math.floor(a * (archiveBytes - 1));
      return { archiveBytes, from, length: 1 + Math.floor(b * (archiveBytes - from - 1)) };
    });
  fc.assert(fc.property(anyBytes, ({ archiveBytes, from, length }) => {
    const plain = megabyteAlignedAround({ from, length }, archiveBytes);
    const node = treeHashAlignedAround({ from, length }, archiveBytes);
    for (const outer of [plain, node]) {
      assert.ok(outer.from <= from && outer.from + outer.length >= from + length);
      assert.ok(outer.from + outer.length <= archiveBytes);
    }
    assert.ok(isMegabyteAligned(plain, archiveBytes) && isTreeHashAligned(node, archiveBytes));
    assert.ok(from - plain.from < LEAF_BYTES && plain.from + plain.length - from - length < LEAF_BYTES);
  }));
});

Deno.test("bytes outside the archive have no range around them", () => {
  for (
    const range of [{ from: 0, length: 11 }, { from: 10, length: 1 }, { from: 3, length: 0 }, { from: -1, length: 2 }]
  ) {
    assert.throws(() => treeHashAlignedAround(range, 10), RangeError);
    assert.throws(() => megabyteAlignedAround(range, 10), RangeError);
  }
});
