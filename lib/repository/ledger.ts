/**
 * Learning what bricks there are, and telling it: the ledger of a domain into the catalogue, and finished bricks into the
 * ledger. Ledger objects never change, so each is read once; what was seen is remembered by name.
 */
import {
  decodeLedger,
  encodeLedger,
  LEDGER_OBJECT_LIMIT,
  type LedgerRecord,
  MIB,
  type WrittenRecord,
} from "../brick/mod.ts";
import { DamageError, free, fromHex } from "../crypto/mod.ts";
import { NotFoundError } from "../store/mod.ts";
import { readBounded } from "./bounded.ts";
import { LedgerIntake, type ReadLedgerObject } from "./ledger_intake.ts";
import { inParallel, Scales } from "./parallel.ts";
import { putOwn } from "./put_own.ts";
import { ledgerFolder, newStamp, stampTime, timeText } from "./names.ts";
import type { Repository } from "./repository.ts";

/** Two writers' clocks, and the store's, may differ by this much without a record being missed. */
const CLOCK_SLACK_MS = 2 * 24 * 3600 * 1000;
/** In a bucket each object is a request; but one may be of megabytes, which are in memory several times over. */
const READS_AT_ONCE = 8;
const READ_BYTES_AT_ONCE = 8 * MIB;

interface Listed {
  name: string;
  at: Date;
  modifiedAt: Date;
  size: number;
}

/**
 * Takes in what the ledger of a domain says that the catalogue does not know yet, or, `whole`, reads all of it again; the
 * problems met on the way. `told` hears every record that was read; lists of bricks are not its to keep. `heldBytes` bounds
 * what is taken in together.
 */
export async function learn(
  repository: Repository,
  domain: string,
  options: {
    whole?: boolean;
    progress?: (done: number, total: number) => void;
    told?: (record: LedgerRecord) => void;
    heldBytes?: number;
  } = {},
): Promise<DamageError[]> {
  const { store, catalog } = repository;
  const { whole = false, progress, told } = options;
  const folder = ledgerFolder(domain);
  const cursor = catalog.cursor(domain);
  const since = cursor === undefined || whole ? undefined : stampTime(cursor);
  const after = since && { after: folder + timeText(new Date(since.getTime() - CLOCK_SLACK_MS)) };
  const objects: Listed[] = [];
  for await (const { name, modifiedAt, size } of store.list(folder, after)) {
    const at = stampTime(name.slice(folder.length));
    if (at !== undefined && (whole || !catalog.hasSeenLedger(name))) objects.push({ name, at, modifiedAt, size });
  }
  const intake = new LedgerIntake(repository, domain, { ...options, owned: true });
  const scales = new Scales(READ_BYTES_AT_ONCE);
  const problems: DamageError[] = [];
  let newest = cursor ?? "";
  let done = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const take = async ({ name, at, modifiedAt }: Listed) => {
    try {
      const records = await readLedger(repository, domain, name);
      // Reading goes on side by side; what contradicts what is seen only one object after the other.
      const taken = turn.then(() => {
        if (told !== undefined) records.forEach(told);
        return intake.take({ name, records });
      });
      turn = taken.catch(() => {});
      problems.push(...await taken);
      // An object that calls itself later than it came must not make us deaf to those that come before that time.
      const stamp = at <= modifiedAt ? name.slice(folder.length) : newStamp(modifiedAt);
      if (stamp > newest) newest = stamp;
    } catch (error) {
      // A record that is gone again was merged into another one.
      if (error instanceof DamageError) problems.push(error);
      else if (!(error instanceof NotFoundError)) throw error;
    }
    progress?.(++done, objects.length);
  };
  try {
    await inParallel(objects, READS_AT_ONCE, (object) => scales.within(object.size, () => take(object)));
  } catch (error) {
    // What could be read need not be read again.
    intake.commit();
    throw error;
  }
  intake.commit(newest === (cursor ?? "") ? undefined : newest);
  return problems;
}

/** The records of one ledger object. */
export async function readLedger(repository: Repository, domain: string, name: string): Promise<LedgerRecord[]> {
  const { store, keyring } = repository;
  const { ledger } = await keyring.shapeKeys(domain);
  const bytes = await readBounded(store, name, { limit: LEDGER_OBJECT_LIMIT, what: `ledger object ${name}` });
  const records = await decodeLedger(bytes, { key: ledger, domain: fromHex(domain), name });
  free(bytes);
  return records;
}

/** Puts finished bricks (or bricks that are gone) on record; the ledger object's name. */
export async function publish(repository: Repository, domain: string, records: WrittenRecord[]): Promise<string> {
  const { store, keyring } = repository;
  const name = ledgerFolder(domain) + newStamp(await store.now());
  const { ledger } = await keyring.shapeKeys(domain);
  await putOwn(store, name, await encodeLedger(records, { key: ledger, domain: fromHex(domain), name }));
  await takeIn(repository, domain, { name, records });
  return name;
}

/** Lets this machine alone know of bricks: for a repository that can be read and not written to. */
export async function remember(repository: Repository, domain: string, records: WrittenRecord[]): Promise<void> {
  await takeIn(repository, domain, { name: ledgerFolder(domain) + newStamp(new Date()), records });
}

async function takeIn(repository: Repository, domain: string, object: ReadLedgerObject): Promise<void> {
  const intake = new LedgerIntake(repository, domain);
  await intake.take(object);
  intake.commit();
}
