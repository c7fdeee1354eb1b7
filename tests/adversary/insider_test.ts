/**
 * A machine that was taken over: it holds the write key of one domain, and may put whatever it likes where nothing is yet.
 * It does its worst to the others, knowing more than it could: the ids of their chunks and the names of their bricks. They
 * back up and restore as if nothing had happened.
 */
import assert from "node:assert/strict";
import { identityToRecipient } from "age-encryption";
import { Catalog } from "../../lib/catalog/mod.ts";
import { type BrickRecord, encodeLedger, packBlock, tocBlocks, type WrittenRecord } from "../../lib/brick/mod.ts";
import {
  createFullBundle,
  formatBundle,
  fromHex,
  Keyring,
  parseBundle,
  randomBytes,
  Sealer,
  sealSlot,
  signJson,
  slotName,
  WrongKeyError,
} from "../../lib/crypto/mod.ts";
import {
  BrickFiller,
  learn,
  ledgerFolder,
  openRepository,
  publish,
  type Repository,
} from "../../lib/repository/mod.ts";
import { encodeIndex } from "../../lib/snapshot/mod.ts";
import { openDirectoryStore, type Store } from "../../lib/store/mod.ts";
import { listSnapshots, rebuild } from "../../lib/verbs/mod.ts";
import { END, member } from "../tar/archives.ts";
import { found, type Founded, inFolder, joined, machineOf, noise } from "../repository/machine.ts";

const BODY = noise(120_000, 1);
const FIRST = joined([member({ name: "body" }, BODY), member({ name: "tiny" }, "tiny"), END]);
const NEXT = joined([member({ name: "body" }, BODY), member({ name: "new" }, noise(50_000, 2)), END]);

/** What the insider works with. */
interface Insider {
  repository: Repository;
  store: Store;
  domain: string;
  /** The others' domain, and what it knows of their bricks. */
  victim: string;
  bricks: BrickRecord[];
  founded: Founded;
}

/** A repository with a backup, an insider in another domain, and time for its worst. */
async function withInsider(
  worst: (insider: Insider) => Promise<void>,
  then: (founded: Founded, snapshot: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const founded = await found(folder);
    const { snapshot } = await founded.machine(founded.fullKey).create(FIRST);
    const store = await openDirectoryStore(founded.location);
    const catalogs = [0, 1].map(() => Catalog.open(":memory:", { repository: founded.full.repository }));
    try {
      const full = await openRepository({ store, keyring: new Keyring(founded.full), catalog: catalogs[0]! });
      const victim = founded.full.domain.id;
      await learn(full, victim);
      const bricks = [...full.catalog.bricks()].map(({ number }) => recordOf(full.catalog, number));
      const keyring = new Keyring(parseBundle(await founded.writeKey("web")));
      const repository = await openRepository({ store, keyring, catalog: catalogs[1]! });
      const domain = keyring.defaultDomain.id;
      assert.notEqual(domain, victim);
      const there = new Map<string, string>();
      for await (const { name, size, modifiedAt } of store.list("")) there.set(name, `${size} ${modifiedAt}`);
      await worst({ repository, store, domain, victim, bricks, founded });
      for (const [name, stamp] of there) {
        const now = await store.head(name);
        assert.equal(`${now?.size} ${now?.modifiedAt}`, stamp, `${name}: nothing that was there may be touched`);
      }
      await then(founded, snapshot);
    } finally {
      catalogs.forEach((catalog) => catalog.close());
      await store.close();
    }
  });
}

function recordOf(catalog: Catalog, number: number): BrickRecord {
  const { name, kind, bytes, treeHash, blocks, chunks } = catalog.brick(number)!;
  const toc = { blocks: new Uint8Array(blocks), chunks: new Uint8Array(chunks) };
  return { name, kind, bytes, treeHash, toc };
}

/** The others go on as if nothing had happened: with a memory of better times, without, and after a rebuild. */
async function othersGoOn(founded: Founded, snapshot: string): Promise<void> {
  const { fullKey, listKey, full } = founded;
  const writer = founded.machine(await founded.writeKey(full.domain.name));
  const owner = founded.machine(fullKey);
  await owner.verify({ bricks: true, data: true });
  for (const machine of [owner, writer]) {
    const result = await machine.create(NEXT);
    assert.equal(result.complete, true);
    for (const reader of [owner, founded.machine(fullKey)]) {
      assert.deepEqual(await reader.extract(snapshot), FIRST);
      assert.deepEqual(await reader.extract(result.snapshot), NEXT);
    }
  }
  const rebuilt = founded.machine(fullKey);
  await rebuild(rebuilt.session);
  assert.deepEqual(await rebuilt.extract(snapshot), FIRST);
  const { problems, affected } = await founded.machine(fullKey).verify({ bricks: true, data: true });
  const harm = problems.filter(({ kind }) => !["ledger", "index", "record", "slot"].includes(kind));
  assert.deepEqual([harm, affected], [[], []]);
  await founded.machine(listKey).verify();
}

function attack(name: string, worst: (insider: Insider) => Promise<void>, after = othersGoOn): void {
  Deno.test(`an insider ${name}`, () => withInsider(worst, after));
}

const anyStamp = (time: string) =>
  `${time}-${Array.from(randomBytes(4), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
const brickRecords = (bricks: BrickRecord[]): WrittenRecord[] => bricks.map((brick) => ({ type: "brick", brick }));

/** The insider's own ledger, under any name. */
async function ownLedger(
  { repository, store, domain }: Insider,
  stamp: string,
  records: WrittenRecord[],
): Promise<void> {
  const { ledger } = await repository.keyring.shapeKeys(domain);
  const name = ledgerFolder(domain) + stamp;
  await store.put(name, await encodeLedger(records, { key: ledger, domain: fromHex(domain), name }), { once: true });
}

attack("claims, in its own ledger and from the oldest times, to have the others' chunks", async (insider) => {
  const claims = insider.bricks.map((brick) => ({ ...brick, name: "77".repeat(32) }));
  await ownLedger(insider, anyStamp("20000101T000000Z"), brickRecords(claims));
});

attack("claims the others' bricks, with other contents, and calls them gone", async (insider) => {
  const [some, ...others] = insider.bricks;
  const swapped = [...others, some!].map((brick, i) => ({
    ...brick,
    name: insider.bricks[i]!.name,
    bytes: brick.bytes + 1,
  }));
  await ownLedger(insider, anyStamp("20000101T000000Z"), brickRecords(swapped));
  await publish(insider.repository, insider.domain, insider.bricks.map(({ name }) => ({ type: "gone", name })));
});

attack("publishes in the others' ledger, with the only key that it has", async (insider) => {
  const { repository, store, domain, victim, bricks } = insider;
  const { ledger } = await repository.keyring.shapeKeys(domain);
  const claims = bricks.map((brick) => ({ ...brick, name: "77".repeat(32) }));
  for (const [time, says] of [["20000101T000000Z", domain], ["99991231T235959Z", victim]] as const) {
    const name = ledgerFolder(victim) + anyStamp(time);
    await store.put(name, await encodeLedger(brickRecords(claims), { key: ledger, domain: fromHex(says), name }));
  }
  for (const time of ["99999999T999999Z", "00000000T000000Z"]) {
    await store.put(ledgerFolder(victim) + anyStamp(time), randomBytes(64));
  }
});

attack(
  "puts bricks of its own under the names of bricks to come, and garbage among them",
  async ({ store, domain }) => {
    for (let i = 0; i < 20; i++) {
      const name = Array.from(randomBytes(32), (byte) => byte.toString(16).padStart(2, "0")).join("");
      await store.put(`bricks/${name.slice(0, 2)}/${name}`, randomBytes(70_000));
      await store.put(`meta/${name.slice(0, 2)}/${name}`, new TextEncoder().encode(`TARZANB1 ${domain}`));
    }
  },
);

attack("forges indexes of the others, old and new", async ({ repository, store, domain, victim }) => {
  const { macIndex } = await repository.keyring.shapeKeys(domain);
  const metaRecipient = await repository.keyring.metaRecipient();
  const nothing = { length: 0, depth: 0, records: new Uint8Array() };
  for (const time of ["20000101T000000Z", "99991231T235959Z"]) {
    const snapshot = anyStamp(time);
    const sealed = {
      host: "forged",
      label: "",
      tags: [],
      domainName: "default",
      entries: 0,
      bytes: 0,
      treeHash: "",
      opaqueBytes: 0,
      pages: 0,
      pageTable: nothing,
      bricks: 0,
      brickList: nothing,
      lastBricks: [],
      tool: "forged",
    };
    const clear = {
      repository: repository.config.repository,
      domain: victim,
      snapshot,
      created: new Date().toISOString(),
      complete: true,
      previous: null,
    };
    const bytes = await encodeIndex({ ...clear, sealed }, { macIndex, metaRecipient });
    for (const ending of ["json", "open"]) await store.put(`index/${victim}/${snapshot}.${ending}`, bytes);
  }
});

attack("condemns and sentences every brick, and calls it damaged, without the right to do so", async (insider) => {
  const { repository, store, bricks } = insider;
  for (const { name } of bricks) {
    await store.put(`condemned/${name}`, new Uint8Array());
    await store.put(`condemned/${name}.sentence`, new Uint8Array());
  }
  const record = `damage-${anyStamp("20260101T000000Z")}`;
  const forged = signJson({
    format: "tarzan damage",
    version: 1,
    requires: [],
    repository: repository.config.repository,
    record,
    bricks: bricks.map(({ name }) => ({ brick: name, blocks: "all" })),
  }, randomBytes(32));
  await store.put(`records/${record}.json`, new TextEncoder().encode(forged));
  const newer = forged.replace('"version":1', '"version":2').replace(record, `${record.slice(0, -1)}0`);
  await store.put(`records/${record.slice(0, -1)}0.json`, new TextEncoder().encode(newer));
});

attack("adds slots: forged ones for the owner, broken ones, newer ones, a hundred of them", async (insider) => {
  const { store, founded } = insider;
  const { repository, config, domain } = founded.full;
  const recipients = [await identityToRecipient(founded.identity)];
  const forged = formatBundle(await createFullBundle({ repository, config, domainName: domain.name }));
  const texts = [forged, "garbage", forged.replace('"version":1', '"version":2'), forged.replace('"full"', '"god"')];
  for (const [i, text] of texts.entries()) {
    const slot = await sealSlot(text, { recipients });
    await store.put(slotName(`a${i}`, slot), slot, { once: true });
  }
  for (let i = 0; i < 100; i++) {
    const junk = randomBytes(300);
    await store.put(slotName("aa", junk), junk);
  }
}, async (founded, snapshot) => {
  const { folder, location, identity } = founded;
  const machine = machineOf({
    location,
    state: `${folder}/founding/state`,
    config: `${folder}/founding/config`,
    key: identity,
  });
  const result = await machine.create(NEXT);
  assert.deepEqual(await machine.extract(result.snapshot), NEXT);
  await othersGoOn(founded, snapshot);
});

/** Other chunks in the same places. */
function lieAbout(brick: BrickRecord): BrickRecord {
  const chunks = brick.toc.chunks.map((byte, at) => at % 36 === 0 ? byte ^ 1 : byte);
  return { ...brick, toc: { ...brick.toc, chunks } };
}

/** A whole brick that says that it holds the chunks of another one, and holds garbage. */
async function garbageFor({ repository, store, domain }: Insider, { kind, toc }: BrickRecord): Promise<BrickRecord> {
  const { keyring } = repository;
  const bricks: BrickRecord[] = [];
  const filler = new BrickFiller({
    store,
    kind,
    domain,
    keys: await keyring.shapeKeys(domain),
    recipient: await (kind === "D" ? keyring.dataRecipient() : keyring.metaRecipient()),
    targetBytes: 2 ** 24,
    onBrick: (brick) => void bricks.push(brick),
  });
  let sealer: Sealer | undefined;
  for (const { rawLength, firstChunk, chunks } of tocBlocks(toc)) {
    const { key, number } = await filler.place(rawLength, chunks);
    sealer ??= new Sealer(key.key, key.hm);
    const sealed = await sealer.seal("B", number, packBlock(randomBytes(rawLength), 0));
    await filler.append({ sealed, rawLength, records: toc.chunks.slice(firstChunk * 36, (firstChunk + chunks) * 36) });
  }
  await filler.finish();
  return bricks[0]!;
}

const talks: Record<string, (insider: Insider, bricks: BrickRecord[]) => Promise<void>> = {
  "says from before their time that they hold other things": (insider, bricks) =>
    ownLedger(insider, anyStamp("20000101T000000Z"), brickRecords(bricks.map(lieAbout))),
  "says afterwards that they hold other things": (insider, bricks) =>
    ownLedger(insider, anyStamp("99991231T235959Z"), brickRecords(bricks.map(lieAbout))),
  "says that they are shorter, and recipes": (insider, bricks) =>
    ownLedger(
      insider,
      anyStamp("20000101T000000Z"),
      brickRecords(bricks.map((brick) => ({ ...brick, kind: "M", bytes: brick.bytes - 1 }))),
    ),
  "stores garbage under the ids of their chunks, from before their time": async (insider, bricks) => {
    const garbage = await Promise.all(bricks.map((brick) => garbageFor(insider, brick)));
    await ownLedger(insider, anyStamp("20000101T000000Z"), brickRecords(garbage));
  },
  "calls them gone": async ({ repository, domain }, bricks) => {
    await publish(repository, domain, bricks.map(({ name }) => ({ type: "gone", name })));
  },
};
for (const [what, talk] of Object.entries(talks)) {
  Deno.test(`an insider cannot talk away its own earlier backups: it ${what}`, () =>
    withInsider(async (insider) => {
      const { founded, repository, domain } = insider;
      await founded.machine(await founded.writeKey("web")).create(NEXT);
      await learn(repository, domain);
      const { catalog } = repository;
      await talk(insider, [...catalog.bricks({ domain })].map(({ number }) => recordOf(catalog, number)));
    }, async ({ machine, fullKey, full }) => {
      const reader = machine(fullKey);
      const [web] = (await listSnapshots(reader.session)).filter(({ domain }) => domain !== full.domain.id);
      assert.deepEqual(await reader.extract(web!.snapshot), NEXT);
      const { problems, affected } = await reader.verify({ bricks: true, data: true });
      const harm = problems.filter(({ kind }) => kind !== "ledger" && kind !== "damaged block");
      assert.deepEqual([harm, affected], [[], []], "garbage is noticed, and touches nothing");
      assert.deepEqual(await reader.extract(web!.snapshot), NEXT);
    }));
}

Deno.test("a write key opens nothing: no index, no recipe, no body, its own neither", () =>
  inFolder(async (folder) => {
    const founded = await found(folder);
    const web = founded.machine(await founded.writeKey("web"));
    const { snapshot } = await web.create(FIRST);
    await assert.rejects(web.extract(snapshot), WrongKeyError);
    const keyring = new Keyring(parseBundle(await founded.writeKey("web")));
    assert.equal(await keyring.metaIdentity(), undefined);
    assert.equal(await keyring.dataIdentity(), undefined);
    await assert.rejects(keyring.controlKey(), WrongKeyError);
    await assert.rejects(keyring.shapeKeys(founded.full.domain.id), WrongKeyError);
    await assert.rejects(keyring.bodyKeys(founded.full.domain.id), WrongKeyError);
  }));
