/** The bricks that a run has finished: remembered in its journal at once, put on record in the ledger in batches. */
import { type BrickRecord, brickRecordBytes, MIB } from "../brick/mod.ts";
import type { Journal } from "./journal.ts";
import { publish } from "./ledger.ts";
import { missingBricks } from "./presence.ts";
import type { Repository } from "./repository.ts";

/**
 * A ledger object is put after this many bricks, or this much time, or when it gets this large: one brick full of tiny
 * chunks. What waits is in memory several times over while it is put.
 */
const LEDGER_BRICKS = 16;
const LEDGER_MS = 10 * 60 * 1000;
const LEDGER_BYTES = 2 * MIB;

export interface BrickLogOptions {
  repository: Repository;
  domain: string;
  journal: Journal | undefined;
  now: () => number;
}

/** Publishes the bricks of one run. */
export class BrickLog {
  readonly #options: BrickLogOptions;
  #waiting: BrickRecord[] = [];
  #published: string[] = [];
  #lastMs: number;

  constructor(options: BrickLogOptions) {
    this.#options = options;
    this.#lastMs = options.now();
  }

  /** Puts on record what runs that died left, as far as it did come into the store and nobody has told of it. */
  async adopt(bricks: BrickRecord[]): Promise<void> {
    const { repository, domain } = this.#options;
    const lost = new Set(await missingBricks(repository, bricks.map((brick) => ({ ...brick, domain }))));
    const isNews = (name: string) => repository.catalog.brickByName(name, { domain }) === undefined;
    const found = bricks.filter(({ name }) => !lost.has(name) && isNews(name));
    if (found.length > 0) await publish(repository, domain, found.map((brick) => ({ type: "brick", brick })));
  }

  /** A brick of this run is in the store. */
  add(brick: BrickRecord): void {
    this.#waiting.push(brick);
  }

  /** Names of this run's bricks, in the order in which the ledger tells of them. */
  get names(): string[] {
    return [...this.#published, ...this.#waiting.map(({ name }) => name)];
  }

  /** Whether enough has come together for a ledger object. */
  get isDue(): boolean {
    if (this.#waiting.length === 0) return false;
    const bytes = this.#waiting.reduce((sum, { toc }) => sum + brickRecordBytes(toc), 0);
    const sinceMs = this.#options.now() - this.#lastMs;
    return this.#waiting.length >= LEDGER_BRICKS || bytes >= LEDGER_BYTES || sinceMs >= LEDGER_MS;
  }

  /** Puts all that waits on record; the bricks that were. */
  async publish(): Promise<BrickRecord[]> {
    const { repository, domain, journal, now } = this.#options;
    // A copy: the next brick may come while these are being published.
    const bricks = this.#waiting.slice();
    if (bricks.length === 0) return bricks;
    await publish(repository, domain, bricks.map((brick) => ({ type: "brick", brick })));
    await journal?.clear(bricks);
    this.#published.push(...bricks.map(({ name }) => name));
    this.#waiting = this.#waiting.slice(bricks.length);
    this.#lastMs = now();
    return bricks;
  }
}
