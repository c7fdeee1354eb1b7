import assert from "node:assert/strict";
import { createDecipheriv, hkdfSync } from "node:crypto";
import fc from "fast-check";
import { DamageError } from "../../lib/crypto/errors.ts";
import { randomBytes } from "../../lib/crypto/random.ts";
import { openRecordFrame, sealRecordFrame } from "../../lib/crypto/record_frame.ts";

const key = new Uint8Array(32).fill(1);
const salt = new Uint8Array(32).fill(2);
const aad = new Uint8Array([3, 3]);
const what = "ledger object x";

Deno.test("a record frame is AES-256-GCM with a key from the salt and a nonce of zeros", async () => {
  const plain = new Uint8Array([1, 2, 3]);
  const frame = await sealRecordFrame(key, { salt, aad, plain });
  const raw = new Uint8Array(hkdfSync("sha256", key, salt, "tarzan v1 ledger", 32));
  const decipher = createDecipheriv("aes-256-gcm", raw, new Uint8Array(12));
  decipher.setAAD(aad);
  decipher.setAuthTag(frame.subarray(-16));
  assert.deepEqual(new Uint8Array([...decipher.update(frame.subarray(0, -16)), ...decipher.final()]), plain);
});

Deno.test("a record frame opens with its salt and place, and with no other", async () => {
  const bytes = fc.uint8Array({ maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(bytes, bytes, async (plain, aad) => {
      const salt = randomBytes(32);
      const frame = await sealRecordFrame(key, { salt, aad, plain });
      assert.deepEqual(await openRecordFrame(key, { salt, aad, frame, what }), new Uint8Array(plain));
      const wrong = [
        { salt: randomBytes(32), aad, frame, what },
        { salt, aad: new Uint8Array([...aad, 0]), frame, what },
        { salt, aad, frame: frame.subarray(1), what },
      ];
      for (const options of wrong) {
        await assert.rejects(() => openRecordFrame(key, options), (error: Error) => {
          return error instanceof DamageError && error.message.includes(what);
        });
      }
      await assert.rejects(() => openRecordFrame(randomBytes(32), { salt, aad, frame, what }), DamageError);
    }),
    { numRuns: 20 },
  );
});

Deno.test("every flipped bit of a record frame is noticed", async () => {
  const frame = await sealRecordFrame(key, { salt, aad, plain: new Uint8Array(20) });
  for (let bit = 0; bit < 8 * frame.length; bit++) {
    const flipped = frame.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    await assert.rejects(() => openRecordFrame(key, { salt, aad, frame: flipped, what }), DamageError);
  }
});

Deno.test("a salt of another length is refused", async () => {
  await assert.rejects(() => sealRecordFrame(key, { salt: salt.subarray(1), aad, plain: aad }), TypeError);
});
