// Bricks as a whole: written by the filler, read back from their bytes alone, and refused when anything about them differs.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  brickFileBytes,
  checkHeader,
  FIXED_HEADER_BYTES,
  headerLength,
  openHeader,
  openToc,
  parseHeader,
  parseTrailer,
  TAG_BYTES,
  TRAILER_BYTES,
} from "../../lib/brick/mod.ts";
import { DamageError, hmacSha256, toHex, UnsupportedError, unwrapKey } from "../../lib/crypto/mod.ts";
import { TreeHasher } from "../../lib/glacier/mod.ts";
import {
  concat,
  DOMAIN,
  flipped,
  IDENTITY,
  KEYS,
  noise,
  openBrick,
  readBrick,
  writeBrick,
  writeBricks,
  type WrittenBrick,
} from "./bricks.ts";

const text = new TextEncoder().encode("some text, some text, some text\n".repeat(40));
const small = await writeBrick([[noise(700, 1), text], [noise(1500, 2)], [text]]);

/** The brick with a header that was changed and signed again. */
function resigned(bytes: Uint8Array, change: (header: Uint8Array) => void): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  const end = headerLength(copy, "the brick") - 32;
  change(copy.subarray(0, end));
  copy.set(hmacSha256(KEYS.macBrick, copy.subarray(0, end)), end);
  return copy;
}

Deno.test("a brick gives back every chunk from its bytes alone", async () => {
  assert.deepEqual(await readBrick(small.bytes), [noise(700, 1), text, noise(1500, 2), text]);
});

Deno.test("any blocks of chunks come back, and the file has the size that its parts ask for", async () => {
  const chunk = fc.tuple(fc.integer({ min: 1, max: 5000 }), fc.nat(), fc.boolean()).map(([length, seed, even]) =>
    even ? new Uint8Array(length).fill(seed) : noise(length, seed)
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(chunk, { minLength: 1, maxLength: 5 }), { minLength: 1 }), async (blocks) => {
      const { bytes } = await writeBrick(blocks);
      assert.deepEqual(await readBrick(bytes), blocks.flat());
      const { padding } = await openBrick(bytes);
      assert.equal(brickFileBytes(bytes.length - (padding.to - padding.from) + TAG_BYTES), bytes.length);
    }),
    { numRuns: 25 },
  );
});

Deno.test("a brick's record tells name, tree hash and length of the file, and its toc", async () => {
  const { record, bytes } = small;
  const hasher = new TreeHasher();
  hasher.update(bytes);
  assert.equal(record.name, createHash("sha256").update(bytes).digest("hex"));
  assert.equal(record.treeHash, toHex(hasher.digest()));
  assert.equal(record.bytes, bytes.length);
  assert.deepEqual(record.toc, (await openBrick(bytes)).toc);
});

Deno.test("a header says kind, domain and the wrapped key, and the key opens with the identity alone", async () => {
  const header = parseHeader(small.bytes, "the brick");
  assert.equal(header.kind, "D");
  assert.equal(toHex(header.domain), DOMAIN);
  assert.equal(header.bytes.length, FIXED_HEADER_BYTES + header.ageFile.length + 32);
  assert.equal((await unwrapKey(header.ageFile, IDENTITY, "the key")).length, 32);
  const [meta] = await writeBricks([[text]], { kind: "M" });
  assert.equal(parseHeader(meta!.bytes, "the brick").kind, "M");
});

Deno.test("two bricks of the same chunks share neither key nor a run of bytes", async () => {
  const [one, two] = [await writeBrick([[text]]), await writeBrick([[text]])];
  const keys = await Promise.all(
    [one, two].map(({ bytes }) => unwrapKey(parseHeader(bytes, "the brick").ageFile, IDENTITY, "the key")),
  );
  assert.notDeepEqual(keys[0], keys[1]);
  const { blocks } = await openBrick(one.bytes);
  const frame = (brick: WrittenBrick) => toHex(brick.bytes.subarray(blocks[0]!.from, blocks[0]!.from + 64));
  assert.notEqual(frame(one), frame(two));
});

Deno.test("bricks are filled to their target and not beyond, whatever compression does", async () => {
  const blocks = Array.from({ length: 120 }, (_, i) => [i % 3 === 0 ? noise(65_536, i + 1) : new Uint8Array(65_536)]);
  const bricks = await writeBricks(blocks, { targetBytes: 3 << 20 });
  assert.ok(bricks.length > 1);
  for (const { bytes } of bricks) assert.ok(bytes.length <= 3 << 20, `${bytes.length} bytes`);
  const chunks = await Promise.all(bricks.map(({ bytes }) => readBrick(bytes)));
  assert.deepEqual(chunks.flat(), blocks.flat());
});

Deno.test("a brick cut short anywhere is damage", async () => {
  const { bytes } = small;
  const { padding, tocFrame } = await openBrick(bytes);
  const lengths = [0, 1, 8, 31, 32, 1000, padding.from, padding.from + 1, padding.to, tocFrame.to - 1, tocFrame.to];
  for (let i = 1; i <= 2 * TRAILER_BYTES; i++) lengths.push(bytes.length - i);
  for (const length of lengths) {
    await assert.rejects(readBrick(bytes.slice(0, length)), DamageError, `${length} bytes`);
  }
});

Deno.test("a brick with anything added is damage: behind it, in front, inside, or a trailer once more", async () => {
  const { bytes } = small;
  const { padding, tocFrame } = await openBrick(bytes);
  const step = 65_536;
  const trailer = bytes.subarray(-TRAILER_BYTES);
  const added = [
    concat([bytes, Uint8Array.of(0)]),
    concat([bytes, new Uint8Array(step)]),
    concat([bytes, trailer]),
    concat([bytes, new Uint8Array(step - TRAILER_BYTES), trailer]),
    concat([Uint8Array.of(0), bytes]),
    concat([bytes.subarray(0, padding.from), new Uint8Array(step), bytes.subarray(padding.from)]),
    concat([bytes.subarray(0, tocFrame.from), new Uint8Array(step), bytes.subarray(tocFrame.from)]),
    concat([bytes.subarray(0, padding.from), bytes.subarray(padding.to)]),
  ];
  for (const other of added) await assert.rejects(readBrick(other), DamageError);
});

Deno.test("frames of one brick do not open in another one, nor in another place of their own", async () => {
  // Chunks of the same lengths, so that all frames stand at the same places.
  const blocks = (seed: number) => [[noise(1000, seed)], [noise(1000, seed + 1)]];
  const [one, two] = [await writeBrick(blocks(10)), await writeBrick(blocks(20))];
  const { blocks: [first, second], padding, tocFrame } = await openBrick(one.bytes);
  const mixed = (part: { from: number; to: number }) => {
    const copy = new Uint8Array(one.bytes);
    copy.set(two.bytes.subarray(part.from, part.to), part.from);
    return copy;
  };
  for (const part of [first!, second!, padding, tocFrame]) await assert.rejects(readBrick(mixed(part)), DamageError);
  const swapped = new Uint8Array(one.bytes);
  swapped.set(one.bytes.subarray(first!.from, first!.to), second!.from);
  swapped.set(one.bytes.subarray(second!.from, second!.to), first!.from);
  await assert.rejects(readBrick(swapped), DamageError);
});

Deno.test("a data brick does not pass for a meta brick, nor one domain's for another's", () => {
  const asMeta = new Uint8Array(small.bytes);
  asMeta[8] = "M".charCodeAt(0);
  const elsewhere = flipped(small.bytes, 16 * 8);
  for (const bytes of [asMeta, elsewhere]) {
    assert.throws(() => checkHeader(parseHeader(bytes, "the brick"), KEYS, "the brick"), DamageError);
  }
});

Deno.test("even with a header signed anew, a brick's frames stay with the header they were made for", async () => {
  const asMeta = resigned(small.bytes, (header) => header[8] = "M".charCodeAt(0));
  checkHeader(parseHeader(asMeta, "the brick"), KEYS, "the brick");
  await assert.rejects(readBrick(asMeta), DamageError);
});

Deno.test("another key of the domain refuses the header", () => {
  const keys = { ...KEYS, macBrick: new Uint8Array(32) };
  assert.throws(() => checkHeader(parseHeader(small.bytes, "the brick"), keys, "the brick"), DamageError);
});

Deno.test("a newer magic, an unknown kind and reserved bytes are unsupported, never damage", () => {
  for (let digit = 2; digit <= 9; digit++) {
    const newer = new Uint8Array(small.bytes);
    newer[7] = 0x30 + digit;
    assert.throws(() => parseHeader(newer, "the brick"), UnsupportedError, `TARZANB${digit}`);
  }
  for (const kind of ["C", "X", "d", "\0"]) {
    const bytes = resigned(small.bytes, (header) => header[8] = kind.charCodeAt(0));
    assert.throws(() => parseHeader(bytes, "the brick"), UnsupportedError, `kind ${kind}`);
  }
  for (const at of [9, 10, 11]) {
    for (let bit = 0; bit < 8; bit++) {
      const bytes = resigned(small.bytes, (header) => header[at]! |= 1 << bit);
      assert.throws(() => parseHeader(bytes, "the brick"), UnsupportedError, `byte ${at}, bit ${bit}`);
    }
  }
});

Deno.test("a flipped bit does not pass for a newer brick: only what the domain's key signed is unsupported", () => {
  for (const at of [8, 9, 10, 11]) {
    for (let bit = 0; bit < 8; bit++) {
      const changed = flipped(small.bytes, at * 8 + bit);
      assert.throws(() => openHeader(changed, KEYS, "the brick"), DamageError, `byte ${at}, bit ${bit}`);
      const signed = resigned(small.bytes, (header) => header[at]! ^= 1 << bit);
      // A data brick that is signed as a meta brick is one, as far as its header goes.
      if (at !== 8 || signed[8] !== "M".charCodeAt(0)) {
        assert.throws(() => openHeader(signed, KEYS, "the brick"), UnsupportedError, `byte ${at}, bit ${bit}, signed`);
      }
    }
  }
  assert.deepEqual(openHeader(small.bytes, KEYS, "the brick"), parseHeader(small.bytes, "the brick"));
});

Deno.test("what is no brick at all is damage, and so is a wrapped key of no or absurd length", () => {
  for (const start of ["TARZANB0", "TARZANBx", "TARZANE1", "tarzanb1", "\0".repeat(8)]) {
    const bytes = concat([new TextEncoder().encode(start), small.bytes.subarray(8)]);
    assert.throws(() => parseHeader(bytes, "the brick"), DamageError, start);
  }
  for (const length of [0, 16 * 1024 + 1, 0xffffffff]) {
    const bytes = new Uint8Array(small.bytes);
    new DataView(bytes.buffer).setUint32(12, length, true);
    assert.throws(() => headerLength(bytes.subarray(0, 32), "the brick"), DamageError, `${length}`);
  }
});

Deno.test("a trailer of no or absurd length, or with another magic, is damage", () => {
  const trailer = small.bytes.slice(-TRAILER_BYTES);
  for (const length of [0, 64 * 1024 * 1024 + 1, 0xffffffff]) {
    const changed = new Uint8Array(trailer);
    new DataView(changed.buffer).setUint32(0, length, true);
    assert.throws(() => parseTrailer(changed, "the brick"), DamageError, `${length}`);
  }
  assert.throws(() => parseTrailer(trailer.subarray(1), "the brick"), DamageError);
  assert.throws(() => parseTrailer(flipped(trailer, 7 * 8), "the brick"), DamageError);
});

Deno.test("a file of another length than its parts ask for is damage, even if every frame opens", async () => {
  const { header, tocFrame } = await openBrick(small.bytes);
  const frame = small.bytes.slice(tocFrame.from, tocFrame.to);
  for (const fileBytes of [0, tocFrame.from, small.bytes.length - 1, small.bytes.length + 1, 2 * small.bytes.length]) {
    await assert.rejects(
      openToc(header, { keys: KEYS, frame, fileBytes, what: "the brick" }),
      DamageError,
      `${fileBytes}`,
    );
  }
});
