/**
 * A bucket as a cold store: an object's key is its name, and a bucket says of each object by itself how long it is, what its
 * SHA-256 is and whether a readable copy is there, so no inventory and no thaw is needed to look.
 */
import { ArchivedError, type Bucket, type BucketObject, isObjectName, type RestoreState } from "../store/mod.ts";
import {
  type ColdClass,
  type ColdObject,
  type ColdStore,
  type ColdUpload,
  type Confirmation,
  type Listing,
  NotThawedError,
  type StoredClass,
  type Thaw,
  type Tier,
} from "./cold.ts";
import { copyExpiry, thawTime, tierRefusal } from "./tiers.ts";

/** More than so many objects are asked about by listing, 1,000 a request, fewer one by one. */
const listedFrom = 64;
const atOnce = 16;
const dayMs = 24 * 3_600_000;
const tierNames = { bulk: "Bulk", standard: "Standard", expedited: "Expedited" } as const;

export class S3Cold implements ColdStore {
  readonly location: string;
  readonly class: ColdClass;
  readonly #bucket: Bucket;
  readonly #now: () => Date;
  /** Whether listings tell of readable copies: not every server does. */
  #listingTells = false;

  constructor(bucket: Bucket, options: { class: ColdClass; now: () => Date }) {
    this.#bucket = bucket;
    this.location = bucket.location;
    this.class = options.class;
    this.#now = options.now;
  }

  async upload(object: ColdUpload, options: { signal: AbortSignal; sent?: (bytes: number) => void }): Promise<string> {
    const { name, bytes, sha256 } = object;
    const { signal, sent } = options;
    const there = await this.#head(name, signal);
    if (there !== undefined) {
      const why = difference(there, { bytes, sha256 });
      if (why !== undefined) throw new Error(`Cannot store ${name} in ${this.location}: it is there, but ${why}`);
      sent?.(bytes);
      return name;
    }
    const read = (range: { from: number; length: number }) => object.read(range);
    await this.#bucket.put(name, { bytes, sha256, read }, {
      class: this.class,
      once: true,
      signal,
      ...(sent && { sent }),
    });
    return name;
  }

  async confirm(
    objects: readonly { handle: string; bytes: number; sha256: string }[],
    options: { signal: AbortSignal },
  ): Promise<Confirmation[]> {
    return await eachOf(objects, async (object): Promise<Confirmation> => {
      const there = await this.#head(object.handle, options.signal);
      if (there === undefined) return { found: "absent" };
      const why = difference(there, object);
      return why === undefined
        ? { found: "same", class: classOf(there.class), at: this.#now() }
        : { found: "other", why };
    });
  }

  list(options: { signal: AbortSignal }): Promise<{ ready: true; listing: Listing }> {
    const at = this.#now();
    return Promise.resolve({ ready: true, listing: { at, objects: this.#objects(options.signal) } });
  }

  async states(
    objects: readonly { handle: string; bytes: number }[],
    options: { signal: AbortSignal },
  ): Promise<Thaw[]> {
    const { signal } = options;
    const handles = objects.map(({ handle }) => handle);
    const listed = handles.length < listedFrom ? undefined : await this.#listedStates(handles, signal);
    return await eachOf(handles, async (handle) => listed?.get(handle) ?? await this.#state(handle, signal));
  }

  async thaw(
    object: { handle: string; bytes: number },
    options: { tier: Tier; days: number; signal: AbortSignal },
  ): Promise<Thaw> {
    const { handle, bytes } = object;
    const { tier, days, signal } = options;
    const there = await this.#head(handle, signal);
    if (there === undefined) throw this.#gone(handle);
    const state = stateOf(there);
    if (state.state === "direct" || state.state === "thawing") return state;
    // Asking again for a copy that lasts longer would shorten its life.
    const now = this.#now();
    const lasts = state.state === "ready" && (state.until === undefined || +state.until >= +now + days * dayMs);
    if (lasts) return state;
    const storedClass = classOf(there.class);
    const refusal = tierRefusal({ class: storedClass, bytes }, tier);
    if (refusal !== undefined) throw new Error(`Cannot thaw ${handle} in ${this.location}: ${refusal}`);
    const answer = await unlessAborted(this.#bucket.restore(handle, { days, tier: tierNames[tier] }), signal);
    if (answer === "already") return { state: "ready", until: copyExpiry(now, days) };
    const time = answer === "asked" ? thawTime(storedClass, tier) : undefined;
    return {
      state: "thawing",
      tier: answer === "asked" ? tier : undefined,
      readyAt: time && new Date(now.getTime() + time.mostMs),
    };
  }

  async read(
    object: { handle: string; bytes: number },
    options: { range: { from: number; length: number }; signal: AbortSignal },
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { handle } = object;
    const { range, signal } = options;
    if (!(range.from >= 0 && range.length >= 0 && range.from + range.length <= object.bytes)) {
      throw new RangeError(`${range.length} bytes from ${range.from} are not in an object of ${object.bytes} bytes`);
    }
    try {
      const bytes = await unlessAborted(this.#bucket.get(handle, range), signal);
      if (bytes.length === range.length) return bytes;
      throw new Error(
        `Cannot read ${handle} in ${this.location}: ${bytes.length} of ${range.length} bytes came from ${range.from} on`,
      );
    } catch (error) {
      if (!(error instanceof ArchivedError)) throw error;
      const message = `Cannot read ${handle} in ${this.location}: no copy of it can be read now; ask for one with ` +
        '"tarzan thaw"';
      throw new NotThawedError(message, { cause: error });
    }
  }

  async remove(handle: string, options: { signal: AbortSignal }): Promise<void> {
    await unlessAborted(this.#bucket.remove(handle), options.signal);
  }

  async close(): Promise<void> {
    await this.#bucket.close();
  }

  async #head(handle: string, signal: AbortSignal): Promise<BucketObject | undefined> {
    return await unlessAborted(this.#bucket.head(handle), signal);
  }

  async *#objects(signal: AbortSignal): AsyncGenerator<ColdObject> {
    for await (const { key, bytes, modifiedAt, ...entry } of this.#bucket.list("")) {
      signal.throwIfAborted();
      const name = isObjectName(key) ? key : undefined;
      const rest = { repository: undefined, sha256: undefined, treeHash: undefined, storedAt: modifiedAt };
      yield { handle: key, name, bytes, class: classOf(entry.class), ...rest };
    }
  }

  async #state(handle: string, signal: AbortSignal): Promise<Thaw> {
    const there = await this.#head(handle, signal);
    if (there === undefined) throw this.#gone(handle);
    return stateOf(there);
  }

  /** States as far as a listing tells them. */
  async #listedStates(handles: readonly string[], signal: AbortSignal): Promise<Map<string, Thaw>> {
    const wanted = new Set(handles);
    const states = new Map<string, Thaw>();
    for await (const entry of this.#bucket.list(commonFolder(handles), { restoreStatus: true })) {
      signal.throwIfAborted();
      if (!wanted.has(entry.key)) continue;
      states.set(entry.key, stateOf(entry));
      this.#listingTells ||= entry.restore !== undefined;
    }
    if (this.#listingTells) return states;
    // Either nothing is thawed or this server's listings say nothing of copies: one of them, asked by itself, decides.
    const cold = handles.find((handle) => states.get(handle)?.state === "cold");
    if (cold === undefined || (await this.#state(cold, signal)).state === "cold") return states;
    return new Map([...states].filter(([, { state }]) => state !== "cold"));
  }

  #gone(handle: string): Error {
    return new Error(`Cannot find ${handle} in ${this.location}: it is not there`);
  }
}

function stateOf(there: { class: string; restore?: RestoreState }): Thaw {
  if (thawTime(classOf(there.class), "bulk") === undefined) return { state: "direct" };
  if (there.restore === undefined) return { state: "cold" };
  if (there.restore.ongoing) return { state: "thawing", tier: undefined, readyAt: undefined };
  return { state: "ready", until: there.restore.until };
}

function difference(there: BucketObject, expected: { bytes: number; sha256: string }): string | undefined {
  if (there.bytes !== expected.bytes) return `it has ${there.bytes} bytes instead of ${expected.bytes}`;
  if (there.sha256 === undefined) return "the server knows no SHA-256 of it";
  return there.sha256 === expected.sha256 ? undefined : `its SHA-256 is ${there.sha256} instead of ${expected.sha256}`;
}

/** Classes that this program does not store in are read without a thaw, as far as is known. */
function classOf(name: string): StoredClass {
  return name === "STANDARD_IA" || name === "GLACIER_IR" || name === "GLACIER" || name === "DEEP_ARCHIVE"
    ? name
    : "STANDARD";
}

/** The longest beginning up to a slash that all these keys have. */
function commonFolder(keys: readonly string[]): string {
  const first = keys[0] ?? "";
  let length = first.length;
  for (const key of keys) {
    while (!key.startsWith(first.slice(0, length))) length--;
  }
  return first.slice(0, first.slice(0, length).lastIndexOf("/") + 1);
}

/** Does `work` for each, a few at a time; results in the same order. */
async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const at = next++;
      try {
        results[at] = await work(items[at]!);
      } catch (error) {
        next = items.length;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return results;
}

/** Stops waiting when the signal says so; the request itself ends with the bucket. */
async function unlessAborted<T>(request: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([request, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
