import assert from "node:assert/strict";
import fc from "fast-check";
import { beginSha256, hmacSha256, sha256 } from "../../lib/crypto/hash.ts";
import { fromHex, toHex } from "../../lib/crypto/hex.ts";
import { encodeText } from "../../lib/crypto/text.ts";

Deno.test("SHA-256 gives the values of FIPS 180-4", () => {
  assert.equal(toHex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(toHex(sha256(new Uint8Array(0))), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

Deno.test("SHA-256 in pieces is SHA-256 of the whole", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (pieces) => {
    const hash = beginSha256();
    const buffer = new Uint8Array(200);
    for (const piece of pieces) {
      buffer.set(piece);
      hash.update(buffer.subarray(0, piece.length));
      buffer.fill(0);
    }
    assert.equal(toHex(hash.digest()), toHex(sha256(Uint8Array.from(pieces.flatMap((piece) => [...piece])))));
  }));
});

Deno.test("HMAC-SHA-256 gives the values of RFC 4231, test cases 1, 2, 3 and 6", () => {
  const cases: [string, Uint8Array, string][] = [
    ["0b".repeat(20), encodeText("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
    [
      toHex(encodeText("Jefe")),
      encodeText("what do ya want for nothing?"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ],
    ["aa".repeat(20), fromHex("dd".repeat(50)), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
    [
      "aa".repeat(131),
      encodeText("Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ],
  ];
  for (const [key, data, expected] of cases) assert.equal(toHex(hmacSha256(fromHex(key), data)), expected);
});

Deno.test("a text is hashed as its UTF-8", () => {
  const key = new Uint8Array(32);
  assert.deepEqual(sha256("ä☃"), sha256(encodeText("ä☃")));
  assert.deepEqual(hmacSha256(key, "ä☃"), hmacSha256(key, encodeText("ä☃")));
});
