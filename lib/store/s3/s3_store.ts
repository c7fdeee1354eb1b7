/** A bucket as a store. Small objects are put from memory; bricks go through a spool on the disk, in one request each. */
import { ExistsError } from "../errors.ts";
import { fileMode, removeIfThere } from "../durable.ts";
import { systemCode, writeFailure } from "../disk_errors.ts";
import { isObjectName, requireObjectName, requirePrefix } from "../names.ts";
import { boundedRange } from "../range.ts";
import { StagedFile } from "../staged_file.ts";
import type { Staged, Store, StoredObject } from "../store.ts";
import { type Bucket, type ObjectLock, openBucket } from "./bucket.ts";
import { bytesBody, FileBody, hashInName, measureFile } from "./file_body.ts";
import type { TransferLimits } from "./limits.ts";
import { bucketLocation, type BucketPlace } from "./place.ts";
import { dropFile, UploadSpool, type WholeFile } from "./upload_spool.ts";

/** How bricks are protected from being removed, also by whoever has the keys of the bucket. */
export interface LockPolicy {
  mode: "GOVERNANCE" | "COMPLIANCE";
  days: number;
}

export interface S3StoreOptions {
  /** A folder of this machine for bricks that wait for their upload; it is made when the first one does. */
  spoolFolder: string;
  /** Bytes that may wait (default 2 GiB). */
  spoolBytes?: number;
  /** Storage classes of data bricks and meta bricks; everything else is STANDARD. */
  dataClass?: string;
  metaClass?: string;
  lock?: LockPolicy;
  limits?: TransferLimits;
}

const SPOOL_BYTES = 2 * 1024 ** 3;
const DAY_MS = 24 * 3600 * 1000;
/** Bricks that may be on their way at once: a machine that is lost loses no more than these. */
const COMMITS_AT_ONCE = 8;

const PROTECTED_AT_ONCE = 16;

/** Opens what is below a prefix of a bucket, after asking whether the bucket is there: `NotFoundError` if not. */
export async function openS3Store(place: BucketPlace, options: S3StoreOptions): Promise<Store> {
  const bucket = await openBucket(place, options.limits);
  try {
    await bucket.now();
    return new S3Store(bucket, options);
  } catch (error) {
    await bucket.close();
    throw error;
  }
}

/** The same for a place where nothing must be yet: otherwise `ExistsError`. The bucket itself must exist. */
export async function createS3Store(place: BucketPlace, options: S3StoreOptions): Promise<Store> {
  const bucket = await openBucket(place, options.limits);
  try {
    for await (const { key } of bucket.list("")) {
      throw new ExistsError(`Cannot make a repository in ${bucketLocation(place)}: it is not empty (it holds ${key})`);
    }
    return new S3Store(bucket, options);
  } catch (error) {
    await bucket.close();
    throw error;
  }
}

class S3Store implements Store {
  readonly location: string;
  readonly commitsAtOnce = COMMITS_AT_ONCE;
  readonly #bucket: Bucket;
  readonly #options: S3StoreOptions;
  readonly #staged = new Set<StagedFile>();
  /** Until when the bricks of this run are locked. */
  readonly #locked = new Map<string, Date>();
  #spool: Promise<UploadSpool> | undefined;
  #closed = false;

  constructor(bucket: Bucket, options: S3StoreOptions) {
    this.location = bucket.location;
    this.#bucket = bucket;
    this.#options = options;
  }

  async *list(prefix: string, options: { after?: string } = {}): AsyncGenerator<StoredObject> {
    this.#requireOpen();
    requirePrefix(prefix);
    const after = options.after ?? "";
    for await (const { key, bytes, modifiedAt } of this.#bucket.list(prefix, { after })) {
      if (!key.startsWith(prefix) || key <= after || !isObjectName(key)) continue;
      yield { name: key, size: bytes, modifiedAt };
    }
  }

  async head(name: string): Promise<StoredObject | undefined> {
    this.#requireOpen();
    requireObjectName(name);
    const there = await this.#bucket.head(name);
    return there && { name, size: there.bytes, modifiedAt: there.modifiedAt };
  }

  async get(name: string, range?: { from: number; length: number }): Promise<Uint8Array<ArrayBuffer>> {
    this.#requireOpen();
    requireObjectName(name);
    boundedRange(0, range);
    return await this.#bucket.get(name, range);
  }

  async put(name: string, bytes: Uint8Array, { once = false }: { once?: boolean } = {}): Promise<void> {
    this.#requireOpen();
    requireObjectName(name);
    const outcome = await this.#bucket.put(name, bytesBody(bytes), { once });
    // The same bytes, but not ours.
    if (outcome === "there") throw new ExistsError(`Cannot write ${this.location}/${name}: it exists already`);
  }

  async delete(name: string): Promise<void> {
    this.#requireOpen();
    requireObjectName(name);
    await this.#bucket.remove(name);
  }

  async stage(): Promise<Staged> {
    this.#requireOpen();
    const spool = await this.#openSpool();
    let path = spool.nextPath();
    const open = { write: true, createNew: true, mode: fileMode };
    const file = await Deno.open(path, open).catch((error) => {
      throw writeFailure(error, `begin an object in the spool ${path}`);
    });
    const staged = new StagedFile(file, path, {
      publish: async (_path, name) => {
        this.#requireOpen();
        requireObjectName(name);
        await spool.uploading(async () => {
          if (!path.endsWith(".whole")) path = await spool.keep(path, name);
          await this.#upload({ name, path }, staged.written);
          await dropFile(spool, { path, bytes: staged.written });
        });
        this.#staged.delete(staged);
      },
      drop: async () => {
        this.#staged.delete(staged);
        await dropFile(spool, { path, bytes: staged.written });
      },
    });
    this.#staged.add(staged);
    return new SpooledObject(staged, spool);
  }

  async now(): Promise<Date> {
    this.#requireOpen();
    return await this.#bucket.now();
  }

  /** Stores what dead runs of this machine had finished and not stored. */
  async recover(): Promise<void> {
    this.#requireOpen();
    await this.#openSpool();
  }

  /** Prolongs locks of which less than half is left. */
  async protect(
    names: readonly string[],
    known: ReadonlyMap<string, Date>,
  ): Promise<{ locked: Map<string, Date>; prolonged: number } | undefined> {
    this.#requireOpen();
    const { lock } = this.#options;
    if (lock === undefined) return undefined;
    const locked = new Map<string, Date>();
    let prolonged = 0;
    const until = new Date(Date.now() + lock.days * DAY_MS);
    const leastMs = Date.now() + lock.days * DAY_MS / 2;
    const queue = names.values();
    await Promise.all(Array.from({ length: PROTECTED_AT_ONCE }, async () => {
      for (const name of queue) {
        let at = this.#locked.get(name) ?? known.get(name);
        // A short lock may be this machine's mistake of yesterday: the store knows better.
        if ((at?.getTime() ?? 0) < leastMs) at = (await this.#bucket.head(name))?.lockedUntil;
        if ((at?.getTime() ?? 0) < leastMs) {
          await this.#bucket.lock(name, { mode: lock.mode, until });
          at = until;
          prolonged++;
        }
        locked.set(name, at!);
      }
    }));
    return { locked, prolonged };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#bucket.close();
    // Ours may be the run that failed to open it; then it has said so.
    const spool = await this.#spool?.catch(() => undefined);
    await Promise.allSettled([...this.#staged].filter(({ isWhole }) => !isWhole).map((staged) => staged.abort()));
    await spool?.close();
  }

  async #upload({ name, path }: WholeFile, bytes: number): Promise<void> {
    const hash = hashInName(name);
    const body = new FileBody(path, hash === undefined ? await measureFile(path) : { bytes, sha256: hash });
    const lock = this.#lockFor(name);
    const storageClass = name.startsWith("bricks/")
      ? this.#options.dataClass
      : name.startsWith("meta/")
      ? this.#options.metaClass
      : undefined;
    try {
      await this.#bucket.put(name, body, {
        once: true,
        ...(storageClass === undefined ? {} : { class: storageClass }),
        ...(lock === undefined ? {} : { lock }),
      });
      if (lock !== undefined) this.#locked.set(name, lock.until);
    } catch (error) {
      if (!(error instanceof ExistsError)) throw error;
      // Equal names mean equal bytes. Where the name is a hash and the bytes are others, what is there is damaged.
      if (hash !== undefined) {
        throw new Error(
          `Cannot write ${this.location}/${name}: there is an object of that name with other bytes, so it is damaged. ` +
            'Run "tarzan verify"',
          { cause: error },
        );
      }
    } finally {
      body.close();
    }
  }

  /** The lock that a new object gets: bricks are worth one. */
  #lockFor(name: string): ObjectLock | undefined {
    const { lock } = this.#options;
    if (lock === undefined || !/^(bricks|meta)\//.test(name)) return undefined;
    return { mode: lock.mode, until: new Date(Date.now() + lock.days * DAY_MS) };
  }

  async #finish({ name, path }: WholeFile): Promise<void> {
    const { bytes, sha256 } = await measureFile(path);
    // A power loss may have cut it short: then it never was a brick.
    if (sha256 === hashInName(name)) await this.#upload({ name, path }, bytes);
    await removeIfThere(path);
  }

  async #openSpool(): Promise<UploadSpool> {
    this.#spool ??= UploadSpool.open(this.#options.spoolFolder, {
      limitBytes: this.#options.spoolBytes ?? SPOOL_BYTES,
      finish: (file) => this.#finish(file),
    });
    try {
      return await this.#spool;
    } catch (error) {
      this.#spool = undefined;
      // What is no fault of the disk has been explained.
      if (systemCode(error) === "") throw error;
      throw writeFailure(error, `use the spool ${this.#options.spoolFolder}`);
    }
  }

  #requireOpen(): void {
    if (this.#closed) throw new Error(`Cannot use the store ${this.location}: it was closed`);
  }
}

/** A staged file that waits for room in the spool. */
class SpooledObject implements Staged {
  readonly #file: StagedFile;
  readonly #spool: UploadSpool;

  constructor(file: StagedFile, spool: UploadSpool) {
    this.#file = file;
    this.#spool = spool;
  }

  get written(): number {
    return this.#file.written;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#spool.room(bytes.length);
    const before = this.#file.written;
    try {
      await this.#file.write(bytes);
    } finally {
      // What was not written takes no room.
      this.#spool.release(bytes.length - (this.#file.written - before));
    }
  }

  commit(name: string): Promise<void> {
    return this.#file.commit(name);
  }

  abort(): Promise<void> {
    return this.#file.abort();
  }
}
