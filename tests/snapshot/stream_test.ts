// Streams: long lists as chunks, lists of chunks, lists of lists.

import assert from "node:assert/strict";
import fc from "fast-check";
import { DamageError, toHex } from "../../lib/crypto/mod.ts";
import {
  readStream,
  recordLength,
  STREAM_SIZES,
  streamChunks,
  type StreamRoot,
  StreamWriter,
} from "../../lib/snapshot/mod.ts";
import { readRoot, ROOT_RECORDS, streamRecords, writeRoot } from "../../lib/snapshot/stream.ts";
import { ByteReader, ByteWriter } from "../../lib/snapshot/varint.ts";
import { randomBytes } from "../chunker/generated.ts";
import { Chunks, cut, idOf, join } from "./chunks.ts";

const KIB = 1024;

function write(chunks: Chunks, data: Uint8Array, pieces: () => number = () => Infinity): StreamWriter {
  const writer = new StreamWriter(chunks.put, cut);
  for (let at = 0; at < data.length;) {
    const piece = data.subarray(at, at + pieces());
    writer.write(piece);
    at += piece.length;
  }
  return writer;
}

async function read(root: StreamRoot, chunks: Chunks): Promise<Uint8Array> {
  return join(await Array.fromAsync(readStream(root, chunks.get)));
}

async function lengthsOf(root: StreamRoot, chunks: Chunks): Promise<number[]> {
  return await Array.fromAsync(streamRecords(root, chunks.get), recordLength);
}

Deno.test("streams of lengths around every limit come back, cut as the whole would be cut", async () => {
  const sizes = [STREAM_SIZES.min, STREAM_SIZES.average, STREAM_SIZES.max, 2 * STREAM_SIZES.max];
  const lengths = [0, 1, ...sizes.flatMap((size) => [size - 1, size, size + 1]), 1_000_003];
  for (const length of lengths) {
    for (const data of [randomBytes(length, 3), new Uint8Array(length)]) {
      const chunks = new Chunks();
      const root = write(chunks, data).root();
      assert.equal(root.length, length);
      assert.equal(root.depth, 0);
      assert.deepEqual(await read(root, chunks), data, `${length} bytes`);
      assert.deepEqual(await lengthsOf(root, chunks), cut(data), `${length} bytes`);
    }
  }
});

Deno.test("more than 64 chunks are a stream again, and come back, cut as the whole would be cut", async () => {
  const data = randomBytes(7_000_000, 4);
  const chunks = new Chunks();
  const root = write(chunks, data).root();
  assert.equal(root.depth, 1);
  assert.ok(root.records.length <= 36 * ROOT_RECORDS);
  assert.deepEqual(await read(root, chunks), data);
  assert.deepEqual(await lengthsOf(root, chunks), cut(data));
});

// Zeros are cut at 256 KiB, so 64 of them are 16 MiB and no test needs to hold that much different data.
for (const count of [ROOT_RECORDS - 1, ROOT_RECORDS, ROOT_RECORDS + 1]) {
  Deno.test(`a stream of exactly ${count} chunks has the depth that its root needs`, async () => {
    const chunks = new Chunks();
    const root = write(chunks, new Uint8Array(count * STREAM_SIZES.max)).root();
    assert.equal(root.depth, count > ROOT_RECORDS ? 1 : 0);
    assert.equal((await read(root, chunks)).length, count * STREAM_SIZES.max);
  });
}

/** Cuts into pieces of 256 bytes, seven records: many levels from little data. */
const cutSmall = (bytes: Uint8Array) =>
  Array.from({ length: Math.ceil(bytes.length / 256) }, (_, i) => Math.min(256, bytes.length - i * 256));

Deno.test("streams of two and more levels come back", async () => {
  const data = randomBytes(900_011, 5);
  const chunks = new Chunks();
  const writer = new StreamWriter(chunks.put, cutSmall);
  for (let at = 0; at < data.length; at += 50_000) writer.write(data.subarray(at, at + 50_000));
  const root = writer.root();
  assert.equal(root.depth, 3);
  assert.deepEqual(await read(root, chunks), data);
  const touched = await Array.fromAsync(
    streamChunks(root, chunks.get),
    (record) => `M${toHex(record.subarray(0, 32))}`,
  );
  assert.deepEqual(new Set(touched), new Set(chunks.kept.keys()));
});

Deno.test("how a stream is written makes no difference", () => {
  const data = randomBytes(900_000, 6);
  const whole = write(new Chunks(), data).root();
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1 }), (lengths) => {
      let i = 0;
      const pieces = () => Math.max(1000, lengths[i++ % lengths.length]!);
      assert.deepEqual(write(new Chunks(), data, pieces).root(), whole);
    }),
    { numRuns: 20 },
  );
});

Deno.test("a root can be taken at any time, is readable, and changes nothing about what follows", async () => {
  const data = randomBytes(6_500_000, 7);
  const undisturbed = write(new Chunks(), data).root();
  const chunks = new Chunks();
  const writer = new StreamWriter(chunks.put, cut);
  let at = 0;
  for (const length of [1, 16 * KIB, 200 * KIB, 512 * KIB, 5 * KIB, 3_000_000, 2_000_000, 700_000, 0]) {
    writer.write(data.subarray(at, at += length));
    assert.equal(writer.length, at);
    const root = writer.root();
    assert.deepEqual(writer.root(), root, "twice");
    assert.deepEqual(await read(root, chunks), data.subarray(0, at), `checkpoint at ${at}`);
  }
  writer.write(data.subarray(at));
  assert.deepEqual(writer.root(), undisturbed);
});

Deno.test("a checkpoint of a stream with levels is readable, and so is the stream behind it", async () => {
  const data = randomBytes(800_005, 8);
  const undisturbed = new StreamWriter(new Chunks().put, cutSmall);
  undisturbed.write(data);
  const chunks = new Chunks();
  const writer = new StreamWriter(chunks.put, cutSmall);
  for (let at = 0; at < data.length; at += 100_000) {
    writer.write(data.subarray(at, at + 100_000));
    const upTo = Math.min(data.length, at + 100_000);
    assert.deepEqual(await read(writer.root(), chunks), data.subarray(0, upTo));
  }
  assert.deepEqual(writer.root(), undisturbed.root());
});

Deno.test("an insertion at the front of a long stream stores a few chunks anew", () => {
  const data = randomBytes(5_000_000, 9);
  const chunks = new Chunks();
  write(chunks, data).root();
  const before = chunks.newBytes.M;
  write(chunks, join([Uint8Array.of(1), data])).root();
  assert.ok(chunks.newBytes.M - before < 2 * STREAM_SIZES.max + 16 * KIB, `${chunks.newBytes.M - before} bytes`);
});

Deno.test("a root comes back from its bytes, and is refused when no writer makes it", () => {
  const root = { length: 123_456, depth: 3, records: randomBytes(5 * 36, 10) };
  const bytes = (change: Partial<StreamRoot>) => {
    const writer = new ByteWriter();
    writeRoot({ ...root, ...change }, writer);
    return writer.take();
  };
  const parse = (bytes: Uint8Array) => readRoot(new ByteReader(bytes, "the root"));
  assert.deepEqual(parse(bytes({})), { ...root, records: new Uint8Array(root.records) });
  assert.throws(() => parse(bytes({ depth: 9 })), DamageError);
  assert.throws(() => parse(bytes({ records: randomBytes(65 * 36, 11) })), DamageError);
  for (let length = 0; length < bytes({}).length; length++) {
    assert.throws(() => parse(bytes({}).subarray(0, length)), DamageError);
  }
});

/** A record of any id and length. */
function record(id: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(36);
  bytes.set(id);
  new DataView(bytes.buffer).setUint32(32, length, true);
  return bytes;
}

Deno.test("a stream whose lengths do not fit its chunks is damage", async () => {
  const chunks = new Chunks();
  const root = write(chunks, randomBytes(100_000, 12)).root();
  const longer = root.records.slice();
  new DataView(longer.buffer).setUint32(32, 99_999, true);
  const wrong: StreamRoot[] = [
    { ...root, length: root.length + 1 },
    { ...root, length: root.length - 1 },
    { ...root, length: 0 },
    { ...root, records: root.records.subarray(0, 36) },
    { ...root, records: longer },
    { ...root, records: record(new Uint8Array(32), 100_000) },
    { ...root, depth: 1 },
    { ...root, depth: 9 },
    { length: 5, depth: 0, records: new Uint8Array() },
  ];
  for (const [i, wrongRoot] of wrong.entries()) {
    await assert.rejects(read(wrongRoot, chunks), DamageError, `wrong root ${i}`);
  }
});

Deno.test("a list that names the same list again and again ends as soon as it is longer than was said", async () => {
  // Eight levels of lists that each name the one below 64 times: 2^48 chunks from nine.
  const chunks = new Chunks();
  let id = chunks.put("M", randomBytes(1000, 13));
  let length = 1000;
  for (let depth = 0; depth < 8; depth++) {
    const list = join(Array.from({ length: 64 }, () => record(id, length)));
    id = chunks.put("M", list);
    length = list.length;
  }
  const root: StreamRoot = { length: 50_000, depth: 8, records: record(id, length) };
  await assert.rejects(read(root, chunks), DamageError);
  assert.ok(chunks.read.length < 200, `${chunks.read.length} chunks were read`);
});

Deno.test("a list that ends inside a record is damage", async () => {
  const chunks = new Chunks();
  const id = chunks.put("M", randomBytes(36 * 3 + 1, 14));
  const root: StreamRoot = { length: 100, depth: 1, records: record(id, 109) };
  await assert.rejects(lengthsOf(root, chunks), DamageError);
  assert.equal(toHex(idOf("M", randomBytes(36 * 3 + 1, 14))), toHex(id));
});
