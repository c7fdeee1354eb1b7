/**
 * When to kill: counted in time from the start (starting up, learning), in bytes that were fed, in changes to the
 * repository's files, and in time after the last byte (the end of the recipe, ledger, indexes).
 */
import assert from "node:assert/strict";
import { type Numbers } from "./numbers.ts";
import { assertEnded, type Running } from "./running.ts";
import type { Site } from "./site.ts";

/** How a run goes that nobody disturbs. */
export interface Pace {
  /** From the start to the first change in the repository. */
  readonly firstEventMs: number;
  /** From the last byte to the end of the process. */
  readonly endMs: number;
  readonly totalMs: number;
  /** Changes in the repository. */
  readonly events: number;
  readonly storedBytes: number;
}

/** A moment of a run. */
export interface Moment {
  readonly name: string;
  /** Done when the moment has come; `input` is fed by it. */
  reach(run: { running: Running; input: Uint8Array; events: Events }): Promise<unknown>;
}

/** The changes in a repository, as they happen. */
export interface Events {
  readonly count: number;
  /** Done when there were so many, or when nobody looks any more. */
  until(count: number): Promise<void>;
}

/** A moment of one of the kinds, which take turns with `turn`. */
export function momentOf(turn: number, pace: Pace, next: Numbers): Moment {
  const kinds = [byTime, byBytes, byEvents, byEnd, byEvents, byBytes, byEvents, byEnd];
  return kinds[turn % kinds.length]!(pace, next);
}

function byTime({ firstEventMs }: Pace, next: Numbers): Moment {
  const ms = next(Math.ceil(firstEventMs * 1.5));
  return {
    name: `${ms} ms after the start`,
    async reach({ running, input }) {
      const fed = feedAll(running, input);
      await after(ms, running);
      return fed;
    },
  };
}

function byBytes(_pace: Pace, next: Numbers): Moment {
  const share = next(1001) / 1000;
  return {
    name: `after ${(share * 100).toFixed(1)} % of the input`,
    reach: ({ running, input }) => running.feed(input.subarray(0, Math.floor(input.length * share))),
  };
}

function byEvents({ events: usual }: Pace, next: Numbers): Moment {
  const count = 1 + next(usual);
  const lateMs = next(2) === 0 ? 0 : next(20);
  return {
    name: `${lateMs} ms after the ${count}th change in the repository`,
    async reach({ running, input, events }) {
      feedAll(running, input);
      await Promise.race([events.until(count), running.ended]);
      await after(lateMs, running);
    },
  };
}

function byEnd({ endMs }: Pace, next: Numbers): Moment {
  const ms = next(Math.ceil(endMs));
  return {
    name: `${ms} ms after the last byte`,
    async reach({ running, input }) {
      await feedAll(running, input);
      await after(ms, running);
    },
  };
}

async function feedAll(running: Running, input: Uint8Array): Promise<void> {
  await running.feed(input);
  await running.endInput();
}

/** So much later, or when it has ended. */
async function after(ms: number, running: Running): Promise<void> {
  if (ms === 0) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, running.ended]);
  clearTimeout(timer);
}

/** Runs a backup without disturbing it. */
export async function usualPace(site: Site, tar: Uint8Array): Promise<Pace> {
  const beganMs = performance.now();
  let firstEventMs = 0;
  let fedMs = 0;
  let endedMs = 0;
  let events = 0;
  const ended = await watching(site, async (seen) => {
    seen.until(1).then(() => firstEventMs = performance.now() - beganMs);
    const running = site.startCreate();
    await feedAll(running, tar);
    fedMs = performance.now();
    const ended = await running.ended;
    endedMs = performance.now();
    events = seen.count;
    return ended;
  });
  assertEnded(ended, { code: 0 });
  const { storedBytes } = JSON.parse(ended.stdout) as { storedBytes: number };
  return { firstEventMs, endMs: endedMs - fedMs, totalMs: endedMs - beganMs, events, storedBytes };
}

/** Starts a backup and kills it at a moment. If that does not come, the backup ends as usual. */
export async function startAndKill(site: Site, input: Uint8Array, moment: Moment): Promise<void> {
  await watching(site, async (events) => {
    const running = site.startCreate();
    await moment.reach({ running, input, events });
    running.kill("SIGKILL");
    const ended = await running.ended;
    if (ended.signal !== "SIGKILL") assertEnded(ended, { code: 0 });
  });
}

async function watching<T>(site: Site, use: (events: Events) => Promise<T>): Promise<T> {
  const watcher = Deno.watchFs(site.location, { recursive: true });
  let count = 0;
  const waiting = new Map<() => void, number>();
  const events: Events = {
    get count() {
      return count;
    },
    until: (wanted) => new Promise((resolve) => waiting.set(resolve, wanted)),
  };
  const done = (async () => {
    for await (const { kind } of watcher) {
      // Reading is no change.
      if (kind === "access") continue;
      count++;
      for (const [resolve, wanted] of waiting) if (count >= wanted) resolve();
    }
    for (const resolve of waiting.keys()) resolve();
  })();
  try {
    return await use(events);
  } finally {
    watcher.close();
    await done;
  }
}

/** That rounds met runs in every state. */
export function assertMoments(met: Record<"bricks" | "open" | "nothing", number>): Promise<void> {
  assert.ok(met.bricks > 4 && met.open > 2 && met.nothing > 2, JSON.stringify(met));
  return Promise.resolve();
}
