import type { StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { fromHex } from "./brick_row.ts";
import { Database, InconsistentError, removeDatabase } from "./database.ts";

const schema = `
  CREATE TABLE pages(
    number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, sum INTEGER NOT NULL, content BLOB NOT NULL
  );
  CREATE TABLE total(bytes INTEGER NOT NULL);
  INSERT INTO total VALUES (0);
`;
const schemaVersion = 1;
const idLength = 32;
const evictedAtOnce = 64;
/** A page takes some 600 bytes, an entry of it 20. */
const defaultMaximumBytes = 1 << 29;
/** Another run holds the file for moments only; a listing must not wait for one that is stuck. */
const waitMs = 500;

/**
 * Parsed pages by their id, so that every page is parsed once in its life. Holds names of files in clear, so it is a file
 * of its own that roles without reading rights never make, and that can be dropped at any time. The oldest pages make
 * room for new ones.
 */
export class EntriesCache {
  readonly #database: Database;
  readonly #maximumBytes: number;
  readonly #get: StatementSync;
  readonly #insert: StatementSync;
  readonly #add: StatementSync;
  readonly #total: StatementSync;
  readonly #oldest: StatementSync;
  readonly #delete: StatementSync;

  private constructor(database: Database, maximumBytes: number) {
    this.#database = database;
    this.#maximumBytes = maximumBytes;
    // A crash may cost the whole file: it is seen, and the file is begun anew. Waiting for the disk would cost every fill.
    database.prepare("PRAGMA synchronous = OFF").run();
    this.#get = database.prepare("SELECT sum, content FROM pages WHERE id = ?");
    this.#insert = database.prepare("INSERT OR IGNORE INTO pages(id, sum, content) VALUES (?, ?, ?)");
    this.#add = database.prepare("UPDATE total SET bytes = bytes + ?");
    this.#total = database.prepare("SELECT bytes FROM total");
    this.#oldest = database.prepare(
      `SELECT number, length(content) AS bytes FROM pages ORDER BY number LIMIT ${evictedAtOnce}`,
    );
    this.#delete = database.prepare("DELETE FROM pages WHERE number = ?");
  }

  /**
   * Opens or makes the file at `path`. `form` names how contents are written; a file of another form or repository, or
   * a damaged one, is begun anew.
   */
  static open(path: string, options: { repository: string; form: string; maximumBytes?: number }): EntriesCache {
    const layout = { version: schemaVersion, owner: `${options.repository} ${options.form}`, schema, waitMs };
    return new EntriesCache(Database.open(path, layout), options.maximumBytes ?? defaultMaximumBytes);
  }

  /** Deletes the file at `path` with all that belongs to it. */
  static drop(path: string): void {
    removeDatabase(path);
  }

  /** What was kept for a page (its id in bytes or hex). */
  get(id: Uint8Array | string): Uint8Array | undefined {
    return this.#do(() => {
      const key = bytesOf(id);
      const row = this.#get.get(key);
      if (row === undefined) return undefined;
      const content = row["content"] as Uint8Array;
      if (row["sum"] !== sumOf(key, content)) throw new InconsistentError("a page is not what was kept");
      return content;
    });
  }

  /** Keeps the content of a page; a page that is there stays. */
  put(id: Uint8Array | string, content: Uint8Array): void {
    this.putAll([[id, content]]);
  }

  /** Keeps many pages in one transaction, which is much faster than one by one. */
  putAll(pages: Iterable<readonly [id: Uint8Array | string, content: Uint8Array]>): void {
    this.#do(() =>
      this.#database.transaction(() => {
        let added = 0;
        for (const [id, content] of pages) {
          if (content.length > this.#maximumBytes) continue;
          const key = bytesOf(id);
          if (this.#insert.run(key, sumOf(key, content), content).changes === 1) added += content.length;
        }
        this.#add.run(added);
        this.#makeRoom();
      })
    );
  }

  /** Bytes of all contents. */
  get bytes(): number {
    return this.#do(() => this.#totalBytes());
  }

  close(): void {
    this.#database.close();
  }

  #totalBytes(): number {
    return this.#total.get()?.["bytes"] as number;
  }

  #makeRoom(): void {
    let excess = this.#totalBytes() - this.#maximumBytes;
    while (excess > 0) {
      const rows = this.#oldest.all();
      if (rows.length === 0) throw new InconsistentError(`${excess} bytes too many in no pages`);
      for (const row of rows) {
        if (excess <= 0) break;
        const bytes = row["bytes"] as number;
        this.#delete.run(row["number"] as number);
        this.#add.run(-bytes);
        excess -= bytes;
      }
    }
  }

  #do<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw this.#database.explained(error);
    }
  }
}

/** SQLite does not see a flipped bit in a content; a listing would show it as somebody's file. */
function sumOf(id: Uint8Array, content: Uint8Array): number {
  return crc32(content, crc32(id));
}

function bytesOf(id: Uint8Array | string): Uint8Array {
  if (typeof id === "string") return fromHex(id, idLength);
  if (id.length !== idLength) throw new TypeError(`Not the id of a page: ${id.length} bytes`);
  return id;
}
