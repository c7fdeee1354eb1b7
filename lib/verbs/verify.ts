/** `verify`: is all of it still there, and still true? */
import { DamageError } from "../crypto/mod.ts";
import {
  type IndexName,
  listIndexes,
  listSlots,
  NeedsThawError,
  noteDamage,
  readIndex,
  recordDamage,
  type Repository,
} from "../repository/mod.ts";
import { NotFoundError, StoreFullError, StoreReadOnlyError } from "../store/mod.ts";
import type { VerifiedIndex } from "../snapshot/mod.ts";
import { readBrickList } from "../snapshot/mod.ts";
import { hasColdStorage, OffSite } from "./off_site.ts";
import { openStore } from "./open_store.ts";
import { checkLedgers, checkTold } from "./verify_ledgers.ts";
import {
  findIndex,
  locationFor,
  type OpenSnapshot,
  openToRead,
  readIndexFile,
  type SnapshotReaders,
} from "./snapshot.ts";
import { type CheckedBrick, checkNames, checkPresence, checkTocs } from "./verify_bricks.ts";
import { checkCold, findThawed } from "./verify_cold.ts";
import { checkBlocks, checkStreams, sample, type StreamsChecked } from "./verify_data.ts";
import { checkRecipe, findAffected } from "./verify_recipes.ts";
import { type Affected, type PartlyOffSite, Report, type VerifyResult } from "./verify_report.ts";
import type { VerbSession } from "./session.ts";

export interface VerifyOptions {
  /** Index files or snapshots; empty: all. */
  backups: readonly string[];
  /** Hash every brick. */
  bricks: boolean;
  /** How much of the data to read and decrypt; 0: none. */
  dataPercent: number;
  /** Ask vaults for an inventory that is newer than what they hold, and judge their archives by it. */
  inventory?: boolean;
  /** Use no key at all: only what names prove. */
  keyless?: boolean;
}

/** Checks a repository, or some snapshots of it. */
export async function verify(session: VerbSession, options: VerifyOptions): Promise<VerifyResult> {
  return options.keyless ? await verifyNames(session) : await verifyWithKey(session, options);
}

/** What can be said without a key: whether every brick's name is the SHA-256 of its bytes. */
async function verifyNames(session: VerbSession): Promise<VerifyResult> {
  const store = await openStore(session);
  const report = new Report();
  try {
    const bricksHashed = await checkNames(session, { store, report });
    report.unchecked.add(
      "Without a key, only that no brick was altered: not whether any is missing, nor whose they are",
    );
    return {
      ...nothing,
      bricks: bricksHashed,
      bricksHashed,
      problems: report.problems,
      unchecked: [...report.unchecked],
    };
  } finally {
    await store.close();
  }
}

const nothing: VerifyResult = {
  snapshots: 0,
  bricks: 0,
  bricksHashed: 0,
  coldBricks: 0,
  blocksOpened: 0,
  bytesReplayed: 0,
  problems: [],
  affected: [],
  unchecked: [],
  partlyOffSite: [],
  inventories: [],
};

async function verifyWithKey(session: VerbSession, options: VerifyOptions): Promise<VerifyResult> {
  const files = await Promise.all(options.backups.map(readIndexFile));
  const location = await locationFor(session, files.find((file) => file !== undefined));
  const { opened, readers, close } = await openToRead(session, { location });
  const { repository } = opened;
  const { keyring } = repository;
  const report = new Report();
  try {
    await checkSlots(repository, report);
    await checkRecords(repository, report);
    const named = await Promise.all(options.backups.map((ref, i) => findIndex(repository, ref, files[i])));
    const all = await checkIndexes(repository, report);
    const indexes = named.length > 0 ? named : all;
    const ledgers = await checkLedgers(session, { repository, indexes, report });
    const snapshots = keyring.can("list") ? await openAll(readers, indexes, report) : [];
    if (!keyring.can("list")) {
      report.unchecked.add(
        "This key cannot read recipes: whether every chunk of each snapshot can be found was not checked",
      );
    }
    const bricks = await bricksToCheck(repository, named.length > 0 ? snapshots : undefined);
    checkTold(bricks, ledgers, report);
    await checkPresence(repository, bricks, report);
    const cold = await checkCold(session, { repository, bricks, report, inventory: options.inventory ?? false });
    if (options.dataPercent > 0) await findThawed(session, { repository, bricks, report });
    await checkTocs(session, { repository, bricks, report });
    const names = new Set(bricks.map(({ name }) => name));
    const bricksHashed = options.bricks
      ? await checkNames(session, { store: repository.store, report, only: names })
      : 0;
    const { blocksOpened, streams } = await checkData(session, {
      options,
      repository,
      readers,
      snapshots,
      bricks,
      report,
    });
    const affected = await checkRecipes(session, { repository, snapshots, restored: streams.sound, report });
    if (options.dataPercent < 100) tellOfEarlierDamage(bricks, report);
    await putOnRecord(session, repository, report);
    const partlyOffSite = await findPartlyOffSite(repository, readers, snapshots);
    const { problems, unchecked } = report;
    const brickCount = bricks.filter(({ excluded }) => !excluded.gone).length;
    const counts = { snapshots: indexes.length, bricks: brickCount, bricksHashed, blocksOpened };
    const result = { ...counts, coldBricks: cold.confirmed.size, bytesReplayed: streams.bytes };
    return { ...result, problems, affected, unchecked: [...unchecked], partlyOffSite, inventories: cold.inventory };
  } finally {
    await close();
  }
}

async function checkSlots({ store }: Repository, report: Report): Promise<void> {
  for (const { message } of (await listSlots(store)).problems) report.add("slot", "keys", message);
}

async function checkRecords(repository: Repository, report: Report): Promise<void> {
  const { records, problems } = await noteDamage(repository, { again: true });
  if (records > 0 && !repository.keyring.can("control")) {
    report.unchecked.add("This key cannot tell who made the records of damage: what they say is taken for true");
  }
  for (const { message } of problems) report.add("record", "records", message);
}

/** What was found once is not found again without reading it: a check that reads less must not look like an all-clear. */
function tellOfEarlierDamage(bricks: CheckedBrick[], report: Report): void {
  const damaged = bricks.filter(({ excluded }) => !excluded.gone && excluded.damaged.length > 0);
  if (damaged.length === 0) return;
  report.unchecked.add(
    `An earlier check found damage in ${damaged.length} bricks (${
      damaged[0]!.name.slice(0, 16)
    }…), which were not read ` +
      'again now. "tarzan verify --data" does, and says which files that touches',
  );
}

/** So that the next backups store it anew. A repository that cannot be written to can be checked all the same. */
async function putOnRecord(session: VerbSession, repository: Repository, report: Report): Promise<void> {
  try {
    await recordDamage(repository, report.damage());
  } catch (error) {
    if (!(error instanceof StoreReadOnlyError || error instanceof StoreFullError)) throw error;
    session.warn(`The damage could not be put on record for other machines. ${error.message}`);
  }
}

/** The MACs of all indexes, and that each names a predecessor that is there; the finished ones. */
async function checkIndexes(repository: Repository, report: Report): Promise<VerifiedIndex[]> {
  const listed = await listIndexes(repository);
  const names = listed.filter(({ ending }) => ending === ".json");
  const indexes: VerifiedIndex[] = [];
  for (const name of listed) {
    try {
      const index = await readIndex(repository, name);
      if (name.ending === ".json") indexes.push(index);
    } catch (error) {
      // A run that was under way has ended meanwhile.
      if (error instanceof NotFoundError && name.ending === ".open") continue;
      if (!(error instanceof DamageError)) throw error;
      report.add("index", name.snapshot, error.message);
    }
  }
  const there = new Set(names.map(idOf));
  for (const { domain, snapshot, previous } of indexes) {
    if (previous === null || there.has(idOf({ domain, snapshot: previous }))) continue;
    report.add(
      "chain",
      snapshot,
      `Snapshot ${snapshot} was made after snapshot ${previous}, which is not there: it was removed or is being withheld`,
    );
  }
  for (const note of repository.catalog.openedIndexes()) {
    const seen = /^seen (\S+) (\S+)$/.exec(note);
    if (seen === null || there.has(idOf({ domain: seen[1]!, snapshot: seen[2]! }))) continue;
    report.add("chain", seen[2]!, `Snapshot ${seen[2]} was there when this machine last looked, and is not there now`);
  }
  return indexes;
}

function idOf({ domain, snapshot }: Pick<IndexName, "domain" | "snapshot">): string {
  return `${domain}/${snapshot}`;
}

async function openAll(readers: SnapshotReaders, indexes: VerifiedIndex[], report: Report): Promise<OpenSnapshot[]> {
  const opened: OpenSnapshot[] = [];
  for (const index of indexes) {
    try {
      opened.push(await readers.open(index));
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      report.add("index", index.snapshot, error.message);
    }
  }
  return opened;
}

/** Snapshots of which cold storage has not everything. */
async function findPartlyOffSite(
  repository: Repository,
  readers: SnapshotReaders,
  snapshots: OpenSnapshot[],
): Promise<PartlyOffSite[]> {
  if (!hasColdStorage(repository)) return [];
  const offSite = new OffSite(repository, readers);
  const partly: PartlyOffSite[] = [];
  for (const { index: { domain, snapshot }, sealed } of snapshots) {
    const { label, bricks } = sealed;
    const coldBricks = await offSite.count(domain, sealed);
    if (coldBricks !== undefined && coldBricks < bricks) partly.push({ snapshot, label, coldBricks, bricks });
  }
  return partly;
}

/** The bricks that these snapshots need, or all that the ledgers tell of. */
async function bricksToCheck(repository: Repository, snapshots: OpenSnapshot[] | undefined): Promise<CheckedBrick[]> {
  const all = [...repository.catalog.bricks()];
  if (snapshots === undefined) return all;
  const needed = new Set<string>();
  for (const { sealed, get } of snapshots) {
    try {
      for (const name of await readBrickList(sealed, get)) needed.add(name);
    } catch (error) {
      // Reading the recipe meets the same and tells of it.
      if (!(error instanceof DamageError || error instanceof NeedsThawError)) throw error;
    }
  }
  return all.filter(({ name }) => needed.has(name));
}

interface DataCheck {
  options: VerifyOptions;
  repository: Repository;
  readers: SnapshotReaders;
  snapshots: OpenSnapshot[];
  bricks: CheckedBrick[];
  report: Report;
}

async function checkData(
  session: VerbSession,
  check: DataCheck,
): Promise<{ blocksOpened: number; streams: StreamsChecked }> {
  const { options, repository, readers, report } = check;
  const { keyring } = repository;
  let streams: StreamsChecked = { bytes: 0, sound: new Set() };
  if (options.dataPercent === 0) return { blocksOpened: 0, streams };
  const mayRead = check.bricks.filter(({ kind }) => keyring.can("extract") || (kind === "M" && keyring.can("list")));
  if (mayRead.length < check.bricks.length) {
    report.unchecked.add(
      `This key (role "${keyring.role}") cannot decrypt ${check.bricks.length - mayRead.length} of the bricks`,
    );
  }
  const readable = mayRead.filter(({ name }) => !report.isCold(name));
  if (report.coldBricks > 0) {
    report.unchecked.add(`${report.coldBricks} bricks are in cold storage: their data was not read`);
  }
  if (options.dataPercent >= 100 && keyring.can("extract") && report.coldBricks === 0) {
    streams = await checkStreams(session, check.snapshots, report);
  } else {
    report.unchecked.add("Only a part was read, so no stream was compared with its hash");
  }
  const bricks = sample(readable, options.dataPercent);
  const reader = (domain: string) => readers.reader(domain);
  return { blocksOpened: await checkBlocks(session, { repository, reader, bricks, report }), streams };
}

async function checkRecipes(
  session: VerbSession,
  { repository, snapshots, restored, report }: {
    repository: Repository;
    snapshots: OpenSnapshot[];
    restored: ReadonlySet<OpenSnapshot>;
    report: Report;
  },
): Promise<Affected[]> {
  const check = { repository, report, restored, seen: new Set<string>() };
  for (const snapshot of snapshots) await checkRecipe(session, snapshot, check);
  if (!report.spoilsChunks) return [];
  const affected: Affected[] = [];
  for (const snapshot of snapshots) {
    const found = await findAffected(session, snapshot, check);
    if (found !== undefined) affected.push(found);
  }
  return affected;
}
