import assert from "node:assert/strict";
import { createDecipheriv } from "node:crypto";
import fc from "fast-check";
import { DamageError } from "../../lib/crypto/errors.ts";
import { sha256 } from "../../lib/crypto/hash.ts";
import { toHex } from "../../lib/crypto/hex.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import { type FrameLetter, openedSize, Opener, sealedSize, Sealer } from "../../lib/crypto/seal.ts";

const key = new Uint8Array(32).fill(1);
const headerMac = new Uint8Array(32).fill(2);

/** Opens a frame with node:crypto and what docs/FORMAT.md says, not with our code. */
function openIndependently(frame: Uint8Array, nonceNumber: number, aad: number[]): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(0, nonceNumber, true);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce);
  decipher.setAAD(Uint8Array.from(aad));
  decipher.setAuthTag(frame.subarray(-16));
  return new Uint8Array([...decipher.update(frame.subarray(0, -16)), ...decipher.final()]);
}

Deno.test("blocks, toc and padding are AES-256-GCM with the nonces and associated data of the format", async () => {
  const plain = new Uint8Array([1, 2, 3, 4, 5]);
  const hm = [...headerMac];
  const block = await new Sealer(key, headerMac).seal("B", 0x01020304, plain);
  assert.deepEqual(openIndependently(block, 0x01020304, [...hm, 0x42, 4, 3, 2, 1]), plain);
  const end = new Sealer(key, headerMac);
  assert.deepEqual(openIndependently(await end.seal("T", 0, plain), 0, [...hm, 0x54]), plain);
  assert.deepEqual(openIndependently(await end.seal("P", 1, plain), 1, [...hm, 0x50]), plain);
});

Deno.test("what is sealed opens again, in any order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 8 }), async (plains) => {
      const rawKey = randomBytes(32);
      const sealer = new Sealer(rawKey, headerMac);
      const opener = new Opener(rawKey, headerMac);
      const frames = await Promise.all(plains.map((plain, number) => sealer.seal("B", number, plain)));
      for (let number = plains.length - 1; number >= 0; number--) {
        const frame = frames[number]!;
        assert.equal(frame.length, sealedSize(plains[number]!.length));
        assert.equal(openedSize(frame.length), plains[number]!.length);
        assert.deepEqual(await opener.open("B", number, frame), new Uint8Array(plains[number]!));
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("a number that is not larger than the last is refused, also while that is in flight", async () => {
  const sealer = new Sealer(key, headerMac);
  const plain = new Uint8Array(10);
  const first = sealer.seal("B", 5, plain);
  await assert.rejects(() => sealer.seal("B", 5, plain), /sealed with the same key already/);
  await assert.rejects(() => sealer.seal("B", 4, plain), /sealed with the same key already/);
  await first;
  await assert.rejects(() => sealer.seal("B", 5, plain), /sealed with the same key already/);
  await sealer.seal("B", 6, plain);
  const end = new Sealer(key, headerMac);
  await end.seal("P", 1, plain);
  await assert.rejects(() => end.seal("T", 0, plain), /sealed with the same key already/);
});

Deno.test("no nonce is used twice, whatever is asked for and however many are in flight", async () => {
  const used: string[] = [];
  const onSeal = (keyHash: string, number: number) => void used.push(`${keyHash} ${number}`);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom<FrameLetter>("B", "T", "P"), fc.nat({ max: 12 }), fc.boolean()), {
        maxLength: 40,
      }),
      async (wishes) => {
        used.length = 0;
        const rawKey = randomBytes(32);
        const sealer = new Sealer(rawKey, headerMac, { onSeal });
        const results: Promise<unknown>[] = [];
        for (const [letter, number, pause] of wishes) {
          results.push(sealer.seal(letter, number, new Uint8Array(3)).catch(() => "refused"));
          if (pause) await results.at(-1);
        }
        const sealed = (await Promise.all(results)).filter((result) => result !== "refused");
        assert.equal(new Set(used).size, used.length);
        assert.equal(used.length, sealed.length);
        assert.ok(used.every((entry) => entry.startsWith(toHex(sha256(rawKey)))));
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("every flipped bit, every cut and every other place is noticed", async () => {
  const frame = await new Sealer(key, headerMac).seal("B", 1, new Uint8Array(30).fill(7));
  const opener = new Opener(key, headerMac);
  for (let bit = 0; bit < 8 * frame.length; bit++) {
    const flipped = frame.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    await assert.rejects(() => opener.open("B", 1, flipped), DamageError);
  }
  for (let length = 0; length < frame.length; length++) {
    await assert.rejects(() => opener.open("B", 1, frame.subarray(0, length)), DamageError);
  }
  await assert.rejects(() => opener.open("B", 1, new Uint8Array([...frame, 0])), DamageError);
  await assert.rejects(() => opener.open("B", 0, frame), DamageError);
  await assert.rejects(() => opener.open("P", 1, frame), DamageError);
  await assert.rejects(() => new Opener(key, new Uint8Array(32)).open("B", 1, frame), DamageError);
  await assert.rejects(() => new Opener(new Uint8Array(32), headerMac).open("B", 1, frame), DamageError);
  assert.equal((await opener.open("B", 1, frame)).length, 30);
});

Deno.test("the error of a damaged frame says which one it is", async () => {
  const opener = new Opener(key, headerMac);
  await assert.rejects(() => opener.open("B", 7, new Uint8Array(40), "block 7 of brick 3fa9"), /block 7 of brick 3fa9/);
  await assert.rejects(() => opener.open("B", 7, new Uint8Array(4)), /frame B 7/);
});

Deno.test("shared memory is sealed and opened, and may change as soon as seal returns", async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(70_000)).fill(3);
  const own = new Uint8Array(70_000).fill(3);
  const sealer = new Sealer(key, headerMac);
  const opener = new Opener(key, headerMac);
  const expected = own.slice();
  for (const [number, plain] of [shared, own, shared, own].entries()) {
    const sealing = sealer.seal("B", number, plain);
    plain.fill(9);
    const frame = await sealing;
    plain.fill(3);
    assert.deepEqual(await opener.open("B", number, frame), expected);
    const sharedFrame = new Uint8Array(new SharedArrayBuffer(frame.length));
    sharedFrame.set(frame);
    assert.deepEqual(await opener.open("B", number, sharedFrame), expected);
  }
});

Deno.test("numbers that do not exist and keys of another length are refused", async () => {
  for (const [letter, number] of [["B", -1], ["B", 1.5], ["B", 2 ** 32], ["T", 1], ["P", 0], ["P", 2]] as const) {
    await assert.rejects(() => new Sealer(key, headerMac).seal(letter, number, new Uint8Array(1)), RangeError);
    await assert.rejects(() => new Opener(key, headerMac).open(letter, number, new Uint8Array(17)), RangeError);
  }
  await new Sealer(key, headerMac).seal("B", 0xffff_ffff, new Uint8Array(1));
  assert.throws(() => new Sealer(new Uint8Array(16), headerMac), TypeError);
  assert.throws(() => new Opener(new Uint8Array(33), headerMac), TypeError);
});

Deno.test("the size of a frame is that of its content and a tag; less than a tag is no frame", () => {
  assert.equal(sealedSize(0), 16);
  assert.equal(openedSize(16), 0);
  assert.throws(() => openedSize(15), DamageError);
});
