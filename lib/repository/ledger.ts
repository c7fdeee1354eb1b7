/**
 * Learning what bricks there are, and telling it: the ledger of a domain into the catalogue, and finished bricks into the
 * ledger. Ledger objects never change, so each is read once; what was seen is remembered by name.
 */
import { type BrickRecord, decodeLedger, encodeLedger, LEDGER_OBJECT_LIMIT, type LedgerRecord } from "../brick/mod.ts";
import { DamageError, fromHex } from "../crypto/mod.ts";
import { NotFoundError } from "../store/mod.ts";
import { inParallel } from "./parallel.ts";
import { ledgerFolder, newStamp, STAMP, timeText } from "./names.ts";
import type { Repository } from "./repository.ts";

/** Two writers' clocks, and the store's, may differ by this much without a record being missed. */
const CLOCK_SLACK_MS = 2 * 24 * 3600 * 1000;

/** Takes in what the ledger of a domain says that the catalogue does not know yet; the problems met on the way. */
export async function learn(
  repository: Repository,
  domain: string,
  options: { whole?: boolean; progress?: (done: number, total: number) => void } = {},
): Promise<DamageError[]> {
  const { store, catalog } = repository;
  const folder = ledgerFolder(domain);
  const cursor = options.whole ? undefined : catalog.cursor(domain);
  const after = cursor === undefined ? {} : { after: folder + slackBefore(cursor) };
  const names: string[] = [];
  for await (const { name } of store.list(folder, after)) {
    if (STAMP.test(name.slice(folder.length)) && !catalog.hasSeenLedger(name)) names.push(name);
  }
  const problems: DamageError[] = [];
  let done = 0;
  await inParallel(names, 8, async (name) => {
    try {
      takeIn(repository, { domain, name, records: await readLedger(repository, domain, name) });
    } catch (error) {
      // A record that is gone again was merged into another one.
      if (error instanceof DamageError) problems.push(error);
      else if (!(error instanceof NotFoundError)) throw error;
    }
    options.progress?.(++done, names.length);
  });
  const last = names.at(-1);
  if (last !== undefined) catalog.setCursor(domain, last.slice(folder.length));
  return problems;
}

/** The records of one ledger object. */
export async function readLedger(repository: Repository, domain: string, name: string): Promise<LedgerRecord[]> {
  const { store, keyring } = repository;
  const { ledger } = await keyring.shapeKeys(domain);
  const size = (await store.head(name))?.size ?? 0;
  if (size > LEDGER_OBJECT_LIMIT) throw new DamageError(`Cannot read ledger object ${name}: it is ${size} bytes long`);
  return await decodeLedger(await store.get(name), { key: ledger, domain: fromHex(domain), name });
}

/** Puts finished bricks (or bricks that are gone) on record; the ledger object's name. */
export async function publish(repository: Repository, domain: string, records: LedgerRecord[]): Promise<string> {
  const { store, keyring } = repository;
  const name = ledgerFolder(domain) + newStamp(await store.now());
  const { ledger } = await keyring.shapeKeys(domain);
  await store.put(name, await encodeLedger(records, { key: ledger, domain: fromHex(domain), name }), { once: true });
  takeIn(repository, { domain, name, records });
  return name;
}

function takeIn(
  { catalog }: Repository,
  { domain, name, records }: { domain: string; name: string; records: LedgerRecord[] },
): void {
  const rows = records.flatMap((record, position) =>
    record.type === "brick" ? [brickRow(record.brick, { domain, ledgerObject: name, position })] : []
  );
  const gone = records.flatMap((record) => record.type === "gone" ? [record.name] : []);
  catalog.transaction(() => {
    catalog.addBricks(rows);
    if (gone.length > 0) catalog.exclude("gone", gone, "add");
    catalog.markLedgerSeen([name]);
  });
}

function brickRow(brick: BrickRecord, at: { domain: string; ledgerObject: string; position: number }) {
  const { name, kind, bytes, treeHash, toc } = brick;
  return { name, kind, bytes, treeHash, blocks: toc.blocks, chunks: toc.chunks, ...at };
}

function slackBefore(stamp: string): string {
  const at = stamp.replace(/^(....)(..)(..)T(..)(..)(..)Z.*$/, "$1-$2-$3T$4:$5:$6Z");
  return timeText(new Date(Date.parse(at) - CLOCK_SLACK_MS));
}
