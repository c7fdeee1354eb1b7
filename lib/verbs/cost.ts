/**
 * `cost`: what a repository costs a month, place by place, and what removing things today would cost on top. What lies in cold
 * storage is known from the ledger, so no cold store is asked; the hot store is listed.
 */
import {
  type ClassMonth,
  type ColdClass,
  earlyDeletionFee,
  estimateMonthly,
  type PriceClass,
  type PricedObject,
  type Prices,
  type PriceSource,
  priceSources,
} from "../glacier/mod.ts";
import type { Repository } from "../repository/mod.ts";
import { catchUp, open } from "./open.ts";
import { hotClasses, readPrices } from "./price_file.ts";
import type { VerbSession } from "./session.ts";

/** What lies in one place in one class. */
export interface CostPlace {
  location: string;
  /** Undefined: on a disk of your own, which has no price here. */
  class?: PriceClass;
  objects: number;
  bytes: number;
  /** USD a month; 0 on a disk. */
  month: ClassMonth["cost"];
  /** What removing all of it now would cost, in USD: the rest of its minimum time. */
  earlyDeletion: number;
  /** When the last of it can be removed for nothing. */
  freeAt?: Date;
}

export interface CostResult {
  hot: CostPlace[];
  cold: CostPlace[];
  /** USD a month, and for removing everything now. */
  month: number;
  earlyDeletion: number;
  prices: PriceSource[];
}

interface StoredThing extends PricedObject {
  storedAt: Date;
}

const nothing = { storage: 0, overhead: 0, total: 0 };

/** What the repository costs. */
export async function cost(session: VerbSession): Promise<CostResult> {
  const opened = await open(session);
  try {
    const { repository } = opened;
    const prices = await readPrices(session.places.config());
    await catchUp(session, repository);
    const pricing = { prices, now: session.now() };
    const hot = await hotPlaces(session, repository, pricing);
    const cold = coldPlaces(repository, pricing);
    const all = [...hot, ...cold];
    return {
      hot,
      cold,
      month: all.reduce((sum, { month }) => sum + month.total, 0),
      earlyDeletion: all.reduce((sum, place) => sum + place.earlyDeletion, 0),
      prices: priceSources(prices, new Set(all.flatMap((place) => place.class ?? []))),
    };
  } finally {
    await opened.close();
  }
}

interface Pricing {
  prices: Prices;
  now: Date;
}

async function hotPlaces(
  session: VerbSession,
  { store }: Repository,
  pricing: Pricing,
): Promise<CostPlace[]> {
  const { location } = store;
  const classes = await hotClasses(session, location);
  const things: StoredThing[] = [];
  let [objects, bytes] = [0, 0];
  for await (const { name, size, modifiedAt } of store.list("")) {
    objects++;
    bytes += size;
    session.progress.update({ phase: "listing the repository", itemsDone: objects });
    if (classes === undefined) continue;
    const itsClass = name.startsWith("bricks/") ? classes.data : name.startsWith("meta/") ? classes.meta : "STANDARD";
    things.push({ class: itsClass, bytes: size, storedAt: modifiedAt });
  }
  if (classes === undefined) return [{ location, objects, bytes, month: nothing, earlyDeletion: 0 }];
  return placesOf(location, things, pricing);
}

/** By the ledger; objects of which every brick is on record as gone were removed. */
function coldPlaces({ catalog }: Repository, pricing: Pricing): CostPlace[] {
  const gone = new Set(catalog.excluded("gone"));
  const idOf = ({ location, handle }: { location: string; handle: string }) => `${location} ${handle}`;
  const [alive, emptied] = [new Set<string>(), new Set<string>()];
  for (const { brick, object } of catalog.placements()) (gone.has(brick) ? emptied : alive).add(idOf(object));
  const objects = new Map<string, StoredThing & { location: string }>();
  for (const object of catalog.placedObjects()) {
    const id = idOf(object);
    if (emptied.has(id) && !alive.has(id)) continue;
    const { location, bytes, placedAt } = object;
    objects.set(id, { location, bytes, class: object.class as ColdClass, storedAt: placedAt });
  }
  const byLocation = Map.groupBy(objects.values(), ({ location }) => location);
  return [...byLocation].flatMap(([location, things]) => placesOf(location, things, pricing));
}

function placesOf(location: string, things: readonly StoredThing[], { prices, now }: Pricing): CostPlace[] {
  return estimateMonthly(things, { prices }).classes.map(({ class: name, objects, bytes, cost }) => {
    const fees = things.filter((thing) => thing.class === name).map((thing) =>
      earlyDeletionFee(thing, { now, prices })
    );
    const earlyDeletion = fees.reduce((sum, { usd }) => sum + usd, 0);
    const freeAt = fees.reduce((latest, fee) => Math.max(latest, fee.freeAt.getTime()), 0);
    return {
      ...{ location, class: name, objects, bytes, month: cost, earlyDeletion },
      ...(freeAt > now.getTime() ? { freeAt: new Date(freeAt) } : {}),
    };
  });
}
