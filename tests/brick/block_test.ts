// Blocks between chunks and seal: what comes back is what went in, and nothing but what a writer makes is taken.

import assert from "node:assert/strict";
import { constants, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { packBlock, unpackBlock } from "../../lib/brick/mod.ts";
import { DamageError, UnsupportedError } from "../../lib/crypto/mod.ts";
import { concat, noise } from "./bricks.ts";

const RAW = 0;
const ZSTD = 1;
const text = new TextEncoder().encode("a line that comes again and again\n".repeat(200));

function unpack(packed: Uint8Array, rawLength: number): Uint8Array {
  return unpackBlock(new Uint8Array(packed), rawLength, "the block");
}

/** A zstd payload with the codec byte in front. */
function zstd(raw: Uint8Array, params: Record<number, number> = {}): Uint8Array<ArrayBuffer> {
  const options = { params, pledgedSrcSize: raw.length };
  return concat([Uint8Array.of(ZSTD), zstdCompressSync(raw, options)]);
}

Deno.test("blocks come back as they were, at every level", () => {
  for (const raw of [text, new Uint8Array(100_000), noise(100_000, 1), Uint8Array.of(1)]) {
    for (const level of [0, 1, 3, 19]) assert.deepEqual(unpack(packBlock(raw, level), raw.length), new Uint8Array(raw));
  }
});

Deno.test("any bytes come back as they were, and never take more than a byte more", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 3000 }), fc.nat(200), fc.nat(6), (bytes, times, level) => {
      const raw = concat(Array.from({ length: times + 1 }, () => bytes));
      const packed = packBlock(raw, level);
      assert.ok(packed.length <= raw.length + 1);
      assert.deepEqual(unpack(packed, raw.length), raw);
    }),
  );
});

Deno.test("views of shared memory are packed too", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(text.length + 9)).subarray(9);
  shared.set(text);
  assert.deepEqual(unpack(packBlock(shared, 3), text.length), text);
});

Deno.test("what does not get smaller is kept as it is, and level 0 compresses nothing", () => {
  assert.equal(packBlock(noise(5000, 2), 3)[0], RAW);
  assert.equal(packBlock(text, 0)[0], RAW);
  assert.equal(packBlock(text, 0).length, text.length + 1);
  assert.equal(packBlock(text, 3)[0], ZSTD);
});

Deno.test("a compressed block is one whole frame with its content size and no checksum", () => {
  const packed = packBlock(text, 3);
  assert.deepEqual([...packed.subarray(1, 5)], [0x28, 0xb5, 0x2f, 0xfd]);
  assert.equal(packed[5]! & 0x07, 0, "neither checksum nor dictionary");
});

Deno.test("a method of compression that is not known is unsupported, not damage", () => {
  for (const codec of [2, 3, 255]) {
    assert.throws(() => unpack(concat([Uint8Array.of(codec), text]), text.length), UnsupportedError);
  }
});

Deno.test("a block of another length than its toc says is damage", () => {
  for (const packed of [packBlock(text, 0), packBlock(text, 3)]) {
    for (const length of [0, 1, text.length - 1, text.length + 1, 16 << 20]) {
      assert.throws(() => unpack(packed, length), DamageError, `${length}`);
    }
  }
});

Deno.test("a block without a byte is damage", () => {
  assert.throws(() => unpack(new Uint8Array(), 1), DamageError);
  assert.throws(() => unpack(Uint8Array.of(ZSTD), 1), DamageError);
});

Deno.test("anything behind the frame is damage: bytes, an empty frame, a skippable one", () => {
  const packed = packBlock(text, 3);
  const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0);
  for (
    const rest of [Uint8Array.of(0), packBlock(text, 3).subarray(1), skippable, zstd(new Uint8Array()).subarray(1)]
  ) {
    assert.throws(() => unpack(concat([packed, rest]), text.length), /behind its frame/);
  }
  assert.throws(() => unpack(concat([packed.subarray(0, 1), skippable, packed.subarray(1)]), text.length), DamageError);
});

Deno.test("a frame cut short anywhere is damage", () => {
  const packed = packBlock(text, 3);
  for (let length = 1; length < packed.length; length++) {
    assert.throws(() => unpack(packed.subarray(0, length), text.length), DamageError, `${length} bytes`);
  }
});

Deno.test("a frame that wants a dictionary or does not say its size is damage", () => {
  const packed = packBlock(text, 3);
  for (const bits of [1, 2, 3]) {
    const wants = new Uint8Array(packed);
    wants[5]! |= bits;
    assert.throws(() => unpack(wants, text.length), DamageError);
  }
  const sizeless = zstdCompressSync(text, { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } });
  assert.throws(() => unpack(concat([Uint8Array.of(ZSTD), sizeless]), text.length), DamageError);
});

Deno.test("a frame that holds more than it says is damage", () => {
  // 64 MiB of zeros that say they were 1,000 bytes: one content size in the place of another.
  const bomb = packBlock(new Uint8Array(64 << 20), 3);
  const descriptor = bomb[5]!;
  assert.equal(descriptor >> 6, 2, "a content size of four bytes");
  const sizeAt = 6 + (descriptor & 0x20 ? 0 : 1);
  new DataView(bomb.buffer).setUint32(sizeAt, 1000, true);
  assert.throws(() => unpack(bomb, 1000), DamageError);
});

Deno.test("a frame that holds less than it says is damage", () => {
  const lying = packBlock(new Uint8Array(100_000), 3);
  const descriptor = lying[5]!;
  assert.equal(descriptor >> 6, 2);
  new DataView(lying.buffer).setUint32(6 + (descriptor & 0x20 ? 0 : 1), 100_001, true);
  assert.throws(() => unpack(lying, 100_001), DamageError);
});

Deno.test("any change of a compressed block is damage, unsupported, or other bytes of the right length", () => {
  const packed = packBlock(text, 3);
  fc.assert(fc.property(fc.nat(packed.length * 8 - 1), fc.nat(packed.length * 8 - 1), (first, second) => {
    const changed = new Uint8Array(packed);
    changed[first >> 3]! ^= 1 << (first & 7);
    changed[second >> 3]! ^= 1 << (second & 7);
    try {
      assert.equal(unpack(changed, text.length).length, text.length);
    } catch (error) {
      assert.ok(error instanceof DamageError || error instanceof UnsupportedError, String(error));
    }
  }));
});
