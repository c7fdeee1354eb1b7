/**
 * The working threads. A task goes to the thread with the fewest under way; one thread alone means: this one. A thread that
 * dies or throws outside a task fails everything that waits, at once and loudly.
 */
import type { Arena } from "./arena.ts";
import { type Task, type TaskResults, TaskRunner } from "./tasks.ts";
import { WarmThreads } from "./warm.ts";

/** An error as it crosses threads. */
export interface CarriedError {
  name: string;
  message: string;
}

/** What a working thread is told first. */
export interface WorkerStart {
  arena: Arena | undefined;
  thread: number;
}

export type WorkerReply =
  | { id: number; result: unknown }
  | { id: number; error: CarriedError };

/** Runs tasks; `close` ends the threads. */
export interface Pool {
  readonly threads: number;
  run<T extends Task>(task: T, transfer?: Transferable[]): Promise<TaskResults[T["type"]]>;
  close(): void;
}

/** A pool of `threads` working threads; of those that `warm` has, as far as they go. */
export function startPool(
  threads: number,
  arena: Arena | undefined,
  revive: (error: CarriedError) => Error,
  warm = new WarmThreads({ workers: 0 }),
): Pool {
  if (threads <= 1) {
    const runner = new TaskRunner(arena, 0);
    return { threads: 1, run: (task) => runner.run(task), close: () => {} };
  }
  const members = Array.from(
    { length: threads },
    (_, thread) => new Member(warm.worker(), { start: { arena, thread }, revive }),
  );
  return {
    threads,
    run: (task, transfer = []) => members.reduce((a, b) => b.load < a.load ? b : a).run(task, transfer),
    close: () => members.forEach((member) => member.close()),
  };
}

class Member {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  #next = 0;
  #failure: Error | undefined;

  constructor(worker: Worker, { start, revive }: { start: WorkerStart; revive: (error: CarriedError) => Error }) {
    this.#worker = worker;
    this.#worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
      const task = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      // Nobody waits for what a thread says after it was given up.
      if (task === undefined) return;
      if ("error" in data) task.reject(revive(data.error));
      else task.resolve(data.result as never);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#giveUp(new Error(`A working thread died: ${event.message}`));
    };
    this.#worker.postMessage(start);
  }

  get load(): number {
    return this.#failure === undefined ? this.#waiting.size : Infinity;
  }

  run<T extends Task>(task: T, transfer: Transferable[]): Promise<TaskResults[T["type"]]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task }, transfer);
    });
  }

  close(): void {
    this.#worker.terminate();
    this.#giveUp(new Error("The working threads were stopped"));
  }

  /** Whoever waits, or comes later, is told why. */
  #giveUp(failure: Error): void {
    this.#failure ??= failure;
    for (const { reject } of this.#waiting.values()) reject(failure);
    this.#waiting.clear();
  }
}
