// What a vault keeps beside an archive.

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, parseDescription } from "../../lib/glacier/vault/description.ts";

const object = {
  repository: "5f".repeat(16),
  name: `bricks/ab/${"ab".repeat(32)}`,
  bytes: 134217728,
  sha256: "ab".repeat(32),
  treeHash: "cd".repeat(32),
};

Deno.test("a description is one line of JSON with the members in a fixed order", () => {
  assert.equal(
    describe(object),
    `{"tarzan":1,"repository":"${"5f".repeat(16)}","name":"bricks/ab/${"ab".repeat(32)}","bytes":134217728,` +
      `"sha256":"${"ab".repeat(32)}","treeHash":"${"cd".repeat(32)}"}`,
  );
});

Deno.test("what is described is read back, with members in any order and unknown ones among them", () => {
  const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => bytes.toHex());
  const any = fc.record({
    repository: hex,
    name: hex.map((id) => `bundles/${id}.tar`),
    bytes: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    sha256: hex,
    treeHash: hex,
  });
  fc.assert(fc.property(any, (each) => {
    assert.deepEqual(parseDescription(describe(each)), { ...each });
    const turned = Object.fromEntries([...Object.entries({ tarzan: 1, ...each }), ["later", "?"]].reverse());
    assert.deepEqual(parseDescription(JSON.stringify(turned)), { ...each });
  }));
});

Deno.test("what others wrote, newer versions and what cannot be is not taken for ours", () => {
  const text = describe(object);
  const wrong = [
    ...["", "my archive", "{}", "[]", "null", "1", "{", '{"tarzan":1}', text.slice(0, -1)],
    text.replace('"tarzan":1', '"tarzan":2'),
    text.replace("bricks/ab", "../bricks"),
    text.replace("134217728", "0"),
    text.replace("134217728", "1e300"),
    text.replace("134217728", '"134217728"'),
    text.replaceAll("ab".repeat(32), "AB".repeat(32)),
    text.replace("{", `{"x":"${"y".repeat(1024)}",`),
  ];
  for (const each of wrong) assert.equal(parseDescription(each), undefined, each);
});

Deno.test("nothing is described that could not be read back", () => {
  assert.throws(() => describe({ ...object, name: "a\nb" }), TypeError);
  assert.throws(() => describe({ ...object, repository: "é" }), TypeError);
  assert.throws(() => describe({ ...object, name: `${"a".repeat(200)}/`.repeat(5) + "b" }), TypeError);
});
