// Numbers and bytes of recipes: one way to write each number, and nothing else is read.

import assert from "node:assert/strict";
import fc from "fast-check";
import { DamageError } from "../../lib/crypto/mod.ts";
import { ByteReader, ByteWriter } from "../../lib/snapshot/varint.ts";

function written(...values: number[]): Uint8Array {
  const writer = new ByteWriter();
  for (const value of values) writer.number(value);
  return writer.take();
}

function reader(...bytes: number[]): ByteReader {
  return new ByteReader(Uint8Array.from(bytes), "the test");
}

Deno.test("numbers take seven bits a byte, the low ones first", () => {
  assert.deepEqual([...written(0)], [0]);
  assert.deepEqual([...written(127)], [127]);
  assert.deepEqual([...written(128)], [0x80, 1]);
  assert.deepEqual([...written(300)], [0xac, 2]);
  assert.deepEqual([...written(2 ** 53 - 1)], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]);
});

Deno.test("numbers up to 2^53 - 1 and bytes come back in order", () => {
  const item = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.uint8Array({ maxLength: 3000 }));
  fc.assert(fc.property(fc.array(item), (items) => {
    const writer = new ByteWriter();
    for (const item of items) typeof item === "number" ? writer.number(item) : writer.bytes(item);
    const length = writer.length;
    const bytes = writer.take();
    assert.equal(bytes.length, length);
    assert.equal(writer.length, 0);
    const reader = new ByteReader(bytes, "the test");
    for (const item of items) {
      if (typeof item === "number") assert.equal(reader.number(), item);
      else assert.deepEqual(reader.bytes(item.length), item);
    }
    assert.ok(reader.done);
  }));
});

Deno.test("what was taken stays as it is when the writer is used again", () => {
  const writer = new ByteWriter();
  writer.number(1);
  const first = writer.take();
  writer.number(2);
  assert.deepEqual([...first], [1]);
});

Deno.test("a number that is written longer than need be is damage", () => {
  for (const bytes of [[0x80, 0], [0xff, 0x80, 0], [0x81, 0x80, 0x80, 0]]) {
    assert.throws(() => reader(...bytes).number(), DamageError, `${bytes}`);
  }
});

Deno.test("a number over 2^53 - 1, or without an end, is damage", () => {
  assert.throws(() => reader(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10).number(), DamageError);
  assert.throws(() => reader(...new Array(8).fill(0x80), 1).number(), DamageError);
  assert.throws(() => reader(...new Array(100).fill(0xff)).number(), DamageError);
  assert.throws(() => reader(0x80).number(), DamageError);
  assert.throws(() => reader().number(), DamageError);
});

Deno.test("each number has one form: what can be read is what would be written", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 10 }), (bytes) => {
    const from = new ByteReader(bytes, "the test");
    let value: number;
    try {
      value = from.number();
    } catch (error) {
      assert.ok(error instanceof DamageError);
      return;
    }
    const again = written(value);
    assert.deepEqual(bytes.subarray(0, again.length), again);
  }));
});

Deno.test("bytes past the end are damage, however many are asked for", () => {
  for (const length of [4, 100, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    assert.throws(() => reader(1, 2, 3).bytes(length), DamageError);
  }
  assert.equal(reader(1, 2, 3).bytes(3).length, 3);
});
