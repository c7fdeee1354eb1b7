/** How many bytes may be in memory at once, over everything that runs side by side. First come, first served. */
export class ByteBudget {
  #free: number;
  readonly #whole: number;
  readonly #waiting: { bytes: number; go: () => void }[] = [];

  constructor(bytes: number) {
    this.#whole = bytes;
    this.#free = bytes;
  }

  /** Waits for room; `release` gives it back. More than there is in all is let in alone. */
  async take(bytes: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const needed = Math.min(bytes, this.#whole);
    if (this.#waiting.length > 0 || needed > this.#free) await this.#wait(needed, signal);
    else this.#free -= needed;
    let taken = true;
    return () => {
      if (taken) this.#free += needed;
      taken = false;
      this.#admit();
    };
  }

  #wait(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason);
        this.#admit();
      };
      const waiting = {
        bytes,
        go: () => {
          signal.removeEventListener("abort", leave);
          resolve();
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(waiting);
    });
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined && next.bytes <= this.#free; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#free -= next.bytes;
      next.go();
    }
  }
}
