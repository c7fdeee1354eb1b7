/**
 * How much of a snapshot lies in cold storage, by what the ledger says: nobody is asked. It is counted only where there is any
 * cold storage. Snapshots that follow one another have nearly the same list of bricks, a stream whose chunks they share, so
 * that each is read and counted once for all of them; nothing needs to be kept from run to run.
 */
import { DamageError, toHex } from "../crypto/mod.ts";
import { NeedsThawError, type Repository } from "../repository/mod.ts";
import { readBrickList, type SealedIndex } from "../snapshot/mod.ts";
import { startReaders } from "../pipeline/mod.ts";
import { SnapshotReaders } from "./snapshot.ts";

/** Whether there is anything to say of cold storage. */
export function hasColdStorage({ config, catalog }: Repository): boolean {
  return config.cold !== undefined || !catalog.placements().next().done;
}

/** Counts bricks of snapshots that were placed. The ledgers of their domains must have been learned before. */
export class OffSite {
  readonly #repository: Repository;
  readonly #placed = new Map<string, ReadonlySet<string>>();
  readonly #streams = new Map<string, number>();
  readonly #given: SnapshotReaders | undefined;
  #own: SnapshotReaders | undefined;

  /** `readers`: where recipes are read anyway. */
  constructor(repository: Repository, readers?: SnapshotReaders) {
    this.#repository = repository;
    this.#given = readers;
  }

  /** How many of the `sealed.bricks` are off-site; undefined where the list of them cannot be read now. */
  async count(domain: string, sealed: SealedIndex): Promise<number | undefined> {
    const placed = this.#placed.get(domain) ?? this.#repository.catalog.placedBricks({ domain });
    this.#placed.set(domain, placed);
    const last = sealed.lastBricks.filter((name) => placed.has(name)).length;
    const { depth, length, records } = sealed.brickList;
    if (length === 0) return last;
    const key = `${domain} ${depth} ${toHex(records)}`;
    const known = this.#streams.get(key);
    if (known !== undefined) return known + last;
    const readers = this.#given ?? (this.#own ??= new SnapshotReaders(this.#repository, startReaders(1)));
    const reader = readers.reader(domain);
    try {
      const names = await readBrickList({ ...sealed, lastBricks: [] }, (kind, id) => reader.chunk(kind, id));
      const count = names.filter((name) => placed.has(name)).length;
      this.#streams.set(key, count);
      return count + last;
    } catch (error) {
      // "verify" tells of it; a listing goes on.
      if (error instanceof DamageError || error instanceof NeedsThawError) return undefined;
      throw error;
    }
  }

  /** Ends the readers that it began itself. */
  close(): void {
    this.#own?.close();
  }
}
