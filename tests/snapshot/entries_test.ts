// What a listing shows of a page: each entry, and which operation is its body.

import assert from "node:assert/strict";
import { openHeads, pageEntries, type PageEntry } from "../../lib/snapshot/mod.ts";
import { makeHeader } from "../../lib/tar/mod.ts";
import { randomBytes } from "../chunker/generated.ts";
import { Chunks } from "./chunks.ts";
import { entry, head, type Part, write } from "./streams.ts";

async function entriesOf(parts: Part[]): Promise<PageEntry[]> {
  const chunks = new Chunks();
  const pages = write(parts, chunks);
  assert.equal(pages.length, 1);
  return pageEntries(await openHeads(pages[0]!, chunks.get));
}

const body = [randomBytes(600, 1)];
const nameless: Part = { part: "nameless", body: [randomBytes(700, 2)] };

Deno.test("each entry has the operations up to the next one, and its own body", async () => {
  const parts: Part[] = [
    { ...entry("a", { size: 600 }), body, padding: 424 },
    entry("b"),
    { ...entry("c", { size: 4 }), body: [randomBytes(4, 3)], small: true, padding: 508 },
    { part: "zeros", length: 1024 },
  ];
  const found = await entriesOf(parts);
  assert.deepEqual(found.map(({ fromOp, toOp }) => [fromOp, toOp]), [[0, 3], [3, 4], [4, 7]]);
  assert.deepEqual(found.map(({ bodyOp }) => bodyOp), [1, undefined, 5]);
  assert.deepEqual(found.map(({ bodyBytes }) => bodyBytes), [600, 0, 4]);
});

Deno.test("padding that is not zero is not a part of the body in front of it", async () => {
  const [first] = await entriesOf([{ ...entry("a", { size: 600 }), body }, nameless, entry("b")]);
  assert.deepEqual([first!.bodyOp, first!.bodyBytes, first!.toOp], [1, 600, 3]);
});

Deno.test("what stands behind an entry without a body is not its body", async () => {
  const name = new TextEncoder().encode("directory/");
  const directory: Part = { ...entry("x"), header: [makeHeader({ name, type: "d", size: 0 })] };
  for (const first of [directory, entry("empty file")]) {
    const [found] = await entriesOf([first, nameless, entry("next")]);
    assert.deepEqual([found!.bodyOp, found!.bodyBytes, found!.toOp], [undefined, 0, 2]);
  }
});

Deno.test("bytes before the first entry belong to no entry", async () => {
  const found = await entriesOf([head([randomBytes(1000, 5)]), { part: "zeros", length: 512 }, nameless, entry("a")]);
  assert.equal(found.length, 1);
  assert.equal(found[0]!.fromOp, 2);
});
