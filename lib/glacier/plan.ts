/**
 * What a restore costs and when it can begin, for each tier that is there for the objects it needs. Only arithmetic:
 * nobody is asked, nothing is paid. docs/PRICES.md says how each figure is computed.
 */
import type { Thaw, Tier } from "./cold.ts";
import { MONTH_DAYS, per1000, perGb } from "./money.ts";
import type { EgressPrices, PriceClass, Prices } from "./prices.ts";
import { copyExpiry, DAY_MS, thawTime, tierRefusal, tiers, tiersOf, type TimeRange } from "./tiers.ts";

/** A stored object that a restore reads from. */
export interface NeededObject {
  readonly class: PriceClass;
  /** Of the stored object. */
  readonly bytes: number;
  /** Bytes that are read of it. */
  readonly neededBytes: number;
  /** Bytes that a thaw asks for, where that may be less than all (vaults). */
  readonly thawBytes?: number;
  /** Requests in which the bytes are read; 1 when not given. */
  readonly reads?: number;
  /** As last seen; when not given, cold if its class needs a thaw. */
  readonly thaw?: Thaw;
}

/** Money in USD, split by what it is for. */
export interface RestoreCost {
  /** For bytes that are thawed. */
  readonly retrieval: number;
  /** For asking. */
  readonly requests: number;
  /** For readable copies while they are kept. */
  readonly copies: number;
  /** For reading: requests, and fees of classes that need no thaw. */
  readonly reads: number;
  /** For bytes that leave the provider's network. */
  readonly egress: number;
  readonly total: number;
}

/** One way to restore. */
export interface RestoreEstimate {
  /** Undefined when nothing has to be asked for. */
  readonly tier: Tier | undefined;
  /** When all of it can be read. */
  readonly readable: TimeRange;
  /** Until when copies are kept that are asked for now; undefined when none are. */
  readonly copiesUntil: Date | undefined;
  readonly cost: RestoreCost;
}

interface Amount {
  readonly objects: number;
  readonly bytes: number;
}

/** What a restore needs, and the ways to get it. */
export interface RestorePlan {
  /** Must be asked for: so many requests, so many bytes. */
  readonly cold: Amount;
  /** Were asked for already. */
  readonly thawing: Amount;
  /** Can be read now. */
  readonly ready: Amount;
  /** Bytes that are read. */
  readonly restoredBytes: number;
  /** Bytes to thaw for each byte that is read; 0 when nothing is read. */
  readonly ratio: number;
  /** The fastest first. */
  readonly choices: readonly RestoreEstimate[];
  readonly unavailable: readonly { readonly tier: Tier; readonly why: string }[];
}

/** How long copies are kept, what leaves the network (all that is read when not given), prices, and the time. */
export interface RestoreOptions {
  readonly days: number;
  readonly egressBytes?: number;
  readonly prices: Prices;
  readonly now: Date;
}

/** Computes what a restore would cost with each tier. */
export function estimateRestore(objects: readonly NeededObject[], options: RestoreOptions): RestorePlan {
  const inState = (...states: Thaw["state"][]) =>
    objects.filter((object) => states.includes(stateOf(object, options.now)));
  const [cold, thawing, ready] = [inState("cold"), inState("thawing"), inState("direct", "ready")];
  const restoredBytes = sum(objects, ({ neededBytes }) => neededBytes);
  const amounts = { cold: amount(cold), thawing: amount(thawing), ready: amount(ready) };
  const unavailable = tiers.flatMap((tier) => {
    const why = cold.map((object) => tierRefusal(object, tier)).find((why) => why !== undefined);
    return why === undefined ? [] : [{ tier, why }];
  });
  const offered = tiers.filter((tier) => !unavailable.some((other) => other.tier === tier));
  const wait = thawing.map((object) => remaining(object, options.now));
  const shared = {
    reads: sum(objects, (object) => readCost(object, options.prices)),
    egress: egressCost(options.egressBytes ?? restoredBytes, options.prices.egress),
  };
  const choices = (cold.length === 0 ? [undefined] : offered)
    .map((tier) => estimate(cold, { ...options, tier, wait, shared }));
  const ratio = restoredBytes > 0 ? amounts.cold.bytes / restoredBytes : 0;
  return { ...amounts, restoredBytes, ratio, choices, unavailable };
}

/** What bytes cost that leave the network in a month in which nothing else left it. */
export function egressCost(bytes: number, { freeGb, steps }: EgressPrices): number {
  const gb = perGb(bytes, 1);
  let before = freeGb;
  let usd = 0;
  for (const step of steps) {
    usd += Math.max(0, Math.min(gb, step.upToGb) - before) * step.perGb;
    before = Math.max(before, step.upToGb);
  }
  return usd;
}

interface Choice extends RestoreOptions {
  readonly tier: Tier | undefined;
  readonly wait: readonly TimeRange[];
  readonly shared: { readonly reads: number; readonly egress: number };
}

function estimate(cold: readonly NeededObject[], { tier, wait, shared, days, prices, now }: Choice): RestoreEstimate {
  const until = copyExpiry(now, days);
  const copyDays = (until.getTime() - now.getTime()) / DAY_MS;
  const retrievalOf = (object: NeededObject) => prices.classes[object.class].retrieval[tier!]!;
  const retrieval = sum(cold, (object) => perGb(thawed(object), retrievalOf(object).perGb));
  const requests = sum(cold, (object) => per1000(1, retrievalOf(object).requestsPer1000));
  const copyPrice = (object: NeededObject) => prices.classes[object.class].copyGbMonth;
  const copies = sum(cold, (object) => perGb(object.bytes, copyPrice(object)) * copyDays / MONTH_DAYS);
  const total = retrieval + requests + copies + shared.reads + shared.egress;
  const times = [...wait, ...cold.map((object) => thawTime(object.class, tier!)!)];
  return {
    tier,
    readable: { leastMs: most(times, "leastMs"), mostMs: most(times, "mostMs") },
    copiesUntil: cold.some((object) => object.class !== "VAULT") ? until : undefined,
    cost: { retrieval, requests, copies, ...shared, total },
  };
}

function stateOf({ class: name, thaw }: NeededObject, now: Date): Thaw["state"] {
  if (thaw?.state === "ready" && thaw.until !== undefined && thaw.until <= now) return "cold";
  return thaw?.state ?? (tiersOf(name).length > 0 ? "cold" : "direct");
}

/** How long something that is thawing takes; its tier may be unknown, then the slowest counts. */
function remaining({ class: name, thaw }: NeededObject, now: Date): TimeRange {
  const { tier, readyAt } = thaw as Extract<Thaw, { state: "thawing" }>;
  if (readyAt !== undefined) {
    // Below 0, it is late; then `most` says 0.
    const ms = readyAt.getTime() - now.getTime();
    return { leastMs: ms, mostMs: ms };
  }
  const mostMs = (tier && thawTime(name, tier)?.mostMs) ??
    most(tiersOf(name).map((each) => thawTime(name, each)!), "mostMs");
  return { leastMs: 0, mostMs };
}

function readCost({ class: name, neededBytes, reads = 1 }: NeededObject, prices: Prices): number {
  const { getPer1000, readPerGb } = prices.classes[name];
  return per1000(reads, getPer1000) + perGb(neededBytes, readPerGb);
}

function thawed({ bytes, thawBytes }: NeededObject): number {
  return thawBytes ?? bytes;
}

function amount(objects: readonly NeededObject[]): Amount {
  return { objects: objects.length, bytes: sum(objects, thawed) };
}

function most(times: readonly TimeRange[], which: keyof TimeRange): number {
  return times.reduce((longest, time) => Math.max(longest, time[which]), 0);
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}
