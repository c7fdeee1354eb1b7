/**
 * Made-up time for many who wait at once: it passes when everybody waits, that is when the emulator has been asked nothing
 * new for a moment and answers nothing, and goes on to where the first of them wants to be woken.
 */
import type { Emulator, LoggedRequest } from "../emulator/mod.ts";

const TICK_MS = 1;
/** So many ticks without anything new, and everybody counts as waiting. */
const QUIET_TICKS = 4;
/** A request that is still without an answer then was broken off. */
const LOST_MS = 500;

export class MadeUpTime {
  readonly #emulator: Emulator;
  readonly #beganMs: number;
  /** Requests that may be without an answer, and since when they are known. */
  readonly #open = new Map<LoggedRequest, number>();
  #looked = 0;
  #sleepers: { untilMs: number; wake: () => void }[] = [];

  constructor(emulator: Emulator) {
    this.#emulator = emulator;
    this.#beganMs = emulator.clock.now().getTime();
  }

  nowMs(): number {
    return this.#emulator.clock.now().getTime() - this.#beganMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal!.reason);
      };
      const wake = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const sleeper = { untilMs: this.nowMs() + ms, wake };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  /** Lets time pass as long as some work goes on. */
  async passWhile<T>(work: () => Promise<T>): Promise<T> {
    let over = false;
    const result = work().finally(() => over = true);
    result.catch(() => {});
    for (let [seen, quiet] = [-1, 0]; !over;) {
      await new Promise((resolve) => setTimeout(resolve, TICK_MS));
      const { length } = this.#emulator.requests;
      quiet = length === seen && !this.#isAsked(seen) ? quiet + 1 : 0;
      seen = length;
      if (quiet < QUIET_TICKS) continue;
      quiet = 0;
      this.#wakeNext();
    }
    return await result;
  }

  /** Whether a request is being answered; a body on its way to a bucket waits for the line, which waits for time. */
  #isAsked(length: number): boolean {
    const { requests } = this.#emulator;
    for (const request of requests.slice(this.#looked, length)) this.#open.set(request, performance.now());
    this.#looked = length;
    for (const [request, sinceMs] of this.#open) {
      const { status, fault, operation } = request;
      const isOver = status !== 0 || fault !== undefined || operation === "PutObject";
      if (isOver || performance.now() - sinceMs > LOST_MS) this.#open.delete(request);
    }
    return this.#open.size > 0;
  }

  #wakeNext(): void {
    if (this.#sleepers.length === 0) return;
    const nextMs = this.#sleepers.reduce((least, { untilMs }) => Math.min(least, untilMs), Infinity);
    this.#emulator.clock.advance(Math.max(0, nextMs - this.nowMs()));
    const now = this.nowMs();
    const awake = this.#sleepers.filter(({ untilMs }) => untilMs <= now);
    this.#sleepers = this.#sleepers.filter(({ untilMs }) => untilMs > now);
    for (const { wake } of awake) wake();
  }
}
