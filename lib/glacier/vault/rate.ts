import type { Pace } from "./retry.ts";

/** What may be sent in this time is not held back; a longer pause is not made up for. */
const burstMs = 500;

/** Keeps bytes under a rate, however many transfers share it. */
export class Rate {
  readonly #bytesPerMs: number;
  readonly #pace: Pace;
  /** When all bytes that were let through will have been paid for. */
  #paidAtMs = -Infinity;

  /** `bytesPerSecond` undefined: as fast as it goes. */
  constructor(bytesPerSecond: number | undefined, pace: Pace) {
    this.#bytesPerMs = (bytesPerSecond ?? Infinity) / 1000;
    this.#pace = pace;
  }

  /** Waits until so many bytes may pass; first come, first served. Undefined: they may at once. */
  take(bytes: number, signal: AbortSignal): Promise<void> | undefined {
    if (this.#bytesPerMs === Infinity) return undefined;
    const nowMs = this.#pace.nowMs();
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs - burstMs) + bytes / this.#bytesPerMs;
    return this.#paidAtMs > nowMs ? this.#pace.sleep(this.#paidAtMs - nowMs, signal) : undefined;
  }
}
