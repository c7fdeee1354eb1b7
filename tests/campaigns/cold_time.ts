/**
 * Made-up time for many who wait at once: it passes when everybody waits, that is when the emulator has been asked nothing
 * new for a moment, and goes on to where the first of them wants to be woken.
 */
import type { Emulator } from "../emulator/mod.ts";

/** Real milliseconds without a new request after which everybody counts as waiting. */
const QUIET_MS = 1;

export class MadeUpTime {
  readonly #emulator: Emulator;
  readonly #beganMs: number;
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
    for (let seen = -1; !over;) {
      await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
      const { length } = this.#emulator.requests;
      if (length === seen) this.#wakeNext();
      seen = length;
    }
    return await result;
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
