// Tables of contents: the inverse, and every way in which one can be wrong.

import assert from "node:assert/strict";
import fc from "fast-check";
import { CHUNK_RECORD_BYTES, LIMITS, sealedBlockBytes, type Toc, tocBlocks, TocBuilder } from "../../lib/brick/mod.ts";
import { decodeToc, encodeToc } from "../../lib/brick/toc.ts";
import { DamageError } from "../../lib/crypto/mod.ts";
import { noise } from "./bricks.ts";

interface Block {
  /** How much shorter than its raw bytes it became. */
  saved: number;
  chunks: number[];
}

const block: fc.Arbitrary<Block> = fc.record({
  saved: fc.nat(3),
  chunks: fc.array(fc.integer({ min: 1, max: LIMITS.chunkBytes / 4 }), { minLength: 1, maxLength: 4 }),
});

function build(blocks: Block[]): Toc {
  const builder = new TocBuilder();
  blocks.forEach(({ saved, chunks }, i) => {
    const raw = chunks.reduce((sum, length) => sum + length, 0);
    const records = new Uint8Array(chunks.length * CHUNK_RECORD_BYTES);
    chunks.forEach((length, k) => {
      records.set(noise(32, i * 100 + k + 1), k * CHUNK_RECORD_BYTES);
      new DataView(records.buffer).setUint32(k * CHUNK_RECORD_BYTES + 32, length, true);
    });
    builder.add(Math.max(sealedBlockBytes(1), sealedBlockBytes(raw) - saved), raw, records);
  });
  return builder.toc();
}

function decode(plain: Uint8Array): Toc {
  return decodeToc(new Uint8Array(plain), "the brick");
}

/** A toc of two blocks, of 100 + 200 and of 300 bytes, with some of its numbers changed. */
function changed(change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const plain = encodeToc(build([{ saved: 0, chunks: [100, 200] }, { saved: 1, chunks: [300] }]));
  change(new DataView(plain.buffer), plain);
  return plain;
}

// Where the numbers of that toc stand.
const BLOCKS = 0;
const CHUNKS = 4;
const SEALED = [8, 20];
const RAW = [12, 24];
const COUNT = [16, 28];
const LENGTH = [64, 100, 136];
const END = 140;

Deno.test("a toc comes back as it was built", () => {
  fc.assert(fc.property(fc.array(block, { maxLength: 60 }), (blocks) => {
    const toc = build(blocks);
    const plain = encodeToc(toc);
    assert.equal((plain.length + 16) % 4096, 0);
    assert.deepEqual(decode(plain), toc);
  }));
});

Deno.test("offsets and numbers of blocks are running sums", () => {
  fc.assert(fc.property(fc.array(block, { maxLength: 20 }), (blocks) => {
    let offset = 0;
    let firstChunk = 0;
    for (const found of tocBlocks(build(blocks))) {
      const { chunks } = blocks.shift()!;
      assert.equal(found.offset, offset);
      assert.equal(found.firstChunk, firstChunk);
      assert.equal(found.chunks, chunks.length);
      assert.equal(found.rawLength, chunks.reduce((sum, length) => sum + length, 0));
      offset += found.sealedLength;
      firstChunk += found.chunks;
    }
    assert.equal(blocks.length, 0);
  }));
});

Deno.test("a builder counts what it was given", () => {
  const builder = new TocBuilder();
  builder.add(50, 100, new Uint8Array(2 * CHUNK_RECORD_BYTES));
  builder.add(50, 100, new Uint8Array(3 * CHUNK_RECORD_BYTES));
  assert.deepEqual([builder.blocks, builder.chunks], [2, 5]);
});

Deno.test("the toc that the malformed ones are made of is well-formed", () => {
  assert.equal(tocBlocks(decode(changed(() => {}))).length, 2);
});

const malformed: [what: string, change: (view: DataView, bytes: Uint8Array) => void][] = [
  ["one block more than there are", (view) => view.setUint32(BLOCKS, 3, true)],
  ["one block fewer", (view) => view.setUint32(BLOCKS, 1, true)],
  ["no block", (view) => view.setUint32(BLOCKS, 0, true)],
  ["one chunk more", (view) => view.setUint32(CHUNKS, 4, true)],
  ["one chunk fewer", (view) => view.setUint32(CHUNKS, 2, true)],
  ["more blocks than any brick has", (view) => view.setUint32(BLOCKS, LIMITS.blocks + 1, true)],
  ["4 G blocks", (view) => view.setUint32(BLOCKS, 0xffffffff, true)],
  ["4 G chunks", (view) => view.setUint32(CHUNKS, 0xffffffff, true)],
  ["a block without chunks", (view) => {
    view.setUint32(COUNT[0]!, 0, true);
    view.setUint32(COUNT[1]!, 3, true);
  }],
  ["a block with more chunks than there are", (view) => view.setUint32(COUNT[1]!, 2, true)],
  ["a block with 4 G chunks", (view) => view.setUint32(COUNT[1]!, 0xffffffff, true)],
  ["chunks that belong to no block", (view) => view.setUint32(COUNT[0]!, 1, true)],
  ["a block one byte longer than its chunks", (view) => view.setUint32(RAW[0]!, 301, true)],
  ["a block one byte shorter than its chunks", (view) => view.setUint32(RAW[1]!, 299, true)],
  ["a block over the limit", (view) => view.setUint32(RAW[1]!, LIMITS.blockRawBytes + 1, true)],
  [
    "a block that sealing made longer than it can",
    (view) => view.setUint32(SEALED[0]!, sealedBlockBytes(300) + 1, true),
  ],
  ["a sealed block shorter than its tag", (view) => view.setUint32(SEALED[0]!, 17, true)],
  ["a sealed block of no length", (view) => view.setUint32(SEALED[1]!, 0, true)],
  ["a chunk of no length", (view) => {
    view.setUint32(LENGTH[0]!, 0, true);
    view.setUint32(LENGTH[1]!, 300, true);
  }],
  ["a chunk over the limit", (view) => {
    view.setUint32(LENGTH[2]!, LIMITS.chunkBytes + 1, true);
    view.setUint32(RAW[1]!, LIMITS.chunkBytes + 1, true);
    view.setUint32(SEALED[1]!, 1000, true);
  }],
  ["lengths of chunks that only wrap around to the right sum", (view) => {
    view.setUint32(LENGTH[0]!, 0xffffffff, true);
    view.setUint32(LENGTH[1]!, 301, true);
  }],
  ["a padding that is not zero at its first byte", (_, bytes) => bytes[END] = 1],
  ["a padding that is not zero at its last byte", (_, bytes) => bytes[bytes.length - 1] = 0x80],
];

for (const [what, change] of malformed) {
  Deno.test(`a toc with ${what} is damage`, () => {
    assert.throws(() => decode(changed(change)), DamageError);
  });
}

Deno.test("a toc cut short, or with a step of padding too much, is damage", () => {
  const plain = changed(() => {});
  for (const length of [0, 1, 7, 8, 100, plain.length - 1]) {
    assert.throws(() => decode(plain.subarray(0, length)), DamageError, `${length} bytes`);
  }
  const longer = new Uint8Array(plain.length + 4096);
  longer.set(plain);
  assert.throws(() => decode(longer), DamageError);
});

Deno.test("the limits themselves are allowed: a chunk of 16 MiB, a block of 17 MiB", () => {
  const toc = build([{ saved: 1000, chunks: [LIMITS.chunkBytes, LIMITS.blockRawBytes - LIMITS.chunkBytes] }]);
  assert.deepEqual(decode(encodeToc(toc)), toc);
});

Deno.test("whatever bytes come, reading a toc ends with a toc or with damage", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(4200), (junk, at) => {
    const plain = changed(() => {});
    plain.set(junk.subarray(0, Math.max(0, plain.length - at)), Math.min(at, plain.length));
    for (const bytes of [junk, plain]) {
      try {
        decode(bytes);
      } catch (error) {
        assert.ok(error instanceof DamageError, String(error));
      }
    }
  }));
});
