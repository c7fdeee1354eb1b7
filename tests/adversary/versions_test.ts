/**
 * Objects that a newer TARzan wrote, genuine ones, of every kind: whoever meets one says so (exit code 10), never calls it
 * damage, and changes nothing.
 */
import assert from "node:assert/strict";
import { identityToRecipient } from "age-encryption";
import { Catalog } from "../../lib/catalog/mod.ts";
import { exitCodeOf } from "../../lib/cli/exit_codes.ts";
import { type BrickRecord, encodeLedger, packBlock, TocBuilder } from "../../lib/brick/mod.ts";
import {
  createIdHasher,
  encodeText,
  formatBundle,
  fromHex,
  hmacSha256,
  Keyring,
  parseBundle,
  Sealer,
  sealRecordFrame,
  sealSlot,
  sha256,
  signJson,
  slotName,
  toHex,
} from "../../lib/crypto/mod.ts";
import {
  BrickFiller,
  brickObject,
  CONFIG_NAME,
  learn,
  ledgerFolder,
  openRepository,
  publish,
  type Repository,
} from "../../lib/repository/mod.ts";
import { openDirectoryStore } from "../../lib/store/mod.ts";
import { listSnapshots } from "../../lib/verbs/mod.ts";
import { END, member } from "../tar/archives.ts";
import { backUp } from "../repository/backup.ts";
import { found, type Founded, inFolder, joined, type Machine, machineOf, noise } from "../repository/machine.ts";

const TAR = joined([member({ name: "body" }, noise(30_000, 1)), END]);
const STAMP = "20260504T030201Z-00000000";

/** What a newer tarzan does to a repository that has one backup. */
type Newer = (repository: Repository, founded: Founded) => Promise<void>;
type Verb = (machine: Machine) => Promise<unknown>;

const verbs = {
  create: (machine) => machine.create(TAR),
  extract: (machine) => machine.extract(),
  list: (machine) => listSnapshots(machine.session),
  verify: (machine) => machine.verify(),
  "verify --data": (machine) => machine.verify({ data: true }),
} satisfies Record<string, Verb>;

/** All objects of a repository, by name, with the hash of each. */
async function contentsOf(location: string): Promise<Map<string, string>> {
  const store = await openDirectoryStore(location);
  try {
    const contents = new Map<string, string>();
    for await (const { name } of store.list("")) contents.set(name, toHex(sha256(await store.get(name))));
    return contents;
  } finally {
    await store.close();
  }
}

function newer(what: string, make: Newer, refusing: (keyof typeof verbs)[], by: "key" | "slot" = "key"): void {
  Deno.test(`a newer ${what} is unsupported for ${refusing.join(", ")}, and nothing changes`, () =>
    inFolder(async (folder) => {
      const founded = await found(folder);
      await founded.machine(founded.fullKey).create(TAR);
      const store = await openDirectoryStore(founded.location);
      const catalog = Catalog.open(":memory:", { repository: founded.full.repository });
      try {
        const repository = await openRepository({ store, keyring: new Keyring(founded.full), catalog });
        await learn(repository, founded.full.domain.id);
        await make(repository, founded);
      } finally {
        catalog.close();
        await store.close();
      }
      const before = await contentsOf(founded.location);
      for (const name of refusing) {
        const machine = by === "key" ? founded.machine(founded.fullKey) : machineOf({
          location: founded.location,
          state: `${folder}/${name}`,
          config: `${folder}/founding/config`,
          key: founded.identity,
        });
        await assert.rejects(verbs[name](machine), (error: Error) => {
          assert.equal(error.name, "UnsupportedError", `${name}: ${error.stack}`);
          assert.equal(exitCodeOf(error), 10);
          assert.match(error.message, /newer|requires|not known/);
          return true;
        });
        assert.deepEqual(await contentsOf(founded.location), before, `${name} changed something`);
      }
    }));
}

const all = Object.keys(verbs) as (keyof typeof verbs)[];

for (const change of [{ version: 2 }, { requires: ["ice"] }]) {
  const what = JSON.stringify(change);
  newer(`tarzan.json (${what})`, async ({ store }, { full }) => {
    await store.put(CONFIG_NAME, encodeText(JSON.stringify({ ...JSON.parse(full.config), ...change })));
  }, all);

  newer(
    `key slot (${what})`,
    async (repository, founded) => {
      await onlySlot(repository, founded, JSON.stringify({ ...JSON.parse(founded.fullKey), ...change }));
    },
    all,
    "slot",
  );

  Deno.test(`a key that knows a newer tarzan.json (${what}) is unsupported, and nothing changes`, () =>
    inFolder(async (folder) => {
      const founded = await found(folder);
      await founded.machine(founded.fullKey).create(TAR);
      const before = await contentsOf(founded.location);
      const config = JSON.stringify({ ...JSON.parse(founded.full.config), ...change });
      for (const verb of Object.values(verbs)) {
        const machine = founded.machine(formatBundle({ ...founded.full, config }));
        await assert.rejects(verb(machine), { name: "UnsupportedError" });
      }
      assert.deepEqual(await contentsOf(founded.location), before);
    }));

  newer(`index (${what})`, async ({ store, keyring }) => {
    const domain = keyring.defaultDomain.id;
    const { macIndex } = await keyring.shapeKeys(domain);
    const { name } = (await Array.fromAsync(store.list("index/")))[0]!;
    const { mac: _, ...index } = JSON.parse(new TextDecoder().decode(await store.get(name)));
    await store.put(name, encodeText(signJson({ ...index, ...change }, macIndex)));
  }, ["extract", "verify", "verify --data"]);

  newer(`record of damage (${what})`, async ({ store, keyring, config }) => {
    const record = `damage-${STAMP}`;
    const document = { format: "tarzan damage", version: 1, requires: [], repository: config.repository, record };
    const bricks = [{ brick: "ab".repeat(32), blocks: "all" }];
    const text = signJson({ ...document, ...change, bricks }, await keyring.controlKey());
    await store.put(`records/${record}.json`, encodeText(text));
  }, ["create", "verify", "verify --data"]);
}

newer(
  "key slot with a role that nobody knows",
  async (repository, founded) => {
    await onlySlot(repository, founded, founded.fullKey.replace('"role":"full"', '"role":"auditor"'));
  },
  all,
  "slot",
);

/** Replaces all slots by one. */
async function onlySlot({ store }: Repository, { identity }: Founded, bundle: string): Promise<void> {
  for (const { name } of await Array.fromAsync(store.list("keys/"))) await store.delete(name);
  const slot = await sealSlot(bundle, { recipients: [await identityToRecipient(identity)] });
  await store.put(slotName("newer", slot), slot);
}

newer("ledger object (TARZANL2)", async ({ store }) => {
  const { name } = (await Array.fromAsync(store.list("ledger/")))[0]!;
  const bytes = await store.get(name);
  bytes[7] = "2".charCodeAt(0);
  await store.put(name, bytes);
}, ["create", "extract", "verify", "verify --data"]);

/** A genuine ledger object whose header and plaintext a newer tarzan made up. */
async function putLedger(
  { store, keyring }: Repository,
  make: { reserved?: number; plain: Uint8Array },
): Promise<void> {
  const domain = keyring.defaultDomain.id;
  const name = ledgerFolder(domain) + STAMP;
  const { ledger } = await keyring.shapeKeys(domain);
  const header = new Uint8Array(64);
  header.set(encodeText("TARZANL1"));
  header[8] = make.reserved ?? 0;
  header.set(fromHex(domain), 16);
  const salt = crypto.getRandomValues(new Uint8Array(32));
  header.set(salt, 32);
  const plain = new Uint8Array(4096 - 16);
  plain.set(make.plain);
  const frame = await sealRecordFrame(ledger, { salt, aad: joined([header, encodeText(name)]), plain });
  await store.put(name, joined([header, frame]));
}

const record = (type: number, payload: Uint8Array, reserved = 0) =>
  joined([new Uint8Array(new Uint32Array([payload.length]).buffer), new Uint8Array([type, reserved, 0, 0]), payload]);

const ledgerChanges: Record<string, { reserved?: number; plain: Uint8Array }> = {
  "that uses reserved bits": { reserved: 1, plain: new Uint8Array() },
  "with a type of record that must be understood": { plain: record(3, new Uint8Array(32)) },
  "with a record that uses reserved bits": { plain: record(4, new Uint8Array(32), 1) },
};
for (const [what, make] of Object.entries(ledgerChanges)) {
  newer(`ledger object ${what}`, (repository) => putLedger(repository, make), [
    "create",
    "extract",
    "verify",
    "verify --data",
  ]);
}

newer("ledger object about a kind of brick that nobody knows", async (repository) => {
  const { keyring, store } = repository;
  const domain = keyring.defaultDomain.id;
  const { ledger } = await keyring.shapeKeys(domain);
  const name = ledgerFolder(domain) + STAMP;
  const toc = new TocBuilder();
  toc.add(100, 100, joined([new Uint8Array(32), new Uint8Array([100, 0, 0, 0])]));
  const brick = { name: "ab".repeat(32), kind: "X", bytes: 65_536, treeHash: "cd".repeat(32), toc: toc.toc() };
  const bytes = await encodeLedger([{ type: "brick", brick: brick as unknown as BrickRecord }], {
    key: ledger,
    domain: fromHex(domain),
    name,
  });
  await store.put(name, bytes);
}, ["create", "extract", "verify", "verify --data"]);

/** Puts a brick whose header a newer tarzan made: under its own name, on record, and with the domain's MAC. */
async function putBrick(repository: Repository, change: (header: Uint8Array) => void): Promise<void> {
  const { store, keyring, catalog } = repository;
  const domain = keyring.defaultDomain.id;
  const { macBrick } = await keyring.shapeKeys(domain);
  const [light] = catalog.bricks({ kind: "D" });
  const { name, kind, treeHash, blocks, chunks } = catalog.brick(light!.number)!;
  const bytes = await store.get(brickObject(kind, name));
  const macAt = 32 + new DataView(bytes.buffer).getUint32(12, true);
  change(bytes);
  bytes.set(hmacSha256(macBrick, bytes.subarray(0, macAt)), macAt);
  const changed = toHex(sha256(bytes));
  await store.put(brickObject(kind, changed), bytes);
  const toc = { blocks: new Uint8Array(blocks), chunks: new Uint8Array(chunks) };
  const record = { name: changed, kind, bytes: bytes.length, treeHash, toc };
  await publish(repository, domain, [{ type: "brick", brick: record }]);
}

newer("brick (TARZANB2)", (repository) => putBrick(repository, (header) => header[7] = "2".charCodeAt(0)), [
  "verify",
  "verify --data",
]);
newer("brick of a kind that nobody knows", (repository) => putBrick(repository, (header) => header[8] = 0x58), [
  "verify",
  "verify --data",
]);
newer("brick that uses reserved bits", (repository) => putBrick(repository, (header) => header[10] = 1), [
  "verify",
  "verify --data",
]);

/** Stores chunks in a brick of their own, sealed as `pack` packs them, in place of the brick that held them before. */
async function storeAnew(
  repository: Repository,
  kind: "D" | "M",
  chunks: Uint8Array<ArrayBuffer>[],
  pack: (raw: Uint8Array) => Uint8Array<ArrayBuffer>,
): Promise<void> {
  const { store, keyring } = repository;
  const domain = keyring.defaultDomain.id;
  const shapes = await keyring.shapeKeys(domain);
  const hasher = await createIdHasher(kind === "D" ? (await keyring.bodyKeys(domain)).dataId : shapes.metaId);
  const bricks: BrickRecord[] = [];
  const filler = new BrickFiller({
    store,
    kind,
    domain,
    keys: shapes,
    recipient: await (kind === "D" ? keyring.dataRecipient() : keyring.metaRecipient()),
    targetBytes: 2 ** 24,
    onBrick: (brick) => void bricks.push(brick),
  });
  const raw = joined(chunks);
  const { key, number } = await filler.place(raw.length, chunks.length);
  const records = joined(
    chunks.flatMap((chunk) => [hasher.id(chunk), new Uint8Array(new Uint32Array([chunk.length]).buffer)]),
  );
  const sealed = await new Sealer(key.key, key.hm).seal("B", number, pack(raw));
  await filler.append({ sealed, rawLength: raw.length, records });
  await filler.finish();
  await publish(repository, domain, [{ type: "brick", brick: bricks[0]! }]);
}

newer(
  "block, compressed in a way that nobody knows",
  (repository) =>
    storeAnew(repository, "D", [noise(5000, 50)], (raw) => {
      const packed = packBlock(raw, 0);
      packed[0] = 7;
      return packed;
    }),
  ["verify --data"],
);

/** A backup with one page more, whose operations and lists a newer tarzan made up. */
async function withPage(repository: Repository, heads: number[], lists?: number[]): Promise<void> {
  await backUp(repository, TAR, {
    begun(writer) {
      const put = (bytes: number[]) => writer.put("M", new Uint8Array(bytes));
      const page = { heads: put(heads), lists: lists === undefined ? new Uint8Array(32) : put(lists) };
      writer.addPage({ ...page, entries: 0, bytes: 0 });
    },
  });
}

for (const code of [4, 5, 6, 7]) {
  newer(`operation in a recipe (${code})`, (repository) => withPage(repository, [code]), ["verify", "verify --data"]);
}
newer("form of a list in a recipe", (repository) => withPage(repository, [2], [...new Uint8Array(32), 3]), [
  "verify",
  "verify --data",
]);

Deno.test("a bundle of a newer version does not pass for a damaged one, however it is read", () => {
  const text = JSON.stringify({ format: "tarzan key", version: 3 });
  assert.throws(() => parseBundle(text), { name: "UnsupportedError" });
});
