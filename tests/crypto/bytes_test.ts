import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, readU32, unshared, writeU32 } from "../../lib/crypto/bytes.ts";
import { equalBytes } from "../../lib/crypto/compare.ts";
import { fromHex, isHex, toHex } from "../../lib/crypto/hex.ts";
import { decodeText, encodeText } from "../../lib/crypto/text.ts";

Deno.test("bytes survive the way through hex", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    const text = toHex(bytes);
    assert.equal(text, Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""));
    assert.deepEqual(fromHex(text), new Uint8Array(bytes));
    assert.ok(isHex(text, bytes.length));
    assert.ok(!isHex(text, bytes.length + 1));
  }));
});

Deno.test("hex has one spelling: upper case, odd lengths and other characters are refused", () => {
  for (const text of ["AB", "a", "0x", "ab ", "g0", "é0", "ab\n"]) {
    assert.throws(() => fromHex(text), TypeError, text);
    assert.ok(!isHex(text, 1), text);
  }
  assert.ok(!isHex(undefined, 0));
  assert.ok(isHex("", 0));
});

Deno.test("equalBytes agrees with equality, also for different lengths", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
    assert.equal(equalBytes(a, b), toHex(a) === toHex(b));
    assert.ok(equalBytes(a, a.slice()));
  }));
});

Deno.test("u32 numbers are little-endian and survive the way through bytes", () => {
  const bytes = new Uint8Array(8).subarray(1);
  writeU32(bytes, 2, 0x01020304);
  assert.equal(toHex(bytes), "00000403020100");
  fc.assert(fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (value) => {
    writeU32(bytes, 3, value);
    assert.equal(readU32(bytes, 3), value);
  }));
});

Deno.test("a number that does not fit into u32 is refused, not cut", () => {
  for (const value of [-1, 2 ** 32, 1.5, NaN, Infinity]) {
    assert.throws(() => writeU32(new Uint8Array(4), 0, value), RangeError);
  }
});

Deno.test("concatBytes puts all parts one after the other", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array()), (parts) => {
    assert.equal(toHex(concatBytes(...parts)), parts.map(toHex).join(""));
  }));
});

Deno.test("unshared copies shared memory and nothing else", () => {
  const own = new Uint8Array([1, 2, 3]);
  assert.equal(unshared(own), own);
  const shared = new Uint8Array(new SharedArrayBuffer(4), 1, 2).fill(7);
  const copy = unshared(shared);
  assert.ok(copy.buffer instanceof ArrayBuffer);
  assert.equal(toHex(copy), "0707");
});

Deno.test("text is strict UTF-8, and a byte order mark is a character like others", () => {
  assert.equal(decodeText(new Uint8Array([0xc3, 0x28])), undefined);
  assert.equal(decodeText(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])), "\ufeffa");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(decodeText(encodeText(text)), text);
  }));
});
