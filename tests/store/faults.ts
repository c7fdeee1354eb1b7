import type { Staged, Store, StoredObject } from "../../lib/store/mod.ts";

/**
 * Small wrappers that make a real store misbehave, for the tests of everything above it. They wrap, they do not imitate:
 * what they do not touch is the real thing. `write` and `commit` count over all stagings of the store.
 */
export type Call = "list" | "head" | "get" | "put" | "delete" | "stage" | "now" | "write" | "commit";

/** Which call a fault hits: the `nth` (from 1) of that kind, only counting those on names that begin with `prefix`. */
export interface Place {
  readonly call: Call;
  readonly nth?: number;
  readonly prefix?: string;
}

/** What a wrapper throws unless it was told otherwise. */
export class InjectedError extends Error {
  override name = "InjectedError";
}

/** That call fails and has done nothing. */
export function failing(store: Store, place: Place, error: Error = new InjectedError("refused")): Store {
  return around(store, place, () => Promise.reject(error));
}

/** That call does its work, and its answer is lost. */
export function failingAfter(store: Store, place: Place, error: Error = new InjectedError("answer lost")): Store {
  return around(store, place, async (proceed) => {
    await proceed();
    throw error;
  });
}

/** That call is sent twice, as a retry does that gave up too early; the second answer counts. */
export function repeating(store: Store, place: Place): Store {
  return around(store, place, async (proceed) => {
    await proceed();
    return await proceed();
  });
}

/** That call waits until the test releases it; `reached` resolves once somebody is waiting. */
export function stalling(store: Store, place: Place): { store: Store; reached: Promise<void>; release: () => void } {
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const stalled = around(store, place, async (proceed) => {
    reached.resolve();
    await released.promise;
    return await proceed();
  });
  return { store: stalled, reached: reached.promise, release: released.resolve };
}

/** Whoever reads that object finds the bits of `mask` flipped in its byte at `offset`. */
export function flipping(store: Store, name: string, offset: number, mask = 1): Store {
  return derived(store, {
    async get(asked, range) {
      const bytes = await store.get(asked, range);
      const at = offset - (range?.from ?? 0);
      if (asked === name && at >= 0 && at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ mask;
      return bytes;
    },
  });
}

/** Whoever lists or reads that object finds only its first `length` bytes. */
export function cutting(store: Store, name: string, length: number): Store {
  const cut = (object: StoredObject) =>
    object.name === name ? { ...object, size: Math.min(object.size, length) } : object;
  return derived(store, {
    async *list(prefix, options) {
      for await (const object of store.list(prefix, options)) yield cut(object);
    },
    async head(asked) {
      const object = await store.head(asked);
      return object && cut(object);
    },
    async get(asked, range) {
      if (asked !== name) return await store.get(asked, range);
      const from = Math.min(range?.from ?? 0, length);
      return await store.get(asked, { from, length: Math.min(range?.length ?? Infinity, length - from) });
    },
  });
}

/** That object is withheld: it can be neither listed nor read. */
export function hiding(store: Store, name: string): Store {
  return derived(store, {
    async *list(prefix, options) {
      for await (const object of store.list(prefix, options)) if (object.name !== name) yield object;
    },
    head: (asked) => asked === name ? Promise.resolve(undefined) : store.head(asked),
    get: (asked, range) => store.get(asked === name ? `${name}-withheld` : asked, range),
  });
}

type Around = <T>(proceed: () => Promise<T>) => Promise<T>;

function around(store: Store, place: Place, fault: Around): Store {
  let seen = 0;
  const through = <T>(call: Call, name: string, proceed: () => Promise<T>): Promise<T> => {
    const counts = call === place.call && name.startsWith(place.prefix ?? "");
    return counts && ++seen === (place.nth ?? 1) ? fault(proceed) : proceed();
  };
  return derived(store, {
    async *list(prefix, options) {
      yield* await through("list", prefix, () => Array.fromAsync(store.list(prefix, options)));
    },
    head: (name) => through("head", name, () => store.head(name)),
    get: (name, range) => through("get", name, () => store.get(name, range)),
    put: (name, bytes, options) => through("put", name, () => store.put(name, bytes, options)),
    delete: (name) => through("delete", name, () => store.delete(name)),
    stage: async () => staging(await through("stage", "", () => store.stage()), through),
    now: () => through("now", "", () => store.now()),
  });
}

function staging(
  staged: Staged,
  through: <T>(call: Call, name: string, proceed: () => Promise<T>) => Promise<T>,
): Staged {
  return {
    get written() {
      return staged.written;
    },
    write: (bytes) => through("write", "", () => staged.write(bytes)),
    commit: (name) => through("commit", name, () => staged.commit(name)),
    abort: () => staged.abort(),
  };
}

/** The same store with some methods replaced. */
function derived(store: Store, replaced: Partial<Store>): Store {
  return {
    location: store.location,
    list: (prefix, options) => store.list(prefix, options),
    head: (name) => store.head(name),
    get: (name, range) => store.get(name, range),
    put: (name, bytes, options) => store.put(name, bytes, options),
    delete: (name) => store.delete(name),
    stage: () => store.stage(),
    now: () => store.now(),
    close: () => store.close(),
    ...replaced,
  };
}
