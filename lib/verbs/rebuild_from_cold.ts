/**
 * `rebuild --from-cold`: the hot store and the machine are lost; a cold store and one key are left. All bundles are thawed and
 * unpacked into a new hot store, which then knows everything but what the newest bundle could not hold, the record of itself:
 * that is found by listing. Each step finds out by itself what was done before, so it can be stopped at any moment and run
 * again for days.
 *
 * Bundles are taken oldest first: what was stored first is not displaced by what somebody put there later.
 */
import type { ColdStore, RestoreCost, Tier } from "../glacier/mod.ts";
import {
  classOf,
  coldAccess,
  type ColdCensus,
  findPlaces,
  type FoundBundle,
  type FoundPlaces,
  NoRepositoryError,
  parseBrickObject,
  type ReadBundle,
  type Repository,
  restoreConfig,
  takeCensus,
} from "../repository/mod.ts";
import type { Store } from "../store/mod.ts";
import { asRead, BundleMemory, type KnownBundle } from "./bundle_memory.ts";
import { ownFolder } from "./local_state.ts";
import { open } from "./open.ts";
import { openColdAccess } from "./open_cold.ts";
import { repositoryOfOwnKey } from "./own_key.ts";
import { readPrices } from "./price_file.ts";
import { putOnRecord, type RebuildResult, refill } from "./rebuild.ts";
import { newHotStore, repositoryAt } from "./restore_target.ts";
import type { VerbSession } from "./session.ts";
import { type Sleep, sleepForReal, Thawing } from "./thawing.ts";
import { BundleUnpacker } from "./unpack_bundles.ts";

export interface FromColdOptions {
  /** The cold store, as people write it; its class does not matter. */
  from: string;
  /** Which repository, where there are several. */
  repositoryId?: string | undefined;
  tier: Tier;
  days: number;
  /** What thawing and reading the bundles may cost, in USD; undefined: the user is asked. */
  maxCost?: number | undefined;
  /** Nothing is paid for what leaves the provider's network. */
  sameRegion?: boolean;
  /** Come back only when everything is there. */
  wait: boolean;
  sleep?: Sleep;
}

export interface FromColdResult {
  /** The cold store, and the new hot one. */
  from: string;
  location: string;
  /** What must be awaited; then the same is to be run again. */
  waiting?: { what: "inventory" | "copies"; readyAt: Date | undefined };
  /** Bundles in the cold store, their bytes, and how many of them are unpacked. */
  bundles: number;
  bytes: number;
  unpacked: number;
  /** What thawing and reading the others costs, estimated when this run began. */
  cost?: RestoreCost;
  /** What is not as it should be; sentences. */
  problems: string[];
  /** Slots that the newest bundle did not have: removed since, or somebody else's. */
  doubtfulSlots: string[];
  /** When all of it was there. */
  rebuilt?: RebuildResult;
  /** Bricks of which the ledger tells now where they lie in this cold store. */
  placed?: number;
  /** Bricks in the cold store that no ledger tells of: only a thaw would say what they are. */
  orphans?: string[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Makes a hot store from a cold one, or goes on with it. */
export async function rebuildFromCold(session: VerbSession, options: FromColdOptions): Promise<FromColdResult> {
  const target = session.places.repository();
  const repository = options.repositoryId ?? await repositoryOfOwnKey(session) ?? await repositoryAt(session, target);
  const access = openColdAccess(session, { location: target, cold: undefined });
  try {
    const cold = await access.open(options.from);
    const census = await lookAround(session, cold, { ...options, repository });
    if ("readyAt" in census) {
      const waiting = { what: "inventory" as const, readyAt: census.readyAt };
      return { ...nothing, from: cold.location, location: target, waiting };
    }
    if (census.bundles.length === 0) {
      const whose = repository === undefined ? "a repository" : `repository ${repository}`;
      throw new NoRepositoryError(
        `There are no bundles of ${whose} in ${cold.location}, so nothing can be made from it. Is that the right place?`,
      );
    }
    const store = await newHotStore(session, target);
    try {
      return await unpackAll(session, { cold, census, store, repository, options });
    } finally {
      await store.close();
    }
  } finally {
    await access.close();
  }
}

const nothing = { bundles: 0, bytes: 0, unpacked: 0, problems: [], doubtfulSlots: [] };

/** What is there; or when that can be known. */
async function lookAround(
  session: VerbSession,
  cold: ColdStore,
  options: FromColdOptions & { repository: string | undefined },
): Promise<ColdCensus | { readyAt: Date | undefined }> {
  const { signal } = session;
  const { wait, sleep = sleepForReal, repository } = options;
  for (;;) {
    session.progress.update({ phase: `listing ${cold.location}` });
    const answer = await cold.list({ signal });
    if (answer.ready) return await takeCensus(answer.listing, { repository, location: cold.location, signal });
    if (!wait) return { readyAt: answer.readyAt };
    session.progress.update({ phase: "waiting for an inventory" });
    const awaited = answer.readyAt === undefined ? HOUR_MS : answer.readyAt.getTime() - session.now().getTime();
    await sleep(Math.min(HOUR_MS, Math.max(MINUTE_MS, awaited)), signal);
  }
}

interface Work {
  cold: ColdStore;
  census: ColdCensus;
  store: Store;
  repository: string | undefined;
  options: FromColdOptions;
}

async function unpackAll(session: VerbSession, work: Work): Promise<FromColdResult> {
  const { cold, census: { bundles }, store } = work;
  const state = session.places.state();
  const memory = await BundleMemory.open(state, { from: cold.location, store });
  const folder = await ownFolder(`${state}/from-cold/run`);
  const unpacker = await BundleUnpacker.begin(session, { ...work, memory, folder });
  try {
    const missing = bundles.filter(({ sha256 }) => memory.get(sha256) === undefined);
    const thawed = missing.length === 0 ? {} : await thawAndUnpack(session, { ...work, missing, unpacker });
    const known = bundles.map((bundle) => ({ bundle, known: memory.get(bundle.sha256) }));
    const result: FromColdResult = {
      from: cold.location,
      location: store.location,
      bundles: bundles.length,
      bytes: bundles.reduce((sum, { bytes }) => sum + bytes, 0),
      unpacked: known.filter(({ known }) => known !== undefined).length,
      problems: [...known.flatMap(({ known }) => known?.problems ?? []), ...unpacker.problems],
      doubtfulSlots: doubtful(known.flatMap(({ known }) => known ?? [])),
      ...thawed,
    };
    if (result.waiting !== undefined) return result;
    const read = known.flatMap(({ bundle, known }) => known === undefined ? [] : [readBundle(bundle, known, cold)]);
    return { ...result, ...await openAndPlace(session, { ...work, read, result }) };
  } finally {
    await unpacker.end();
  }
}

/** Slots of older bundles that the newest one with any has not. */
function doubtful(bundles: readonly KnownBundle[]): string[] {
  const withSlots = bundles.filter(({ slots }) => slots.length > 0);
  const newest = new Set(withSlots.at(-1)?.slots);
  return [...new Set(withSlots.flatMap(({ slots }) => slots))].filter((slot) => !newest.has(slot)).sort();
}

function readBundle(
  { handle, sha256, storedAt, ...object }: FoundBundle,
  known: KnownBundle,
  cold: ColdStore,
): ReadBundle {
  return asRead(known, { handle, sha256, storedAt, class: classOf(object, cold.class) }, parseBrickObject);
}

/** Asks for copies and unpacks what can be read, the oldest bundle first; what it waits for, if it does not wait. */
async function thawAndUnpack(
  session: VerbSession,
  { cold, missing, unpacker, options }: Work & { missing: FoundBundle[]; unpacker: BundleUnpacker },
): Promise<Pick<FromColdResult, "waiting" | "cost">> {
  const access = coldAccess(() => Promise.resolve(unpacker.forgiving(cold)), { signal: session.signal });
  const thawing = new Thawing(session, {
    cold: access,
    needs: missing.map(({ handle, bytes, storedAt, ...object }, i) => ({
      ...{ location: cold.location, handle, bytes, placedAt: storedAt, bricks: [], neededBytes: bytes, reads: 1 },
      ...{ class: classOf(object, cold.class), first: i, last: i },
    })),
    others: [],
    choice: { ...options, maxCost: options.maxCost, windowBytes: undefined, sameRegion: options.sameRegion ?? false },
    prices: await readPrices(session.places.config()),
    sleep: options.sleep ?? sleepForReal,
  });
  await thawing.look();
  const estimate = thawing.estimate();
  await thawing.confirm(estimate);
  thawing.begin(estimate);
  const { cost } = estimate;
  for (let next = 0;;) {
    await thawing.ask(thawing.step());
    unpacker.refuseNothing(missing.length);
    while (next < missing.length && thawing.isReadable(thawing.objects[next]!)) {
      if (await unpacker.unpack(missing[next]!) === "asleep") break;
      thawing.passed(++next);
    }
    if (next === missing.length) return { cost };
    const step = thawing.step();
    if (!options.wait) return { cost, waiting: { what: "copies", readyAt: thawing.readyAt(step, new Map()) } };
    await thawing.wait(step);
  }
}

/** The catalogue from what is in the hot store now, and what only the listing tells. */
async function openAndPlace(
  session: VerbSession,
  { cold, census, read, result }: Work & { read: ReadBundle[]; result: FromColdResult },
): Promise<Partial<FromColdResult>> {
  const opened = await open(session, { freshCatalog: true });
  try {
    const { repository } = opened;
    await restoreConfig(repository);
    const rebuilt = await refill(session, repository);
    const found = { location: cold.location, class: cold.class, census, bundles: read };
    let [placed, places] = [0, findPlaces(repository, found)];
    placed += await place(session, repository, { ...places, location: cold.location });
    // What was on record as lost, and is there all the same, counts again from now on.
    places = findPlaces(repository, found, { now: true });
    placed += await place(session, repository, { ...places, location: cold.location });
    return { rebuilt, placed, orphans: places.orphans, problems: [...result.problems, ...places.problems] };
  } finally {
    await opened.close();
  }
}

/** A ledger object tells of so many bricks, or a few more. */
const BRICKS_AT_ONCE = 20_000;

async function place(
  session: VerbSession,
  repository: Repository,
  { location, records }: { location: string; records: FoundPlaces["records"] },
): Promise<number> {
  const count = () => repository.catalog.placedBricks({ location }).size;
  const before = count();
  for (const [domain, all] of records) {
    let bricks = 0;
    const inTurn = Map.groupBy(all, (record) => Math.floor((bricks += record.bricks.length) / BRICKS_AT_ONCE));
    for (const some of inTurn.values()) {
      const told = some.map((placed) => ({ type: "placed", placed }) as const);
      await putOnRecord(session, repository, { domain, records: told });
    }
  }
  return count() - before;
}
