// Where a zstd frame ends, without decompressing it: frames of this runtime's zstd, and frames made by hand (RFC 8878).

import assert from "node:assert/strict";
import { constants, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { packBlock } from "../../lib/brick/mod.ts";
import { measureFrame } from "../../lib/brick/zstd_frame.ts";
import { concat, noise } from "./bricks.ts";

const MAGIC = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);

/** A frame of one raw block, single segment, with a content size of one byte. */
function rawFrame(content: Uint8Array, options: { descriptor?: number; last?: boolean } = {}): Uint8Array {
  const { descriptor = 0x20, last = true } = options;
  const header = content.length << 3 | (last ? 1 : 0);
  const block = Uint8Array.of(header, header >> 8, header >> 16);
  return concat([MAGIC, Uint8Array.of(descriptor, content.length), block, content]);
}

function compress(raw: Uint8Array, parameters: Record<number, number> = {}): Uint8Array {
  const options = { params: { [constants.ZSTD_c_compressionLevel]: 3, ...parameters }, pledgedSrcSize: raw.length };
  return zstdCompressSync(raw, options);
}

Deno.test("frames of every size of content are measured, with content sizes of one to four bytes", () => {
  for (const length of [1, 255, 256, 257, 65_791, 65_792, 300_000, 2_000_000]) {
    for (const raw of [new Uint8Array(length), noise(length, length)]) {
      const compressed = compress(raw);
      const { frameBytes, contentBytes } = measureFrame(compressed)!;
      assert.equal(contentBytes, length);
      assert.ok(frameBytes <= compressed.length);
      assert.equal(measureFrame(compressed.subarray(0, frameBytes - 1)), undefined, "cut short by a byte");
    }
  }
});

Deno.test("a frame with a checksum is measured to the end of the checksum", () => {
  const raw = new TextEncoder().encode("checked ".repeat(100));
  const bare = measureFrame(compress(raw))!;
  const checked = measureFrame(compress(raw, { [constants.ZSTD_c_checksumFlag]: 1 }))!;
  assert.equal(checked.frameBytes, bare.frameBytes + 4);
  assert.equal(checked.contentBytes, raw.length);
});

Deno.test("what stands behind a frame is not counted: the empty second frame of this runtime is left out of blocks", () => {
  const raw = new TextEncoder().encode("again ".repeat(1000));
  const frame = compress(raw);
  const first = frame.subarray(0, measureFrame(frame)!.frameBytes);
  const twice = concat([first, compress(new Uint8Array())]);
  assert.deepEqual(measureFrame(twice), { frameBytes: first.length, contentBytes: raw.length });
  const packed = packBlock(raw, 3);
  assert.equal(packed[0], 1);
  assert.deepEqual(measureFrame(packed.subarray(1)), { frameBytes: packed.length - 1, contentBytes: raw.length });
});

Deno.test("a frame made by hand is measured: raw blocks and RLE blocks", () => {
  const content = noise(200, 5);
  const frame = rawFrame(content);
  assert.deepEqual(measureFrame(frame), { frameBytes: frame.length, contentBytes: 200 });
  // An RLE block says how often its one byte comes.
  const rle = concat([
    MAGIC,
    Uint8Array.of(0x20, 250),
    Uint8Array.of(250 << 3 & 255 | 3, 250 << 3 >> 8, 0),
    Uint8Array.of(9),
  ]);
  assert.deepEqual(measureFrame(rle), { frameBytes: rle.length, contentBytes: 250 });
});

Deno.test("frames that a writer cannot make are not measured: dictionaries, reserved bits, no content size, skippable ones", () => {
  const content = noise(50, 6);
  for (const bit of [0x01, 0x02, 0x03, 0x08, 0x10, 0x18]) {
    assert.equal(measureFrame(rawFrame(content, { descriptor: 0x20 | bit })), undefined, `descriptor bit ${bit}`);
  }
  const sizeless = zstdCompressSync(noise(1000, 7), { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } });
  assert.equal(measureFrame(sizeless), undefined);
  assert.equal(measureFrame(concat([Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0), rawFrame(content)])), undefined);
});

Deno.test("a frame whose last block is missing is not measured", () => {
  assert.equal(measureFrame(rawFrame(noise(50, 8), { last: false })), undefined);
});

Deno.test("whatever bytes come, measuring ends, and finds nothing that reaches past them", () => {
  const frame = compress(noise(3000, 9));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(40), (junk, at) => {
    for (const bytes of [junk, concat([MAGIC, junk]), concat([frame.subarray(0, at), junk, frame.subarray(at)])]) {
      const found = measureFrame(bytes);
      assert.ok(found === undefined || found.frameBytes <= bytes.length);
    }
  }));
});
