/** Does `work` for every item, at most `limit` at a time; after the first failure nothing more is begun. */
export async function inParallel<T>(items: T[], limit: number, work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      try {
        await work(items[next++]!);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
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
