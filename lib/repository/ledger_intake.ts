/**
 * What ledger objects say, on its way into the catalogue, many of them at a time. Ids are scattered: each chunk of a single
 * object lands on a page of its own in the table of prefixes, and for its 16 bytes that page is read, written to SQLite's log
 * and written to the table. Of the ids of a hundred objects, sorted, dozens share a page. So objects are held until they are
 * some MiB and go in together, in one transaction with the note that they were seen: a run that dies takes at most what it
 * held with it, which the next one reads again.
 */
import { type BrickRecord, type LedgerRecord, MIB } from "../brick/mod.ts";
import type { Brick, BrickRow, LostRow, PlacedRow } from "../catalog/mod.ts";
import { DamageError, free } from "../crypto/mod.ts";
import { contradicts, trueRecord } from "./contradictions.ts";
import type { Repository } from "./repository.ts";

/**
 * Some 440,000 chunks of 36 bytes; the catalogue takes another 20 for each while it sorts them. With twice as much ten million
 * chunks are learned a seventh faster, and the first backup of a new machine takes 40 MiB more.
 */
const HELD_BYTES = 16 * MIB;
/** Generous guesses at what a record takes in memory besides its lists: names are text, and each array is an object. */
const RECORD_BYTES = 1024;
const PLACED_BRICK_BYTES = 256;

/** A ledger object that was read. */
export interface ReadLedgerObject {
  name: string;
  records: LedgerRecord[];
}

interface Held {
  bytes: number;
  objects: string[];
  bricks: BrickRow[];
  corrections: BrickRow[];
  placed: PlacedRow[];
  lost: LostRow[];
  gone: string[];
}

/** Takes objects of one domain's ledger in, one `take` after the other; nothing of it is sure to be kept before `commit`. */
export class LedgerIntake {
  readonly #repository: Repository;
  readonly #domain: string;
  readonly #heldBytes: number;
  readonly #owned: boolean;
  #held = nothing();
  /** What is held of a brick: as the catalogue would answer if it were there already. */
  #heldBricks = new Map<string, BrickRow>();

  /**
   * `heldBytes`: how much waits at most to be taken in together, though never less than one object. `owned`: nobody else needs
   * the lists of bricks, so that they end when they are in the catalogue.
   */
  constructor(repository: Repository, domain: string, options: { heldBytes?: number; owned?: boolean } = {}) {
    this.#repository = repository;
    this.#domain = domain;
    this.#heldBytes = options.heldBytes ?? HELD_BYTES;
    this.#owned = options.owned ?? false;
  }

  /** Takes what an object says, as far as that is true; where it is not, a problem. */
  async take(object: ReadLedgerObject): Promise<DamageError[]> {
    const bytes = object.records.reduce((sum, record) => sum + bytesOf(record), 0);
    if (this.#held.bytes + bytes > this.#heldBytes) this.commit();
    const bricks = this.#bricksOf(object);
    if (bricks.some(({ record }) => this.#contradictsKnown(record))) return await this.#judge(object);
    this.#hold(object, bytes);
    for (const { record, row } of bricks) {
      this.#held.bricks.push(row);
      if (!this.#heldBricks.has(record.name)) this.#heldBricks.set(record.name, row);
    }
    return [];
  }

  /** Puts all that is held into the catalogue, or none of it; with it how far the ledger was read, if that is known. */
  commit(cursor?: string): void {
    const { objects, bricks, corrections, placed, lost, gone } = this.#held;
    const { catalog } = this.#repository;
    this.#held = nothing();
    this.#heldBricks.clear();
    if (objects.length === 0 && cursor === undefined) return;
    catalog.transaction(() => {
      catalog.addBricks(bricks);
      for (const row of corrections) catalog.replaceBrick(row);
      if (placed.length > 0) catalog.addPlaced(placed);
      if (lost.length > 0) catalog.addLost(lost);
      if (gone.length > 0) catalog.exclude("gone", gone, "add", this.#domain);
      catalog.markLedgerSeen(objects);
      if (cursor !== undefined) catalog.setCursor(this.#domain, cursor);
    });
    if (this.#owned) [...bricks, ...corrections].forEach(giveBack);
  }

  /**
   * Somebody has lied, which is rare: what is held goes in first and this object by itself, so that the catalogue answers for
   * all that was told before it, and will for what comes after it.
   */
  async #judge(object: ReadLedgerObject): Promise<DamageError[]> {
    this.commit();
    const { name } = object;
    const bricks: BrickRow[] = [];
    const corrections: BrickRow[] = [];
    const problems: DamageError[] = [];
    for (const { record, row } of this.#bricksOf(object)) {
      const known = this.#known(record.name);
      if (known === undefined || !contradicts(record, known)) {
        bricks.push(row);
        continue;
      }
      const right = await trueRecord(this.#repository, this.#domain, { record, known });
      if (right === undefined) bricks.push(row);
      if (right === "record") corrections.push(row);
      problems.push(contradiction(record.name, { object: name, other: known.ledgerObject, right }));
    }
    this.#hold(object, 0);
    this.#held.bricks.push(...bricks);
    this.#held.corrections.push(...corrections);
    this.commit();
    return problems;
  }

  #contradictsKnown(record: BrickRecord): boolean {
    const held = this.#heldBricks.get(record.name);
    if (held !== undefined) return contradicts(record, held);
    const known = this.#known(record.name);
    if (known === undefined) return false;
    const contradicted = contradicts(record, known);
    free(known.chunks);
    return contradicted;
  }

  #known(name: string): Brick | undefined {
    const { catalog } = this.#repository;
    const known = catalog.brickByName(name, { domain: this.#domain });
    return known && catalog.brick(known.number);
  }

  /** Holds all of an object but its bricks. */
  #hold({ name, records }: ReadLedgerObject, bytes: number): void {
    const domain = this.#domain;
    this.#held.bytes += bytes;
    this.#held.objects.push(name);
    for (const record of records) {
      if (record.type === "placed") this.#held.placed.push({ domain, ...record.placed });
      if (record.type === "lost") this.#held.lost.push({ domain, ...record.lost });
      if (record.type === "gone") this.#held.gone.push(record.name);
    }
  }

  #bricksOf({ name, records }: ReadLedgerObject): { record: BrickRecord; row: BrickRow }[] {
    return records.flatMap((record, position) => {
      if (record.type !== "brick") return [];
      const row = brickRow(record.brick, { domain: this.#domain, ledgerObject: name, position });
      return [{ record: record.brick, row }];
    });
  }
}

function nothing(): Held {
  return { bytes: 0, objects: [], bricks: [], corrections: [], placed: [], lost: [], gone: [] };
}

function giveBack({ blocks, chunks }: BrickRow): void {
  free(blocks);
  free(chunks);
}

function bytesOf(record: LedgerRecord): number {
  if (record.type === "brick") return RECORD_BYTES + record.brick.toc.blocks.length + record.brick.toc.chunks.length;
  return record.type === "placed" ? RECORD_BYTES + record.placed.bricks.length * PLACED_BRICK_BYTES : RECORD_BYTES;
}

function contradiction(
  brick: string,
  { object, other, right }: { object: string; other: string; right: "record" | "known" | undefined },
): DamageError {
  const [truth, lie] = right === "record" ? [object, other] : [other, object];
  const outcome = right === undefined
    ? 'The brick cannot be asked now, so the older one is believed. Run "tarzan verify" when it can be read'
    : `The brick itself agrees with ${truth}. Delete ${lie}, and give the machines of this domain keys of another one`;
  const about = `${brick.slice(0, 16)}…`;
  return new DamageError(
    `Ledger objects ${object} and ${other} contradict each other about brick ${about}: a machine of this domain has ` +
      `lied. ${outcome}`,
  );
}

function brickRow(brick: BrickRecord, at: { domain: string; ledgerObject: string; position: number }): BrickRow {
  const { name, kind, bytes, treeHash, toc } = brick;
  return { name, kind, bytes, treeHash, blocks: toc.blocks, chunks: toc.chunks, ...at };
}
