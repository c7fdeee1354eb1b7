/**
 * Learning what bricks there are, and telling it: the ledger of a domain into the catalogue, and finished bricks into the
 * ledger. Ledger objects never change, so each is read once; what was seen is remembered by name.
 */
import {
  type BrickRecord,
  decodeLedger,
  encodeLedger,
  LEDGER_OBJECT_LIMIT,
  type LedgerRecord,
  type WrittenRecord,
} from "../brick/mod.ts";
import { DamageError, fromHex } from "../crypto/mod.ts";
import type { BrickRow } from "../catalog/mod.ts";
import { NotFoundError } from "../store/mod.ts";
import { readBounded } from "./bounded.ts";
import { contradicts, trueRecord } from "./contradictions.ts";
import { inParallel } from "./parallel.ts";
import { putOwn } from "./put_own.ts";
import { ledgerFolder, newStamp, stampTime, timeText } from "./names.ts";
import type { Repository } from "./repository.ts";

/** Two writers' clocks, and the store's, may differ by this much without a record being missed. */
const CLOCK_SLACK_MS = 2 * 24 * 3600 * 1000;

/**
 * Takes in what the ledger of a domain says that the catalogue does not know yet, or, `whole`, reads all of it again; the
 * problems met on the way. `told` hears every record that was read.
 */
export async function learn(
  repository: Repository,
  domain: string,
  options: {
    whole?: boolean;
    progress?: (done: number, total: number) => void;
    told?: (record: LedgerRecord) => void;
  } = {},
): Promise<DamageError[]> {
  const { store, catalog } = repository;
  const { whole = false, progress, told } = options;
  const folder = ledgerFolder(domain);
  const cursor = catalog.cursor(domain);
  const since = cursor === undefined || whole ? undefined : stampTime(cursor);
  const after = since && { after: folder + timeText(new Date(since.getTime() - CLOCK_SLACK_MS)) };
  const objects: { name: string; at: Date; modifiedAt: Date }[] = [];
  for await (const { name, modifiedAt } of store.list(folder, after)) {
    const at = stampTime(name.slice(folder.length));
    if (at !== undefined && (whole || !catalog.hasSeenLedger(name))) objects.push({ name, at, modifiedAt });
  }
  const problems: DamageError[] = [];
  let newest = cursor ?? "";
  let done = 0;
  let turn: Promise<unknown> = Promise.resolve();
  await inParallel(objects, 8, async ({ name, at, modifiedAt }) => {
    try {
      const records = await readLedger(repository, domain, name);
      // Reading goes on side by side; what contradicts what is seen only one object after the other.
      const taken = turn.then(() => takeIn(repository, { domain, name, records }));
      turn = taken.catch(() => {});
      problems.push(...await taken);
      if (told !== undefined) records.forEach(told);
      // An object that calls itself later than it came must not make us deaf to those that come before that time.
      const stamp = at <= modifiedAt ? name.slice(folder.length) : newStamp(modifiedAt);
      if (stamp > newest) newest = stamp;
    } catch (error) {
      // A record that is gone again was merged into another one.
      if (error instanceof DamageError) problems.push(error);
      else if (!(error instanceof NotFoundError)) throw error;
    }
    progress?.(++done, objects.length);
  });
  if (newest !== "") catalog.setCursor(domain, newest);
  return problems;
}

/** The records of one ledger object. */
export async function readLedger(repository: Repository, domain: string, name: string): Promise<LedgerRecord[]> {
  const { store, keyring } = repository;
  const { ledger } = await keyring.shapeKeys(domain);
  const bytes = await readBounded(store, name, { limit: LEDGER_OBJECT_LIMIT, what: `ledger object ${name}` });
  return await decodeLedger(bytes, { key: ledger, domain: fromHex(domain), name });
}

/** Puts finished bricks (or bricks that are gone) on record; the ledger object's name. */
export async function publish(repository: Repository, domain: string, records: WrittenRecord[]): Promise<string> {
  const { store, keyring } = repository;
  const name = ledgerFolder(domain) + newStamp(await store.now());
  const { ledger } = await keyring.shapeKeys(domain);
  await putOwn(store, name, await encodeLedger(records, { key: ledger, domain: fromHex(domain), name }));
  await takeIn(repository, { domain, name, records });
  return name;
}

/** Lets this machine alone know of bricks: for a repository that can be read and not written to. */
export async function remember(repository: Repository, domain: string, records: WrittenRecord[]): Promise<void> {
  await takeIn(repository, { domain, name: ledgerFolder(domain) + newStamp(new Date()), records });
}

/** Tells the catalogue what an object says, as far as that is true; where it is not, a problem. */
async function takeIn(
  repository: Repository,
  { domain, name, records }: { domain: string; name: string; records: LedgerRecord[] },
): Promise<DamageError[]> {
  const { catalog } = repository;
  const rows: BrickRow[] = [];
  const corrections: BrickRow[] = [];
  const problems: DamageError[] = [];
  for (const [position, record] of records.entries()) {
    if (record.type !== "brick") continue;
    const { brick } = record;
    const row = brickRow(brick, { domain, ledgerObject: name, position });
    const known = catalog.brickByName(brick.name, { domain });
    if (known === undefined || !contradicts(brick, known)) {
      rows.push(row);
      continue;
    }
    const right = await trueRecord(repository, domain, { record: brick, known });
    if (right === undefined) rows.push(row);
    if (right === "record") corrections.push(row);
    problems.push(contradiction(brick.name, { object: name, other: known.ledgerObject, right }));
  }
  const placed = records.flatMap((record) => record.type === "placed" ? [{ domain, ...record.placed }] : []);
  const lost = records.flatMap((record) => record.type === "lost" ? [{ domain, ...record.lost }] : []);
  const gone = records.flatMap((record) => record.type === "gone" ? [record.name] : []);
  catalog.transaction(() => {
    catalog.addBricks(rows);
    for (const row of corrections) catalog.replaceBrick(row);
    if (placed.length > 0) catalog.addPlaced(placed);
    if (lost.length > 0) catalog.addLost(lost);
    if (gone.length > 0) catalog.exclude("gone", gone, "add", domain);
    catalog.markLedgerSeen([name]);
  });
  return problems;
}

function contradiction(
  brick: string,
  { object, other, right }: { object: string; other: string; right: "record" | "known" | undefined },
): DamageError {
  const [truth, lie] = right === "record" ? [object, other] : [other, object];
  const outcome = right === undefined
    ? 'The brick cannot be asked now, so the older one is believed. Run "tarzan verify" when it can be read'
    : `The brick itself agrees with ${truth}. Delete ${lie}, and give the machines of this domain keys of another one`;
  const about = `${brick.slice(0, 16)}…`;
  return new DamageError(
    `Ledger objects ${object} and ${other} contradict each other about brick ${about}: a machine of this domain has ` +
      `lied. ${outcome}`,
  );
}

function brickRow(brick: BrickRecord, at: { domain: string; ledgerObject: string; position: number }): BrickRow {
  const { name, kind, bytes, treeHash, toc } = brick;
  return { name, kind, bytes, treeHash, blocks: toc.blocks, chunks: toc.chunks, ...at };
}
