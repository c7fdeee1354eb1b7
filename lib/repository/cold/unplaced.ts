/**
 * What of a domain is not yet in cold storage at some place: large data bricks, which go alone, and everything small, which
 * goes in bundles. Bricks are known by the ledger's `placed` records. Of other objects only this machine remembers that it
 * has bundled them (in its catalogue): if that is lost, they go once more, which costs little and does no harm.
 */
import type { Catalog } from "../../catalog/mod.ts";
import { DamageError } from "../../crypto/mod.ts";
import type { StoredObject } from "../../store/mod.ts";
import { BRICK_KINDS, brickFolder, brickObject, CONFIG_NAME, indexFolder, KEYS_PREFIX } from "../names.ts";
import { ledgerFolder, parseBrickObject, parseIndexObject, stampTime } from "../names.ts";
import { readLedger } from "../ledger.ts";
import type { Repository } from "../repository.ts";
import type { Member } from "./bundle.ts";

const DAY_MS = 24 * 3_600_000;
/** Small data bricks in a bucket wait for company, but not longer than this. */
const LONGEST_WAIT_MS = 14 * DAY_MS;

/** A data brick that goes alone. */
export interface LoneBrick {
  name: string;
  bytes: number;
  treeHash: string;
}

export interface Unplaced {
  alone: LoneBrick[];
  /** Objects that go into bundles. */
  bundled: Member[];
  /** Small data bricks that wait until there are more of them. */
  waiting: { bricks: number; bytes: number };
  /** Bricks that are neither in the hot store nor at this place. */
  elsewhere: string[];
  /** Bricks of which a check found damage: they are not sent on. */
  damaged: string[];
}

export interface UnplacedOptions {
  domain: string;
  location: string;
  /** Data bricks from this size on go alone. */
  aloneBytes: number;
  /** Small data bricks wait until together they have this size; undefined: they go at once. */
  gatherBytes?: number;
}

/** Looks what is to be sent. What the ledger says must have been learned before. */
export async function findUnplaced(repository: Repository, options: UnplacedOptions): Promise<Unplaced> {
  const { catalog } = repository;
  const { domain, location, aloneBytes, gatherBytes } = options;
  const found: Unplaced = { alone: [], bundled: [], waiting: { bricks: 0, bytes: 0 }, elsewhere: [], damaged: [] };
  const placed = catalog.placedBricks({ domain, location });
  const small: (Member & { modifiedAt: Date })[] = [];
  for (const kind of BRICK_KINDS) {
    const hot = await hotBricks(repository, kind);
    for (const { name, bytes, treeHash, excluded } of catalog.bricks({ domain, kind })) {
      if (placed.has(name) || excluded.gone || excluded.condemned) continue;
      const there = hot.get(name);
      if (there === undefined) found.elsewhere.push(name);
      else if (there.size !== bytes || excluded.damaged.length > 0) found.damaged.push(name);
      else if (kind === "D" && bytes >= aloneBytes) found.alone.push({ name, bytes, treeHash });
      else if (kind === "D") small.push({ name: brickObject(kind, name), bytes, modifiedAt: there.modifiedAt });
      else found.bundled.push({ name: brickObject(kind, name), bytes });
    }
  }
  if (mustLeave(small, { gatherBytes, now: await repository.store.now() })) found.bundled.push(...small);
  else found.waiting = { bricks: small.length, bytes: sum(small) };
  const rest = await otherObjects(repository, { domain, location, standing: standingHandles(catalog, options) });
  if (found.bundled.length > 0 || await hasNews(repository, { domain, objects: rest.fresh })) {
    found.bundled.push(...rest.fresh, ...rest.always);
  }
  return found;
}

async function hotBricks({ store }: Repository, kind: "D" | "M"): Promise<Map<string, StoredObject>> {
  const bricks = new Map<string, StoredObject>();
  for await (const object of store.list(brickFolder(kind))) {
    const brick = parseBrickObject(object.name);
    if (brick?.kind === kind) bricks.set(brick.name, object);
  }
  return bricks;
}

function mustLeave(
  small: readonly (Member & { modifiedAt: Date })[],
  { gatherBytes, now }: { gatherBytes: number | undefined; now: Date },
): boolean {
  if (gatherBytes === undefined || sum(small) >= gatherBytes) return true;
  return small.some(({ modifiedAt }) => now.getTime() - modifiedAt.getTime() >= LONGEST_WAIT_MS);
}

function sum(members: readonly Member[]): number {
  return members.reduce((total, { bytes }) => total + bytes, 0);
}

/**
 * Everything but bricks: what was not bundled before, and what every bundle has besides, so that the newest one opens with
 * today's keys.
 */
async function otherObjects(
  { store, catalog }: Repository,
  { domain, location, standing }: { domain: string; location: string; standing: ReadonlySet<string> },
): Promise<{ fresh: Member[]; always: Member[] }> {
  const fresh: Member[] = [];
  const always: Member[] = [];
  const take = ({ name, size: bytes }: StoredObject, isSmall: boolean) => {
    const bundle = catalog.openedIndex(note(location, name));
    if (bundle === undefined || (bundle !== "" && !standing.has(bundle))) fresh.push({ name, bytes });
    else if (isSmall) always.push({ name, bytes });
  };
  const folder = ledgerFolder(domain);
  for await (const object of store.list(folder)) {
    if (stampTime(object.name.slice(folder.length)) !== undefined) take(object, false);
  }
  for await (const object of store.list(indexFolder(domain))) {
    if (parseIndexObject(object.name)?.ending === ".json") take(object, false);
  }
  for await (const object of store.list(KEYS_PREFIX)) {
    if (/^keys\/[a-z0-9-]+\.age$/.test(object.name)) take(object, true);
  }
  const config = await store.head(CONFIG_NAME);
  if (config !== undefined) take(config, true);
  return { fresh, always };
}

/**
 * Whether any of these is worth a bundle. A ledger object that tells of nothing but placements is not: each bundle makes one,
 * so there would be no end. They wait for the next bundle.
 */
async function hasNews(
  repository: Repository,
  { domain, objects }: { domain: string; objects: readonly Member[] },
): Promise<boolean> {
  const folder = ledgerFolder(domain);
  if (objects.some(({ name }) => !name.startsWith(folder))) return true;
  for (const { name } of objects) {
    try {
      if ((await readLedger(repository, domain, name)).some(({ type }) => type !== "placed")) return true;
    } catch (error) {
      // A damaged one tells of nothing, and was warned of when it was to be learned.
      if (!(error instanceof DamageError)) throw error;
    }
  }
  return false;
}

function note(location: string, object: string): string {
  return `bundled ${location} ${object}`;
}

/** Objects that were placed and not lost since. */
function standingHandles(catalog: Catalog, { domain, location }: UnplacedOptions): Set<string> {
  return new Set([...catalog.placements({ domain, location })].map(({ object }) => object.handle));
}

/**
 * Remembers that objects are in a bundle; bricks need it not, since the ledger tells of them. `handle` is that of a bundle with
 * bricks in it: if the ledger says one day that it was lost, the others go once more, too.
 */
export function noteBundled(
  catalog: Catalog,
  objects: readonly string[],
  bundle: { location: string; handle: string | undefined },
): void {
  catalog.transaction(() => {
    if (bundle.handle !== undefined) catalog.keepOpenedIndex(ownNote(bundle.location, bundle.handle), "");
    for (const name of objects) {
      if (parseBrickObject(name) !== undefined) continue;
      catalog.keepOpenedIndex(note(bundle.location, name), bundle.handle ?? "");
    }
  });
}

/** Whether this machine has made a bundle, and so knows what is in it. */
export function isOwnBundle(catalog: Catalog, location: string, handle: string): boolean {
  return catalog.openedIndex(ownNote(location, handle)) !== undefined;
}

function ownNote(location: string, handle: string): string {
  return `own bundle ${location} ${handle}`;
}
