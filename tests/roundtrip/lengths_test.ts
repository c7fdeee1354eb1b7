// Streams and bodies whose lengths are just what the pipeline counts in: blocks, chunks, leaves of a hash, pieces of input.

import assert from "node:assert/strict";
import { noise } from "../repository/machine.ts";
import { END, member } from "../tar/archives.ts";
import { concat } from "../tar/recorder.ts";
import { comeBack, SMALL_CHUNKS, type Stream, USUAL_CHUNKS } from "./repositories.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** A length, and those beside it. */
function around(...lengths: number[]): number[] {
  return lengths.flatMap((length) => [length - 1, length, length + 1]);
}

function noises(lengths: number[]): Stream[] {
  return lengths.map((length, i) => ({ name: `${length} bytes of noise`, bytes: noise(length, i + 1) }));
}

Deno.test("noise of lengths around blocks, chunks and pieces of input comes back, and is no entry", async () => {
  const lengths = [1, 2, ...around(512, 64 * KIB, MIB, 4 * MIB), 4 * MIB + 512, 8 * MIB, 9 * MIB];
  for (const [name, { entries, opaqueBytes, bytes }] of await comeBack(noises(lengths))) {
    assert.deepEqual([entries, opaqueBytes], [0, bytes], name);
  }
});

Deno.test("zeros of any length come back: an empty tar, a lone block, whole pieces of input", async () => {
  const lengths = [1, 511, 512, 1024, 10_240, 10_241, 4 * MIB, 9 * MIB];
  const streams = lengths.map((length) => ({ name: `${length} zeros`, bytes: new Uint8Array(length) }));
  const results = await comeBack(streams);
  const empty = results.get("10240 zeros")!;
  assert.deepEqual([empty.entries, empty.opaqueBytes, empty.complete, empty.newBytes], [0, 0, true, 0]);
});

for (const [name, sizes] of Object.entries({ "usual chunks": USUAL_CHUNKS, "small chunks": SMALL_CHUNKS })) {
  Deno.test(`bodies of lengths around blocks and ${name} come back, together and alone`, async () => {
    const { min, average, max } = sizes;
    const lengths = [0, 1, ...around(512, 1024, min, average, max, 2 * max)];
    const bodies = lengths.map((length, i) => member({ name: `of ${length}` }, noise(length, i + 1)));
    const even = lengths.map((length) => member({ name: `zeros, ${length}` }, new Uint8Array(length)));
    const streams: Stream[] = [
      { name: "all in one tar", bytes: concat(...bodies, END) },
      { name: "all of zeros", bytes: concat(...even, END) },
      { name: "archives one behind the other", bytes: concat(...bodies.flatMap((body) => [body, END])) },
      { name: "archives without an end", bytes: concat(...bodies.toReversed()) },
      ...bodies.slice(-3).map((body, i) => ({ name: `body ${i} alone`, bytes: concat(body, END) })),
    ];
    const results = await comeBack(streams, sizes);
    assert.equal(results.get("all in one tar")!.entries, lengths.length);
    assert.equal(results.get("archives one behind the other")!.entries, lengths.length);
    // They hold the same bodies; of under 512 bytes those that were gathered with others are stored again.
    assert.ok(results.get("archives one behind the other")!.newBytes < 4 * 512, "bodies were stored again");
  });
}

Deno.test("bodies of as many chunks as a recipe holds in place, and of many more, come back", async () => {
  // Zeros are cut where a chunk may be no longer.
  const lengths = around(64).flatMap((count) => around(count * SMALL_CHUNKS.max));
  const even = lengths.map((length) => member({ name: `${length} zeros` }, new Uint8Array(length)));
  await comeBack([
    { name: "zeros", bytes: concat(...even, END) },
    { name: "a long body", bytes: concat(member({ name: "long" }, noise(9 * MIB, 1)), END) },
    { name: "a long body of no entry", bytes: noise(9 * MIB + 1, 2) },
  ], SMALL_CHUNKS);
});

Deno.test("headers and bodies that lie across pieces of input come back", async () => {
  const streams = [-1024, -513, -512, -511, -1, 0, 1, 512].map((shift) => {
    const first = member({ name: "up to the end of a piece" }, noise(4 * MIB - 512 + shift, 3));
    return { name: `shifted by ${shift}`, bytes: concat(first, member({ name: "next" }, noise(700, 4)), END) };
  });
  for (const [name, { entries }] of await comeBack(streams)) assert.equal(entries, 2, name);
});
