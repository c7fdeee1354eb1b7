import assert from "node:assert/strict";
import fc from "fast-check";
import { isObjectName, requirePrefix } from "../../lib/store/names.ts";
import { badNames } from "./conformance.ts";

Deno.test("the names of the repository's layout are names", () => {
  const hash = "ab".repeat(32);
  for (
    const name of [
      "tarzan.json",
      "keys/laptop-0123456789abcdef.age",
      "index/00112233445566778899aabbccddeeff/20260807T101112Z-01234567.json",
      "index/00112233445566778899aabbccddeeff/20260807T101112Z-01234567.open",
      `bricks/ab/${hash}`,
      `condemned/${hash}.sentence`,
      `bundles/${hash}.tar`,
      "a/tmp/b",
    ]
  ) assert.ok(isObjectName(name), name);
});

Deno.test("what could leave the store or hide in it is no name", () => {
  for (const name of badNames) assert.ok(!isObjectName(name), JSON.stringify(name));
});

Deno.test("every beginning of a name is a prefix", () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9_-]([A-Za-z0-9._-]{0,6}[A-Za-z0-9_-])?$/);
  fc.assert(fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.nat(), (segments, cut) => {
    const name = segments.join("/");
    fc.pre(isObjectName(name));
    requirePrefix(name.slice(0, cut % (name.length + 1)));
  }));
});
