/**
 * Trying again. A home line is away for an evening, Amazon for an hour, and an upload that takes days must outlive both:
 * so the budget is a time, not a number of attempts, and every wait is random below a limit that doubles ("full jitter"),
 * so that many parts do not come back at once. Clock, sleep and randomness are handed in.
 */

/** Time, as everything here sees it. */
export interface Pace {
  /** The time of day: it signs requests and says what has expired. */
  now(): Date;
  /** Milliseconds since whenever; it stands still while the machine sleeps. */
  nowMs(): number;
  /** Rejects with the signal's reason when that is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** At least 0, less than 1. */
  random(): number;
  /** For how long one request is tried again before it is given up. */
  patienceMs: number;
  /** The same before the service has answered for the first time: a mistyped place should say so soon. */
  firstContactMs: number;
  /** Hears of outages that last. */
  warn(message: string): void;
}

/** What to make of a failure: try again with patience, a few times only, or not at all. */
export type Verdict = "patient" | "few" | "never";

const firstWaitMs = 500;
const longestWaitMs = 5 * 60_000;
const shortestWaitMs = 100;
const fewAttempts = 5;
const warnEveryMs = 10 * 60_000;

/**
 * Does `attempt` until it succeeds. `recheck` is asked before each further attempt, for requests that must not take effect
 * twice: whether an earlier one did, although its answer was lost.
 */
export async function persistently<T>(
  attempt: () => Promise<T>,
  options: {
    pace: Pace;
    signal: AbortSignal;
    judge: (error: unknown) => Verdict;
    /** For how long it may fail, as things stand. */
    patienceMs: () => number;
    recheck?: () => Promise<T | undefined>;
  },
): Promise<T> {
  const { pace, signal, judge, patienceMs, recheck } = options;
  const beganMs = pace.nowMs();
  let warnMs = beganMs + warnEveryMs;
  let few = 0;
  for (let failures = 0;; failures++) {
    signal.throwIfAborted();
    try {
      const earlier = failures > 0 ? await recheck?.() : undefined;
      return earlier ?? await attempt();
    } catch (error) {
      signal.throwIfAborted();
      const verdict = judge(error);
      if (verdict === "never" || (verdict === "few" && ++few >= fewAttempts)) throw error;
      const wait = waitMs(failures, pace.random());
      const nowMs = pace.nowMs();
      if (nowMs + wait - beganMs > patienceMs()) throw givenUp(error, nowMs - beganMs);
      if (nowMs >= warnMs) {
        pace.warn(`${messageOf(error)}; trying again for ${spoken(nowMs - beganMs)}`);
        warnMs = nowMs + warnEveryMs;
      }
      await pace.sleep(wait, signal);
    }
  }
}

/** How long to wait after so many failures. */
export function waitMs(failures: number, random: number): number {
  return Math.max(shortestWaitMs, Math.floor(random * Math.min(longestWaitMs, firstWaitMs * 2 ** failures)));
}

function givenUp(error: unknown, afterMs: number): Error {
  const message = `${messageOf(error)}; given up after ${spoken(afterMs)}. Run it again: it goes on where it was`;
  return new Error(message, { cause: error });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function spoken(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} seconds`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} minutes` : `${Math.round(ms / 3_600_000)} hours`;
}
