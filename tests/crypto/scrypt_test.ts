import assert from "node:assert/strict";
import { scryptSync } from "node:crypto";
import { toHex } from "../../lib/crypto/hex.ts";
import { scrypt } from "../../lib/crypto/scrypt.ts";
import { randomBytes } from "../chunker/generated.ts";
import vectors from "../vectors/scrypt.json" with { type: "json" };

for (const portable of [false, true]) {
  const name = portable ? "node:crypto" : "kernel";

  Deno.test(`${name}: keys are those of RFC 7914`, async () => {
    for (const { passphrase, salt, key, N, r, p } of vectors.scrypt) {
      if (p !== 1) continue;
      const derived = await scrypt(passphrase, { salt: new TextEncoder().encode(salt), N, r, portable });
      assert.equal(toHex(derived), key.slice(0, 64));
    }
  });
}

Deno.test("whatever computes it, a key is the same, at costs small and usual", async () => {
  const passphrase = "drei blinde Mäuse 🐭";
  const salt = randomBytes(44, 47);
  for (const N of [2, 2 ** 14, 2 ** 15, 2 ** 17]) {
    const expected = toHex(scryptSync(passphrase, salt, 32, { N, r: 8, maxmem: 2 ** 28 }));
    for (const portable of [{}, { portable: true }, { portable: false }]) {
      assert.equal(toHex(await scrypt(passphrase, { salt, N, r: 8, ...portable })), expected, `N = ${N}`);
    }
  }
});

Deno.test("two keys can be derived at the same time", async () => {
  const salts = [randomBytes(44, 48), randomBytes(44, 49)];
  const derived = await Promise.all(salts.map((salt) => scrypt("mice", { salt, N: 2 ** 15, r: 8 })));
  assert.deepEqual(
    derived.map(toHex),
    salts.map((salt) => toHex(scryptSync("mice", salt, 32, { N: 2 ** 15, r: 8, maxmem: 2 ** 27 }))),
  );
});

Deno.test("a thread that cannot have the memory says what could not be done", async () => {
  const beyond = { salt: new Uint8Array(0), N: 2 ** 23, r: 8, portable: false };
  await assert.rejects(scrypt("mice", beyond), /^Error: Cannot derive a key from the passphrase: WebAssembly\.Memory/);
});
