// Indexes: what is in clear, what is sealed, and that no bit of the text can change.

import assert from "node:assert/strict";
import fc from "fast-check";
import { DamageError, signJson, toHex, UnsupportedError, wrapKey } from "../../lib/crypto/mod.ts";
import {
  encodeIndex,
  type Index,
  INDEX_FORMAT,
  openSealed,
  peekIndex,
  sealedFromText,
  type SealedIndex,
  sealedToText,
  verifyIndex,
} from "../../lib/snapshot/mod.ts";
import { DOMAIN, flipped, KEYRING } from "../brick/bricks.ts";
import { randomBytes } from "../chunker/generated.ts";

const { macIndex } = await KEYRING.shapeKeys(DOMAIN);
const metaRecipient = await KEYRING.metaRecipient();
const metaIdentity = (await KEYRING.metaIdentity())!;
const SNAPSHOT = "20260102T030405Z-0badcafe";

const sealed: SealedIndex = {
  host: "machine",
  label: "täglich",
  tags: ["a", "b c"],
  domainName: "default",
  entries: 12,
  bytes: 9_876_543_210,
  treeHash: toHex(randomBytes(32, 1)),
  pages: 3,
  pageTable: { length: 228, depth: 0, records: new Uint8Array(randomBytes(36, 2)) },
  bricks: 2,
  brickList: { length: 0, depth: 0, records: new Uint8Array() },
  lastBricks: [toHex(randomBytes(32, 3)), toHex(randomBytes(32, 4))],
  incomplete: "it was cut",
  producer: { command: "tar", code: 2 },
  opaqueBytes: 0,
  tool: "tarzan 0",
};
const index: Index = {
  repository: "0123456789abcdef".repeat(2),
  domain: DOMAIN,
  snapshot: SNAPSHOT,
  created: "2026-01-02T03:04:05.000Z",
  complete: true,
  previous: "20260101T030405Z-00000000",
  sealed,
};
const bytes = await encodeIndex(index, { macIndex, metaRecipient });

function verify(bytes: Uint8Array, name = SNAPSHOT) {
  return verifyIndex(bytes, { macIndex, what: "the index", name });
}

/** The members of the index, changed, signed with the right key. */
function signed(change: Record<string, unknown>): Uint8Array {
  const { mac: _, ...members } = JSON.parse(new TextDecoder().decode(bytes));
  return new TextEncoder().encode(signJson({ ...members, ...change }, macIndex));
}

Deno.test("an index comes back, its sealed part too", async () => {
  const verified = verify(bytes);
  const { sealedText, ...clear } = verified;
  const { sealed: _, ...expected } = index;
  assert.deepEqual(clear, expected);
  assert.ok(sealedText.length > 1000);
  assert.deepEqual(await openSealed(verified, metaIdentity), sealed);
  assert.deepEqual(peekIndex(bytes, "the index"), { repository: index.repository, domain: DOMAIN });
});

Deno.test("an index without a previous one, of a run that was incomplete, comes back", async () => {
  const first = { ...index, previous: null, complete: false };
  const verified = verify(await encodeIndex(first, { macIndex, metaRecipient }));
  assert.equal(verified.previous, null);
  assert.equal(verified.complete, false);
});

Deno.test("an index is one JSON document, and says nothing in clear that is sealed", () => {
  const text = new TextDecoder().decode(bytes);
  const json = JSON.parse(text);
  assert.equal(json.format, INDEX_FORMAT);
  assert.deepEqual([json.version, json.requires], [1, []]);
  assert.match(text, /,"mac":"[0-9a-f]{64}"\}\n$/);
  for (const word of ["machine", "täglich", "it was cut", "9876543210", sealed.treeHash, ...sealed.lastBricks]) {
    assert.ok(!text.includes(word), word);
  }
});

Deno.test("the length of an index tells nothing about labels and tags", async () => {
  const lengths = new Set<number>();
  for (const label of ["", "x", "y".repeat(100)]) {
    const other = { ...index, sealed: { ...sealed, label, lastBricks: [] } };
    lengths.add((await encodeIndex(other, { macIndex, metaRecipient })).length);
  }
  assert.equal(lengths.size, 1);
});

Deno.test("every flipped bit of an index is noticed", () => {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    assert.throws(() => verify(flipped(bytes, bit)), DamageError, `bit ${bit}`);
  }
});

Deno.test("an index cut short, or with anything added, is damage", () => {
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => verify(bytes.subarray(0, length)), DamageError, `${length} bytes`);
  }
  for (const more of ["\n", " ", "}", "x"]) {
    const longer = new Uint8Array([...bytes, ...new TextEncoder().encode(more)]);
    assert.throws(() => verify(longer), DamageError, JSON.stringify(more));
  }
});

Deno.test("an index under another name, or signed with another key, is damage", () => {
  assert.throws(() => verify(bytes, "20260102T030405Z-0badcaff"), DamageError);
  assert.throws(() => verifyIndex(bytes, { macIndex: new Uint8Array(32), what: "the index" }), DamageError);
});

Deno.test("a newer version and anything it requires are unsupported, other members are passed over", () => {
  assert.throws(() => verify(signed({ version: 2 })), UnsupportedError);
  assert.throws(() => verify(signed({ requires: ["x"] })), UnsupportedError);
  assert.equal(verify(signed({ more: { than: "we know" } })).snapshot, SNAPSHOT);
});

Deno.test("a genuine index whose members are not what they should be is damage", () => {
  const wrong: Record<string, unknown>[] = [
    { format: "tarzan other" },
    { repository: "x" },
    { domain: 5 },
    { snapshot: "../../etc/passwd" },
    { created: null },
    { complete: "yes" },
    { previous: 7 },
    { previous: undefined },
    { sealed: [] },
  ];
  for (const change of wrong) assert.throws(() => verify(signed(change)), DamageError, JSON.stringify(change));
});

/** An index whose sealed part holds any bytes. */
async function sealedAs(plain: Uint8Array): Promise<Promise<SealedIndex>> {
  const file = await wrapKey(plain, metaRecipient);
  return openSealed(verify(signed({ sealed: file.toBase64() })), metaIdentity);
}

Deno.test("a genuine index around a sealed part that is no such thing is damage", async () => {
  const text = sealedToText(sealed);
  const json = JSON.parse(text);
  const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const wrong = [
    new Uint8Array(),
    Uint8Array.of(0xff, 0xfe),
    new TextEncoder().encode("{"),
    new TextEncoder().encode("null"),
    encode([]),
    encode({}),
    encode("text"),
    ...Object.keys(sealed).filter((member) => member !== "incomplete" && member !== "producer")
      .map((member) => encode({ ...json, [member]: undefined })),
    ...Object.keys(sealed).map((member) => encode({ ...json, [member]: { a: 1 } })),
    encode({ ...json, entries: -1 }),
    encode({ ...json, bytes: 1.5 }),
    encode({ ...json, bytes: 2 ** 53 }),
    encode({ ...json, lastBricks: ["../../x"] }),
    encode({ ...json, pageTable: "?" }),
    encode({ ...json, pageTable: "" }),
    encode({ ...json, pageTable: json.pageTable + "AAAA" }),
    encode({ ...json, brickList: btoa("\t\0\0") }),
  ];
  for (const [i, plain] of wrong.entries()) {
    await assert.rejects(sealedAs(plain), DamageError, `${i}: ${new TextDecoder().decode(plain).slice(0, 60)}`);
  }
  await assert.rejects(openSealed(verify(signed({ sealed: "?" })), metaIdentity), DamageError);
  await assert.rejects(openSealed(verify(signed({ sealed: "" })), metaIdentity), DamageError);
});

Deno.test("members of the sealed part that this version does not know are kept by the cache of opened indexes", () => {
  const json = { ...JSON.parse(sealedToText(sealed)), later: [1, 2] };
  const again = sealedFromText(JSON.stringify(json), "the index");
  assert.deepEqual(JSON.parse(sealedToText(again)), json);
});

Deno.test("any facts of a backup come back from the text that a cache keeps", () => {
  const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
  const root = fc.record({
    length: fc.maxSafeNat(),
    depth: fc.nat(8),
    records: fc.array(fc.uint8Array({ minLength: 36, maxLength: 36 }), { maxLength: 64 }).map((records) =>
      new Uint8Array(records.flatMap((record) => [...record]))
    ),
  }, { noNullPrototype: true });
  const facts = fc.record({
    host: fc.string({ unit: "binary" }),
    label: fc.string({ unit: "grapheme" }),
    tags: fc.array(fc.string()),
    bytes: fc.maxSafeNat(),
    treeHash: hex,
    pageTable: root,
    brickList: root,
    lastBricks: fc.array(hex),
  }, { noNullPrototype: true });
  fc.assert(fc.property(facts, (facts) => {
    assert.deepEqual(sealedFromText(sealedToText({ ...sealed, ...facts }), "the index"), { ...sealed, ...facts });
  }));
});

Deno.test("whatever text comes, reading it as a sealed part or as an index ends with damage or unsupported", () => {
  const json = fc.oneof(
    fc.string(),
    fc.json(),
    fc.record(Object.fromEntries(
      Object.keys(sealed).map((member) => [member, fc.jsonValue()]),
    )).map((value) => JSON.stringify(value)),
  );
  fc.assert(fc.property(json, (text) => {
    for (const read of [() => sealedFromText(text, "it"), () => peekIndex(new TextEncoder().encode(text), "it")]) {
      try {
        read();
      } catch (error) {
        assert.ok(error instanceof DamageError || error instanceof UnsupportedError, String(error));
      }
    }
  }));
});
