import type { StatementSync } from "node:sqlite";
import { fromHex } from "./brick_row.ts";
import { Database, InconsistentError, removeDatabase } from "./database.ts";

const schema = `
  CREATE TABLE pages(number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, content BLOB NOT NULL);
  CREATE TABLE total(bytes INTEGER NOT NULL);
  INSERT INTO total VALUES (0);
`;
const schemaVersion = 1;
const idLength = 32;
const evictedAtOnce = 64;
const defaultMaximumBytes = 1 << 30;

/**
 * Parsed pages by their id, so that every page is parsed once in its life. Holds names of files in clear, so it is a file
 * of its own that roles without reading rights never make, and that can be dropped at any time. The oldest pages make
 * room for new ones.
 */
export class EntriesCache {
  readonly #database: Database;
  readonly #maximumBytes: number;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #add: StatementSync;
  readonly #total: StatementSync;
  readonly #oldest: StatementSync;
  readonly #delete: StatementSync;

  private constructor(database: Database, maximumBytes: number) {
    this.#database = database;
    this.#maximumBytes = maximumBytes;
    this.#get = database.prepare("SELECT content FROM pages WHERE id = ?");
    this.#put = database.prepare("INSERT OR IGNORE INTO pages(id, content) VALUES (?, ?)");
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
    const layout = { version: schemaVersion, owner: `${options.repository} ${options.form}`, schema };
    return new EntriesCache(Database.open(path, layout), options.maximumBytes ?? defaultMaximumBytes);
  }

  /** Deletes the file at `path` with all that belongs to it. */
  static drop(path: string): void {
    removeDatabase(path);
  }

  /** What was kept for a page (its id in bytes or hex). */
  get(id: Uint8Array | string): Uint8Array | undefined {
    return this.#do(() => this.#get.get(bytesOf(id))?.["content"] as Uint8Array | undefined);
  }

  /** Keeps the content of a page; a page that is there stays. */
  put(id: Uint8Array | string, content: Uint8Array): void {
    this.putAll([[id, content]]);
  }

  /** Keeps many pages in one transaction, which is much faster than one by one. */
  putAll(pages: Iterable<readonly [id: Uint8Array | string, content: Uint8Array]>): void {
    this.#do(() =>
      this.#database.transaction(() => {
        for (const [id, content] of pages) {
          if (content.length > this.#maximumBytes) continue;
          if (this.#put.run(bytesOf(id), content).changes === 1) this.#add.run(content.length);
        }
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

function bytesOf(id: Uint8Array | string): Uint8Array {
  if (typeof id === "string") return fromHex(id, idLength);
  if (id.length !== idLength) throw new TypeError(`Not the id of a page: ${id.length} bytes`);
  return id;
}
