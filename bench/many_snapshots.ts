/**
 * A repository with very many snapshots, made quickly: one real backup, whose indexes are then written again and again as
 * later ones. Each names a few bricks more than the one before; the lists are real streams in a real meta brick, though the
 * bricks that they name are invented.
 */
import { Catalog } from "../lib/catalog/mod.ts";
import { cutLengths, gearTable } from "../lib/chunker/mod.ts";
import { createIdHasher, Keyring, parseBundle, randomBytes, toHex } from "../lib/crypto/mod.ts";
import { startWriter } from "../lib/pipeline/mod.ts";
import {
  BackupWriter,
  indexObject,
  learn,
  listIndexes,
  newStamp,
  openFirstSlot,
  openIndex,
  openRepository,
  readIndex,
  type Repository,
  stampTime,
} from "../lib/repository/mod.ts";
import {
  encodeIndex,
  readBrickList,
  type SealedIndex,
  SMALL_BODY_BYTES,
  STREAM_SIZES,
  writeBrickList,
} from "../lib/snapshot/mod.ts";
import { openDirectoryStore } from "../lib/store/mod.ts";
import { SnapshotReaders } from "../lib/verbs/snapshot.ts";
import { tarzan } from "./contestants.ts";
import type { KeyFile } from "./key_file.ts";
import { measure } from "./measure.ts";

/** The stream of a brick list holds a multiple of this many names, as the writer has it. */
const LIST_STEP = 64;

/** Makes a repository of `snapshots` snapshots at `path`/repository, the last of which needs so many `bricks`. */
export async function makeSnapshots(
  path: string,
  options: { key: KeyFile; snapshots: number; bricks: number },
): Promise<void> {
  const { key, snapshots, bricks } = options;
  const program = tarzan(undefined, key);
  await measure(program.init!(path));
  await Deno.writeFile(`${path}/input`, new Uint8Array(10_240));
  await measure(program.task("first", path, `${path}/input`)!);
  await inRepository(path, key, async (repository) => {
    const names = Array.from({ length: bricks }, () => toHex(randomBytes(32)));
    const lists = await storeLists(repository, names);
    await storeIndexes(repository, { snapshots, names, lists });
  });
}

/** What planning a prune begins with: the lists of bricks of all snapshots, as names of bricks that are needed. */
export async function neededBricks(repository: Repository): Promise<Set<string>> {
  const readers = new SnapshotReaders(repository);
  const needed = new Set<string>();
  try {
    for (const name of await listIndexes(repository)) {
      const index = await readIndex(repository, name);
      const { get } = await readers.open(index);
      for (const brick of await readBrickList(await openIndex(repository, index), get)) needed.add(brick);
    }
    return needed;
  } finally {
    readers.close();
  }
}

/** Opens the repository as a program does, on the catalogue that `list` fills. */
export async function inRepository(
  path: string,
  key: KeyFile,
  work: (repository: Repository) => Promise<void>,
): Promise<void> {
  const store = await openDirectoryStore(`${path}/repository`);
  const keys = { identities: [key.identity], passphrase: () => Promise.reject(new Error("There is no passphrase")) };
  const { bundle } = await openFirstSlot(store, { keys, accept: () => Promise.resolve(true) });
  const keyring = new Keyring(parseBundle(bundle));
  const state = `${path}/state/${keyring.repository}`;
  await Deno.mkdir(state, { recursive: true });
  const catalog = Catalog.open(`${state}/catalog.sqlite`, { repository: keyring.repository });
  try {
    const repository = await openRepository({ store, keyring, catalog });
    await learn(repository, keyring.defaultDomain.id);
    await work(repository);
  } finally {
    catalog.close();
    await store.close();
  }
}

/** Stores the list of the first 0, 64, 128 … names, in a meta brick of a backup of nothing. */
async function storeLists(repository: Repository, names: string[]): Promise<SealedIndex["brickList"][]> {
  const { keyring, config } = repository;
  const domain = keyring.defaultDomain.id;
  const shapes = await keyring.shapeKeys(domain);
  const bodies = await keyring.bodyKeys(domain);
  const [dataIds, metaIds] = await Promise.all([createIdHasher(bodies.dataId), createIdHasher(shapes.metaId)]);
  const table = gearTable(bodies.chunker);
  const cut = (bytes: Uint8Array) => cutLengths(bytes, table, STREAM_SIZES);
  const keys = { gear: bodies.chunker, dataId: bodies.dataId, pages: shapes.pages };
  const engine = await startWriter({
    ...{ sizes: config.chunks, smallBodyBytes: SMALL_BODY_BYTES, threads: 1, level: 3, keys },
  });
  try {
    const id = { D: (bytes: Uint8Array) => dataIds.id(bytes), M: (bytes: Uint8Array) => metaIds.id(bytes) };
    const writer = await BackupWriter.begin({ repository, domain, brickBytes: 128 << 20, cut, id });
    writer.connect({ D: engine.packer("D", writer.sink("D")), M: engine.packer("M", writer.sink("M")) });
    const lists: SealedIndex["brickList"][] = [];
    for (let count = 0; count <= names.length; count += LIST_STEP) {
      lists.push(writeBrickList(names.slice(0, count), { put: (kind, bytes) => writer.put(kind, bytes), cut }));
      await writer.drain();
    }
    const nothing = { host: "bench", label: "", tags: [], entries: 0, bytes: 0, treeHash: "", opaqueBytes: 0 };
    const facts = { ...nothing, domainName: keyring.defaultDomain.name, tool: "bench" };
    await writer.finish(facts, { complete: true });
    return lists;
  } finally {
    engine.close();
  }
}

async function storeIndexes(
  repository: Repository,
  options: { snapshots: number; names: string[]; lists: SealedIndex["brickList"][] },
): Promise<void> {
  const { store, keyring, config } = repository;
  const { snapshots, names, lists } = options;
  const there = await listIndexes(repository);
  const last = there.at(-1)!;
  const { domain } = last;
  const sealed = await openIndex(repository, await readIndex(repository, there[0]!));
  const { macIndex } = await keyring.shapeKeys(domain);
  const metaRecipient = await keyring.metaRecipient();
  let previous = last.snapshot;
  for (let number = there.length + 1; number <= snapshots; number++) {
    const at = new Date(stampTime(previous)!.getTime() + 1000);
    const snapshot = newStamp(at);
    const bricks = Math.ceil(number / snapshots * names.length);
    const inList = bricks - bricks % LIST_STEP;
    const facts = { bricks, brickList: lists[inList / LIST_STEP]!, lastBricks: names.slice(inList, bricks) };
    const bytes = await encodeIndex({
      ...{ repository: config.repository, domain, snapshot, created: at.toISOString(), complete: true, previous },
      sealed: { ...sealed, ...facts, label: `number ${number}` },
    }, { macIndex, metaRecipient });
    await store.put(indexObject(domain, snapshot, ".json"), bytes);
    previous = snapshot;
  }
}
