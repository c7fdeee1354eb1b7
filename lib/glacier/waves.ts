/**
 * A thaw that takes days and that may be stopped and run again at any time. Nothing is remembered: each step follows
 * from what is still wanted, in the order in which it will be restored, and from what the store says of each object.
 *
 * A window bounds how much is thawed ahead of the restore, so that a slow line does not let copies expire. It is the
 * longest beginning of what is still wanted that fits into it. As objects are restored and leave the list, the window
 * moves on; what was asked for stays in it. And the object that is needed next is always in it, whatever else has been
 * thawed, so that a restore in order never waits for what nobody asks for.
 */
import type { ColdClass, Thaw, Tier } from "./cold.ts";
import { DAY_MS, MINUTE_MS, thawTime } from "./tiers.ts";

/** Objects in groups, in order, each of at most `windowBytes`; a larger object is a group of its own. */
export function waves<T extends { readonly bytes: number }>(
  objects: readonly T[],
  { windowBytes }: { windowBytes: number },
): T[][] {
  checkWindow(windowBytes);
  const groups: T[][] = [];
  let room = -1;
  for (const object of objects) {
    if (object.bytes > room) {
      groups.push([]);
      room = windowBytes;
    }
    groups.at(-1)!.push(object);
    // A larger object leaves no room, not even for what has no bytes.
    room = room >= object.bytes ? room - object.bytes : -1;
  }
  return groups;
}

/** An object that is still to be restored, and what the store says of it now. */
export interface AwaitedObject {
  readonly class: ColdClass;
  /** Bytes that a thaw of it makes readable. */
  readonly bytes: number;
  readonly thaw: Thaw;
}

/** How to thaw. */
export interface ThawOptions {
  readonly now: Date;
  readonly tier: Tier;
  /** For how many days copies are asked for. */
  readonly days: number;
  /** How much is thawed ahead of the restore; everything when not given. */
  readonly windowBytes?: number;
  /** Copies that expire sooner than this are asked for again. */
  readonly marginMs: number;
  /** How often to look when nobody says when something is ready; 15 minutes when not given. */
  readonly pollMs?: number;
}

/** What to do now. All lists are in the order of the restore. */
export interface ThawStep<T> {
  /** Ask for these. */
  readonly ask: readonly T[];
  /** Ask for these again: they can be read, but not for long. In a bucket that prolongs the copy for a request's price. */
  readonly renew: readonly T[];
  /** These can be read. What is renewed is among them. */
  readonly readable: readonly T[];
  readonly thawing: readonly T[];
  /** These wait until others are restored. */
  readonly later: readonly T[];
  /** Look again then, when there is nothing else to do; undefined when waiting changes nothing. */
  readonly waitUntil: Date | undefined;
}

/** The next step of a thaw. `wanted`: what is still to be restored, in order. */
export function nextThawStep<T extends AwaitedObject>(wanted: readonly T[], options: ThawOptions): ThawStep<T> {
  const { now, tier, days, marginMs, pollMs = 15 * MINUTE_MS, windowBytes = Infinity } = options;
  checkWindow(windowBytes);
  if (!(marginMs >= 0 && marginMs < days * DAY_MS)) {
    throw new RangeError(`Copies that are kept for ${days} days cannot be renewed ${marginMs} ms before they expire`);
  }
  const step = { ask: [] as T[], renew: [] as T[], readable: [] as T[], thawing: [] as T[], later: [] as T[] };
  const moments: number[] = [];
  const start = now.getTime();
  let used = 0;
  let empty = true;
  for (const object of wanted) {
    const { thaw } = object;
    if (thaw.state === "direct") {
      step.readable.push(object);
      continue;
    }
    // What is behind the window's end counts too, so that nothing small slips in there.
    const full = !empty && used + object.bytes > windowBytes;
    empty = false;
    used += object.bytes;
    const until = thaw.state === "ready" ? thaw.until?.getTime() ?? Infinity : -Infinity;
    if (thaw.state === "thawing") {
      step.thawing.push(object);
      const readyAt = thaw.readyAt?.getTime() ?? 0;
      moments.push(readyAt > start ? readyAt : start + pollMs);
    } else if (until > start) {
      step.readable.push(object);
      // A vault cannot prolong: asking again would be a second retrieval, and cost as much.
      const renewAt = object.class === "VAULT" ? until : until - marginMs;
      if (!full && renewAt <= start) step.renew.push(object);
      else moments.push(renewAt > start ? renewAt : until);
    } else if (full) {
      step.later.push(object);
    } else {
      step.ask.push(object);
      moments.push(start + Math.max(pollMs, thawTime(object.class, tier)?.leastMs ?? 0));
    }
  }
  const next = moments.reduce((first, moment) => Math.min(first, moment), Infinity);
  return { ...step, waitUntil: next === Infinity ? undefined : new Date(next) };
}

function checkWindow(windowBytes: number): void {
  if (!(windowBytes > 0)) throw new RangeError(`A window of ${windowBytes} bytes lets nothing through`);
}
