import type { StatementSync } from "node:sqlite";
import { fromHex } from "./brick_row.ts";
import type { Database } from "./database.ts";

/** How far the ledger has been read, and which of its objects have been taken in. */
export class LedgerNotes {
  readonly #database: Database;
  readonly #cursor: StatementSync;
  readonly #setCursor: StatementSync;
  readonly #seen: StatementSync;
  readonly #markSeen: StatementSync;

  constructor(database: Database) {
    this.#database = database;
    this.#cursor = database.prepare("SELECT ledger_object FROM cursors WHERE domain = ?");
    this.#setCursor = database.prepare("INSERT OR REPLACE INTO cursors(domain, ledger_object) VALUES (?, ?)");
    this.#seen = database.prepare("SELECT 1 FROM seen_ledger WHERE name = ?");
    this.#markSeen = database.prepare("INSERT OR IGNORE INTO seen_ledger(name) VALUES (?)");
  }

  cursor(domain: string): string | undefined {
    return this.#cursor.get(fromHex(domain, 16))?.["ledger_object"] as string | undefined;
  }

  setCursor(domain: string, ledgerObject: string): void {
    this.#setCursor.run(fromHex(domain, 16), ledgerObject);
  }

  hasSeen(ledgerObject: string): boolean {
    return this.#seen.get(ledgerObject) !== undefined;
  }

  markSeen(ledgerObjects: Iterable<string>): void {
    this.#database.transaction(() => {
      for (const name of ledgerObjects) this.#markSeen.run(name);
    });
  }
}

/** Opened indexes, so that a listing of a hundred snapshots opens only the new ones. */
export class OpenedIndexes {
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #names: StatementSync;

  constructor(database: Database) {
    this.#get = database.prepare("SELECT text FROM opened_indexes WHERE name = ?");
    this.#put = database.prepare("INSERT OR REPLACE INTO opened_indexes(name, text) VALUES (?, ?)");
    this.#delete = database.prepare("DELETE FROM opened_indexes WHERE name = ?");
    this.#names = database.prepare("SELECT name FROM opened_indexes ORDER BY name");
  }

  get(name: string): string | undefined {
    return this.#get.get(name)?.["text"] as string | undefined;
  }

  put(name: string, text: string): void {
    this.#put.run(name, text);
  }

  delete(name: string): void {
    this.#delete.run(name);
  }

  names(): string[] {
    return this.#names.all().map((row) => row["name"] as string);
  }
}
