import { type BrickRow, type Kind, requireBrickRow, requireScope } from "./brick_row.ts";
import { type BrickFilter, type BrickSummary, BrickTable } from "./brick_table.ts";
import { ChunkTable } from "./chunk_table.ts";
import { Database } from "./database.ts";
import { type Exclusion, Exclusions, isUsable, type Reason } from "./exclusions.ts";
import { Finder } from "./finder.ts";
import { wordsOf } from "./ids.ts";
import { LedgerNotes, OpenedIndexes } from "./notes.ts";
import {
  type LostRow,
  type PlacedRow,
  type Placement,
  type PlacementFilter,
  PlacementTable,
} from "./placement_table.ts";
import { schema, schemaVersion } from "./schema.ts";

const idLength = 32;
const defaultCacheBytes = 32 << 20;
const waitMs = 60_000;

/** A brick of a listing, with what speaks against it. */
export interface LightBrick extends BrickSummary {
  /** Whether new data may lean on it (with some blocks damaged: on the chunks of the others). */
  readonly usable: boolean;
  readonly excluded: Exclusion;
}

/** All that the catalogue knows about a brick. */
export interface Brick extends LightBrick {
  readonly blocks: Uint8Array;
  readonly chunks: Uint8Array;
}

/**
 * What one machine remembers of one repository: which brick holds which chunk. Only a cache: every entry comes from the
 * ledger, nothing is lost with it, and a damaged file is begun anew (`wasReset`). Synchronous, not for several threads;
 * several processes may have it open. Answers depend on what was added, never on the order in which it was.
 */
export class Catalog {
  /** Whether a file was there that could not be used: the caller fills the catalogue again from the ledger. */
  readonly wasReset: boolean;
  readonly #database: Database;
  readonly #chunks: ChunkTable;
  readonly #bricks: BrickTable;
  readonly #exclusions: Exclusions;
  readonly #finder: Finder;
  readonly #ledger: LedgerNotes;
  readonly #indexes: OpenedIndexes;
  readonly #placements: PlacementTable;
  readonly #filled = new Map<string, boolean>();

  private constructor(database: Database, cacheBytes: number) {
    this.#database = database;
    this.wasReset = database.wasReset;
    this.#chunks = new ChunkTable(database);
    this.#bricks = new BrickTable(database, this.#chunks);
    this.#exclusions = new Exclusions(database);
    this.#finder = new Finder(this.#bricks, this.#chunks, this.#exclusions, cacheBytes);
    this.#ledger = new LedgerNotes(database);
    this.#indexes = new OpenedIndexes(database);
    this.#placements = new PlacementTable(database);
  }

  /**
   * Opens the file at `path` (made if need be, closed to other users) or an empty catalogue in memory. A file of
   * another repository counts as unusable. `cacheBytes` bounds the memory for ids that are likely to come next.
   */
  static open(path: string | ":memory:", options: { repository: string; cacheBytes?: number }): Catalog {
    const layout = { version: schemaVersion, owner: options.repository, schema, waitMs };
    return new Catalog(Database.open(path, layout), options.cacheBytes ?? defaultCacheBytes);
  }

  /** Ends the use of the file; may come twice. */
  close(): void {
    this.#database.close();
  }

  /** Does several changes at once or, when `work` throws, none of them; with many changes also much faster. */
  transaction<T>(work: () => T): T {
    return this.#do(() => {
      try {
        return this.#database.transaction(work);
      } catch (error) {
        this.#forget();
        throw error;
      }
    });
  }

  /**
   * Adds bricks, all or none. Repeating a row changes nothing; of different records of one brick in one domain the
   * oldest counts. A rebuild should hand over rows with some hundred thousand chunks at a time: the larger the batch, the
   * fewer pages are written twice.
   */
  addBricks(rows: Iterable<BrickRow>): void {
    const add = () => {
      // A part of a transaction can be taken back alone, so that SQLite keeps in memory how each page was that it changes:
      // few where lists are appended, but gigabytes in the index of ids. There, only SQLite itself can still fail.
      let changed = this.transaction(() => {
        let changed = false;
        for (const row of rows) {
          requireBrickRow(row);
          changed = this.#bricks.add(row) || changed;
        }
        return changed;
      });
      changed = this.#chunks.index() || changed;
      this.#filled.clear();
      if (changed) this.#forget();
      else this.#exclusions.forget();
    };
    if (this.#database.isInTransaction) add();
    else this.transaction(add);
  }

  /** Puts a brick in place of what was recorded under its name in its domain, however old that is. */
  replaceBrick(row: BrickRow): void {
    requireBrickRow(row);
    this.transaction(() => {
      this.#bricks.replace(row);
      this.#chunks.index();
      this.#filled.clear();
      this.#forget();
    });
  }

  /**
   * For each of the ids (32 bytes each, one after the other) the number of the oldest usable brick of this kind and domain
   * that holds it, or -1. Always confirmed with the brick's own list of ids.
   */
  lookup(kind: Kind, domain: string, ids: Uint8Array): Int32Array {
    requireIds(ids);
    return this.#do(() => {
      if (!this.#hasChunks(kind, domain)) return new Int32Array(ids.length / idLength).fill(-1);
      return this.#finder.lookup(kind, domain, wordsOf(ids));
    });
  }

  /**
   * For reading: the numbers of all bricks that hold an id, in the order in which to try them: intact ones oldest first,
   * then condemned ones, which are still there, then those where the chunk lies in a damaged block, then those of which
   * somebody said that they are absent or gone.
   */
  candidates(kind: Kind, domain: string, id: Uint8Array): number[] {
    requireIds(id);
    if (id.length !== idLength) throw new TypeError(`Not the id of one chunk: ${id.length} bytes`);
    requireScope(kind, domain);
    return this.#do(() => this.#finder.candidates(kind, domain, wordsOf(id)));
  }

  /** Whether there is any chunk to find: a first backup need not ask about each. */
  hasChunks(kind: Kind, domain: string): boolean {
    return this.#do(() => this.#hasChunks(kind, domain));
  }

  /** The brick with this number. */
  brick(number: number): Brick | undefined {
    return this.#do(() => this.#whole(this.#bricks.byNumber(number)));
  }

  /** The block list of a brick that is known. */
  blocks(number: number): Uint8Array {
    return this.#do(() => this.#bricks.blocks(number));
  }

  /**
   * The brick of this name, without its lists. A caller who knows its domain says so: another domain's ledger may name any
   * brick.
   */
  brickByName(name: string, options: { domain?: string } = {}): LightBrick | undefined {
    return this.#do(() => {
      const summary = this.#bricks.byName(name, options.domain);
      return summary && this.#light(summary);
    });
  }

  /** All bricks in ledger order, without their lists. The catalogue may be changed meanwhile. */
  *bricks(filter: BrickFilter = {}): Generator<LightBrick> {
    const bricks = this.#bricks.all(filter);
    for (;;) {
      const next = this.#do(() => bricks.next());
      if (next.done) return;
      yield this.#light(next.value);
    }
  }

  /**
   * Notes bricks, known or not, that must not be leaned on: as the whole set of those with this reason, or besides
   * those that were noted before. `"replace"` with no names takes a reason back. With `domain` it is said of bricks of
   * that domain only.
   */
  exclude(reason: Reason, names: Iterable<string>, mode: "replace" | "add", domain?: string): void {
    const options = domain === undefined ? { mode } : { mode, domain };
    this.#change(() => this.#exclusions.exclude(reason, names, options));
  }

  /** Notes that some blocks of a brick (by number, besides those noted before), or all of it, cannot be read. */
  markDamaged(name: string, blocks: readonly number[] | "all"): void {
    this.#change(() => this.#exclusions.markDamaged(name, blocks));
  }

  /** The names of all bricks that are excluded for a reason. */
  excluded(reason: Reason): string[] {
    return this.#do(() => this.#exclusions.names(reason));
  }

  /** Adds objects of cold storage, all or none. Repeating a row changes nothing. */
  addPlaced(rows: Iterable<PlacedRow>): void {
    this.transaction(() => {
      for (const row of rows) this.#placements.add(row);
    });
  }

  /** Takes back placements: cold storage said that it does not hold these objects. */
  addLost(rows: Iterable<LostRow>): void {
    this.transaction(() => {
      for (const row of rows) this.#placements.lose(row);
    });
  }

  /**
   * Where in cold storage a brick lies, the newest first; with `evenLost`, for reading, also the places that are said to have
   * lost it, at the end.
   */
  placementsOf(brick: string, options: { domain?: string; evenLost?: boolean } = {}): Placement[] {
    return this.#do(() => this.#placements.of(brick, options));
  }

  /** All placements, by the names of bricks. The catalogue may be changed meanwhile. */
  *placements(filter: PlacementFilter = {}): Generator<Placement> {
    const placements = this.#placements.all(filter);
    for (;;) {
      const next = this.#do(() => placements.next());
      if (next.done) return;
      yield next.value;
    }
  }

  /** All objects of cold storage, also those that hold no brick. The catalogue may be changed meanwhile. */
  *placedObjects(): Generator<Placement["object"]> {
    const objects = this.#placements.objects();
    for (;;) {
      const next = this.#do(() => objects.next());
      if (next.done) return;
      yield next.value;
    }
  }

  /** Names of all bricks that lie in cold storage. */
  placedBricks(filter: PlacementFilter = {}): Set<string> {
    return this.#do(() => this.#placements.names(filter));
  }

  /** The newest ledger object of a domain that was seen. */
  cursor(domain: string): string | undefined {
    return this.#do(() => this.#ledger.cursor(domain));
  }

  setCursor(domain: string, ledgerObject: string): void {
    this.#do(() => this.#ledger.setCursor(domain, ledgerObject));
  }

  /** Whether a ledger object was taken in already. */
  hasSeenLedger(name: string): boolean {
    return this.#do(() => this.#ledger.hasSeen(name));
  }

  /** Notes that ledger objects were taken in; in one `transaction` with what they brought. */
  markLedgerSeen(names: Iterable<string>): void {
    this.#do(() => this.#ledger.markSeen(names));
  }

  /** The text that was kept for an opened index. */
  openedIndex(name: string): string | undefined {
    return this.#do(() => this.#indexes.get(name));
  }

  /** Keeps the text of an opened index. It holds names in clear: only for roles that may read them. */
  keepOpenedIndex(name: string, text: string): void {
    this.#do(() => this.#indexes.put(name, text));
  }

  dropOpenedIndex(name: string): void {
    this.#do(() => this.#indexes.delete(name));
  }

  /** The names of all kept indexes, ascending. */
  openedIndexes(): string[] {
    return this.#do(() => this.#indexes.names());
  }

  #hasChunks(kind: Kind, domain: string): boolean {
    requireScope(kind, domain);
    const key = kind + domain;
    let filled = this.#filled.get(key);
    if (filled === undefined) this.#filled.set(key, filled = this.#bricks.hasChunks(kind, domain));
    return filled;
  }

  #whole(summary: BrickSummary | undefined): Brick | undefined {
    if (summary === undefined) return undefined;
    return {
      ...this.#light(summary),
      blocks: this.#bricks.blocks(summary.number),
      chunks: this.#bricks.chunks(summary),
    };
  }

  #light(summary: BrickSummary): LightBrick {
    const excluded = this.#exclusions.of(summary.number);
    return { ...summary, usable: isUsable(excluded), excluded };
  }

  #change(work: () => void): void {
    this.#do(() => {
      work();
      this.#forget();
    });
  }

  #forget(): void {
    this.#filled.clear();
    this.#chunks.forget();
    this.#exclusions.forget();
    this.#finder.forget();
  }

  /** Around everything: what others changed must be read anew, and SQLite's errors need words. */
  #do<T>(work: () => T): T {
    try {
      if (this.#database.changedElsewhere()) this.#forget();
      return work();
    } catch (error) {
      throw this.#database.explained(error);
    }
  }
}

function requireIds(ids: Uint8Array): void {
  if (ids.length % idLength !== 0) throw new TypeError(`Not a list of chunk ids: ${ids.length} bytes`);
}
