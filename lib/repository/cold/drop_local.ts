/**
 * Taking data bricks out of the hot store that cold storage keeps. Nothing is removed on this machine's word: the ledger as it
 * is now must tell of the placement, and the cold store itself must say, at that moment, that it holds these bytes. Bricks
 * of recipes, the ledger and indexes always stay.
 *
 * Nor on another machine's word alone, since one that was taken over may say in the ledger what it likes: the object must be
 * the brick itself, by its SHA-256, or a bundle that this machine has made.
 */
import type { Placement } from "../../catalog/mod.ts";
import type { ColdStore } from "../../glacier/mod.ts";
import { learn } from "../ledger.ts";
import { brickObject } from "../names.ts";
import { isBrickItself } from "../placed_bricks.ts";
import { listBricks } from "../presence.ts";
import type { Repository } from "../repository.ts";
import { isOwnBundle } from "./unplaced.ts";

/** Objects that a bucket is asked about at once; a vault reads its whole inventory to answer. */
const ASKED_AT_ONCE = 256;

export interface Dropped {
  bricks: number;
  bytes: number;
  /** Bricks that stay because the cold store did not say that it has them, and what it said of the first. */
  unconfirmed: number;
  why?: string;
  /** Bricks that the hot store did not let go of, and why. */
  refused: number;
  refusal?: string;
}

export interface DropOptions {
  domain: string;
  cold: ColdStore;
  signal: AbortSignal;
  /** Handles of which this run has told in the ledger, so that it need not be read again to be sure. */
  told: ReadonlySet<string>;
  /** Only these bricks. */
  only?: ReadonlySet<string>;
}

interface PlacedObject {
  handle: string;
  bytes: number;
  sha256: string;
  treeHash: string;
  placedAt: Date;
  bricks: { name: string; bytes: number }[];
}

/** Removes what sleeps safely; what cannot be removed stays, and that is told. */
export async function dropLocal(repository: Repository, options: DropOptions): Promise<Dropped> {
  const { cold, signal } = options;
  const dropped: Dropped = { bricks: 0, bytes: 0, unconfirmed: 0, refused: 0 };
  const { placements, foreign } = await hotAndPlaced(repository, options);
  const objects = byObject(placements);
  const step = cold.class === "VAULT" ? objects.length : ASKED_AT_ONCE;
  let ledger: Promise<ReadonlySet<string>> | undefined;
  for (let at = 0; at < objects.length; at += step) {
    const some = objects.slice(at, at + step);
    const isTold = async (handle: string) =>
      options.told.has(handle) || (await (ledger ??= handlesInLedger(repository, options))).has(handle);
    // What the ledger says is read first, so that nothing comes between the cold store's word and the removal.
    const told = await Promise.all(some.map(({ handle }) => isTold(handle)));
    const answers = await cold.confirm(some.map((object) => ({ ...object, storedAt: object.placedAt })), { signal });
    for (const [i, { bricks }] of some.entries()) {
      const answer = answers[i]!;
      if (told[i] && answer.found === "same") await drop(repository, bricks, { dropped, signal });
      else {
        dropped.unconfirmed += bricks.length;
        dropped.why ??= told[i] ? whyNot(answer) : "the ledger does not tell of it";
      }
    }
  }
  if (foreign > 0) {
    dropped.unconfirmed += foreign;
    dropped.why ??= "they are in bundles that another machine made, which alone knows that they are";
  }
  return dropped;
}

function whyNot(answer: { found: string; why?: string }): string {
  return answer.why ?? "it is not there";
}

/**
 * Placements of data bricks that are in the hot store, too, and that the ledger knows by the same length; and how many there
 * are that only another machine's bundles are said to hold.
 */
async function hotAndPlaced(
  repository: Repository,
  { domain, cold: { location }, only }: DropOptions,
): Promise<{ placements: Placement[]; foreign: number }> {
  const { catalog, store } = repository;
  const isData = (placement: Placement) =>
    placement.kind === "D" && placement.object.location === location &&
    (isBrickItself(placement) || isOwnBundle(catalog, location, placement.object.handle));
  if (only !== undefined) {
    const found: Placement[] = [];
    for (const name of only) {
      const placement = catalog.placementsOf(name, { domain }).find(isData);
      const known = catalog.brickByName(name, { domain })?.bytes;
      const hot = placement && await store.head(brickObject("D", name));
      if (placement !== undefined && hot?.size === known && known === placement.bytes) found.push(placement);
    }
    return { placements: found, foreign: 0 };
  }
  const hot = await listBricks(repository, "D");
  const sizes = new Map([...catalog.bricks({ domain, kind: "D" })].map(({ name, bytes }) => [name, bytes]));
  const found = new Map<string, Placement>();
  const foreign = new Set<string>();
  for (const placement of catalog.placements({ domain, location })) {
    const { brick, bytes } = placement;
    if (placement.kind !== "D" || hot.get(brick) !== bytes || sizes.get(brick) !== bytes) continue;
    if (isData(placement)) found.set(brick, placement);
    else foreign.add(brick);
  }
  return { placements: [...found.values()], foreign: [...foreign].filter((brick) => !found.has(brick)).length };
}

function byObject(placements: readonly Placement[]): PlacedObject[] {
  const objects = new Map<string, PlacedObject>();
  for (const { brick, bytes, object } of placements) {
    const known = objects.get(object.handle) ?? { ...object, bricks: [] };
    known.bricks.push({ name: brick, bytes });
    objects.set(object.handle, known);
  }
  return [...objects.values()];
}

async function handlesInLedger(repository: Repository, { domain, cold }: DropOptions): Promise<ReadonlySet<string>> {
  const handles = new Set<string>();
  await learn(repository, domain, {
    whole: true,
    told: (record) => {
      if (record.type === "placed" && record.placed.location === cold.location) handles.add(record.placed.handle);
    },
  });
  return handles;
}

async function drop(
  { store }: Repository,
  bricks: readonly { name: string; bytes: number }[],
  { dropped, signal }: { dropped: Dropped; signal: AbortSignal },
): Promise<void> {
  for (const { name, bytes } of bricks) {
    signal.throwIfAborted();
    try {
      await store.delete(brickObject("D", name));
      dropped.bricks++;
      dropped.bytes += bytes;
    } catch (error) {
      // A lock, or a key that may only add: the copy costs money, and that is all.
      dropped.refused++;
      dropped.refusal ??= (error as Error).message;
    }
  }
}
