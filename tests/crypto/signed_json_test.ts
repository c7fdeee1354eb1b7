import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { DamageError, UnsupportedError } from "../../lib/crypto/errors.ts";
import { JSON_LIMIT_BYTES, openJson, parseUnverified, signJson } from "../../lib/crypto/signed_json.ts";
import { encodeText } from "../../lib/crypto/text.ts";

const key = new Uint8Array(32).fill(1);
const head = { format: "tarzan test", version: 1, requires: [] };
const options = { format: "tarzan test", what: "object x" };

/** Signs any text in front of the MAC, as a holder of the key could. */
function signText(before: string): Uint8Array {
  return encodeText(`${before},"mac":"${createHmac("sha256", key).update(before).digest("hex")}"}\n`);
}

Deno.test("a signed object is the frozen text for a frozen key", () => {
  assert.equal(
    signJson({ ...head, word: "ä☃" }, key),
    '{"format":"tarzan test","version":1,"requires":[],"word":"ä☃",' +
      '"mac":"e6698e09f9b7b27cfdbf5fd5f09cae4e184060880e1eac4872fb67ca05b0912d"}\n',
  );
});

Deno.test("what is signed opens again, and is one JSON document for others", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (members) => {
    const { mac: _, ...rest } = members;
    const object = { ...rest, ...head };
    const text = signJson(object, key);
    assert.deepEqual(openJson(encodeText(text), key, options), JSON.parse(JSON.stringify(object)));
    assert.equal(Object.keys(JSON.parse(text)).at(-1), "mac");
    assert.deepEqual(parseUnverified(encodeText(text), "object x"), JSON.parse(text));
  }));
});

Deno.test("every flipped bit, every cut and every added byte of a signed object is noticed", () => {
  const bytes = encodeText(signJson({ ...head, word: "ä☃", number: 12 }, key));
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => openJson(flipped, key, options), DamageError, `bit ${bit}`);
  }
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => openJson(bytes.subarray(0, length), key, options), DamageError, `${length} bytes`);
  }
  for (const added of ["\n", " ", "\r\n"]) {
    assert.throws(() => openJson(new Uint8Array([...bytes, ...encodeText(added)]), key, options), DamageError);
    assert.throws(() => openJson(new Uint8Array([...encodeText(added), ...bytes]), key, options), DamageError);
  }
});

Deno.test("another key, such as that of another purpose or domain, does not open it", () => {
  const bytes = encodeText(signJson(head, key));
  assert.throws(() => openJson(bytes, new Uint8Array(32), options), DamageError);
});

Deno.test("a genuine object of a newer version is unsupported, not damaged", () => {
  const newer = [
    { ...head, version: 2 },
    { ...head, requires: ["parity"] },
    { format: "tarzan test", version: 3, requires: [], moreThanWeKnow: true },
  ];
  for (const object of newer) {
    assert.throws(() => openJson(encodeText(signJson(object, key)), key, options), UnsupportedError);
  }
});

Deno.test("an object that only claims to be newer is damaged", () => {
  const text = signJson({ ...head, version: 1 }, key).replace('"version":1', '"version":2');
  assert.throws(() => openJson(encodeText(text), key, options), DamageError);
});

Deno.test("a genuine object of another kind is refused where it does not belong", () => {
  const bytes = encodeText(signJson({ ...head, format: "tarzan condemned" }, key));
  assert.throws(() => openJson(bytes, key, options), /tarzan condemned/);
});

Deno.test("members that this version does not know are kept for the reader, the MAC is not", () => {
  const object = openJson(encodeText(signJson({ ...head, colour: "green" }, key)), key, options);
  assert.deepEqual(object, { ...head, colour: "green" });
});

Deno.test("what carries a right MAC and is not such an object is damage", () => {
  for (
    const before of [
      "",
      "{",
      "[1",
      '"x"',
      '{"a":1}',
      '{"format":"tarzan test","requires":[]',
      '{"format":"tarzan test","version":"1","requires":[]',
      '{"format":"tarzan test","version":0,"requires":[]',
      '{"format":"tarzan test","version":1',
      '{"format":"tarzan test","version":1,"requires":{}',
      '\ufeff{"format":"tarzan test","version":1,"requires":[]',
    ]
  ) assert.throws(() => openJson(signText(before), key, options), DamageError, before);
  const invalid = new Uint8Array([
    ...encodeText('{"format":"tarzan test","version":1,"requires":[],"x":"'),
    0xff,
    0x22,
  ]);
  const mac = createHmac("sha256", key).update(invalid).digest("hex");
  assert.throws(
    () => openJson(new Uint8Array([...invalid, ...encodeText(`,"mac":"${mac}"}\n`)]), key, options),
    DamageError,
  );
});

Deno.test("an object with a member called mac is not signed", () => {
  assert.throws(() => signJson({ ...head, mac: "x" }, key), TypeError);
});

Deno.test("an object over the limit is refused before it is looked at", () => {
  const large = new Uint8Array(JSON_LIMIT_BYTES + 1);
  assert.throws(() => openJson(large, key, options), /longer than/);
  assert.throws(() => parseUnverified(large, "object x"), /longer than/);
});

Deno.test("parseUnverified shows newer and forged objects, and refuses what is no object", () => {
  assert.equal(parseUnverified(encodeText('{"format":"tarzan test","version":9}'), "x").version, 9);
  for (const text of ["", "7", "[]", "null", "{"]) {
    assert.throws(() => parseUnverified(encodeText(text), "object x"), DamageError, text);
  }
});
