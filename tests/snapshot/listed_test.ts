// What is kept of the entries of a page comes back as it was, and nothing else is taken for it.

import fc from "fast-check";
import assert from "node:assert/strict";
import { DamageError } from "../../lib/crypto/mod.ts";
import { decodeListed, encodeListed, type ListedEntry } from "../../lib/snapshot/mod.ts";
import { makeHeader, readEntry } from "../../lib/tar/mod.ts";

const number = fc.oneof(fc.nat(), fc.maxSafeInteger(), fc.double(), fc.constant(Number.MAX_SAFE_INTEGER));
const bytes = fc.uint8Array({ maxLength: 40 });
const text = fc.string({ unit: "grapheme", maxLength: 12 });

const anyEntry: fc.Arbitrary<ListedEntry> = fc.record({
  name: fc.oneof(bytes, bytes.map((end) => new Uint8Array([...new TextEncoder().encode("usr/share/"), ...end]))),
  type: fc.constantFrom(...(["-", "h", "l", "c", "b", "d", "p", "D", "V", "M", "?"] as const)),
  size: number,
  realSize: number,
  sparse: fc.boolean(),
  mode: fc.nat(0o7777),
  uid: number,
  gid: number,
  user: text,
  group: text,
  mtime: number,
  linkName: bytes,
  devMajor: number,
  devMinor: number,
}, { noNullPrototype: true });

/** The same entry often follows itself with little changed. */
const page = fc.array(fc.tuple(anyEntry, fc.array(fc.uint8Array({ maxLength: 5 }), { maxLength: 4 }))).map((runs) =>
  runs.flatMap(([entry, names]) => [entry, ...names.map((name) => ({ ...entry, name }))])
);

Deno.test("entries come back as they were kept", () => {
  fc.assert(fc.property(page, (entries) => assert.deepEqual(decodeListed(encodeListed(entries)), entries)));
});

Deno.test("neighbours in a directory take few bytes", () => {
  const entries = Array.from({ length: 30 }, (_, i) => {
    const name = new TextEncoder().encode(`usr/share/doc/package/file-${1000 + i}.txt`);
    const { pax: _pax, globalPax: _global, ...entry } = readEntry(
      makeHeader({ name, type: "-", size: i * 997, mtime: 1_700_000_000 + i }),
    );
    return entry;
  });
  const bytes = encodeListed(entries);
  assert.deepEqual(decodeListed(bytes), entries);
  assert.ok(bytes.length < 30 * 20, `${bytes.length} bytes`);
});

Deno.test("bytes that were not written so are a DamageError, never another error and never much memory", () => {
  const decode = (bytes: Uint8Array) => {
    try {
      decodeListed(bytes);
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
    }
  };
  fc.assert(fc.property(fc.uint8Array(), decode));
  fc.assert(fc.property(page, fc.nat(), fc.nat(255), (entries, at, byte) => {
    const bytes = encodeListed(entries);
    bytes[at % bytes.length] = byte;
    decode(bytes);
    assert.throws(() => decodeListed(bytes.subarray(0, -1)), DamageError);
  }));
  assert.throws(() => decodeListed(new Uint8Array([255, 255, 255, 255, 15, 1])), DamageError);
});
