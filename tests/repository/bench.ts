/** A repository in memory for the tests of this folder: real keys, a real catalogue, and a store that nothing outlives. */
import {
  createFullBundle,
  createListBundle,
  createWriteBundle,
  formatBundle,
  fromHex,
  type FullBundle,
  type KeyBundle,
  Keyring,
  sha256,
  toHex,
} from "../../lib/crypto/mod.ts";
import { Catalog } from "../../lib/catalog/mod.ts";
import { type BrickRecord, encodeLedger, TocBuilder, type WrittenRecord } from "../../lib/brick/mod.ts";
import {
  brickObject,
  CONFIG_NAME,
  formatConfig,
  ledgerFolder,
  openRepository,
  type Repository,
} from "../../lib/repository/mod.ts";
import { createMemoryStore, type Store } from "../../lib/store/mod.ts";
import { SMALL_CHUNKS } from "./machine.ts";

/** Where a test works. */
export interface Bench {
  readonly store: Store;
  readonly full: FullBundle;
  /** The domain of the full key. */
  readonly domain: string;
  readonly repository: Repository;
  /** The same store with another key, another catalogue, or through a wrapper. */
  open(options?: { key?: KeyBundle; store?: Store; catalog?: Catalog }): Promise<Repository>;
  listKey(): Promise<KeyBundle>;
  writeKey(domain: string): Promise<KeyBundle>;
  /** Moves the store's clock. */
  setTime(at: Date | string): void;
}

const REPOSITORY = "0123456789abcdef0123456789abcdef";
/** The clock of a bench at its start; it stands still until it is set. */
export const START = new Date("2026-05-04T03:02:01Z");

/** Gives a test a bench and closes every catalogue that it opened. */
export function onBench(test: (bench: Bench) => Promise<void>): () => Promise<void> {
  return async () => {
    const catalogs: Catalog[] = [];
    let time = START;
    const store = createMemoryStore({ now: () => time });
    const config = formatConfig({ repository: REPOSITORY, created: START.toISOString(), chunks: SMALL_CHUNKS });
    const full = await createFullBundle({ repository: REPOSITORY, config, domainName: "default" });
    await store.put(CONFIG_NAME, new TextEncoder().encode(config));
    const open: Bench["open"] = async (options = {}) => {
      const catalog = options.catalog ?? Catalog.open(":memory:", { repository: REPOSITORY });
      catalogs.push(catalog);
      const keyring = new Keyring(options.key ?? full);
      return await openRepository({ store: options.store ?? store, keyring, catalog });
    };
    try {
      await test({
        store,
        full,
        domain: full.domain.id,
        repository: await open(),
        open,
        listKey: () => createListBundle(full),
        writeKey: (domain) => createWriteBundle(full, domain),
        setTime: (at) => void (time = new Date(at)),
      });
    } finally {
      catalogs.forEach((catalog) => catalog.close());
    }
  };
}

/** The record of a brick that exists on paper only: three blocks of four chunks, whose ids follow from `seed`. */
export function paperBrick(seed: string, kind: "D" | "M" = "D"): BrickRecord {
  const toc = new TocBuilder();
  for (let block = 0; block < 3; block++) {
    const records = new Uint8Array(4 * 36);
    for (let chunk = 0; chunk < 4; chunk++) {
      records.set(idOf(`${seed} ${block * 4 + chunk}`), chunk * 36);
      new DataView(records.buffer).setUint32(chunk * 36 + 32, 1000, true);
    }
    toc.add(3000, 4000, records);
  }
  const name = toHex(sha256(`brick ${seed}`));
  return { name, kind, bytes: 65_536, treeHash: toHex(sha256(`tree ${seed}`)), toc: toc.toc() };
}

/** The id of a chunk of `paperBrick`: "<seed> <number>". */
export function idOf(text: string): Uint8Array<ArrayBuffer> {
  return sha256(`chunk ${text}`);
}

/** Puts something of the right length where a brick belongs. */
export async function putPaperBrick(store: Store, brick: BrickRecord, bytes = brick.bytes): Promise<void> {
  await store.put(brickObject(brick.kind, brick.name), new Uint8Array(bytes));
}

/** Puts a genuine ledger object under a stamp of the test's choice. */
export async function putLedger(
  { repository, store, domain }: Bench,
  stamp: string,
  told: WrittenRecord[],
): Promise<string> {
  const name = ledgerFolder(domain) + stamp;
  const { ledger } = await repository.keyring.shapeKeys(domain);
  await store.put(name, await encodeLedger(told, { key: ledger, domain: fromHex(domain), name }));
  return name;
}

/** Whether new data may lean on a chunk. */
export function knows({ catalog, keyring }: Repository, text: string, kind: "D" | "M" = "D"): boolean {
  return catalog.lookup(kind, keyring.defaultDomain.id, idOf(text))[0]! >= 0;
}

/** Everything in a store: names and bytes in hex of their hash. */
export async function snapshotOf(store: Store): Promise<Map<string, string>> {
  const objects = new Map<string, string>();
  for await (const { name } of store.list("")) objects.set(name, toHex(sha256(await store.get(name))));
  return objects;
}

/** A name of this time, with the last eight digits as given. */
export function stampAt(at: string, digits = "00000000"): string {
  return `${at.replace(/[-:]/g, "").replace(/\.[0-9]+/, "")}-${digits}`;
}

export { formatBundle, fromHex, REPOSITORY };
