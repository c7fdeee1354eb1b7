import type { Clock } from "./limits.ts";

/** A token bucket holds what may be sent in this time; a pause longer than that is not made up for. */
const BURST_MS = 500;

/** Keeps a stream of bytes under a rate, however many transfers share it. */
export class Rate {
  readonly #bytesPerMs: number;
  readonly #clock: Clock;
  /** When all bytes that were granted will have been paid for. */
  #paidAtMs = -Infinity;

  /** `bytesPerSecond` undefined: as fast as it goes. */
  constructor(bytesPerSecond: number | undefined, clock: Clock) {
    this.#bytesPerMs = (bytesPerSecond ?? Infinity) / 1000;
    this.#clock = clock;
  }

  /** Waits until so many bytes may go. Callers are served in the order in which they came. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    if (this.#bytesPerMs === Infinity) return;
    const nowMs = this.#clock.nowMs();
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs - BURST_MS) + bytes / this.#bytesPerMs;
    if (this.#paidAtMs > nowMs) await this.#clock.sleep(this.#paidAtMs - nowMs, signal);
  }
}
