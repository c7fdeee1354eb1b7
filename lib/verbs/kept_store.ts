/**
 * A repository's hot store behind a memory on this machine, for those who only read recipes: what was read once is not asked
 * for again, since nothing but listings ever changes. Key slots and settings come from the memory as well, so that with a
 * warm one nobody is asked anything; and `offline`, nobody can be. Contents of data bricks are never kept.
 *
 * Nothing can be written through it.
 */
import type { Staged, Store, StoredObject } from "../store/mod.ts";
import { KeptFiles } from "./kept_files.ts";
import { KeptListings } from "./kept_listings.ts";

/** Something is not on this machine, and nobody may be asked for it. */
export class OfflineError extends Error {
  override name = "OfflineError";
}

export interface KeptStoreOptions {
  /** Where it keeps what it has read. */
  folder: string;
  /** What the user calls the store. */
  place: string;
  /** Opens the store itself, when it is first needed. */
  open: () => Promise<Store>;
  offline: boolean;
  /** Whether the slots that were listed once are all there are: they seldom change. */
  steady: boolean;
  now: () => Date;
}

const PIECE_BYTES = 1 << 20;
/** Recipes are about a hundredth of what they stand for. */
const MOST_KEPT_BYTES = 1 << 30;
const SLOTS = "keys/";

/** A store that remembers. Opened with `openKeptStore`. */
export class KeptStore implements Store {
  readonly location: string;
  readonly #options: KeptStoreOptions;
  readonly #kept: KeptFiles;
  readonly #listings: KeptListings;
  #store: Promise<Store> | undefined;
  #underWay = new Map<string, Promise<Uint8Array<ArrayBuffer>>>();

  constructor(kept: KeptFiles, options: KeptStoreOptions & { location: string; store?: Store }) {
    this.#kept = kept;
    this.#listings = new KeptListings(kept);
    this.#options = options;
    this.location = options.location;
    if (options.store !== undefined) this.#store = Promise.resolve(options.store);
  }

  async *list(prefix: string, { after = "" }: { after?: string } = {}): AsyncGenerator<StoredObject> {
    const { offline, steady } = this.#options;
    if (offline || (steady && prefix === SLOTS)) {
      const kept = await this.#listings.of(prefix);
      if (kept !== undefined) {
        yield* kept.filter(({ name }) => name > after);
        return;
      }
    }
    const store = await this.#inner(`the listing of ${prefix}`);
    const objects: StoredObject[] = [];
    for await (const object of store.list(prefix, { after })) {
      objects.push(object);
      yield object;
    }
    // Whoever stopped before its end has not heard all of it.
    await this.#listings.keep(prefix, { after, objects, at: this.#options.now() });
  }

  /** What a listing brought when it was last asked for, and when that was. */
  listedBefore(prefix: string): Promise<{ objects: StoredObject[]; at: Date } | undefined> {
    return this.#listings.exactly(prefix);
  }

  async head(name: string): Promise<StoredObject | undefined> {
    const kept = isSettled(name) && !isBrick(name) ? await this.#kept.get(`whole ${name}`) : undefined;
    if (kept !== undefined) return { name, size: kept.bytes.length, modifiedAt: kept.keptAt };
    return await (await this.#inner(name)).head(name);
  }

  async get(name: string, range?: { from: number; length: number }): Promise<Uint8Array<ArrayBuffer>> {
    if (name.startsWith("meta/") && range !== undefined) return await this.#pieces(name, range);
    if (isBrick(name) || !isSettled(name)) return await (await this.#inner(name)).get(name, range);
    const kept = await this.#kept.get(`whole ${name}`);
    if (kept !== undefined) return range === undefined ? kept.bytes : cut(kept.bytes, range);
    const bytes = await (await this.#inner(name)).get(name, range);
    const isWhole = range === undefined || (range.from === 0 && bytes.length < range.length);
    if (isWhole) await this.#kept.put(`whole ${name}`, bytes, this.#options.now());
    return bytes;
  }

  now(): Promise<Date> {
    return Promise.resolve(this.#options.now());
  }

  async close(): Promise<void> {
    await this.#kept.makeRoom();
    const store = await this.#store?.catch(() => undefined);
    await store?.close();
  }

  put(): Promise<void> {
    return Promise.reject(readOnly());
  }

  delete(): Promise<void> {
    return Promise.reject(readOnly());
  }

  stage(): Promise<Staged> {
    return Promise.reject(readOnly());
  }

  async #pieces(name: string, { from, length }: { from: number; length: number }): Promise<Uint8Array<ArrayBuffer>> {
    const parts: Uint8Array[] = [];
    for (let at = from - from % PIECE_BYTES; at < from + length; at += PIECE_BYTES) {
      const piece = await this.#piece(name, at);
      parts.push(cut(piece, { from: Math.max(0, from - at), length: from + length - Math.max(from, at) }));
      if (piece.length < PIECE_BYTES) break;
    }
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** Those who want the same piece at once fetch it once. */
  #piece(name: string, at: number): Promise<Uint8Array<ArrayBuffer>> {
    const key = `piece ${at} ${name}`;
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined) return underWay;
    const fetching = this.#fetchPiece(name, at, key).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, fetching);
    return fetching;
  }

  async #fetchPiece(name: string, at: number, key: string): Promise<Uint8Array<ArrayBuffer>> {
    const kept = await this.#kept.get(key);
    if (kept !== undefined) return kept.bytes;
    const bytes = await (await this.#inner(name)).get(name, { from: at, length: PIECE_BYTES });
    await this.#kept.put(key, bytes, this.#options.now());
    return bytes;
  }

  #inner(wanted: string): Promise<Store> {
    if (this.#options.offline) {
      throw new OfflineError(
        `${wanted} of ${this.#options.place} is not on this machine, and with --offline nobody is asked for it. ` +
          "Run the same once without --offline: what it reads then is kept",
      );
    }
    return this.#store ??= this.#options.open();
  }
}

/** Opens the memory of a place; the place itself only when something is missing. */
export async function openKeptStore(options: KeptStoreOptions): Promise<KeptStore> {
  const kept = new KeptFiles(options.folder, { mostBytes: MOST_KEPT_BYTES });
  const known = await kept.get("location");
  if (known !== undefined) {
    return new KeptStore(kept, { ...options, location: new TextDecoder().decode(known.bytes) });
  }
  if (options.offline) {
    throw new OfflineError(
      `This machine keeps nothing of ${options.place} yet, and with --offline nobody is asked. ` +
        "Run the same once without --offline: what it reads then is kept",
    );
  }
  const store = await options.open();
  await kept.put("location", new TextEncoder().encode(store.location), options.now());
  return new KeptStore(kept, { ...options, location: store.location, store });
}

function isBrick(name: string): boolean {
  return name.startsWith("bricks/") || name.startsWith("meta/");
}

/** Whether an object never changes: `.open` indexes do. */
function isSettled(name: string): boolean {
  return !name.endsWith(".open");
}

function cut(bytes: Uint8Array<ArrayBuffer>, { from, length }: { from: number; length: number }) {
  return bytes.slice(from, from + length);
}

function readOnly(): Error {
  return new Error("Nothing may be written through the memory of a store");
}
