/**
 * `plan`: what a restore would take, before anything is asked for. It knows what this machine knows (the catalogue, recipes
 * that were read before) and reads what is missing of that from the hot store; no cold store is ever asked, and nothing
 * is paid there. `offline`, not even the hot store is asked.
 */
import { resolve } from "node:path";
import { DamageError, sha256, toHex, WrongKeyError } from "../crypto/mod.ts";
import { estimateRestore, type PriceSource, priceSources, type RestorePlan } from "../glacier/mod.ts";
import { brickFolder, listBricks, parseBrickObject } from "../repository/mod.ts";
import { bucketLocation, isBucketLocation, parseBucketLocation } from "../store/mod.ts";
import { whyIncomplete } from "./extract.ts";
import { type KeptStore, openKeptStore } from "./kept_store.ts";
import { neededBricks } from "./needed_bricks.ts";
import { catchUp, ledgerReadAt } from "./open.ts";
import { openStore } from "./open_store.ts";
import { hotClasses, readPrices } from "./price_file.ts";
import { select, type Selection } from "./selection.ts";
import { findIndex, locationFor, type OpenSnapshot, openToRead, readIndexFile } from "./snapshot.ts";
import type { VerifiedIndex } from "../snapshot/mod.ts";
import type { VerbSession } from "./session.ts";
import { type ColdShare, pricedNeeds, shares, type Whereabouts, whereabouts } from "./whereabouts.ts";

export interface PlanOptions {
  /** An index file, a snapshot's name, or undefined for the newest complete one. */
  snapshot: string | undefined;
  /** Paths or globs; empty: everything. */
  paths: readonly string[];
  /** For how many days copies would be asked for. */
  days: number;
  /** The restore runs where leaving the provider's network costs nothing. */
  sameRegion: boolean;
  offline: boolean;
}

export interface PlanResult {
  snapshot: string;
  /** Why the snapshot is incomplete, if it is. */
  incomplete?: string;
  /** Entries, when only some were asked for. */
  entries?: number;
  /** Asked for, and not in the snapshot. */
  missing: readonly string[];
  hot: { location: string; bricks: number; neededBytes: number };
  cold: ColdShare[];
  /** Bricks that are in no store, as far as is known. */
  lost: readonly string[];
  days: number;
  restore: RestorePlan;
  knowledge: Knowledge;
}

/** How old it is what a plan stands on. */
export interface Knowledge {
  /** When the ledger was read, and when the bricks of the hot store were listed; undefined: never. */
  ledgerReadAt?: Date;
  bricksListedAt?: Date;
  prices: PriceSource[];
}

/** Plans a restore. */
export async function plan(session: VerbSession, options: PlanOptions): Promise<PlanResult> {
  const file = await readIndexFile(options.snapshot);
  const location = await locationFor(session, file);
  const memory = await openMemory(session, { location, offline: options.offline });
  try {
    const { repository } = memory.opened;
    const index = await findIndex(repository, options.snapshot, file);
    const { snapshot, selection, where, listed } = await findNeeds(session, { ...memory, location, index, options });
    const prices = await readPrices(session.places.config());
    const hotClass = (await hotClasses(session, location))?.data;
    const { days, sameRegion } = options;
    const pricing = { days, prices, now: session.now(), ...(sameRegion ? { egressBytes: 0 } : {}) };
    const readAt = ledgerReadAt(repository, index.domain);
    const entries = selection.entries();
    return {
      snapshot: index.snapshot,
      ...(index.complete ? {} : { incomplete: whyIncomplete(snapshot) }),
      ...(entries === undefined ? {} : { entries }),
      missing: selection.missing,
      hot: { location: repository.store.location, ...sums(where.hot) },
      cold: shares(where.cold),
      lost: where.lost,
      days,
      restore: estimateRestore(pricedNeeds(where, hotClass), pricing),
      knowledge: {
        ...(readAt === undefined ? {} : { ledgerReadAt: readAt }),
        ...(listed === undefined ? {} : { bricksListedAt: listed.at }),
        prices: priceSources(prices, new Set(where.cold.map((object) => object.class))),
      },
    };
  } finally {
    await memory.close();
  }
}

interface Knowing extends Memory {
  location: string;
  index: VerifiedIndex;
  options: PlanOptions;
}

/**
 * What the restore needs, by what this machine knows. A disk is looked at anew each time, which costs nothing; a bucket
 * only when something is not known.
 */
async function findNeeds(session: VerbSession, knowing: Knowing): Promise<Needs> {
  const { memory, opened: { repository }, location, index, options } = knowing;
  const lookAgain = async () => {
    await catchUp(session, repository, [index.domain]);
    // The memory of the store keeps what this brings.
    await listBricks(repository, "D");
  };
  const isKnown = ledgerReadAt(repository, index.domain) !== undefined &&
    await memory.listedBefore(brickFolder("D")) !== undefined;
  const mayBeOld = isKnown && isBucketLocation(location) && !options.offline;
  if (!mayBeOld && !options.offline) await lookAgain();
  try {
    const needs = await needsOf(session, knowing);
    if (needs.where.lost.length === 0 || !mayBeOld) return needs;
  } catch (error) {
    // A recipe may name chunks of which only newer ledger objects tell.
    if (!mayBeOld || !(error instanceof DamageError)) throw error;
  }
  await lookAgain();
  return await needsOf(session, knowing);
}

interface Needs {
  snapshot: OpenSnapshot;
  selection: Selection;
  where: Whereabouts;
  /** When the bricks of the hot store were listed. */
  listed: { at: Date } | undefined;
}

async function needsOf(session: VerbSession, { memory, opened, readers, index, options }: Knowing): Promise<Needs> {
  const { catalog } = opened.repository;
  const { domain } = index;
  const snapshot = await readers.open(index);
  const selection = await select(session, { opened, snapshot }, options.paths);
  const reading = { reader: snapshot.reader, catalog, domain, signal: session.signal };
  const needed = await neededBricks(selection.segments(), reading);
  const listed = await memory.listedBefore(brickFolder("D"));
  const hot = new Map(listed?.objects.map(({ name, size }) => [parseBrickObject(name)?.name ?? "", size]));
  return { snapshot, selection, where: whereabouts(needed, { catalog, domain, hot }), listed };
}

function sums(bricks: Whereabouts["hot"]): { bricks: number; neededBytes: number } {
  return { bricks: bricks.length, neededBytes: bricks.reduce((sum, { neededBytes }) => sum + neededBytes, 0) };
}

interface Memory extends Awaited<ReturnType<typeof openToRead>> {
  memory: KeptStore;
}

/** Opens the repository through what this machine keeps of it. */
async function openMemory(
  session: VerbSession,
  { location, offline }: { location: string; offline: boolean },
): Promise<Memory> {
  const place = isBucketLocation(location) ? bucketLocation(parseBucketLocation(location)) : resolve(location);
  const folder = `${session.places.state()}/kept/${toHex(sha256(place)).slice(0, 32)}`;
  const { now } = session;
  const attempt = async (steady: boolean) => {
    const open = () => openStore(session, location);
    const memory: KeptStore = await openKeptStore({ folder, place: location, open, offline, now, steady });
    return { memory, ...await openToRead(session, { location, need: "list", memory }) };
  };
  try {
    return await attempt(true);
  } catch (error) {
    // Slots may have been added since they were kept.
    if (offline || !(error instanceof WrongKeyError)) throw error;
    return await attempt(false);
  }
}
