/**
 * Threads before there is work: they load their code while the key is being opened, which takes as long. Each is handed out
 * once; what nobody took ends with `close`.
 */
export class WarmThreads {
  readonly #workers: Worker[];
  #reader: Worker | undefined;

  /** Starts `workers` working threads, and one that reads. One working thread alone means: the main thread does the work. */
  constructor({ workers, reader = false }: { workers: number; reader?: boolean }) {
    this.#workers = Array.from({ length: workers > 1 ? workers : 0 }, startWorker);
    this.#reader = reader ? startReader() : undefined;
  }

  /** A working thread that was told nothing yet. */
  worker(): Worker {
    return this.#workers.pop() ?? startWorker();
  }

  /** A reading thread that was told nothing yet. */
  reader(): Worker {
    const reader = this.#reader ?? startReader();
    this.#reader = undefined;
    return reader;
  }

  close(): void {
    for (const worker of this.#workers.splice(0)) worker.terminate();
    this.#reader?.terminate();
    this.#reader = undefined;
  }
}

function startWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}

function startReader(): Worker {
  return new Worker(new URL("./reader_worker.ts", import.meta.url), { type: "module" });
}
