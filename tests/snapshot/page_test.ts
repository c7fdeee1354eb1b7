// Pages read back: what a writer made, and what somebody else may have made of them.

import assert from "node:assert/strict";
import fc from "fast-check";
import { DamageError, UnsupportedError } from "../../lib/crypto/mod.ts";
import { decodePageRefs, encodePageRef, openHeads, openPage, type PageRef } from "../../lib/snapshot/mod.ts";
import { type BodyList, bodyRecords, parseHeads, parseLists } from "../../lib/snapshot/page.ts";
import { StreamWriter } from "../../lib/snapshot/stream.ts";
import { ByteWriter } from "../../lib/snapshot/varint.ts";
import { randomBytes } from "../chunker/generated.ts";
import { Chunks, cut, join, later, replayed } from "./chunks.ts";
import { entry, write } from "./streams.ts";

const RAW = 0;
const BODY = 2;
const SMALL = 3;

/** Heads of operations: code, length, and bytes for the ones that have some. */
function heads(...ops: [code: number, length: number, bytes?: Uint8Array][]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  for (const [code, length, bytes] of ops) {
    writer.number(length * 8 + code);
    if (bytes !== undefined) writer.bytes(bytes);
  }
  return writer.take();
}

function record(id: number, length: number): Uint8Array {
  const bytes = new Uint8Array(36).fill(id, 0, 32);
  new DataView(bytes.buffer).setUint32(32, length, true);
  return bytes;
}

/** Lists: the id of the small bodies, then whatever `write` adds. */
function lists(write: (writer: ByteWriter) => void, small = new Uint8Array(32)): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.bytes(small);
  write(writer);
  return writer.take();
}

/** A page of these chunks. */
function page(
  chunks: Chunks,
  heads: Uint8Array<ArrayBuffer>,
  lists: Uint8Array<ArrayBuffer> | undefined,
  bytes: number,
): PageRef {
  const none = new Uint8Array(32);
  return {
    heads: chunks.put("M", heads),
    lists: lists === undefined ? none : chunks.put("M", lists),
    entries: 0,
    bytes,
  };
}

async function records(list: BodyList, length: number, chunks = new Chunks()): Promise<number> {
  return (await Array.fromAsync(bodyRecords(list, length, chunks.get))).length;
}

Deno.test("a page table comes back, however its bytes are split", async () => {
  const ref = fc.record({
    heads: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    lists: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    entries: fc.nat(0xffffffff),
    bytes: fc.maxSafeNat(),
  }, { noNullPrototype: true });
  await fc.assert(
    fc.asyncProperty(fc.array(ref, { maxLength: 20 }), fc.integer({ min: 1, max: 200 }), async (refs, step) => {
      const table = join(refs.map(encodePageRef));
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < table.length; at += step) pieces.push(table.subarray(at, at + step));
      assert.deepEqual(await Array.fromAsync(decodePageRefs(later(pieces))), refs);
    }),
  );
});

Deno.test("a page table that ends inside a record, or with a page of impossible length, is damage", async () => {
  const ref = encodePageRef({ heads: new Uint8Array(32), lists: new Uint8Array(32), entries: 1, bytes: 1 });
  await assert.rejects(Array.fromAsync(decodePageRefs(later([ref, ref.subarray(0, 75)]))), DamageError);
  ref.fill(0xff, 68);
  await assert.rejects(Array.fromAsync(decodePageRefs(later([ref]))), DamageError);
});

Deno.test("operations that are not known are unsupported, never damage", () => {
  for (const code of [4, 5, 6, 7]) assert.throws(() => parseHeads(heads([code, 10])), UnsupportedError);
});

Deno.test("heads that are cut short are damage", () => {
  assert.throws(() => parseHeads(heads([RAW, 10, new Uint8Array(9)])), DamageError);
  assert.throws(() => parseHeads(heads([RAW, 2 ** 40])), DamageError);
  assert.throws(() => parseHeads(Uint8Array.of(0x80)), DamageError);
  assert.deepEqual(parseHeads(new Uint8Array()), []);
});

Deno.test("heads that stand for another number of bytes than the page table says are damage", async () => {
  const chunks = new Chunks();
  const bytes = heads([RAW, 3, new Uint8Array(3)], [BODY, 500]);
  assert.equal((await openHeads(page(chunks, bytes, undefined, 503), chunks.get)).length, 2);
  for (const wrong of [0, 502, 504, 2 ** 52]) {
    await assert.rejects(openHeads(page(chunks, bytes, undefined, wrong), chunks.get), DamageError);
  }
});

Deno.test("lists must be there where there are bodies, and have one list for each", async () => {
  const chunks = new Chunks();
  const one = lists((writer) => {
    writer.number(2);
    writer.bytes(record(1, 500));
  });
  const opened = (heads: Uint8Array<ArrayBuffer>, lists: Uint8Array<ArrayBuffer> | undefined, bytes: number) =>
    openPage(page(chunks, heads, lists, bytes), chunks.get);
  assert.equal((await opened(heads([BODY, 500]), one, 500)).bodies.length, 1);
  await assert.rejects(opened(heads([BODY, 500]), undefined, 500), DamageError);
  await assert.rejects(opened(heads([BODY, 500], [BODY, 500]), one, 1000), DamageError);
  await assert.rejects(opened(heads([RAW, 1, new Uint8Array(1)]), one, 1), DamageError);
  await assert.rejects(opened(heads([SMALL, 5]), undefined, 5), DamageError);
  await assert.rejects(opened(heads([BODY, 500], [SMALL, 5]), one, 505), DamageError);
});

Deno.test("a list of no chunks, or of more than stand in one, is damage; a new form of list is unsupported", () => {
  const parse = (write: (writer: ByteWriter) => void) => parseLists(lists(write), 1);
  assert.throws(() => parse((writer) => writer.number(0)), DamageError);
  assert.throws(() =>
    parse((writer) => {
      writer.number(65 * 2);
      writer.bytes(new Uint8Array(65 * 36));
    }), DamageError);
  assert.throws(() => parse((writer) => writer.number(2 * 64)), DamageError);
  assert.throws(() => parse((writer) => writer.number(2 ** 50)), DamageError);
  for (const form of [3, 5, 2 ** 40 + 1]) assert.throws(() => parse((writer) => writer.number(form)), UnsupportedError);
  assert.throws(() => parseLists(new Uint8Array(31), 0), DamageError);
});

Deno.test("the chunks of a body must add up to its length, each of them to something", async () => {
  const list = { records: join([record(1, 300), record(2, 200)]) };
  assert.equal(await records(list, 500), 2);
  for (const length of [0, 299, 300, 499, 501]) await assert.rejects(records(list, length), DamageError, `${length}`);
  await assert.rejects(records({ records: join([record(1, 0), record(2, 500)]) }, 500), DamageError);
});

Deno.test("a long list of chunks without an end is read no further than its body reaches", async () => {
  const chunks = new Chunks();
  const many = new StreamWriter(chunks.put, cut);
  for (let i = 0; i < 50_000; i++) many.write(record(i & 255, 1000));
  const root = many.root();
  assert.equal(await records({ root }, 50_000_000, chunks), 50_000);
  chunks.read.length = 0;
  await assert.rejects(records({ root }, 5000, chunks), DamageError);
  assert.ok(chunks.read.length <= 2, `${chunks.read.length} chunks were read`);
});

Deno.test("a page whose chunks are missing is damage", async () => {
  const chunks = new Chunks();
  const body = [randomBytes(600, 1)];
  const [ref] = write([{ ...entry("a", { size: 600 }), body }, {
    ...entry("b"),
    body: [randomBytes(9, 2)],
    small: true,
  }], chunks);
  for (const name of [...chunks.kept.keys()]) {
    const kept = chunks.kept.get(name)!;
    chunks.kept.delete(name);
    await assert.rejects(replayed([ref!], chunks.get), DamageError, name[0]);
    chunks.kept.set(name, kept);
  }
  assert.equal((await replayed([ref!], chunks.get)).length, 512 + 600 + 512 + 9);
});

Deno.test("whatever stands in the chunks of a page, reading it ends with bytes, damage or unsupported", async () => {
  // A real page as the seed: changed, cut, or with something else in the middle.
  const origin = new Chunks();
  const body = Array.from({ length: 70 }, (_, i) => randomBytes(513, i + 1));
  const parts = [{ ...entry("a", { size: 513 * 70 }), body }, {
    ...entry("b"),
    body: [randomBytes(9, 2)],
    small: true,
  }];
  const [ref] = write(parts, origin);
  const original = { heads: await origin.get("M", ref!.heads), lists: await origin.get("M", ref!.lists) };
  const change = fc.record({ at: fc.nat(3000), junk: fc.uint8Array({ maxLength: 40 }), cut: fc.boolean() });
  const changed = (bytes: Uint8Array, { at, junk, cut }: { at: number; junk: Uint8Array; cut: boolean }) => {
    const from = at % (bytes.length + 1);
    const rest = cut ? new Uint8Array() : bytes.subarray(from + junk.length);
    // A store never holds an empty chunk.
    return from + junk.length + rest.length === 0 ? Uint8Array.of(0) : join([bytes.subarray(0, from), junk, rest]);
  };
  await fc.assert(
    fc.asyncProperty(change, change, fc.nat(100_000), async (first, second, bytes) => {
      const chunks = new Chunks();
      for (const [name, kept] of origin.kept) chunks.kept.set(name, kept);
      const hostile = page(chunks, changed(original.heads, first), changed(original.lists, second), bytes);
      // The page table may agree with the heads: then the lists are reached.
      const sum = (heads: Uint8Array) => parseHeads(heads).reduce((total, { length }) => total + length, 0);
      for (
        const claims of [hostile, {
          ...hostile,
          bytes: orElse(() => sum(chunks.kept.get(nameOf(hostile))!), bytes),
        }]
      ) {
        try {
          await replayed([claims], chunks.get);
        } catch (error) {
          assert.ok(error instanceof DamageError || error instanceof UnsupportedError, String(error));
        }
      }
    }),
    { numRuns: 300 },
  );
});

function nameOf({ heads }: PageRef): string {
  return `M${heads.toHex()}`;
}

function orElse<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof DamageError || error instanceof UnsupportedError) return otherwise;
    throw error;
  }
}
