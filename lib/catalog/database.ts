import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";

/**
 * A SQLite file that may be forgotten. Whatever is wrong with it (another version's, another repository's, cut short,
 * overwritten) is answered in one way: delete it, begin anew, and tell the caller, who fills it again from the truth.
 *
 * It is closed to other users whatever the umask says: SQLite gives `-wal` and `-shm` the mode of the main file, so
 * that one is made first. Opening and deleting happen under a lock beside the file: SQLite opens its side files late,
 * and they must not be another generation's. Who has a deleted file open already may go on using it; SQLite notices and
 * leaves the new side files alone.
 */
const fileMode = 0o600;
const folderMode = 0o700;
const sideFiles = ["-wal", "-shm", "-journal"];
const aboutTable = "CREATE TABLE about(owner TEXT NOT NULL);";

/** What makes a file ours: another `version` or `owner` (text: which repository, which form) is somebody else's. */
export interface Layout {
  readonly version: number;
  readonly owner: string;
  readonly schema: string;
  /** How long to wait for another run that is writing. */
  readonly waitMs: number;
}

/** Thrown when the file turns out to be damaged while it is in use. It is gone then; the next run begins anew. */
export class CacheDamagedError extends Error {
  override name = "CacheDamagedError";
}

/** Thrown inside when the tables contradict one another, as they do when a page was lost: damage that SQLite cannot see. */
export class InconsistentError extends Error {
  override name = "InconsistentError";
}

/** An open database. Synchronous, like SQLite. */
export class Database {
  /** Whether something was there that had to be thrown away. */
  readonly wasReset: boolean;
  readonly #path: string;
  readonly #sqlite: DatabaseSync;
  readonly #waitMs: number;
  readonly #dataVersion: StatementSync;
  #seenVersion: number;
  #depth = 0;

  private constructor(path: string, sqlite: DatabaseSync, options: { wasReset: boolean; waitMs: number }) {
    this.#path = path;
    this.#sqlite = sqlite;
    this.wasReset = options.wasReset;
    this.#waitMs = options.waitMs;
    this.#dataVersion = sqlite.prepare("PRAGMA data_version");
    this.#seenVersion = this.#version();
  }

  /** Opens the file at `path`, made with its folder if need be, or a new database in memory for ":memory:". */
  static open(path: string, layout: Layout): Database {
    try {
      const { waitMs } = layout;
      if (path === ":memory:") return new Database(path, openSqlite(path, layout, "make"), { wasReset: false, waitMs });
      makeFolder(dirname(path));
      return locked(path, () => {
        const isNew = makeFile(path);
        const found = isNew ? undefined : openIfOurs(path, layout);
        if (found !== undefined) return new Database(path, found, { wasReset: false, waitMs });
        removeFiles(path);
        makeFile(path);
        return new Database(path, openSqlite(path, layout, "make"), { wasReset: !isNew, waitMs });
      });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      // All that SQLite says of a disk that is too full for its side files.
      const advice = /disk I\/O error/.test(text) ? ". Perhaps its disk is full: free space there" : "";
      throw new Error(`Cannot open ${path}: ${text}${advice}`, { cause: error });
    }
  }

  /** A statement to run many times; it ends with the database. */
  prepare(sql: string): StatementSync {
    return this.#sqlite.prepare(sql);
  }

  /** Runs `work` as one transaction, or as a part of the running one that succeeds or fails by itself. */
  transaction<T>(work: () => T): T {
    const [begin, commit, rollback] = this.#depth === 0
      ? ["BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"]
      : ["SAVEPOINT part", "RELEASE part", "ROLLBACK TO part; RELEASE part"];
    this.#sqlite.exec(begin);
    this.#depth++;
    try {
      const result = work();
      this.#sqlite.exec(commit);
      return result;
    } catch (error) {
      // After some errors, a full disk among them, SQLite has rolled back by itself; after damage it is closed.
      if (this.#sqlite.isOpen && this.#sqlite.isTransaction) this.#sqlite.exec(rollback);
      throw error;
    } finally {
      this.#depth--;
    }
  }

  /** Whether a transaction is running. */
  get isInTransaction(): boolean {
    return this.#depth > 0;
  }

  /** Whether another connection has changed anything since this was last asked. */
  changedElsewhere(): boolean {
    const version = this.#version();
    const changed = version !== this.#seenVersion;
    this.#seenVersion = version;
    return changed;
  }

  /** What to throw instead of an error of SQLite. A damaged file is deleted on the way. */
  explained(error: unknown): unknown {
    const text = isDamage(error) || isSqliteError(error) ? error.message : "";
    if (isDamage(error)) {
      this.close();
      if (this.#path !== ":memory:") locked(this.#path, () => removeFiles(this.#path));
      return new CacheDamagedError(
        `${this.#path} was damaged (${text}) and has been deleted. It was only a cache: run the command again`,
        { cause: error },
      );
    }
    if (/database is locked/.test(text)) {
      return new Error(
        `Another run has kept ${this.#path} busy for ${this.#waitMs / 1000} s. Run the command again when it is done`,
        { cause: error },
      );
    }
    if (/database or disk is full/.test(text)) {
      return new Error(
        `Cannot write ${this.#path}: the disk is full. Free space there, or delete this file: it is only a cache`,
        {
          cause: error,
        },
      );
    }
    return error;
  }

  /** Ends the use of the file; may come twice. */
  close(): void {
    if (this.#sqlite.isOpen) this.#sqlite.close();
  }

  #version(): number {
    return Number(this.#dataVersion.get()?.["data_version"]);
  }
}

/** Deletes a database with all that belongs to it. */
export function removeDatabase(path: string): void {
  locked(path, () => removeFiles(path));
  removeIfThere(`${path}.lock`);
}

function openSqlite(path: string, layout: Layout, how: "make" | "as it is"): DatabaseSync {
  const sqlite = new DatabaseSync(path);
  try {
    sqlite.exec(`PRAGMA busy_timeout = ${layout.waitMs}`);
    sqlite.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 16777216");
    // Eight MiB: the upper pages of an index of a hundred million chunks. The system keeps the others as well as SQLite would.
    sqlite.exec("PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY");
    if (how === "make") {
      sqlite.exec(`BEGIN; ${aboutTable} ${layout.schema}`);
      sqlite.prepare("INSERT INTO about VALUES (?)").run(layout.owner);
      sqlite.exec(`PRAGMA user_version = ${layout.version}; COMMIT`);
    }
    return sqlite;
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

/** The database at `path`; undefined if it is not ours or not whole. */
function openIfOurs(path: string, layout: Layout): DatabaseSync | undefined {
  let sqlite: DatabaseSync | undefined;
  try {
    sqlite = openSqlite(path, layout, "as it is");
    if (isOurs(path, sqlite, layout)) return sqlite;
    sqlite.close();
  } catch (error) {
    sqlite?.close();
    if (!isDamage(error)) throw error;
  }
  return undefined;
}

/**
 * Whether a file is whole enough to begin with. SQLite itself compares the length of the file with its header; the ends
 * of each table are read on top. What is damaged deeper down shows when it is used.
 */
function isOurs(path: string, sqlite: DatabaseSync, layout: Layout): boolean {
  const number = (pragma: string) => Number(Object.values(sqlite.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
  if (number("user_version") !== layout.version) return false;
  if (sqlite.prepare("SELECT owner FROM about").get()?.["owner"] !== layout.owner) return false;
  const whole = new DatabaseSync(":memory:");
  const schemaOf = (database: DatabaseSync) =>
    JSON.stringify(database.prepare("SELECT name, sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name").all());
  try {
    whole.exec(`${aboutTable} ${layout.schema}`);
    if (schemaOf(sqlite) !== schemaOf(whole)) return false;
    for (const { name } of whole.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()) {
      for (const order of ["ASC", "DESC"]) sqlite.prepare(`SELECT * FROM ${name} ORDER BY 1 ${order} LIMIT 1`).get();
    }
  } finally {
    whole.close();
  }
  const waiting = sizeOf(`${path}-wal`);
  return waiting > 0 || sizeOf(path) % number("page_size") === 0;
}

/** SQLITE_CORRUPT, SQLITE_NOTADB, or a schema that lacks what its version promises; `exec` gives no numbers. */
function isDamage(error: unknown): error is Error {
  if (error instanceof InconsistentError) return true;
  return isSqliteError(error) && /malformed|not a database|no such table|no such column/.test(error.message);
}

function isSqliteError(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === "ERR_SQLITE_ERROR";
}

function locked<T>(path: string, work: () => T): T {
  const lockPath = `${path}.lock`;
  using lock = Deno.openSync(lockPath, { read: true, write: true, create: true, mode: fileMode });
  setMode(lockPath, fileMode);
  lock.lockSync(true);
  return work();
}

/** Makes an empty file closed to others; false if one is there already, which is closed then. */
function makeFile(path: string): boolean {
  let isNew = true;
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: fileMode }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    isNew = false;
  }
  for (const suffix of ["", ...sideFiles]) setMode(`${path}${suffix}`, fileMode);
  return isNew;
}

/** Makes a folder and what is missing above it; what is there already stays as open as its owner wants it. */
function makeFolder(path: string, isRetry = false): void {
  try {
    Deno.mkdirSync(path, { mode: folderMode });
    setMode(path, folderMode);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    if (!(error instanceof Deno.errors.NotFound) || isRetry) throw error;
    makeFolder(dirname(path));
    makeFolder(path, true);
  }
}

function setMode(path: string, mode: number): void {
  if (Deno.build.os === "windows") return;
  try {
    if (((Deno.statSync(path).mode ?? 0) & 0o777) !== mode) Deno.chmodSync(path, mode);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function removeFiles(path: string): void {
  for (const suffix of ["", ...sideFiles]) removeIfThere(`${path}${suffix}`);
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
