/**
 * Trying again. A nightly backup must outlast a router that restarts, a provider's bad hour and a laptop's sleep, without
 * hammering a server that is just coming back: waits double, up to five minutes, and are blurred, so that many machines do
 * not come at once ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015). Only a failure that never lets up for
 * hours ends a run; one success anywhere and the next failure begins with a fresh budget.
 */
import { judge } from "./failures.ts";
import { machineClock, type TransferLimits } from "./limits.ts";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5 * 60 * 1000;
/** Outages are told after so long, and then again and again. */
const WARN_AFTER_MS = [2, 10, 60].map((minutes) => minutes * 60 * 1000);
const WARN_EVERY_MS = 60 * 60 * 1000;
/** What may be an accident, and will not get better by waiting when it is none, is tried so often. */
const FEW_TRIES = 3;

/** The patience with one place. */
export class Patience {
  readonly #limits: TransferLimits;
  readonly #location: string;
  #contacted = false;
  #failingSinceMs: number | undefined;
  #warnings = 0;

  constructor(location: string, limits: TransferLimits) {
    this.#location = location;
    this.#limits = limits;
  }

  /** Does `attempt` until it succeeds, fails for good, or patience ends; the last error is thrown as it is. */
  async run<T>(
    attempt: (number: number) => Promise<T>,
    options: { signal?: AbortSignal | undefined; refresh: () => void },
  ): Promise<T> {
    const { patienceMs = 6 * 3600 * 1000, firstContactMs = 15_000, clock = machineClock } = this.#limits;
    let sinceMs: number | undefined;
    let few = 0;
    for (let number = 1;; number++) {
      options.signal?.throwIfAborted();
      try {
        const result = await attempt(number);
        this.#succeeded();
        return result;
      } catch (error) {
        options.signal?.throwIfAborted();
        const verdict = judge(error);
        if (verdict.answered) this.#contacted = true;
        if (verdict.again === "never") throw error;
        if (verdict.again === "refresh") options.refresh();
        if (verdict.again !== "long" && ++few >= FEW_TRIES) throw error;
        const nowMs = clock.nowMs();
        sinceMs ??= nowMs;
        const waitMs = this.#waitMs(number);
        const leftMs = (this.#contacted ? patienceMs : verdict.unknownHost ? 0 : firstContactMs) - (nowMs - sinceMs);
        if (waitMs > leftMs) throw error;
        this.#warnIfLong(nowMs, { error, leftMs });
        await clock.sleep(waitMs, options.signal);
      }
    }
  }

  #waitMs(failures: number): number {
    const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 20));
    return most / 2 + (this.#limits.random ?? Math.random)() * most / 2;
  }

  #succeeded(): void {
    this.#contacted = true;
    if (this.#warnings > 0) this.#limits.warn?.(`${this.#location} answers again`);
    this.#failingSinceMs = undefined;
    this.#warnings = 0;
  }

  #warnIfLong(nowMs: number, { error, leftMs }: { error: unknown; leftMs: number }): void {
    this.#failingSinceMs ??= nowMs;
    const lastedMs = nowMs - this.#failingSinceMs;
    const last = WARN_AFTER_MS.at(-1)!;
    const nextMs = WARN_AFTER_MS[this.#warnings] ?? last + (this.#warnings - WARN_AFTER_MS.length + 1) * WARN_EVERY_MS;
    if (lastedMs < nextMs) return;
    this.#warnings++;
    const minutes = (ms: number) => `${Math.max(1, Math.round(ms / 60_000))} minutes`;
    this.#limits.warn?.(
      `${this.#location} has not answered for ${minutes(lastedMs)} (${(error as Error).message}); ` +
        `trying for ${minutes(leftMs)} more`,
    );
  }
}
