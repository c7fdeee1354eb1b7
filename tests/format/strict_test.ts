/** What is written by somebody who has a key, and is still not what this format says, is damage of that object alone. */
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import assert from "node:assert/strict";
import { startWriter } from "../../lib/pipeline/mod.ts";
import { createIdHasher, DamageError, encodeText, fromHex, signJson, toHex, wrapKey } from "../../lib/crypto/mod.ts";
import {
  encodeIndex,
  type Index,
  openPage,
  openSealed,
  PAGE_RULE,
  peekIndex,
  placedOps,
  sealedFromText,
  type SealedIndex,
  sealedToText,
  SMALL_BODY_BYTES,
  StreamWriter,
  verifyIndex,
} from "../../lib/snapshot/mod.ts";

const macIndex = new Uint8Array(32).fill(1);
const clear = {
  repository: "ab".repeat(16),
  domain: "cd".repeat(16),
  snapshot: "20260102T030405Z-89abcdef",
  created: "2026-01-02T03:04:05.000Z",
  complete: true,
  previous: null,
};
const empty = { depth: 0, length: 0, records: new Uint8Array() };
const sealed: SealedIndex = {
  host: "host",
  label: "",
  tags: [],
  domainName: "default",
  entries: 0,
  bytes: 0,
  treeHash: "",
  pages: 0,
  pageTable: empty,
  bricks: 0,
  brickList: empty,
  lastBricks: [],
  opaqueBytes: 0,
  tool: "test",
};

Deno.test("an index whose sealed part is no such part is damaged, whatever stands in it", async () => {
  const identity = await generateHybridIdentity();
  const recipient = await identityToRecipient(identity);
  const good: Index = { ...clear, sealed };
  const bytes = await encodeIndex(good, { macIndex, metaRecipient: recipient });
  assert.deepEqual(await openSealed(verifyIndex(bytes, { macIndex, what: "it" }), identity), sealed);
  const bad = ["", "null", "[]", "{", "{}", '"text"', "\ufeff{}"].map(encodeText);
  for (const plain of [...bad, Uint8Array.of(0xff)]) {
    const text = btoa(String.fromCharCode(...await wrapKey(plain, recipient)));
    const object = { format: "tarzan index", version: 1, requires: [], ...clear, sealed: text };
    const index = verifyIndex(encodeText(signJson(object, macIndex)), { macIndex, what: "it" });
    await assert.rejects(openSealed(index, identity), DamageError);
  }
});

Deno.test("every member of a sealed index must be what it should be", () => {
  const text = sealedToText(sealed);
  const wrong: Record<string, unknown[]> = {
    host: [1, null],
    tags: ["tag", [1], {}],
    entries: [-1, 1.5, "1", 2 ** 53],
    treeHash: ["AB", 1],
    pageTable: ["!", 7, "AAE=", "CQAA"],
    lastBricks: [{}, ["../x"], ["AB".repeat(32)]],
    producer: ["tar", { command: "tar" }],
    incomplete: [true],
  };
  for (const [member, values] of Object.entries(wrong)) {
    for (const value of values) {
      const changed = JSON.stringify({ ...JSON.parse(text), [member]: value });
      assert.throws(() => sealedFromText(changed, "it"), DamageError, `${member} ${JSON.stringify(value)}`);
    }
  }
  const later = sealedFromText(JSON.stringify({ ...JSON.parse(text), after: ["later"] }), "it");
  assert.match(sealedToText(later), /"after":\["later"\]/, "what a later version adds is not lost on the way");
});

Deno.test("every member of an index must be what it should be, also when its MAC is right", () => {
  const good = { format: "tarzan index", version: 1, requires: [], ...clear, sealed: "" };
  const wrong: Record<string, unknown[]> = {
    repository: ["", 1, "AB".repeat(16)],
    domain: ["../../etc", null],
    snapshot: ["20260102", "20260102T030405Z-89ABCDEF"],
    complete: [1, "true"],
    previous: ["", 0, "../x"],
    sealed: [null],
  };
  for (const [member, values] of Object.entries(wrong)) {
    for (const value of values) {
      const bytes = encodeText(signJson({ ...good, [member]: value }, macIndex));
      const about = `${member} ${JSON.stringify(value)}`;
      assert.throws(() => verifyIndex(bytes, { macIndex, what: "it" }), DamageError, about);
      if (member === "repository" || member === "domain") {
        assert.throws(() => peekIndex(bytes, "it"), DamageError, about);
      }
    }
  }
});

Deno.test("a long list of chunks whose root or records give another length is damaged", async () => {
  const chunks = new Map<string, Uint8Array>();
  const ids = await createIdHasher(new Uint8Array(32));
  const put = (_: string, bytes: Uint8Array) => {
    const id = ids.id(bytes);
    chunks.set(toHex(id), bytes);
    return id;
  };
  const get = (_: string, id: Uint8Array) => Promise.resolve(chunks.get(toHex(id))!);
  const record = (length: number) => {
    const bytes = new Uint8Array(36).fill(9);
    new DataView(bytes.buffer).setUint32(32, length, true);
    return bytes;
  };
  const stream = new StreamWriter(put, (bytes) => bytes.length === 0 ? [] : [bytes.length]);
  for (let i = 0; i < 100; i++) stream.write(record(7));
  const root = stream.root();
  assert.equal(await bodyLength(rootBytes(root.length, root.records)), 700);
  await assert.rejects(bodyLength(rootBytes(root.length + 36, root.records)), DamageError);
  const records = root.records.slice();
  new DataView(records.buffer).setUint32(32, 3600 - 36, true);
  await assert.rejects(bodyLength(rootBytes(root.length, records)), DamageError);

  /** A page of one body of 700 bytes, whose list is this root. */
  async function bodyLength(list: Uint8Array): Promise<number> {
    const lists = put("M", Uint8Array.from([...new Uint8Array(32), 1, ...list]));
    // 700 * 8 + 2 as a varint.
    const heads = put("M", Uint8Array.of(0xe2, 0x2b));
    const page = await openPage({ heads, lists, entries: 0, bytes: 700 }, get);
    let sum = 0;
    for (const { segments } of placedOps(page, get)) {
      for await (const segment of segments()) sum += "id" in segment ? segment.length : 0;
    }
    return sum;
  }

  function rootBytes(length: number, records: Uint8Array): Uint8Array {
    return Uint8Array.from([0, length % 128 + 128, Math.floor(length / 128), records.length / 36, ...records]);
  }
});

Deno.test("a block takes the small bodies of a full page, also where chunks are at most 8 KiB long", async () => {
  const gathered = new Uint8Array(PAGE_RULE.mostEntries * (SMALL_BODY_BYTES - 1)).fill(5);
  const key = { serial: 1, key: new Uint8Array(32), hm: new Uint8Array(32) };
  const engine = await startWriter({
    sizes: { min: 4096, average: 6144, max: 8192 },
    smallBodyBytes: SMALL_BODY_BYTES,
    threads: 1,
    level: 0,
    keys: { gear: new Uint8Array(2048), dataId: fromHex("00".repeat(32)), pages: fromHex("00".repeat(32)) },
  });
  try {
    const lengths: number[] = [];
    let number = 0;
    const packer = engine.packer("D", {
      place: () => Promise.resolve({ key, number: number++ }),
      append: ({ rawLength }) => Promise.resolve(void lengths.push(rawLength)),
      fail(error) {
        throw error;
      },
    });
    const count = Math.ceil(2 ** 20 / gathered.length);
    for (let i = 0; i < count; i++) packer.add(gathered, new Uint8Array(32));
    await packer.flush();
    assert.deepEqual(lengths, [count * gathered.length]);
  } finally {
    engine.close();
  }
});
