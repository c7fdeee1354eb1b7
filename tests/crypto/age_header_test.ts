import assert from "node:assert/strict";
import { readAgeStanzas, startsAsAge } from "../../lib/crypto/age_header.ts";
import { DamageError, UnsupportedError } from "../../lib/crypto/errors.ts";
import { concatBytes } from "../../lib/crypto/bytes.ts";
import { encodeText } from "../../lib/crypto/text.ts";
import { AGE_VECTORS } from "./age_vectors.ts";

const options = { what: "slot x", limitBytes: 65_536 };
const mac = "A".repeat(43);
const payload = new Uint8Array(32);

function ageFile(header: string): Uint8Array {
  return concatBytes(encodeText(header), payload);
}

Deno.test("the stanzas of other tools' age files are read", () => {
  const types = Object.entries(AGE_VECTORS).map(([name, { file }]) => {
    return [name, readAgeStanzas(file, options).map((stanza) => stanza.type)];
  });
  assert.deepEqual(Object.fromEntries(types), {
    hybrid: ["mlkem768x25519"],
    hybrid_no_match: ["mlkem768x25519"],
    hybrid_and_x25519: ["X25519", "mlkem768x25519"],
    scrypt: ["scrypt"],
    scrypt_work_factor_23: ["scrypt"],
    scrypt_and_x25519: ["X25519", "scrypt"],
    x25519: ["X25519"],
  });
  assert.deepEqual(readAgeStanzas(AGE_VECTORS.scrypt.file, options)[0]!.args, ["rF0/NwblUHHTpgQgRpe5CQ", "10"]);
});

Deno.test("a body of whole lines ends with an empty one", () => {
  const file = ageFile(`age-encryption.org/v1\n-> a b c\n${"x".repeat(64)}\n\n-> d\n\n--- ${mac}\n`);
  assert.deepEqual(readAgeStanzas(file, options), [{ type: "a", args: ["b", "c"] }, { type: "d", args: [] }]);
});

Deno.test("a newer age format is unsupported", () => {
  for (const version of ["v2", "v10"]) {
    const file = ageFile(`age-encryption.org/${version}\n-> a\n\n--- ${mac}\n`);
    assert.throws(() => readAgeStanzas(file, options), UnsupportedError);
  }
});

Deno.test("what is no age file, or a broken one, is damage", () => {
  for (
    const header of [
      "",
      "age-encryption.org/v1",
      "age-encryption.org/v1\n",
      "age-encryption.org/v01\n-> a\n\n--- x\n",
      "age-encryption.org/v1 \n-> a\n\n--- x\n",
      "age-encryption.org/vX\n-> a\n\n--- x\n",
      `age-encryption.org/v1\n--- ${mac}\n`,
      `age-encryption.org/v1\n->\n\n--- ${mac}\n`,
      `age-encryption.org/v1\n->  a\n\n--- ${mac}\n`,
      `age-encryption.org/v1\n-> a\u00e9\n\n--- ${mac}\n`,
      `age-encryption.org/v1\n-> a\nx x\n--- ${mac}\n`,
      `age-encryption.org/v1\n-> a\n${"x".repeat(65)}\n--- ${mac}\n`,
      `age-encryption.org/v1\n-> a\n${"x".repeat(64)}\n--- ${mac}\n`,
      `age-encryption.org/v1\r\n-> a\r\n\r\n--- ${mac}\r\n`,
      "PK\u0003\u0004",
    ]
  ) assert.throws(() => readAgeStanzas(ageFile(header), options), DamageError, JSON.stringify(header));
  const whole = encodeText(`age-encryption.org/v1\n-> a\n\n--- ${mac}\n`);
  assert.throws(() => readAgeStanzas(concatBytes(whole, payload.subarray(1)), options), /cut short/);
});

Deno.test("a header longer than the limit is refused, wherever its lines end", () => {
  const file = ageFile(`age-encryption.org/v1\n${"-> a\n\n".repeat(100)}--- ${mac}\n`);
  assert.equal(readAgeStanzas(file, options).length, 100);
  assert.throws(() => readAgeStanzas(file, { what: "slot x", limitBytes: 300 }), /slot x: .*longer than 300 bytes/);
});

Deno.test("an age file is known by its first bytes", () => {
  assert.ok(startsAsAge(AGE_VECTORS.x25519.file));
  assert.ok(!startsAsAge(encodeText("age-encryption.or")));
  assert.ok(!startsAsAge(new Uint8Array(0)));
});
