import type { StatementSync } from "node:sqlite";
import { fromHex, type Kind, toHex } from "./brick_row.ts";
import type { Database } from "./database.ts";

/** What a catalogue is told about an object in cold storage: one `placed` record of the ledger. */
export interface PlacedRow {
  /** 32 hex digits. */
  domain: string;
  location: string;
  handle: string;
  class: string;
  bytes: number;
  sha256: string;
  treeHash: string;
  placedAt: Date;
  bricks: { name: string; kind: Kind; offset: number; bytes: number }[];
}

/** What a catalogue is told about an object that cold storage lost: one `lost` record of the ledger. */
export interface LostRow {
  domain: string;
  location: string;
  handle: string;
  at: Date;
}

/** Where a brick lies in cold storage. */
export interface Placement {
  brick: string;
  kind: Kind;
  /** Of the brick, within the object. */
  offset: number;
  bytes: number;
  object: Omit<PlacedRow, "bricks">;
}

/** Which placements a listing is about. */
export interface PlacementFilter {
  readonly domain?: string;
  readonly location?: string;
}

const rowsAtOnce = 1000;
const columns =
  "b.name, b.kind, b.offset, b.bytes AS brick_bytes, b.placed, p.domain, p.location, p.handle, p.class, " +
  "p.bytes, p.sha256, p.tree_hash, p.placed_at";

/** Placements that were not taken back afterwards. */
const stands = "NOT EXISTS (SELECT 1 FROM lost l WHERE l.domain = p.domain AND l.location = p.location " +
  "AND l.handle = p.handle AND l.at >= p.placed_at)";

/** Objects in cold storage and the bricks in them. Answers do not depend on the order in which records come. */
export class PlacementTable {
  readonly #insert: StatementSync;
  readonly #placeAnew: StatementSync;
  readonly #insertBrick: StatementSync;
  readonly #insertLost: StatementSync;
  readonly #find: StatementSync;
  readonly #ofBrick: StatementSync;
  readonly #page: StatementSync;
  readonly #names: StatementSync;
  readonly #objects: StatementSync;

  constructor(database: Database) {
    this.#find = database.prepare("SELECT number FROM placed WHERE domain = ? AND location = ? AND handle = ?");
    this.#insert = database.prepare(
      "INSERT INTO placed(domain, location, handle, class, bytes, sha256, tree_hash, placed_at) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#placeAnew = database.prepare("UPDATE placed SET placed_at = MAX(placed_at, ?) WHERE number = ?");
    this.#insertLost = database.prepare(
      "INSERT INTO lost(domain, location, handle, at) VALUES (?, ?, ?, ?) " +
        "ON CONFLICT(domain, location, handle) DO UPDATE SET at = MAX(at, excluded.at)",
    );
    this.#insertBrick = database.prepare(
      "INSERT OR IGNORE INTO placed_bricks(name, placed, kind, offset, bytes) VALUES (?, ?, ?, ?, ?)",
    );
    this.#ofBrick = database.prepare(
      `SELECT ${columns} FROM placed_bricks b JOIN placed p ON p.number = b.placed ` +
        `WHERE b.name = ?1 AND (?2 IS NULL OR p.domain = ?2) AND ${stands} ` +
        "ORDER BY p.placed_at DESC, p.number DESC",
    );
    this.#page = database.prepare(
      `SELECT ${columns} FROM placed_bricks b JOIN placed p ON p.number = b.placed WHERE (b.name, b.placed) > (?1, ?2) ` +
        "AND (?3 IS NULL OR p.domain = ?3) AND (?4 IS NULL OR p.location = ?4) " +
        `AND ${stands} ORDER BY b.name, b.placed LIMIT ${rowsAtOnce}`,
    );
    this.#objects = database.prepare(
      "SELECT number, domain, location, handle, class, bytes, sha256, tree_hash, placed_at FROM placed p " +
        `WHERE number > ? AND ${stands} ORDER BY number LIMIT ${rowsAtOnce}`,
    );
    this.#names = database.prepare(
      "SELECT DISTINCT b.name FROM placed_bricks b JOIN placed p ON p.number = b.placed " +
        `WHERE (?1 IS NULL OR p.domain = ?1) AND (?2 IS NULL OR p.location = ?2) AND ${stands}`,
    );
  }

  /** Adds an object; of one that was placed again, only the newer time counts. */
  add(row: PlacedRow): void {
    const domain = fromHex(row.domain, 16);
    const known = this.#find.get(domain, row.location, row.handle);
    if (known !== undefined) {
      this.#placeAnew.run(row.placedAt.getTime(), known["number"] as number);
      return;
    }
    const { lastInsertRowid } = this.#insert.run(
      domain,
      row.location,
      row.handle,
      row.class,
      row.bytes,
      fromHex(row.sha256, 32),
      fromHex(row.treeHash, 32),
      row.placedAt.getTime(),
    );
    for (const { name, kind, offset, bytes } of row.bricks) {
      this.#insertBrick.run(fromHex(name, 32), lastInsertRowid, kind, offset, bytes);
    }
  }

  /** Takes back what was placed until then. */
  lose({ domain, location, handle, at }: LostRow): void {
    this.#insertLost.run(fromHex(domain, 16), location, handle, at.getTime());
  }

  /** Where a brick lies, the newest first. */
  of(brick: string, domain?: string): Placement[] {
    return this.#ofBrick.all(fromHex(brick, 32), domain === undefined ? null : fromHex(domain, 16)).map(placement);
  }

  /** All placements, by brick; no statement stays open between two of them. */
  *all(filter: PlacementFilter): Generator<Placement> {
    let last: [Uint8Array, number] = [new Uint8Array(), -1];
    for (;;) {
      const rows = this.#page.all(...last, ...parameters(filter));
      for (const row of rows) yield placement(row);
      const end = rows.at(-1);
      if (end === undefined || rows.length < rowsAtOnce) return;
      last = [end["name"] as Uint8Array, end["placed"] as number];
    }
  }

  /** All objects, those without bricks too; no statement stays open between two of them. */
  *objects(): Generator<Omit<PlacedRow, "bricks">> {
    let last = -1;
    for (;;) {
      const rows = this.#objects.all(last);
      for (const row of rows) yield placedObject(row);
      const end = rows.at(-1);
      if (end === undefined || rows.length < rowsAtOnce) return;
      last = end["number"] as number;
    }
  }

  /** Names of all bricks that lie somewhere in cold storage. */
  names(filter: PlacementFilter): Set<string> {
    return new Set(this.#names.all(...parameters(filter)).map((row) => toHex(row["name"])));
  }
}

function parameters({ domain, location }: PlacementFilter): [Uint8Array | null, string | null] {
  return [domain === undefined ? null : fromHex(domain, 16), location ?? null];
}

function placement(row: Record<string, unknown>): Placement {
  return {
    brick: toHex(row["name"]),
    kind: row["kind"] as Kind,
    offset: row["offset"] as number,
    bytes: row["brick_bytes"] as number,
    object: placedObject(row),
  };
}

function placedObject(row: Record<string, unknown>): Omit<PlacedRow, "bricks"> {
  return {
    domain: toHex(row["domain"]),
    location: row["location"] as string,
    handle: row["handle"] as string,
    class: row["class"] as string,
    bytes: row["bytes"] as number,
    sha256: toHex(row["sha256"]),
    treeHash: toHex(row["tree_hash"]),
    placedAt: new Date(row["placed_at"] as number),
  };
}
