/**
 * Takes turns: several actors work on one store, and a schedule decides whose next operation is done. Between two
 * operations every actor has come as far as it can alone, so a schedule says all about a run, and any order of operations
 * can be played.
 */
import type { Store } from "../../lib/store/mod.ts";

/** Who of those that are waiting is next. */
export type Schedule = (waiting: string[]) => string;

/** An actor that the schedule killed. */
export class KilledError extends Error {
  override name = "KilledError";
}

/** One play. */
export class Turns {
  readonly #waiting = new Map<string, (() => Promise<void>)[]>();
  readonly #killed = new Set<string>();
  #changed = Promise.withResolvers<void>();
  /** What was done, in order: actor and operation. */
  readonly done: string[] = [];
  readonly #afterEach: (done: string) => Promise<void>;

  constructor(afterEach: (done: string) => Promise<void> = () => Promise.resolve()) {
    this.#afterEach = afterEach;
  }

  /** The store as an actor sees it: each of its operations waits for its turn. */
  store(actor: string, store: Store): Store {
    const turn = <T>(what: string, work: () => Promise<T>) => this.#turn(actor, what, work);
    return {
      location: store.location,
      list: async function* (prefix, options) {
        yield* await turn(`list ${prefix}`, () => Array.fromAsync(store.list(prefix, options)));
      },
      head: (name) => turn(`head ${name}`, () => store.head(name)),
      get: (name, range) => turn(`get ${name}`, () => store.get(name, range)),
      put: (name, bytes, options) => turn(`put ${name}`, () => store.put(name, bytes, options)),
      delete: (name) => turn(`delete ${name}`, () => store.delete(name)),
      async stage() {
        const staged = await store.stage();
        return {
          get written() {
            return staged.written;
          },
          write: (bytes) => staged.write(bytes),
          commit: (name) => turn(`commit ${name}`, () => staged.commit(name)),
          abort: () => staged.abort(),
        };
      },
      // Clocks take part in no decision.
      now: () => store.now(),
      close: () => store.close(),
    };
  }

  /** Plays until all actors have ended; their ends, by name. */
  async play<T>(
    actors: Record<string, () => Promise<T>>,
    schedule: Schedule,
  ): Promise<Record<string, PromiseSettledResult<T>>> {
    const ends: Record<string, PromiseSettledResult<T>> = {};
    const living = new Set(Object.keys(actors));
    const end = (actor: string, result: PromiseSettledResult<T>) => {
      ends[actor] = result;
      living.delete(actor);
      this.#tell();
    };
    for (const [actor, act] of Object.entries(actors)) {
      act().then(
        (value) => end(actor, { status: "fulfilled", value }),
        (reason) => end(actor, { status: "rejected", reason }),
      );
    }
    while (living.size > 0) {
      while ([...living].some((actor) => !this.#waiting.has(actor))) await this.#changed.promise;
      const actors = [...living].sort();
      if (actors.length === 0) break;
      const actor = schedule(actors);
      const [next, ...rest] = this.#waiting.get(actor)!;
      if (rest.length > 0) this.#waiting.set(actor, rest);
      else this.#waiting.delete(actor);
      await next!();
      await this.#afterEach(this.done.at(-1)!);
    }
    return ends;
  }

  /** From now on nothing that this actor asks for is done. */
  kill(actor: string): void {
    this.#killed.add(actor);
  }

  #turn<T>(actor: string, what: string, work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const next = async () => {
        if (this.#killed.has(actor)) {
          reject(new KilledError(`${actor} was killed`));
          this.done.push(`${actor}: (killed)`);
          return;
        }
        this.done.push(`${actor}: ${what}`);
        try {
          resolve(await work());
        } catch (error) {
          reject(error);
        }
      };
      this.#waiting.set(actor, [...this.#waiting.get(actor) ?? [], next]);
      this.#tell();
    });
  }

  #tell(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
