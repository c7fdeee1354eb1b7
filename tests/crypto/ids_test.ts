import assert from "node:assert/strict";
import fc from "fast-check";
import { createBLAKE3 } from "hash-wasm";
import { createIdHasher, createSharedIdHasher, ID_BYTES, idScratchBytes } from "../../lib/crypto/ids.ts";
import { randomBytes } from "../chunker/generated.ts";
import vectors from "../vectors/blake3_keyed.json" with { type: "json" };

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const KEY = randomBytes(32, 77);
const oracle = await createBLAKE3(256, KEY);
const expectedId = (bytes: Uint8Array) => oracle.init().update(bytes).digest("hex");

/** Around every length at which the tree, a group of four lanes or a block begins or ends. */
const BOUNDARIES = [
  ...[0, 1, 4, 63, 64, 65, 127, 128, 129, 255, 512, 960, 961],
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 31, 32, 33, 64, 100, 127, 128, 129, 255, 256, 257, 300]
    .flatMap((chunks) => [1024 * chunks - 1, 1024 * chunks, 1024 * chunks + 1]),
];

for (const portable of [false, true]) {
  const name = portable ? "hash-wasm" : "kernel";

  Deno.test(`${name}: ids are keyed BLAKE3-256, by the official vectors`, async () => {
    const hasher = await createIdHasher(new TextEncoder().encode(vectors.key), { portable });
    for (const { length, hash } of vectors.cases) {
      const bytes = Uint8Array.from({ length }, (_, i) => i % 251);
      assert.equal(hex(hasher.id(bytes)), hash, `${length} bytes`);
    }
  });

  Deno.test(`${name}: ids of bytes that lie in a shared memory are the same, one by one and as a batch`, async () => {
    const memory = new WebAssembly.Memory({ initial: 12, maximum: 12, shared: true });
    const bytes = new Uint8Array(memory.buffer);
    const data = randomBytes(400_000, 41);
    bytes.set(data, 200_003);
    const hasher = await createSharedIdHasher(memory, { key: KEY, scratch: 160_003, longest: 310_000, portable });
    const lengths = [0, 1, 1024, 1025, 3000, 4096, 16_385, 307_200];
    const table = new DataView(memory.buffer, 64, 8 * lengths.length);
    lengths.forEach((length, i) => {
      table.setUint32(8 * i, 200_003 + 11 * i, true);
      table.setUint32(8 * i + 4, length, true);
    });
    const expected = lengths.map((length, i) => expectedId(data.subarray(11 * i, 11 * i + length)));
    hasher.ids(64, lengths.length, 1001);
    const ids = Array.from(expected, (_, i) => hex(bytes.slice(1001 + ID_BYTES * i, 1001 + ID_BYTES * (i + 1))));
    assert.deepEqual(ids, expected);
    lengths.forEach((length, i) => {
      hasher.id(200_003 + 11 * i, length, 5000);
      assert.equal(hex(bytes.slice(5000, 5032)), expected[i]);
    });
    assert.deepEqual(bytes.slice(200_003, 600_003), data);
  });
}

Deno.test("ids agree with another implementation around every boundary of the tree", async () => {
  const hasher = await createIdHasher(KEY);
  const data = randomBytes(310_000, 42);
  for (const length of BOUNDARIES) {
    assert.equal(hex(hasher.id(data.subarray(0, length))), expectedId(data.subarray(0, length)), `${length} bytes`);
  }
});

Deno.test("ids agree with another implementation on random bytes of random lengths", async () => {
  const hasher = await createIdHasher(KEY);
  const data = randomBytes(600_000, 43);
  fc.assert(fc.property(fc.nat(299_999), fc.nat(300_000), (from, length) => {
    const bytes = data.subarray(from, from + length);
    assert.equal(hex(hasher.id(bytes)), expectedId(bytes));
  }));
});

for (const portable of [false, true]) {
  Deno.test(`the ids of parts that follow one another are those of each part (portable: ${portable})`, async () => {
    const hasher = await createIdHasher(KEY, { portable });
    const data = randomBytes(40_000, 47);
    const parts = fc.array(fc.oneof(fc.nat(40), fc.nat(9000)), { maxLength: 12 });
    fc.assert(fc.property(fc.nat(9), parts, (from, lengths) => {
      const bytes = data.subarray(from);
      const sum = lengths.reduce((sum, length) => sum + length, 0);
      if (sum > bytes.length) {
        assert.throws(() => hasher.ids(bytes, lengths), RangeError);
        return;
      }
      let at = 0;
      const each = lengths.map((length) => expectedId(bytes.subarray(at, at += length)));
      assert.equal(hex(hasher.ids(bytes, lengths)), each.join(""));
    }));
  });
}

Deno.test("an id hasher takes the largest chunk, and a small one after it", async () => {
  const hasher = await createIdHasher(KEY);
  const data = randomBytes(17 * 1024 * 1024 + 5, 44);
  for (const length of [data.length, 5, 16 * 1024 * 1024]) {
    const bytes = data.subarray(0, length);
    assert.equal(hex(hasher.id(bytes)), expectedId(bytes));
  }
});

Deno.test("an id is an array of its own, not a view that the next id changes", async () => {
  const hasher = await createIdHasher(KEY);
  const first = hasher.id(Uint8Array.of(1));
  const before = hex(first);
  hasher.id(Uint8Array.of(2));
  assert.equal(hex(first), before);
  assert.equal(first.buffer.byteLength, ID_BYTES);
});

Deno.test("computing in place touches only the output and its scratch region", async () => {
  const memory = new WebAssembly.Memory({ initial: 3, maximum: 3, shared: true });
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(randomBytes(bytes.length, 45));
  const longest = 100_001;
  const scratch = 1600;
  const hasher = await createSharedIdHasher(memory, { key: KEY, scratch, longest });
  const before = Uint8Array.from(bytes);
  hasher.id(60_000, longest, 100);
  const changed = (from: number, to: number) => hex(bytes.slice(from, to)) !== hex(before.subarray(from, to));
  assert.ok(changed(100, 132));
  assert.ok(!changed(0, 100) && !changed(132, scratch));
  assert.ok(!changed(scratch + idScratchBytes(longest), bytes.length));
});

Deno.test("a wrong key, a memory that is not shared and regions that do not fit are refused", async () => {
  const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const options = { key: KEY, scratch: 1024, longest: 65_536 };
  await assert.rejects(createIdHasher(new Uint8Array(31)), /key of 31 bytes/);
  await assert.rejects(createSharedIdHasher(shared, { ...options, key: new Uint8Array(33) }), /key of 33 bytes/);
  const own = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  await assert.rejects(createSharedIdHasher(own, options), /shared: true/);
  await assert.rejects(createSharedIdHasher(shared, { ...options, scratch: 64_000 }), /no 2336 bytes of scratch/);
  await assert.rejects(createSharedIdHasher(shared, { ...options, scratch: -16 }), /no 2336 bytes of scratch/);
});

Deno.test("an input longer than announced is refused before anything is written", async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  const hasher = await createSharedIdHasher(memory, { key: KEY, scratch: 1024, longest: 2048 });
  new DataView(memory.buffer).setUint32(12, 2049, true);
  assert.throws(() => hasher.id(8192, 2049, 512), /id of 2049 bytes: at most 2048/);
  assert.throws(() => hasher.ids(0, 2, 512), /id of 2049 bytes: at most 2048/);
  assert.equal(hex(new Uint8Array(memory.buffer).slice(512, 576)), "00".repeat(64));
});
