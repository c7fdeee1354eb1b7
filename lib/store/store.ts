/**
 * The contract that every store keeps: a directory, memory, S3. `tests/store/conformance.ts` holds each of them to it.
 *
 * Objects are immutable by convention, not by force: bricks and ledger objects are named by their content and never
 * change, `.open` indexes are put again and again, and a `put` replaces what was there whole. What a caller may rely on:
 *
 * - **Whole or not at all.** Nobody ever reads half an object, whatever dies when. A `put`, `commit` or `delete` that has
 *   resolved survives a power loss.
 * - **Seen at once.** A `list`, `head` or `get` that begins after a `put`, `commit` or `delete` resolved shows its effect,
 *   also from another process. The order "announce, then look" of commit and prune stands on this.
 * - **Retries.** `list`, `head`, `get`, `delete`, `now`, a plain `put` and `commit` may be repeated after any failure, with
 *   the same arguments, also when the first try took effect and only its answer was lost. After a failed
 *   `put(…, {once: true})` the name may hold the caller's own bytes, so an `ExistsError` on the second try is no proof
 *   that somebody else was there: compare. A failed `write` spoils its staging: `abort` it and stage anew.
 * - **Names** are ASCII segments joined by `/` (see names.ts). Anything else is refused before the store is touched, and
 *   what a listing brings that is no such name is left out: a storage owner may hand back `../` or worse.
 *   No name may also be a folder of another one (`a` and `a/b`): directories cannot hold both.
 * - **Failures** are errors whose message names the place. `NotFoundError`, `ExistsError`, `StoreFullError` and
 *   `StoreReadOnlyError` are told apart; everything else is an Error with its `cause`.
 */
export interface Store {
  /** Where it is, in words for messages: an absolute path, an S3 URL. */
  readonly location: string;

  /**
   * How many commits may be under way at once and gain by it; undefined: one. Where a commit is an upload, others can be
   * filled and sent meanwhile.
   */
  readonly commitsAtOnce?: number;

  /**
   * All objects whose name begins with `prefix`, ascending by the bytes of their names; with `after`, only names
   * greater than that text (which need not be a name). `prefix` is plain text: `"ledger/ab"` finds `ledger/ab/x` and
   * `ledger/abc`. Nothing there is an empty listing; a store that is gone is a `NotFoundError`, never an empty listing.
   * An object that is put or deleted while the listing runs may or may not show.
   */
  list(prefix: string, options?: { after?: string }): AsyncIterable<StoredObject>;

  /** What is there under this name, or undefined. */
  head(name: string): Promise<StoredObject | undefined>;

  /**
   * The object's bytes, or `range.length` of them from `range.from`; a range that reaches past the end gives what is
   * there (at worst nothing). Throws `NotFoundError`. The caller bounds the size (head) before it asks for all.
   */
  get(name: string, range?: { from: number; length: number }): Promise<Uint8Array<ArrayBuffer>>;

  /**
   * Stores a small object and replaces what was there. With `once` it throws `ExistsError` when the name is taken, and
   * of several callers exactly one wins. `bytes` must not change until the promise settles.
   */
  put(name: string, bytes: Uint8Array, options?: { once?: boolean }): Promise<void>;

  /** Removes an object; removing what is absent succeeds. */
  delete(name: string): Promise<void>;

  /** Begins an object whose name is known last. */
  stage(): Promise<Staged>;

  /** The clock that stamps `modifiedAt`: the only one to compare those times with. */
  now(): Promise<Date>;

  /**
   * Makes sure that these objects cannot be removed for a good while: what protects them is prolonged where less than half of
   * its time is left. `known` is what an earlier call answered. Undefined: this store was not told to protect anything.
   */
  protect?(
    names: readonly string[],
    known: ReadonlyMap<string, Date>,
  ): Promise<{ locked: Map<string, Date>; prolonged: number } | undefined>;

  /** Brings to its end what runs that died had begun to commit. Only stores that keep such things have this. */
  recover?(): Promise<void>;

  /** Gives up stagings that were not committed and lets go of the store; nothing may be asked of it afterwards. */
  close(): Promise<void>;
}

/** One object of a listing. `modifiedAt` is the store's own stamp, at most as fine as the store keeps it. */
export interface StoredObject {
  name: string;
  size: number;
  modifiedAt: Date;
}

/** An object under way. Not visible to anyone before `commit`; gone after `abort`, `close` or the death of the process. */
export interface Staged {
  /** Bytes taken so far. */
  readonly written: number;

  /** Appends all of `bytes`, which must not change until the promise settles. One call at a time. */
  write(bytes: Uint8Array): Promise<void>;

  /**
   * Makes the object durable and visible under its name. A name that is taken already is a success that keeps the old
   * object: staged names are hashes of the bytes, so both are equal. May be repeated with the same name, after a
   * failure and after a success.
   */
  commit(name: string): Promise<void>;

  /** Drops what was written. Harmless after `commit` and after another `abort`. */
  abort(): Promise<void>;
}
