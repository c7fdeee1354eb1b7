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
  /** Somebody said that cold storage lost the object: to be tried last, and not to be relied on. */
  lost: boolean;
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

/** Whether a placement was taken back afterwards. */
const isLost = "EXISTS (SELECT 1 FROM lost l WHERE l.domain = p.domain AND l.location = p.location " +
  "AND l.handle = p.handle AND l.at >= p.placed_at)";
const stands = `NOT ${isLost}`;

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
    this.#find = database.prepare(
      "SELECT number FROM placed WHERE domain = ? AND location = ? AND handle = ? AND class = ? AND bytes = ? " +
        "AND sha256 = ? AND tree_hash = ?",
    );
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
      `SELECT ${columns}, ${isLost} AS lost FROM placed_bricks b JOIN placed p ON p.number = b.placed ` +
        "WHERE b.name = ?1 AND (?2 IS NULL OR p.domain = ?2) ORDER BY lost, p.placed_at DESC, p.number DESC",
    );
    this.#page = database.prepare(
      `SELECT ${columns} FROM placed_bricks b JOIN placed p ON p.number = b.placed ` +
        "WHERE (b.name, b.placed, b.offset, b.bytes) > (?3, ?4, ?5, ?6) " +
        "AND (?1 IS NULL OR p.domain = ?1) AND (?2 IS NULL OR p.location = ?2) " +
        `AND ${stands} ORDER BY b.name, b.placed, b.offset, b.bytes LIMIT ${rowsAtOnce}`,
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

  /**
   * Adds an object; of one that was placed again, only the newer time counts. Records that say different things of one handle
   * stand side by side: a false one must not hide a true one.
   */
  add(row: PlacedRow): void {
    const { location, handle, bytes } = row;
    const hashes = [fromHex(row.sha256, 32), fromHex(row.treeHash, 32)] as const;
    const object = [fromHex(row.domain, 16), location, handle, row.class, bytes, ...hashes] as const;
    const atMs = row.placedAt.getTime();
    let number = this.#find.get(...object)?.["number"] as number | bigint | undefined;
    if (number === undefined) number = this.#insert.run(...object, atMs).lastInsertRowid;
    else this.#placeAnew.run(atMs, number);
    for (const brick of row.bricks) {
      this.#insertBrick.run(fromHex(brick.name, 32), number, brick.kind, brick.offset, brick.bytes);
    }
  }

  /** Takes back what was placed until then. */
  lose({ domain, location, handle, at }: LostRow): void {
    this.#insertLost.run(fromHex(domain, 16), location, handle, at.getTime());
  }

  /** Where a brick lies, the newest first; at the end the places that are said to have lost it, with `evenLost`. */
  of(brick: string, { domain, evenLost = false }: { domain?: string; evenLost?: boolean }): Placement[] {
    const scope = domain === undefined ? null : fromHex(domain, 16);
    const all = this.#ofBrick.all(fromHex(brick, 32), scope).map(placement);
    return evenLost ? all : all.filter(({ lost }) => !lost);
  }

  /** All placements, by brick; no statement stays open between two of them. */
  *all(filter: PlacementFilter): Generator<Placement> {
    let last: [Uint8Array, number, number, number] = [new Uint8Array(), -1, -1, -1];
    for (;;) {
      const rows = this.#page.all(...parameters(filter), ...last);
      for (const row of rows) yield placement(row);
      const end = rows.at(-1);
      if (end === undefined || rows.length < rowsAtOnce) return;
      const [placed, offset, bytes] = [end["placed"], end["offset"], end["brick_bytes"]] as [number, number, number];
      last = [end["name"] as Uint8Array, placed, offset, bytes];
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
    lost: row["lost"] === 1,
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
