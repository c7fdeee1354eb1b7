/**
 * What the holder of a list key can see: everything that its keys open is opened, every block of every meta brick, all
 * indexes and all ledgers, and no byte of any body is in there.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Catalog } from "../../lib/catalog/mod.ts";
import { createListBundle, Keyring, Opener, randomBytes, unwrapKey, WrongKeyError } from "../../lib/crypto/mod.ts";
import { tocBlocks, unpackBlock } from "../../lib/brick/mod.ts";
import {
  brickObject,
  listIndexes,
  openRepository,
  parseBrickObject,
  readBrickToc,
  readIndex,
  readLedger,
  type Repository,
} from "../../lib/repository/mod.ts";
import { openSealed, sealedToText } from "../../lib/snapshot/mod.ts";
import { openDirectoryStore } from "../../lib/store/mod.ts";
import { blocks, END, header, longName, member, pax } from "../tar/archives.ts";
import { found, type Founded, inFolder, joined } from "../repository/machine.ts";

/** So many random bytes stand nowhere by chance. */
const PIECE_BYTES = 8;
const SIZES = [1, 100, 419, 511, 512, 513, 5000, 100_000];

/** Opens a repository with the list key alone. */
async function asLister(founded: Founded, look: (repository: Repository) => Promise<void>): Promise<void> {
  const store = await openDirectoryStore(founded.location);
  const catalog = Catalog.open(":memory:", { repository: founded.full.repository });
  try {
    const keyring = new Keyring(await createListBundle(founded.full));
    await look(await openRepository({ store, keyring, catalog }));
  } finally {
    catalog.close();
    await store.close();
  }
}

/** Everything that a list key can read, by what it is. Contents of meta bricks, chunk by chunk. */
async function allReadable(repository: Repository): Promise<Map<string, Buffer>> {
  const { store, keyring } = repository;
  const domain = keyring.defaultDomain.id;
  const readable = new Map<string, Buffer>();
  for await (const { name } of store.list("")) readable.set(name, Buffer.from(await store.get(name)));
  for (const name of [...readable.keys()].filter((name) => name.startsWith("ledger/"))) {
    for (const [i, record] of (await readLedger(repository, domain, name)).entries()) {
      if (record.type !== "brick") continue;
      const { toc: { blocks, chunks } } = record.brick;
      readable.set(`${name} record ${i}`, Buffer.concat([blocks, chunks]));
    }
  }
  for (const index of await listIndexes(repository)) {
    const sealed = await openSealed(await readIndex(repository, index), (await keyring.metaIdentity())!);
    readable.set(`index ${index.snapshot}`, Buffer.from(sealedToText(sealed)));
  }
  for (const name of [...readable.keys()]) {
    const brick = parseBrickObject(name);
    if (brick?.kind === "M") await openBrick(repository, brick.name, readable);
    if (brick?.kind === "D") await assert.rejects(openBrick(repository, brick.name, readable), WrongKeyError);
  }
  return readable;
}

async function openBrick(repository: Repository, name: string, into: Map<string, Buffer>): Promise<void> {
  const { store, keyring } = repository;
  const domain = keyring.defaultDomain.id;
  for (const kind of ["M", "D"] as const) {
    const there = await store.head(brickObject(kind, name));
    if (there === undefined) continue;
    const bytes = await store.get(brickObject(kind, name));
    const { header, toc } = await readBrickToc(repository, { kind, name, domain, bytes: bytes.length });
    into.set(`toc of ${name}`, Buffer.concat([toc.blocks, toc.chunks]));
    const key = await unwrapKey(header.ageFile, (await keyring.metaIdentity())!, `brick ${name}`);
    const opener = new Opener(key, header.hm);
    const view = new DataView(toc.chunks.buffer);
    for (const [number, block] of tocBlocks(toc).entries()) {
      const from = header.bytes.length + block.offset;
      const raw = unpackBlock(
        await opener.open("B", number, bytes.slice(from, from + block.sealedLength)),
        block.rawLength,
        name,
      );
      let at = 0;
      for (let chunk = block.firstChunk; chunk < block.firstChunk + block.chunks; chunk++) {
        const length = view.getUint32(chunk * 36 + 32, true);
        into.set(`chunk ${number}.${chunk} of ${name}`, Buffer.from(raw.subarray(at, at + length)));
        at += length;
      }
    }
  }
}

/** No piece of a secret stands anywhere: its beginning, its end, and some in between. */
function assertHidden(readable: Map<string, Buffer>, secret: Uint8Array, what: string): void {
  const last = Math.max(0, secret.length - PIECE_BYTES);
  for (let i = 0; i <= 40; i++) {
    const at = Math.floor(last * i / 40);
    const piece = secret.subarray(at, at + PIECE_BYTES);
    if (piece.length < PIECE_BYTES) continue;
    for (const [name, bytes] of readable) {
      assert.ok(bytes.indexOf(piece) < 0, `byte ${at} of ${what} stands in ${name}`);
    }
  }
}

Deno.test("no byte of any body stands in anything that a list key opens, in tars of every form", () =>
  inFolder(async (folder) => {
    const founded = await found(folder);
    const bodies = SIZES.map((size) => randomBytes(size));
    const [odd, behind, hidden, cut] = [randomBytes(700), randomBytes(5000), randomBytes(600), randomBytes(3000)];
    const tars = [
      joined([...bodies.map((body, i) => member({ name: `plain ${i}` }, body)), END]),
      joined([...bodies.flatMap((body, i) => [longName("x".repeat(150 + i)), member({ name: "long" }, body)]), END]),
      joined([...bodies.flatMap((body, i) => [pax({ path: `pax ${i}` }), member({ name: "short" }, body)]), END]),
      // A type that nobody knows, a directory with a body, a body that is not there to its end.
      joined([member({ name: "odd", type: "Q" }, odd), member({ name: "dir/", type: "5" }, odd), END]),
      joined([member({ name: "cut", size: 100_000 }, cut)]),
      // What stands behind the end, between entries, and in front of everything.
      joined([member({ name: "a" }, "a"), END, behind]),
      joined([member({ name: "a" }, "a"), header({ name: "broken", size: 5000, sum: "wrong" }), blocks(behind), END]),
      joined([behind, member({ name: "a" }, "a"), END]),
      behind,
      // What lies in the padding may be a piece of whatever was in memory.
      joined([header({ name: "padded", size: 100 }), bodies[1]!, hidden.subarray(0, 412), END]),
      joined([header({ name: "padded", size: 513 }), bodies[5]!, hidden.subarray(0, 511), END]),
    ];
    const machine = founded.machine(founded.fullKey);
    for (const tar of tars) await machine.create(tar);
    await asLister(founded, async (repository) => {
      const readable = await allReadable(repository);
      const text = Buffer.concat([...readable.values()]);
      assert.ok(text.indexOf("plain 3") >= 0 && text.indexOf("pax 2") >= 0, "names are there to be listed");
      for (const [i, body] of bodies.entries()) assertHidden(readable, body, `a body of ${SIZES[i]} bytes`);
      for (const [what, secret] of Object.entries({ odd, behind, hidden, cut })) assertHidden(readable, secret, what);
    });
  }));

/** How many bytes of two chunks differ; those of different lengths have nothing in common. */
function differing(a: Uint8Array, b: Uint8Array): number {
  return a.length === b.length ? a.reduce((sum, byte, i) => byte === b[i] ? sum : sum + 1, 0) : Infinity;
}

Deno.test("two backups that differ in the bytes of bodies alone differ in nothing that a list key opens but ids", () =>
  inFolder(async (folder) => {
    // A longer one than the shortest chunk may be cut elsewhere.
    for (const size of SIZES.filter((size) => size <= 4096)) {
      const founded = await found(folder, { name: `of ${size}`.replace(" ", "-") });
      const machine = founded.machine(founded.fullKey);
      const tarOf = (body: Uint8Array) => joined([member({ name: "same" }, body), END]);
      await machine.create(tarOf(randomBytes(size)));
      let first: Map<string, Buffer> | undefined;
      await asLister(founded, async (repository) => void (first = await allReadable(repository)));
      await machine.create(tarOf(randomBytes(size).map((byte, i) => i === 0 ? byte ^ 255 : byte)));
      await asLister(founded, async (repository) => {
        const isChunk = ([name]: [string, Buffer]) => name.startsWith("chunk ");
        const before = [...first!].filter(isChunk);
        const added = [...await allReadable(repository)].filter((entry) => isChunk(entry) && !first!.has(entry[0]));
        // The headers are stored once. New are a list of chunks and a table of pages: each with one id that is another.
        assert.ok(added.length === 2, `${added.length} chunks for another body of ${size}`);
        for (const [name, bytes] of added) {
          const others = before.map(([, other]) => differing(other, bytes));
          assert.ok(Math.min(...others) <= 32, `${name} differs from all others for a body of ${size}`);
        }
      });
    }
  }));
