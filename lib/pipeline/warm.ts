/**
 * Threads before there is work: they load their code while the key is being opened, which takes as long. Each is handed out
 * once; what nobody took ends with `close`.
 */
export class WarmThreads {
  readonly #wanted: { workers: number; reader: boolean };
  readonly #workers: Worker[] = [];
  #reader: Worker | undefined;
  #began = false;

  /** For `workers` working threads, and one that reads. One working thread alone means: the main thread does the work. */
  constructor({ workers, reader = false }: { workers: number; reader?: boolean }) {
    this.#wanted = { workers: workers > 1 ? workers : 0, reader };
  }

  /** Starts the threads, once. Starting one keeps this thread for some 20 ms: best while another does what is waited for. */
  start(): void {
    if (this.#began) return;
    this.#began = true;
    for (let i = 0; i < this.#wanted.workers; i++) this.#workers.push(startWorker());
    if (this.#wanted.reader) this.#reader = startReader();
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
    this.#began = true;
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
