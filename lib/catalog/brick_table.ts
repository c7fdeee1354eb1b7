import { Buffer } from "node:buffer";
import type { StatementSync } from "node:sqlite";
import { type BrickRow, chunksBeforeBlocks, fromHex, type Kind, toHex } from "./brick_row.ts";
import type { ChunkTable } from "./chunk_table.ts";
import type { Database } from "./database.ts";

/** A brick as a listing shows it: everything but the lists. */
export interface BrickSummary {
  /** Its number in this catalogue; means nothing elsewhere, nor after a reset. */
  readonly number: number;
  readonly name: string;
  readonly kind: Kind;
  readonly domain: string;
  readonly bytes: number;
  readonly treeHash: string;
  readonly ledgerObject: string;
  readonly position: number;
  readonly chunkCount: number;
}

/** Which bricks a listing is about. */
export interface BrickFilter {
  readonly domain?: string;
  readonly kind?: Kind;
}

const rowsAtOnce = 1000;
const columns = "number, name, kind, domain, bytes, tree_hash, ledger_object, position, chunk_count";

/** The bricks, oldest first in ledger order: by the name of the ledger object, then by place in it. */
export class BrickTable {
  readonly #chunks: ChunkTable;
  readonly #insert: StatementSync;
  readonly #insertBlocks: StatementSync;
  readonly #setSegment: StatementSync;
  readonly #setOrder: StatementSync;
  readonly #remove: StatementSync;
  readonly #removeBlocks: StatementSync;
  readonly #byNumber: StatementSync;
  readonly #byName: StatementSync;
  readonly #firstSegment: StatementSync;
  readonly #blocks: StatementSync;
  readonly #page: StatementSync;
  readonly #anyChunk: StatementSync;

  constructor(database: Database, chunks: ChunkTable) {
    this.#chunks = chunks;
    this.#insert = database.prepare(
      "INSERT INTO bricks(name, kind, domain, bytes, tree_hash, ledger_object, position, chunk_count, first_segment) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
    );
    this.#insertBlocks = database.prepare("INSERT INTO blocks(brick, list) VALUES (?, ?)");
    this.#setSegment = database.prepare("UPDATE bricks SET first_segment = ? WHERE number = ?");
    this.#setOrder = database.prepare("UPDATE bricks SET ledger_object = ?, position = ? WHERE number = ?");
    this.#remove = database.prepare("DELETE FROM bricks WHERE number = ?");
    this.#removeBlocks = database.prepare("DELETE FROM blocks WHERE brick = ?");
    this.#byNumber = database.prepare(`SELECT ${columns} FROM bricks WHERE number = ?`);
    this.#byName = database.prepare(
      `SELECT ${columns} FROM bricks WHERE name = ?1 AND (?2 IS NULL OR domain = ?2) ORDER BY ledger_object, position LIMIT 1`,
    );
    this.#firstSegment = database.prepare("SELECT first_segment FROM bricks WHERE number = ?");
    this.#blocks = database.prepare("SELECT list FROM blocks WHERE brick = ?");
    this.#page = database.prepare(
      `SELECT ${columns} FROM bricks WHERE (ledger_object, position, name) > (?1, ?2, ?3) ` +
        "AND (?4 IS NULL OR domain = ?4) AND (?5 IS NULL OR kind = ?5) " +
        `ORDER BY ledger_object, position, name LIMIT ${rowsAtOnce}`,
    );
    this.#anyChunk = database.prepare(
      "SELECT 1 FROM bricks WHERE kind = ? AND domain = ? AND chunk_count > 0 LIMIT 1",
    );
  }

  /**
   * Adds a brick, and its list to the chunk table. Of several records of one brick in one domain the oldest counts, in
   * whatever order they come. Returns whether the table changed for a brick that was known already.
   */
  add(row: BrickRow): boolean {
    const known = this.byName(row.name, row.domain);
    if (known !== undefined && !isOlder(row, known)) return false;
    if (known !== undefined && this.#isSame(row, known)) {
      this.#setOrder.run(row.ledgerObject, row.position, known.number);
      return true;
    }
    this.replace(row);
    return known !== undefined;
  }

  /** Adds a brick in place of the one with its name and domain, if there is one. */
  replace(row: BrickRow): void {
    const known = this.byName(row.name, row.domain);
    if (known !== undefined) this.#removeWhole(known);
    const chunkCount = chunksBeforeBlocks(row.blocks).at(-1) ?? 0;
    const number = Number(
      this.#insert.run(
        fromHex(row.name, 32),
        row.kind,
        fromHex(row.domain, 16),
        row.bytes,
        fromHex(row.treeHash, 32),
        row.ledgerObject,
        row.position,
        chunkCount,
      ).lastInsertRowid,
    );
    this.#insertBlocks.run(number, row.blocks);
    this.#setSegment.run(this.#chunks.add(number, row.chunks), number);
  }

  byNumber(number: number): BrickSummary | undefined {
    const row = this.#byNumber.get(number);
    return row && summary(row);
  }

  /** The brick of that name; the oldest one if records of several domains claim it. */
  byName(name: string, domain?: string): BrickSummary | undefined {
    const row = this.#byName.get(fromHex(name, 32), domain === undefined ? null : fromHex(domain, 16));
    return row && summary(row);
  }

  /** A brick's block list. */
  blocks(number: number): Uint8Array {
    return this.#blocks.get(number)?.["list"] as Uint8Array;
  }

  /** A brick's chunk list. */
  chunks({ number, chunkCount }: BrickSummary): Uint8Array {
    return this.#chunks.list(this.#segmentOf(number), chunkCount);
  }

  /** All bricks in ledger order; no statement stays open between two of them, so the caller may change the table. */
  *all(filter: BrickFilter): Generator<BrickSummary> {
    const domain = filter.domain === undefined ? null : fromHex(filter.domain, 16);
    let last: [string, number, Uint8Array] = ["", -1, new Uint8Array()];
    for (;;) {
      const rows = this.#page.all(...last, domain, filter.kind ?? null).map(summary);
      yield* rows;
      const end = rows.at(-1);
      if (end === undefined || rows.length < rowsAtOnce) return;
      last = [end.ledgerObject, end.position, fromHex(end.name, 32)];
    }
  }

  /** Whether any brick of this kind and domain holds a chunk. */
  hasChunks(kind: Kind, domain: string): boolean {
    return this.#anyChunk.get(kind, fromHex(domain, 16)) !== undefined;
  }

  #segmentOf(number: number): number {
    return this.#firstSegment.get(number)?.["first_segment"] as number;
  }

  #isSame(row: BrickRow, known: BrickSummary): boolean {
    return row.kind === known.kind && row.bytes === known.bytes && row.treeHash === known.treeHash &&
      Buffer.compare(row.blocks, this.blocks(known.number)) === 0 &&
      Buffer.compare(row.chunks, this.chunks(known)) === 0;
  }

  #removeWhole({ number, chunkCount }: BrickSummary): void {
    this.#chunks.remove(this.#segmentOf(number), chunkCount);
    this.#removeBlocks.run(number);
    this.#remove.run(number);
  }
}

/** Whether one brick comes before another in ledger order; equal places are told apart by name. */
export function isOlder(
  a: Pick<BrickRow, "ledgerObject" | "position" | "name">,
  b: Pick<BrickRow, "ledgerObject" | "position" | "name">,
): boolean {
  if (a.ledgerObject !== b.ledgerObject) return a.ledgerObject < b.ledgerObject;
  if (a.position !== b.position) return a.position < b.position;
  return a.name < b.name;
}

function summary(row: Record<string, unknown>): BrickSummary {
  return {
    number: row["number"] as number,
    name: toHex(row["name"]),
    kind: row["kind"] as Kind,
    domain: toHex(row["domain"]),
    bytes: row["bytes"] as number,
    treeHash: toHex(row["tree_hash"]),
    ledgerObject: row["ledger_object"] as string,
    position: row["position"] as number,
    chunkCount: row["chunk_count"] as number,
  };
}
