/**
 * Does `work` for every item, at most `limit` at a time. After the first failure nothing more is begun, and it is thrown
 * when what was under way has ended: nothing goes on behind the caller's back.
 */
export async function inParallel<T>(items: T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failure: { error: unknown } | undefined;
  const lane = async () => {
    while (next < items.length) {
      try {
        await work(items[next++]!);
      } catch (error) {
        next = items.length;
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (failure !== undefined) throw failure.error;
}

/** Lets work run side by side as long as all of it weighs at most `most` together; what is heavier than that runs alone. */
export class Scales {
  readonly #most: number;
  #weight = 0;
  #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  async within<T>(weight: number, work: () => Promise<T>): Promise<T> {
    while (this.#weight > 0 && this.#weight + weight > this.#most) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#weight += weight;
    try {
      return await work();
    } finally {
      this.#weight -= weight;
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
  }
}
