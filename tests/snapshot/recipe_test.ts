// Recipes: whatever the splitter finds comes back, in pages whose bounds depend on names alone and whose sizes are bounded.

import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../../lib/crypto/mod.ts";
import { openHeads, openPage, PAGE_RULE, pageEntries, type PageRef, RecipeWriter } from "../../lib/snapshot/mod.ts";
import { HEAD_LIMIT_BYTES } from "../../lib/tar/mod.ts";
import { randomBytes } from "../chunker/generated.ts";
import { Chunks, cut, join, replayed } from "./chunks.ts";
import { anyPart, entry, head, type Part, partBytes, write } from "./streams.ts";

const MIB = 1 << 20;
/** What a block buffer for recipes has room for (see the pipeline's engine). */
const CHUNK_LIMIT = 4 * MIB;
const KEEP = 1;

function largestMetaChunk(chunks: Chunks): number {
  return Math.max(...[...chunks.kept].map(([name, { length }]) => name.startsWith("M") ? length : 0));
}

function entriesIn(pages: PageRef[]): number[] {
  return pages.map(({ entries }) => entries);
}

async function comesBack(parts: Part[], chunks = new Chunks()): Promise<PageRef[]> {
  const pages = write(parts, chunks);
  const stream = join(parts.map(partBytes));
  assert.equal(pages.reduce((sum, { bytes }) => sum + bytes, 0), stream.length);
  assert.ok(Buffer.compare(await replayed(pages, chunks.get), stream) === 0, "other bytes came back");
  return pages;
}

Deno.test("any sequence of entries, headers, zeros and nameless bodies comes back, entry by entry", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyPart, { maxLength: 150 }), async (parts) => {
      const chunks = new Chunks();
      const pages = await comesBack(parts, chunks);
      const entries = parts.filter(({ part }) => part === "entry").length;
      assert.equal(entriesIn(pages).reduce((sum, count) => sum + count, 0), entries);
      for (const page of pages) {
        const found = pageEntries(await openHeads(page, chunks.get));
        assert.equal(found.length, page.entries);
        assert.ok(page.entries <= PAGE_RULE.mostEntries && page.bytes > 0);
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("the headers of entries come back whole, and their bodies with their lengths", async () => {
  const chunks = new Chunks();
  const small = { ...entry("small", { size: 5 }), body: [new Uint8Array(5).fill(1)], small: true, padding: 507 };
  const large = { ...entry("large", { size: 1300 }), body: [randomBytes(700, 1), randomBytes(600, 2)], padding: 236 };
  const pages = write([entry("empty"), small, large, { part: "zeros", length: 1024 }], chunks);
  assert.equal(pages.length, 1);
  const found = pageEntries(await openHeads(pages[0]!, chunks.get));
  assert.deepEqual(found.map(({ entry }) => new TextDecoder().decode(entry.name)), ["empty", "small", "large"]);
  assert.deepEqual(found.map(({ bodyBytes }) => bodyBytes), [0, 5, 1300]);
  assert.deepEqual(found.map(({ header }) => header.length), [512, 512, 512]);
});

Deno.test("an empty stream has no page, and neither has a stream that was never begun", () => {
  const chunks = new Chunks();
  assert.deepEqual(write([], chunks), []);
  assert.equal(chunks.kept.size, 0);
});

Deno.test("a stream that is no tar is pages without entries", async () => {
  const body = Array.from({ length: 200 }, (_, i) => randomBytes(5000, i + 1));
  assert.deepEqual(entriesIn(await comesBack([{ part: "nameless", body }])), [0]);
  assert.deepEqual(entriesIn(await comesBack([{ part: "zeros", length: 1024 }])), [0]);
  assert.deepEqual(entriesIn(await comesBack([{ part: "zeros", length: 1024 }, { part: "nameless", body }])), [0]);
});

for (const count of [63, 64, 65, 500]) {
  Deno.test(`a body of ${count} chunks comes back`, async () => {
    const body = Array.from({ length: count }, (_, i) => randomBytes(600, i + 1));
    await comesBack([{ ...entry("large"), body, padding: 100 }, entry("next"), { part: "nameless", body }]);
  });
}

Deno.test("a long list of chunks is stored once, wherever its body stands", async () => {
  const body = Array.from({ length: 3000 }, (_, i) => randomBytes(512, i + 1));
  const chunks = new Chunks();
  await comesBack([{ ...entry("a"), body }], chunks);
  const before = chunks.newBytes.M;
  await comesBack([{ ...entry("b"), body }], chunks);
  assert.ok(chunks.newBytes.M - before < 4096, `${chunks.newBytes.M - before} bytes for the second list`);
});

/** Entries with real headers; every hash in which `cuts` says so ends a page. */
function named(count: number, cuts: (i: number) => boolean, size = 0): Part[] {
  return Array.from({ length: count }, (_, i) => entry(`dir/file ${i}`, { hash: cuts(i) ? 0 : KEEP, size }));
}

Deno.test("a page ends before an entry whose hash says so, but never before it has its least entries", () => {
  const { leastEntries } = PAGE_RULE;
  const pages = write(named(10 * leastEntries, (i) => i % 5 === 0), new Chunks());
  // The first multiple of five at which a page has enough entries.
  const expected = Math.ceil(leastEntries / 5) * 5;
  assert.deepEqual(new Set(entriesIn(pages).slice(0, -1)), new Set([expected]));
});

Deno.test("only the bits of the rule's mask count", () => {
  const bits = named(200, () => false).map((part) => ({ ...part, hash: 0xff & ~PAGE_RULE.mask })) as Part[];
  assert.equal(entriesIn(write(bits, new Chunks()))[0], PAGE_RULE.leastEntries);
  for (let bit = 1; bit <= PAGE_RULE.mask; bit *= 2) {
    const other = named(200, () => false).map((part) => ({ ...part, hash: 0xff & ~PAGE_RULE.mask | bit })) as Part[];
    assert.equal(entriesIn(write(other, new Chunks()))[0], PAGE_RULE.mostEntries);
  }
});

Deno.test("a page has at most so many entries, whatever their hashes say", () => {
  const pages = write(named(3 * PAGE_RULE.mostEntries + 1, () => false), new Chunks());
  assert.deepEqual(entriesIn(pages), [...new Array(3).fill(PAGE_RULE.mostEntries), 1]);
});

Deno.test("where pages end depends on names alone, not on contents, sizes or times", async () => {
  const hash = (i: number) => (i * 2654435761 >>> 13) & 0xff;
  const chunks = new Chunks();
  const stream = (mtime: number, bodyBytes: number): Part[] =>
    Array.from({ length: 1000 }, (_, i) => ({
      ...entry(`dir/file ${i}`, { hash: hash(i), mtime: mtime + i, size: bodyBytes }),
      body: bodyBytes === 0 ? [] : [randomBytes(bodyBytes, i + 1)],
      small: bodyBytes < 512,
    }));
  const first = entriesIn(await comesBack(stream(1_000_000_000, 0), chunks));
  assert.ok(first.length > 10);
  assert.deepEqual(entriesIn(await comesBack(stream(1_600_000_000, 300), chunks)), first);
  assert.deepEqual(entriesIn(await comesBack(stream(7, 700), chunks)), first);
});

Deno.test("an entry more at the front changes the first pages only", () => {
  const stream = Array.from({ length: 3000 }, (_, i) => entry(`f${i}`, { hash: (i * 2654435761 >>> 11) & 0xff }));
  const chunks = new Chunks();
  const before = write(stream, chunks).map(({ heads }) => toHex(heads));
  const after = write([entry("new"), ...stream], chunks).map(({ heads }) => toHex(heads));
  const kept = after.filter((heads) => before.includes(heads)).length;
  assert.ok(kept >= before.length - 3, `${kept} of ${before.length} pages were kept`);
});

Deno.test("a page of long headers ends by their length", async () => {
  const long = (i: number): Part => ({ ...entry(`${i}`), header: [randomBytes(30_000, i + 1)] });
  const chunks = new Chunks();
  const pages = await comesBack(Array.from({ length: 40 }, (_, i) => long(i)), chunks);
  const most = Math.ceil(PAGE_RULE.mostHeadBytes / 30_000);
  assert.ok(Math.max(...entriesIn(pages)) <= most, `${entriesIn(pages)}`);
  assert.ok(largestMetaChunk(chunks) < PAGE_RULE.mostHeadBytes + 31_000);
});

Deno.test("the longest header that the splitter hands over is that of an entry", async () => {
  // All records that it keeps for one entry, and the entry's own block.
  const header = Array.from({ length: HEAD_LIMIT_BYTES / 65_536 }, (_, i) => randomBytes(65_536, i + 1));
  const longest: Part = { ...entry("long"), header: [...header, randomBytes(512, 99)] };
  const chunks = new Chunks();
  const pages = await comesBack([entry("a"), longest, entry("b"), longest, longest], chunks);
  const found = await Promise.all(pages.map(async (page) => pageEntries(await openHeads(page, chunks.get))));
  assert.deepEqual(
    found.flat().map(({ header }) => header.length),
    [512, HEAD_LIMIT_BYTES + 512, 512, HEAD_LIMIT_BYTES + 512, HEAD_LIMIT_BYTES + 512],
  );
  assert.ok(largestMetaChunk(chunks) < CHUNK_LIMIT);
});

Deno.test("a header that goes on without an end comes back, and no chunk of it is too long", async () => {
  const header = Array.from({ length: 100 }, (_, i) => randomBytes(65_536, i + 1));
  const chunks = new Chunks();
  await comesBack([entry("a"), head(header), { part: "zeros", length: 512 }, entry("b")], chunks);
  assert.ok(largestMetaChunk(chunks) < CHUNK_LIMIT, `${largestMetaChunk(chunks)}`);
});

Deno.test("headers that never come to an entry come back, and no chunk of them is too long", async () => {
  // What `tar` makes of nothing but global headers, each behind zeros: no entry ever ends a page.
  const global = (i: number): Part[] => [head([randomBytes(1024, i + 1)]), { part: "zeros", length: 512 }];
  const chunks = new Chunks();
  const pages = await comesBack(Array.from({ length: 8000 }, (_, i) => global(i)).flat(), chunks);
  assert.ok(largestMetaChunk(chunks) < CHUNK_LIMIT, `${largestMetaChunk(chunks)}`);
  assert.ok(pages.length > 1);
});

Deno.test("zeros and nameless bodies without an entry come back, and no chunk of the recipe is too long", async () => {
  const parts = Array.from({ length: 20_000 }, (_, i): Part[] => [
    { part: "zeros", length: 512 },
    { part: "nameless", body: [randomBytes(8, i + 1)] },
  ]);
  const chunks = new Chunks();
  await comesBack(parts.flat(), chunks);
  assert.ok(largestMetaChunk(chunks) < CHUNK_LIMIT, `${largestMetaChunk(chunks)}`);
});

Deno.test("no byte of any body is in a meta chunk", async () => {
  const marked = (length: number) => new Uint8Array(length).fill(0xa7);
  const parts: Part[] = [1, 100, 511].map((length) => ({ ...entry("s"), body: [marked(length)], small: true }));
  parts.push({ ...entry("l"), body: [marked(512), marked(4096)] }, { part: "nameless", body: [marked(3)] });
  const chunks = new Chunks();
  await comesBack(parts, chunks);
  for (const [name, bytes] of chunks.kept) {
    // Ids may hold the byte; a run of three is a body.
    if (name.startsWith("M")) assert.ok(!toHex(bytes).includes("a7a7a7"), "a body in a recipe");
  }
});

Deno.test("the small bodies of a page are one chunk, and no chunk where there is none", async () => {
  const chunks = new Chunks();
  const parts = Array.from(
    { length: 10 },
    (_, i): Part => ({ ...entry(`${i}`), body: [randomBytes(50, i + 1)], small: true }),
  );
  const [page] = write([...parts, entry("bare")], chunks);
  assert.equal((await openPage(page!, chunks.get)).small?.length, 32);
  assert.equal([...chunks.kept.keys()].filter((name) => name.startsWith("D")).length, 1);
  const bare = new Chunks();
  const [other] = write([entry("bare")], bare);
  assert.ok(other!.lists.every((byte) => byte === 0));
  assert.deepEqual([...bare.kept.keys()].map((name) => name[0]), ["M"]);
});

Deno.test("the same stream makes the same pages, and adds no chunk the second time", () => {
  const stream = named(500, (i) => i % 31 === 0);
  const chunks = new Chunks();
  const first = write(stream, chunks);
  const before = chunks.kept.size;
  assert.deepEqual(write(stream, chunks), first);
  assert.equal(chunks.kept.size, before);
});

Deno.test("a page may be taken while its writer goes on", () => {
  const chunks = new Chunks();
  const sizes: number[] = [];
  const writer = new RecipeWriter({ put: chunks.put, cut, onPage: ({ entries }) => sizes.push(entries) });
  for (let i = 0; i < 2 * PAGE_RULE.mostEntries + 1; i++) {
    writer.raw(randomBytes(512, i + 1), true);
    writer.entry(KEEP);
  }
  assert.deepEqual(sizes, [PAGE_RULE.mostEntries, PAGE_RULE.mostEntries]);
  writer.finish();
  assert.deepEqual(sizes.slice(2), [1]);
});
