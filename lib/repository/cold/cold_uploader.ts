/**
 * Brings objects of one domain into one cold store: a few at a time, each journalled when the store has confirmed it, and
 * told of in the ledger in batches. A `placed` record is written only of what the store itself said that it holds.
 */
import type { PlacedBrick, PlacedRecord } from "../../brick/mod.ts";
import { DamageError } from "../../crypto/mod.ts";
import type { ColdStore } from "../../glacier/mod.ts";
import { learn, publish } from "../ledger.ts";
import type { Repository } from "../repository.ts";
import type { Range } from "./bundle.ts";
import type { ColdJournal, StoredObject } from "./cold_journal.ts";
import { hashOf } from "./hash_of.ts";
import { noteBundled } from "./unplaced.ts";

/** A ledger object is put after so many placements, or so much time. */
const LEDGER_OBJECTS = 16;
const LEDGER_MS = 10 * 60 * 1000;

/** An object on its way into cold storage. */
export interface Outgoing {
  name: string;
  bytes: number;
  sha256: string;
  treeHash: string;
  bricks: PlacedBrick[];
  /** Names of what is in a bundle. */
  members?: string[];
  /** A brick that is read from the hot store, from where another run may take it as soon as it is placed. */
  isHot?: boolean;
  read(range: Range): Promise<Uint8Array<ArrayBuffer>>;
}

export interface ColdUploaderOptions {
  repository: Repository;
  domain: string;
  cold: ColdStore;
  journal: ColdJournal;
  /** Uploads at once. */
  parallel: number;
  signal: AbortSignal;
  /** The time that placements get. */
  now: () => Date;
  /** Bytes that have arrived. */
  sent?: (bytes: number) => void;
  /** What has just been told of in the ledger. */
  onPlaced?: (placed: PlacedRecord[]) => Promise<void>;
}

/** Counts of what a run has placed. */
export interface PlacedCounts {
  objects: number;
  bricks: number;
  bytes: number;
}

/** Uploads under way. `add` what is to go, then `finish` or `abort`. */
export class ColdUploader {
  readonly #options: ColdUploaderOptions;
  readonly #queue: { object: Outgoing; stored: PromiseWithResolvers<void> }[] = [];
  readonly #lanes = new Set<Promise<void>>();
  #stored: StoredObject[] = [];
  #publishing: Promise<void> = Promise.resolve();
  #lastMs: number;
  #failure: unknown;
  #failed = false;
  readonly counts: PlacedCounts = { objects: 0, bricks: 0, bytes: 0 };
  /** Objects that cannot be sent, and why; the others go on. */
  readonly problems: DamageError[] = [];

  private constructor(options: ColdUploaderOptions) {
    this.#options = options;
    this.#lastMs = options.now().getTime();
  }

  /** Begins, and tells of what dead runs stored and could not tell of any more. */
  static async begin(options: ColdUploaderOptions): Promise<ColdUploader> {
    const uploader = new ColdUploader(options);
    uploader.#stored.push(...await options.journal.stored());
    await uploader.#publish();
    return uploader;
  }

  /**
   * Queues an object. Whoever waits for the promise learns when the cold store has confirmed it and this machine will not
   * forget that; the others hear of failures from `idle`.
   */
  add(object: Outgoing): Promise<void> {
    const stored = Promise.withResolvers<void>();
    stored.promise.catch(() => {});
    if (this.#failed) stored.reject(this.#failure);
    else this.#queue.push({ object, stored });
    this.#start();
    return stored.promise;
  }

  /** Waits until everything that was added is placed, and told of in the ledger. */
  async idle(): Promise<void> {
    while (this.#lanes.size > 0) await Promise.race(this.#lanes);
    // What is stored is told of, also when something else has failed.
    await this.#publish().catch((error) => this.#fail(error));
    if (this.#failed) throw this.#failure;
  }

  /** Stops; what is stored already is told of in the ledger if that can be done. */
  async abort(): Promise<void> {
    this.#fail(new Error("The upload was given up"));
    await Promise.allSettled(this.#lanes);
    await this.#publish().catch(() => {});
  }

  #start(): void {
    while (!this.#failed && this.#lanes.size < this.#options.parallel && this.#queue.length > 0) {
      const { object, stored } = this.#queue.shift()!;
      const lane = this.#send(object)
        .then(stored.resolve, (error) => {
          this.#fail(error);
          stored.reject(error);
        })
        .finally(() => {
          this.#lanes.delete(lane);
          this.#start();
        });
      this.#lanes.add(lane);
    }
  }

  #fail(error: unknown): void {
    if (!this.#failed) this.#failure = error;
    this.#failed = true;
    for (const { stored } of this.#queue.splice(0)) stored.reject(error);
  }

  async #send(object: Outgoing): Promise<void> {
    const { cold, journal, repository, signal, now } = this.#options;
    signal.throwIfAborted();
    // Another run of this machine may have been faster.
    if (this.#isPlaced(object)) return;
    let handle: string;
    try {
      const earlier = journal.token(object.sha256);
      const { sent } = this.#options;
      handle = await cold.upload({ ...object, repository: repository.config.repository }, {
        signal,
        began: (token) => journal.began(object.sha256, token),
        ...(sent && { sent }),
        ...(earlier !== undefined && { earlier }),
      });
    } catch (error) {
      signal.throwIfAborted();
      if (await this.#isExcused(object, error)) return;
      throw error;
    }
    const { sha256, treeHash, bytes, bricks, members } = object;
    const { location, class: storageClass } = cold;
    const placed = { location, handle, class: storageClass, bytes, sha256, treeHash, placedAt: now(), bricks };
    await journal.add(placed);
    this.#stored.push({ placed, ...(members && { members }) });
    const sinceMs = now().getTime() - this.#lastMs;
    if (this.#stored.length >= LEDGER_OBJECTS || sinceMs >= LEDGER_MS) await this.#publish();
  }

  #isPlaced({ bricks }: Outgoing): boolean {
    const { repository: { catalog }, domain, cold } = this.#options;
    return bricks.length > 0 &&
      bricks.every(({ name }) =>
        catalog.placementsOf(name, { domain }).some(({ object }) => object.location === cold.location)
      );
  }

  /** One brick that is damaged here, or was taken away by a run that placed it, must not hold up all the others. */
  async #isExcused(object: Outgoing, error: unknown): Promise<boolean> {
    const { repository, domain } = this.#options;
    const [brick] = object.bricks;
    if (!object.isHot || brick === undefined) return false;
    const found = await hashOf(repository.store, object.name, object.bytes);
    if (found === brick.name) return false;
    await learn(repository, domain);
    if (this.#isPlaced(object)) return true;
    const why = found === undefined ? "it is not there any more" : `its SHA-256 is ${found}`;
    this.problems.push(
      new DamageError(
        `Cannot send brick ${brick.name} from ${repository.store.location} into cold storage: ${why}. ` +
          'Run "tarzan verify --bricks" to see what that touches',
        { cause: error },
      ),
    );
    return true;
  }

  /** Tells of what is stored; one batch after the other. */
  #publish(): Promise<void> {
    this.#publishing = this.#publishing.catch(() => {}).then(() => this.#publishNow());
    return this.#publishing;
  }

  async #publishNow(): Promise<void> {
    const { repository, domain, journal, now, onPlaced } = this.#options;
    const batch = this.#stored.slice();
    if (batch.length === 0) return;
    const placed = batch.map(({ placed }) => placed);
    await publish(repository, domain, placed.map((placed) => ({ type: "placed", placed })));
    for (const { placed: { location, handle, bricks }, members } of batch) {
      const bundle = { location, handle: bricks.length === 0 ? undefined : handle };
      if (members !== undefined) noteBundled(repository.catalog, members, bundle);
    }
    await journal.clear(placed.map(({ sha256 }) => sha256));
    this.#stored = this.#stored.slice(batch.length);
    this.#lastMs = now().getTime();
    this.counts.objects += placed.length;
    for (const { bytes, bricks } of placed) {
      this.counts.bytes += bytes;
      this.counts.bricks += bricks.length;
    }
    await onPlaced?.(placed);
  }
}
