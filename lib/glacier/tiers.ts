/** How long cold storage takes to make a copy readable, which tiers it offers for what, and how long copies stay. */
import type { ColdClass, Tier } from "./cold.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Above this, Amazon says nothing of how long an expedited retrieval takes, and may refuse it. */
export const EXPEDITED_BYTES = 250_000_000;

/** From the first to the last moment when something can be expected, counted from now. */
export interface TimeRange {
  readonly leastMs: number;
  readonly mostMs: number;
}

const times: Readonly<Partial<Record<ColdClass | "STANDARD", Readonly<Partial<Record<Tier, TimeRange>>>>>> = {
  GLACIER: {
    expedited: { leastMs: MINUTE_MS, mostMs: 5 * MINUTE_MS },
    standard: { leastMs: 3 * HOUR_MS, mostMs: 5 * HOUR_MS },
    bulk: { leastMs: 5 * HOUR_MS, mostMs: 12 * HOUR_MS },
  },
  // Only "within 12 hours" and "within 48 hours" are said.
  DEEP_ARCHIVE: {
    standard: { leastMs: 0, mostMs: 12 * HOUR_MS },
    bulk: { leastMs: 0, mostMs: 48 * HOUR_MS },
  },
  VAULT: {
    expedited: { leastMs: MINUTE_MS, mostMs: 5 * MINUTE_MS },
    standard: { leastMs: 3 * HOUR_MS, mostMs: 5 * HOUR_MS },
    bulk: { leastMs: 5 * HOUR_MS, mostMs: 12 * HOUR_MS },
  },
};

/** All tiers, the fastest first. */
export const tiers: readonly Tier[] = ["expedited", "standard", "bulk"];

/** The tiers that a class has, the fastest first; none for classes that are read without a thaw. */
export function tiersOf(name: ColdClass | "STANDARD"): Tier[] {
  return tiers.filter((tier) => times[name]?.[tier] !== undefined);
}

/** How long a thaw takes; undefined when the class has no such tier. */
export function thawTime(name: ColdClass | "STANDARD", tier: Tier): TimeRange | undefined {
  return times[name]?.[tier];
}

/** Why an object cannot be thawed with this tier; undefined when it can. */
export function tierRefusal(
  object: { readonly class: ColdClass | "STANDARD"; readonly bytes: number },
  tier: Tier,
): string | undefined {
  if (thawTime(object.class, tier) === undefined) return `${object.class} has no ${tier} retrieval`;
  if (tier === "expedited" && object.bytes >= EXPEDITED_BYTES) {
    return "expedited retrieval is for objects under 250 MB";
  }
  return undefined;
}

/** Until when S3 keeps a copy that is asked for now: `days` from now, rounded up to the next midnight UTC. */
export function copyExpiry(askedAt: Date, days: number): Date {
  if (!Number.isSafeInteger(days) || days < 1) throw new RangeError(`Copies are kept for whole days, not for ${days}`);
  return new Date(Math.ceil((askedAt.getTime() + days * DAY_MS) / DAY_MS) * DAY_MS);
}
