import assert from "node:assert/strict";
import { Encrypter, generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption";
import fc from "fast-check";
import { DamageError, UnsupportedError, WrongKeyError } from "../../lib/crypto/errors.ts";
import { sha256 } from "../../lib/crypto/hash.ts";
import { toHex } from "../../lib/crypto/hex.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import { checkWrap, unwrapKey, wrapKey } from "../../lib/crypto/wrap.ts";
import { AGE_VECTORS } from "./age_vectors.ts";

const identity = await generateHybridIdentity();
const recipient = await identityToRecipient(identity);
const what = "the key of brick 3fa9";

Deno.test("a wrapped key takes 1,691 bytes and opens with the identity of its recipient", async () => {
  const key = randomBytes(32);
  const file = await wrapKey(key, recipient);
  assert.equal(file.length, 1691);
  checkWrap(file, what);
  assert.deepEqual(await unwrapKey(file, identity, what), key);
});

Deno.test("any small bytes survive wrapping", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
      assert.deepEqual(await unwrapKey(await wrapKey(bytes, recipient), identity, what), new Uint8Array(bytes));
    }),
    { numRuns: 10 },
  );
  const large = randomBytes(200_000);
  assert.deepEqual(await unwrapKey(await wrapKey(large, recipient), identity, what), large);
});

Deno.test("what the Go implementation wrapped opens", async () => {
  const { file, identity, payload } = AGE_VECTORS.hybrid;
  assert.equal(toHex(sha256(await unwrapKey(file, identity, what))), payload);
});

Deno.test("another identity is a wrong key, not damage", async () => {
  const file = await wrapKey(randomBytes(32), recipient);
  const other = await generateHybridIdentity();
  await assert.rejects(() => unwrapKey(file, other, what), (error: Error) => {
    return error instanceof WrongKeyError && error.message.includes(what);
  });
  const vector = AGE_VECTORS.hybrid_no_match;
  await assert.rejects(() => unwrapKey(vector.file, vector.identity, what), WrongKeyError);
});

Deno.test("a wrapped key with more or other stanzas is not taken", async () => {
  const { file, identity: own } = AGE_VECTORS.hybrid_and_x25519;
  await assert.rejects(() => unwrapKey(file, own, what), UnsupportedError);
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  encrypter.addRecipient(recipient);
  const twice = await encrypter.encrypt(randomBytes(32));
  assert.throws(() => checkWrap(twice, what), /mlkem768x25519, mlkem768x25519/);
  assert.throws(() => checkWrap(AGE_VECTORS.scrypt.file, what), UnsupportedError);
});

Deno.test("keys are wrapped to hybrid recipients only", async () => {
  const classic = await identityToRecipient(await generateX25519Identity());
  await assert.rejects(() => wrapKey(randomBytes(32), classic), TypeError);
});

Deno.test("flipped bits are noticed in every part, and are damage in the payload and in the header's MAC", async () => {
  const file = await wrapKey(randomBytes(32), recipient);
  const bodyEnds = file.length - 64 - 48;
  let at = 0;
  // Opening takes milliseconds: all bits at both ends, and a bit of every fifth byte of the long middle.
  while (at < file.length) {
    const bits = at < 40 || at >= bodyEnds ? [0, 1, 2, 3, 4, 5, 6, 7] : [at % 8];
    for (const bit of bits) {
      const flipped = file.slice();
      flipped[at]! ^= 1 << bit;
      await assert.rejects(() => unwrapKey(flipped, identity, what), (error: Error) => {
        const known = at >= file.length - 64 - 44 ? [DamageError] : [DamageError, WrongKeyError, UnsupportedError];
        assert.ok(known.some((known) => error instanceof known), `byte ${at}: ${error}`);
        return true;
      });
    }
    at += bits.length === 1 ? 5 : 1;
  }
});

Deno.test("a wrapped key that is cut short is damage", async () => {
  const file = await wrapKey(randomBytes(32), recipient);
  for (const length of [0, 20, 1000, file.length - 64, file.length - 33, file.length - 1]) {
    await assert.rejects(() => unwrapKey(file.subarray(0, length), identity, what), DamageError, `${length}`);
  }
});

Deno.test("a header beyond 16 KiB is refused before anything is opened", () => {
  const file = new Uint8Array(20_000).fill(0x61);
  file.set(new TextEncoder().encode("age-encryption.org/v1\n-> "));
  assert.throws(() => checkWrap(file, what), /longer than 16384 bytes/);
});
