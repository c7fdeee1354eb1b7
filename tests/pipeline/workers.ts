/** Threads under watch: what a test needs to see one die. */

/** Keeps every Worker that is made until it is disposed of. */
export function watchWorkers(): { workers: Worker[]; [Symbol.dispose](): void } {
  const { Worker } = globalThis;
  const workers: Worker[] = [];
  globalThis.Worker = class extends Worker {
    constructor(...made: ConstructorParameters<typeof Worker>) {
      super(...made);
      workers.push(this);
    }
  };
  return {
    workers,
    [Symbol.dispose]() {
      globalThis.Worker = Worker;
    },
  };
}

/** What becomes of a promise, told before long: whoever waits for a dead thread would wait for ever. */
export async function outcome(promise: Promise<unknown>): Promise<string> {
  const { promise: late, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve("still waiting"), 10_000);
  try {
    return await Promise.race([promise.then(() => "done", (error: Error) => error.message), late]);
  } finally {
    clearTimeout(timer);
  }
}
