/** Where the bricks of a restore are: in the hot store, or in which object of which cold store. */
import type { Catalog, Placement } from "../catalog/mod.ts";
import { type ColdClass, type NeededObject, type PriceClass, tiersOf } from "../glacier/mod.ts";
import type { NeededBrick } from "./needed_bricks.ts";

/** An object of a cold store that a restore reads from. */
export interface ColdNeed {
  readonly location: string;
  readonly handle: string;
  readonly class: ColdClass;
  /** Of the object. */
  readonly bytes: number;
  readonly placedAt: Date;
  readonly bricks: readonly string[];
  readonly neededBytes: number;
  readonly reads: number;
  /** As in NeededBrick. */
  readonly first: number;
  readonly last: number;
}

/** Where all that a restore reads is. */
export interface Whereabouts {
  readonly hot: readonly NeededBrick[];
  /** In the order in which the restore comes to them. */
  readonly cold: readonly ColdNeed[];
  /** Names of bricks that are neither here nor there. */
  readonly lost: readonly string[];
}

/** Finds the bricks. `hot`: what the hot store holds, with sizes; what is there is never taken from a cold store. */
export function whereabouts(
  needed: readonly NeededBrick[],
  { catalog, domain, hot }: { catalog: Catalog; domain: string; hot: ReadonlyMap<string, number> },
): Whereabouts {
  const here: NeededBrick[] = [];
  const lost: string[] = [];
  const objects = new Map<string, ColdNeed>();
  for (const brick of needed) {
    if (hot.has(brick.name)) {
      here.push(brick);
      continue;
    }
    const placement = theBest(catalog.placementsOf(brick.name, { domain }));
    if (placement === undefined) {
      lost.push(brick.name);
      continue;
    }
    const { location, handle, bytes, placedAt } = placement.object;
    const key = `${location} ${handle}`;
    const known = objects.get(key);
    objects.set(key, {
      ...{ location, handle, bytes, placedAt, class: placement.object.class as ColdClass },
      bricks: [...known?.bricks ?? [], brick.name],
      neededBytes: (known?.neededBytes ?? 0) + brick.neededBytes,
      reads: (known?.reads ?? 0) + brick.reads,
      first: known?.first ?? brick.first,
      last: Math.max(known?.last ?? 0, brick.last),
    });
  }
  return { hot: here, cold: [...objects.values()], lost };
}

/** What needs no thaw comes first, then the smallest object: a bundle is thawed whole. */
function theBest(placements: readonly Placement[]): Placement | undefined {
  const weight = ({ object }: Placement) => needsThaw(object.class as ColdClass) ? object.bytes : 0;
  return placements.toSorted((a, b) => weight(a) - weight(b))[0];
}

/** Whether objects of a class are read only after they were asked for. */
export function needsThaw(name: PriceClass): boolean {
  return tiersOf(name).length > 0;
}

/** What is read, as far as its price goes; `hotClass` undefined: the hot store is a disk, and costs nothing. */
export function pricedNeeds({ hot, cold }: Whereabouts, hotClass: PriceClass | undefined): NeededObject[] {
  const fromHot = hotClass === undefined ? [] : hot.map((brick) => ({ ...brick, class: hotClass }));
  return [...fromHot, ...cold];
}

/** What of a restore lies in one cold store, in one class. */
export interface ColdShare {
  location: string;
  class: ColdNeed["class"];
  /** Objects, their bytes, the bricks in them that are needed, and the bytes that are read of those. */
  objects: number;
  bytes: number;
  bricks: number;
  neededBytes: number;
}

/** What of a restore is where, by place and class. */
export function shares(cold: Whereabouts["cold"]): ColdShare[] {
  const found = new Map<string, ColdShare>();
  for (const object of cold) {
    const { location } = object;
    const key = `${location} ${object.class}`;
    const share = found.get(key) ??
      { location, class: object.class, objects: 0, bytes: 0, bricks: 0, neededBytes: 0 };
    found.set(key, share);
    share.objects++;
    share.bytes += object.bytes;
    share.bricks += object.bricks.length;
    share.neededBytes += object.neededBytes;
  }
  return [...found.values()];
}
