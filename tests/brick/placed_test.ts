import assert from "node:assert/strict";
import fc from "fast-check";
import { DamageError, UnsupportedError } from "../../lib/crypto/mod.ts";
import { decodeLost, decodePlaced, encodeLost, encodePlaced, type PlacedRecord } from "../../lib/brick/placed.ts";

const bad = (why: string) => new DamageError(why);
const hex = (digit: string) => digit.repeat(64);

const bundle: PlacedRecord = {
  location: "glacier://eu-west-1/photos",
  handle: "x".repeat(138),
  class: "VAULT",
  bytes: 300_000,
  sha256: hex("a"),
  treeHash: hex("b"),
  placedAt: new Date("2026-11-20T12:34:56.789Z"),
  bricks: [
    { name: hex("1"), kind: "D", offset: 512, bytes: 65_536 },
    { name: hex("2"), kind: "M", offset: 66_560, bytes: 131_072 },
  ],
};

Deno.test("a placed record comes back as it was", () => {
  assert.deepEqual(decodePlaced(new Uint8Array(encodePlaced(bundle)), bad), bundle);
  const alone: PlacedRecord = {
    ...bundle,
    location: "s3://bucket/prefix",
    handle: `bricks/11/${hex("1")}`,
    class: "DEEP_ARCHIVE",
    bricks: [{ name: hex("1"), kind: "D", offset: 0, bytes: 300_000 }],
  };
  assert.deepEqual(decodePlaced(new Uint8Array(encodePlaced(alone)), bad), alone);
  assert.deepEqual(decodePlaced(new Uint8Array(encodePlaced({ ...bundle, bricks: [] })), bad).bricks, []);
});

Deno.test("a placed record of any other length is damage", () => {
  const bytes = encodePlaced(bundle);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodePlaced(bytes.slice(0, length), bad), DamageError);
  }
  assert.throws(() => decodePlaced(new Uint8Array([...bytes, 0]), bad), DamageError);
});

Deno.test("a brick outside the object that holds it is damage", () => {
  for (const brick of [{ offset: 300_000, bytes: 1 }, { offset: 0, bytes: 300_001 }, { offset: 2 ** 52, bytes: 1 }]) {
    const record = { ...bundle, bricks: [{ name: hex("1"), kind: "D" as const, ...brick }] };
    assert.throws(() => decodePlaced(new Uint8Array(encodePlaced(record)), bad), DamageError);
  }
});

Deno.test("a class, a kind or a bit that this version does not know is unsupported", () => {
  const bricksAt = 96 + bundle.location.length + bundle.handle.length;
  for (const at of [80, 81, 83, 92, 95, bricksAt + 48, bricksAt + 49, bricksAt + 55]) {
    const bytes = new Uint8Array(encodePlaced(bundle));
    bytes[at] = 99;
    assert.throws(() => decodePlaced(bytes, bad), UnsupportedError, `byte ${at}`);
  }
});

Deno.test("no payload makes the reader fail in another way, or take memory for what is not there", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
    try {
      decodePlaced(new Uint8Array(bytes), bad);
    } catch (error) {
      assert.ok(error instanceof DamageError || error instanceof UnsupportedError, String(error));
    }
  }));
  const huge = new Uint8Array(encodePlaced(bundle));
  new DataView(huge.buffer).setUint32(88, 0xffffffff, true);
  assert.throws(() => decodePlaced(huge, bad), DamageError);
});

Deno.test("a place with strange characters is never recorded, and never believed", () => {
  for (const location of ["", "s3://a b", "s3://a\n", "s3://ä", "s".repeat(1025)]) {
    assert.throws(() => encodePlaced({ ...bundle, location }), TypeError);
  }
  const bytes = new Uint8Array(encodePlaced(bundle));
  bytes[96 + 3] = 0x1b;
  assert.throws(() => decodePlaced(bytes, bad), DamageError);
});

Deno.test("a record of a loss comes back as it was; any other length is damage, any other bit unsupported", () => {
  const lost = { location: "s3://bucket", handle: "bricks/aa", at: new Date("2026-11-20T12:00:00.001Z") };
  const bytes = new Uint8Array(encodeLost(lost));
  assert.deepEqual(decodeLost(bytes, bad), lost);
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeLost(bytes.slice(0, length), bad), DamageError);
  }
  assert.throws(() => decodeLost(new Uint8Array([...bytes, 0]), bad), DamageError);
  const reserved = bytes.slice();
  reserved[12] = 1;
  assert.throws(() => decodeLost(reserved, bad), UnsupportedError);
});
