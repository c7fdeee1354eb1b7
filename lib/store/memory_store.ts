import { ExistsError, NotFoundError } from "./errors.ts";
import { requireObjectName, requirePrefix } from "./names.ts";
import { boundedRange } from "./range.ts";
import type { Staged, Store, StoredObject } from "./store.ts";

interface Kept {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly modifiedAt: Date;
}

/** A store that is gone with the process, for tests; `now` is its clock. */
export function createMemoryStore(options: { now?: () => Date } = {}): Store {
  return new MemoryStore(options.now ?? (() => new Date()));
}

class MemoryStore implements Store {
  readonly location = "memory";
  readonly #clock: () => Date;
  readonly #objects = new Map<string, Kept>();
  #closed = false;

  constructor(clock: () => Date) {
    this.#clock = clock;
  }

  async *list(prefix: string, options: { after?: string } = {}): AsyncGenerator<StoredObject> {
    this.#requireOpen();
    requirePrefix(prefix);
    const after = options.after ?? "";
    const names = [...this.#objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
    for (const name of names) {
      const object = await this.head(name);
      if (object !== undefined) yield object;
    }
  }

  // deno-lint-ignore require-await
  async head(name: string): Promise<StoredObject | undefined> {
    this.#requireOpen();
    requireObjectName(name);
    const kept = this.#objects.get(name);
    return kept && { name, size: kept.bytes.length, modifiedAt: new Date(kept.modifiedAt) };
  }

  // deno-lint-ignore require-await
  async get(name: string, range?: { from: number; length: number }): Promise<Uint8Array<ArrayBuffer>> {
    this.#requireOpen();
    requireObjectName(name);
    const kept = this.#objects.get(name);
    if (kept === undefined) throw new NotFoundError(`Cannot read ${name} in memory: it does not exist`);
    const { from, length } = boundedRange(kept.bytes.length, range);
    return kept.bytes.slice(from, from + length);
  }

  // deno-lint-ignore require-await
  async put(name: string, bytes: Uint8Array, options: { once?: boolean } = {}): Promise<void> {
    this.#requireOpen();
    requireObjectName(name);
    if (options.once && this.#objects.has(name)) {
      throw new ExistsError(`Cannot write ${name} in memory: it exists already`);
    }
    this.#objects.set(name, { bytes: new Uint8Array(bytes), modifiedAt: this.#clock() });
  }

  // deno-lint-ignore require-await
  async delete(name: string): Promise<void> {
    this.#requireOpen();
    requireObjectName(name);
    this.#objects.delete(name);
  }

  // deno-lint-ignore require-await
  async stage(): Promise<Staged> {
    this.#requireOpen();
    return new StagedInMemory(async (name, bytes) => {
      this.#requireOpen();
      requireObjectName(name);
      if (!this.#objects.has(name)) await this.put(name, bytes);
    });
  }

  // deno-lint-ignore require-await
  async now(): Promise<Date> {
    this.#requireOpen();
    return this.#clock();
  }

  // deno-lint-ignore require-await
  async close(): Promise<void> {
    this.#closed = true;
  }

  #requireOpen(): void {
    if (this.#closed) throw new Error("Cannot use the store in memory: it was closed");
  }
}

class StagedInMemory implements Staged {
  readonly #keep: (name: string, bytes: Uint8Array) => Promise<void>;
  #pieces: Uint8Array[] = [];
  #written = 0;
  #over = false;
  #committed: string | undefined;

  constructor(keep: (name: string, bytes: Uint8Array) => Promise<void>) {
    this.#keep = keep;
  }

  get written(): number {
    return this.#written;
  }

  // deno-lint-ignore require-await
  async write(bytes: Uint8Array): Promise<void> {
    this.#requireUnderWay();
    this.#pieces.push(new Uint8Array(bytes));
    this.#written += bytes.length;
  }

  async commit(name: string): Promise<void> {
    if (name === this.#committed) return;
    this.#requireUnderWay();
    const whole = new Uint8Array(this.#written);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    await this.#keep(name, whole);
    await this.abort();
    this.#committed = name;
  }

  // deno-lint-ignore require-await
  async abort(): Promise<void> {
    this.#over = true;
    this.#pieces = [];
  }

  #requireUnderWay(): void {
    if (this.#over) throw new Error("Cannot go on with a staged object: it was committed or aborted");
  }
}
