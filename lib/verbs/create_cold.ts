/**
 * Cold storage while a backup runs. Where the repository is a directory, bricks are stored there first and sent on from there,
 * while the tar is still being read; where it is a bucket, they take the way past it. Everything small follows when the index
 * is written, in one bundle. What cold storage has confirmed is then removed from the directory.
 *
 * A cold store that cannot be reached does not cost the backup where the repository has all of it anyway: it is finished, and
 * then said to be not off-site.
 */
import type { BrickRecord, PlacedRecord } from "../brick/mod.ts";
import { aloneBytes, type BrickTarget, ColdTarget, type Dropped, loneBrick } from "../repository/mod.ts";
import { isBucketLocation, openDirectoryStore, type Store } from "../store/mod.ts";
import { ColdRun, PARALLEL_UPLOADS, tellOfKept } from "./cold_run.ts";
import { ownFolder } from "./local_state.ts";
import type { Opened } from "./open.ts";
import type { VerbSession } from "./session.ts";

/** What of a backup went into cold storage. */
export interface CreatedCold {
  location: string;
  objects: number;
  bytes: number;
  /** Bricks that were removed from the repository, and those that were not though they might. */
  dropped: number;
  kept: number;
}

export interface ColdBackupOptions {
  opened: Opened;
  domain: string;
  /** As the settings of the repository have it. */
  location: string;
  /** The size that data bricks aim at. */
  targetBytes: number;
}

/** Cold storage during one backup. One of `finish` and `giveUp` must be called. */
export class ColdBackup {
  readonly #session: VerbSession;
  readonly #options: ColdBackupOptions;
  readonly #run: ColdRun;
  readonly #outbox: Store | undefined;
  readonly #target: ColdTarget | undefined;
  /** Bricks that are placed and told of, and still in the repository. */
  readonly #placed: Set<string>;
  #dropped = 0;
  #failure: Error | undefined;

  private constructor(
    session: VerbSession,
    options: ColdBackupOptions,
    parts: { run: ColdRun; outbox: Store | undefined; placed: Set<string> },
  ) {
    this.#session = session;
    this.#options = options;
    this.#run = parts.run;
    this.#outbox = parts.outbox;
    this.#placed = parts.placed;
    if (parts.outbox === undefined) return;
    this.#target = new ColdTarget({
      hot: options.opened.repository.store,
      outbox: parts.outbox,
      uploader: parts.run.uploader,
      aloneBytes: aloneBytes(options.targetBytes),
      parallel: PARALLEL_UPLOADS,
    });
  }

  static async begin(session: VerbSession, options: ColdBackupOptions): Promise<ColdBackup> {
    const { opened, domain, location, targetBytes } = options;
    const { repository, state } = opened;
    const cold = await repository.cold!.open(location);
    const placed = new Set<string>();
    const onPlaced = (records: PlacedRecord[]) => {
      for (const { bricks } of records) for (const { name, kind } of bricks) if (kind === "D") placed.add(name);
      return Promise.resolve();
    };
    const outbox = isBucketLocation(repository.store.location)
      ? await openDirectoryStore(await ownFolder(`${state}/outbox-${domain}`))
      : undefined;
    try {
      const run = await ColdRun.begin(session, {
        ...{ opened, domain, cold, targetBytes, onPlaced },
        parallel: PARALLEL_UPLOADS,
      });
      return new ColdBackup(session, options, { run, outbox, placed });
    } catch (error) {
      await outbox?.close();
      throw error;
    }
  }

  /** Where data bricks go; undefined: into the repository, as usual. */
  get target(): BrickTarget | undefined {
    return this.#target;
  }

  /** Sends on bricks that dead runs had finished and not stored. */
  async recover(bricks: readonly BrickRecord[]): Promise<void> {
    if (this.#target === undefined) return;
    await this.#target.recover(bricks);
    await this.#run.uploader.idle();
  }

  /** A brick is stored in the repository: it can be sent on. */
  take(brick: BrickRecord): void {
    const { targetBytes, opened } = this.#options;
    const goesAlone = brick.kind === "D" && brick.bytes >= aloneBytes(targetBytes);
    if (this.#target === undefined && goesAlone) this.#run.uploader.add(loneBrick(opened.repository, brick));
  }

  /** Removes what the ledger tells of by now, so that a long backup needs little room here. */
  async dropSome(): Promise<void> {
    // A vault says only days later what it holds.
    const canDrop = this.#outbox === undefined && this.#run.cold.class !== "VAULT" && this.#failure === undefined;
    if (!canDrop || this.#placed.size === 0) return;
    const { opened: { repository: { catalog } }, domain } = this.#options;
    const told = [...this.#placed].filter((name) => catalog.brickByName(name, { domain }) !== undefined);
    if (told.length === 0) return;
    for (const name of told) this.#placed.delete(name);
    await this.#try(async () => {
      const dropped = await this.#run.dropLocal(new Set(told));
      this.#dropped += dropped.bricks;
    });
  }

  /** Waits until all finished bricks are in cold storage. */
  async placed(): Promise<void> {
    this.#session.progress.update({ phase: "waiting for uploads" });
    // What is in no store must be, before an index leans on it.
    if (this.#target !== undefined) return await this.#run.uploader.idle();
    await this.#try(() => this.#run.uploader.idle());
  }

  /** Sends everything else, the new index included. The backup is made: what fails now can be done again later. */
  async finish(): Promise<CreatedCold> {
    let dropped: Dropped | undefined;
    await this.#try(async () => {
      this.#session.progress.update({ phase: "bundling" });
      await this.#run.uploadRest();
      dropped = await this.#run.dropLocal();
      tellOfKept(this.#session, dropped);
    });
    const { location } = this.#options;
    const [problem] = this.#run.uploader.problems;
    if (this.#failure !== undefined || problem !== undefined) {
      const why = (this.#failure ?? problem)!;
      throw new Error(
        `The backup is stored, but not all of it is in cold storage (${location}): ${why.message}. ` +
          'Run "tarzan glacier-upload" to send the rest',
        { cause: why },
      );
    }
    await this.#run.end();
    await this.#outbox?.close();
    const { objects, bytes } = this.#run.uploader.counts;
    const kept = (dropped?.unconfirmed ?? 0) + (dropped?.refused ?? 0);
    return { location, objects, bytes, dropped: this.#dropped + (dropped?.bricks ?? 0), kept };
  }

  /** The backup failed, or a part of its upload: what is on its way goes on with the next run. */
  async giveUp(): Promise<void> {
    await this.#run.giveUp();
    await this.#outbox?.close();
  }

  /** The first failure is remembered, and nothing more is tried after it. */
  async #try(work: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await work();
    } catch (error) {
      this.#session.signal.throwIfAborted();
      this.#failure = error as Error;
      this.#session.warn(`Cold storage: ${this.#failure.message}. The backup goes on without it`);
    }
  }
}
