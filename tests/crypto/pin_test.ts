import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../../lib/crypto/hex.ts";
import { bundleHash, pinCode, pinMatches } from "../../lib/crypto/pin.ts";

const hash = bundleHash("tarzan");

Deno.test("the pin code of a frozen text is the frozen one", () => {
  assert.equal(toHex(hash), "8b1e2a0d4f563fb671a9fec7acd396aa03a2d925db9ea007964b117a2bdc4dda");
  assert.equal(pinCode(hash), "hcf2-m3af-arzv-cwd9");
});

Deno.test("a pin code is read back in whatever way a person spells it", () => {
  const odd = new Uint8Array(32);
  odd.set([0x08, 0x10]);
  assert.equal(pinCode(odd), "1080-0000-0000-0000");
  for (const typed of ["hcf2-m3af-arzv-cwd9", "HCF2 M3AF ARZV CWD9", " hcf2m3afarzvcwd9\n", "hc-f2-M3-af-arzv-cwd-9"]) {
    assert.ok(pinMatches(typed, hash), typed);
  }
  assert.ok(pinMatches("IO8o-oooo-oooo-OOOO", odd));
});

Deno.test("a code with one wrong, missing or additional digit does not match", () => {
  const code = pinCode(hash).replaceAll("-", "");
  for (let i = 0; i < code.length; i++) {
    assert.ok(!pinMatches(code.slice(0, i) + (code[i] === "7" ? "8" : "7") + code.slice(i + 1), hash));
    assert.ok(!pinMatches(code.slice(0, i) + code.slice(i + 1), hash));
    assert.ok(!pinMatches(`${code.slice(0, i)}0${code.slice(i)}`, hash));
  }
  for (const typed of ["", "-", "yes", "ä".repeat(16)]) assert.ok(!pinMatches(typed, hash), typed);
});

Deno.test("every code matches its own hash, and another hash only with the same first 80 bits", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat({ max: 255 }), (hash, bit) => {
    const code = pinCode(hash);
    assert.match(code, /^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$/);
    assert.ok(pinMatches(code, hash));
    const other = hash.slice();
    other[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(pinMatches(code, other), bit >= 80);
  }));
});
