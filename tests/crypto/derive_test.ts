import assert from "node:assert/strict";
import { deriveKey, hkdfSha256 } from "../../lib/crypto/derive.ts";
import { fromHex, toHex } from "../../lib/crypto/hex.ts";
import { encodeText } from "../../lib/crypto/text.ts";

const RFC_5869 = [
  {
    secret: "0b".repeat(22),
    salt: "000102030405060708090a0b0c",
    info: "f0f1f2f3f4f5f6f7f8f9",
    expected: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    secret: toHex(Uint8Array.from({ length: 80 }, (_, i) => i)),
    salt: toHex(Uint8Array.from({ length: 80 }, (_, i) => 0x60 + i)),
    info: toHex(Uint8Array.from({ length: 80 }, (_, i) => 0xb0 + i)),
    expected: "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09" +
      "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
  },
  {
    secret: "0b".repeat(22),
    salt: "",
    info: "",
    expected: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
];

Deno.test("HKDF-SHA-256 gives the values of RFC 5869, appendix A.1 to A.3", async () => {
  for (const { secret, salt, info, expected } of RFC_5869) {
    const options = { salt: fromHex(salt), info: fromHex(info), lengthBytes: expected.length / 2 };
    assert.equal(toHex(await hkdfSha256(fromHex(secret), options)), expected);
  }
});

Deno.test("deriveKey is HKDF without salt and with the info of this format", async () => {
  const secret = new Uint8Array(32).fill(5);
  const options = { salt: new Uint8Array(0), info: encodeText("tarzan v1 ledger"), lengthBytes: 32 };
  assert.deepEqual(await deriveKey(secret, "ledger"), await hkdfSha256(secret, options));
});

Deno.test("label, salt and secret each lead to another key", async () => {
  const secret = new Uint8Array(32);
  const keys = await Promise.all([
    deriveKey(secret, "toc"),
    deriveKey(secret, "ledger"),
    deriveKey(secret, "toc", { salt: new Uint8Array(32).fill(1) }),
    deriveKey(secret, "toc", { salt: new Uint8Array(32).fill(2) }),
    deriveKey(new Uint8Array(32).fill(1), "toc"),
  ]);
  assert.equal(new Set(keys.map(toHex)).size, keys.length);
});

Deno.test("a secret of another length than 32 bytes is refused", async () => {
  await assert.rejects(() => deriveKey(new Uint8Array(31), "toc"), TypeError);
  await assert.rejects(() => deriveKey(new Uint8Array(0), "toc"), TypeError);
});

Deno.test("a secret in shared memory is taken", async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(32)).fill(5);
  assert.deepEqual(await deriveKey(shared, "toc"), await deriveKey(new Uint8Array(32).fill(5), "toc"));
});
