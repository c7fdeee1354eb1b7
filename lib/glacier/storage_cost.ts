/** What it costs to put objects into cold storage, to keep them there a month, and to remove them too early. */
import { MONTH_DAYS, per1000, perGb } from "./money.ts";
import { type PriceClass, priceClasses, type Prices } from "./prices.ts";
import { DAY_MS } from "./tiers.ts";

/** An object, as far as its price goes. */
export interface PricedObject {
  readonly class: PriceClass;
  readonly bytes: number;
}

/** What the objects of one class cost a month, in USD. */
export interface ClassMonth {
  readonly class: PriceClass;
  readonly objects: number;
  readonly bytes: number;
  /** With what small objects are rounded up to. */
  readonly billedBytes: number;
  /** What the provider stores beside the objects and bills. */
  readonly overheadBytes: number;
  readonly cost: { readonly storage: number; readonly overhead: number; readonly total: number };
}

/** What objects cost a month, in USD. */
export interface MonthlyEstimate {
  /** Only classes with objects. */
  readonly classes: readonly ClassMonth[];
  readonly cost: { readonly total: number };
}

/** What it costs to store objects: once, and then each month. */
export interface UploadEstimate {
  readonly objects: number;
  readonly bytes: number;
  /** Requests that store something: puts, or the parts of uploads to vaults with their beginnings and ends. */
  readonly requests: number;
  readonly parts: number;
  /** Paid once, in USD: `puts` for the requests, `checks` for asking the store what it holds. */
  readonly cost: { readonly puts: number; readonly checks: number; readonly total: number };
  readonly monthly: MonthlyEstimate;
  /** What is paid for storage at least, however soon the objects are removed, in USD. */
  readonly leastStorage: number;
}

/** The part of a vault upload when the caller does not say. */
const PART_BYTES = 16 * 1024 * 1024;

/** Estimates an upload; `partBytes` is the size of the parts of uploads to vaults. */
export function estimateUpload(
  objects: readonly PricedObject[],
  { prices, partBytes = PART_BYTES }: { prices: Prices; partBytes?: number },
): UploadEstimate {
  let [bytes, requests, parts, puts, checks, leastStorage] = [0, 0, 0, 0, 0, 0];
  for (const object of objects) {
    const { putPer1000, getPer1000, minimumDays } = prices.classes[object.class];
    const itsParts = object.class === "VAULT" ? Math.max(1, Math.ceil(object.bytes / partBytes)) : 1;
    // A vault counts the request that begins an upload and the one that ends it.
    const itsRequests = object.class === "VAULT" ? itsParts + 2 : 1;
    bytes += object.bytes;
    parts += itsParts;
    requests += itsRequests;
    puts += per1000(itsRequests, putPer1000);
    checks += per1000(1, getPer1000);
    leastStorage += storageMonth(object, prices) * minimumDays / MONTH_DAYS;
  }
  const cost = { puts, checks, total: puts + checks };
  return {
    objects: objects.length,
    bytes,
    requests,
    parts,
    cost,
    monthly: estimateMonthly(objects, { prices }),
    leastStorage,
  };
}

/** What objects cost a month, by class. */
export function estimateMonthly(objects: Iterable<PricedObject>, { prices }: { prices: Prices }): MonthlyEstimate {
  const byClass = new Map<PriceClass, { objects: number; bytes: number; billedBytes: number }>();
  for (const { class: name, bytes } of objects) {
    const sums = byClass.get(name) ?? { objects: 0, bytes: 0, billedBytes: 0 };
    byClass.set(name, sums);
    sums.objects++;
    sums.bytes += bytes;
    sums.billedBytes += Math.max(bytes, prices.classes[name].minimumBillableBytes);
  }
  const classes = priceClasses.flatMap((name): ClassMonth[] => {
    const sums = byClass.get(name);
    if (sums === undefined) return [];
    const { storageGbMonth, overheadBytes, overheadStandardBytes } = prices.classes[name];
    const storage = perGb(sums.billedBytes, storageGbMonth);
    const overhead = sums.objects * (perGb(overheadBytes, storageGbMonth) +
      perGb(overheadStandardBytes, prices.classes.STANDARD.storageGbMonth));
    return [{
      class: name,
      ...sums,
      overheadBytes: sums.objects * (overheadBytes + overheadStandardBytes),
      cost: { storage, overhead, total: storage + overhead },
    }];
  });
  return { classes, cost: { total: classes.reduce((total, { cost }) => total + cost.total, 0) } };
}

/** What removing an object at `now` costs: its storage for the rest of its minimum time. `freeAt`: when that is over. */
export function earlyDeletionFee(
  object: PricedObject & { readonly storedAt: Date },
  { now, prices }: { now: Date; prices: Prices },
): { usd: number; freeAt: Date } {
  const { minimumDays } = prices.classes[object.class];
  const freeAt = new Date(object.storedAt.getTime() + minimumDays * DAY_MS);
  // A clock that is behind must not make the fee larger than the whole minimum.
  const daysLeft = Math.min(minimumDays, Math.max(0, (freeAt.getTime() - now.getTime()) / DAY_MS));
  return { usd: storageMonth(object, prices) * daysLeft / MONTH_DAYS, freeAt };
}

/** A month of what counts for the minimum time: the object and its overhead in its own class. */
function storageMonth({ class: name, bytes }: PricedObject, prices: Prices): number {
  const { storageGbMonth, minimumBillableBytes, overheadBytes } = prices.classes[name];
  return perGb(Math.max(bytes, minimumBillableBytes) + overheadBytes, storageGbMonth);
}
