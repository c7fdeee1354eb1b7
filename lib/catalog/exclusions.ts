import type { StatementSync } from "node:sqlite";
import { fromHex, toHex } from "./brick_row.ts";
import type { Database } from "./database.ts";

/**
 * Why a brick must not be leaned on: a listing did not show it, prune announced or did its end, or what is in it is
 * damaged. Kept by name, since a reason may be known before the brick is.
 */
export type Reason = "absent" | "condemned" | "damaged" | "gone";

/** What speaks against a brick. Damage can be kept to some of its blocks (numbers, ascending). */
export interface Exclusion {
  readonly absent: boolean;
  readonly condemned: boolean;
  readonly gone: boolean;
  readonly damaged: "all" | readonly number[];
}

const everyDomain = new Uint8Array();
const nothing: Exclusion = { absent: false, condemned: false, gone: false, damaged: [] };

/** The reasons of all bricks. Those of known bricks are held in memory while nothing changes. */
export class Exclusions {
  readonly #database: Database;
  readonly #insert: StatementSync;
  readonly #clear: StatementSync;
  readonly #blocksOf: StatementSync;
  readonly #names: StatementSync;
  readonly #ofKnown: StatementSync;
  #held: Map<number, Exclusion> | undefined;

  constructor(database: Database) {
    this.#database = database;
    this.#insert = database.prepare(
      "INSERT OR REPLACE INTO excluded(reason, name, domain, blocks) VALUES (?, ?, ?, ?)",
    );
    this.#clear = database.prepare("DELETE FROM excluded WHERE reason = ?");
    this.#blocksOf = database.prepare("SELECT blocks FROM excluded WHERE reason = 'damaged' AND name = ?");
    this.#names = database.prepare("SELECT DISTINCT name FROM excluded WHERE reason = ? ORDER BY name");
    this.#ofKnown = database.prepare(
      "SELECT b.number, e.reason, e.blocks FROM excluded e JOIN bricks b ON b.name = e.name AND e.domain IN (x'', b.domain)",
    );
  }

  /**
   * Excludes bricks, besides those that have this reason already or instead of them. `domain`: only as bricks of that one,
   * for what its ledger says must not touch another's.
   */
  exclude(reason: Reason, names: Iterable<string>, options: { mode: "replace" | "add"; domain?: string }): void {
    const { mode, domain } = options;
    const bytes = Array.from(names, (name) => fromHex(name, 32));
    const scope = domain === undefined ? everyDomain : fromHex(domain, 16);
    this.#database.transaction(() => {
      if (mode === "replace") this.#clear.run(reason);
      for (const name of bytes) this.#insert.run(reason, name, scope, null);
    });
    this.forget();
  }

  /** Adds blocks to those of a brick that are known to be damaged. */
  markDamaged(name: string, blocks: readonly number[] | "all"): void {
    const bytes = fromHex(name, 32);
    this.#database.transaction(() => {
      const row = this.#blocksOf.get(bytes);
      const before = row === undefined ? [] : blocksFrom(row["blocks"]);
      const after = before === "all" || blocks === "all"
        ? null
        : Uint32Array.from(new Set([...before, ...blocks])).sort();
      this.#insert.run("damaged", bytes, everyDomain, after && new Uint8Array(after.buffer));
    });
    this.forget();
  }

  /** The names that are excluded for a reason, known bricks or not, ascending. */
  names(reason: Reason): string[] {
    return this.#names.all(reason).map((row) => toHex(row["name"]));
  }

  /** What speaks against the brick with this number. */
  of(brick: number): Exclusion {
    this.#held ??= this.#load();
    return this.#held.get(brick) ?? nothing;
  }

  /** Drops what is held in memory. */
  forget(): void {
    this.#held = undefined;
  }

  #load(): Map<number, Exclusion> {
    const held = new Map<number, Exclusion>();
    for (const row of this.#ofKnown.all()) {
      const brick = row["number"] as number;
      const reason = row["reason"] as Reason;
      const value = reason === "damaged" ? blocksFrom(row["blocks"]) : true;
      held.set(brick, { ...(held.get(brick) ?? nothing), [reason]: value });
    }
    return held;
  }
}

/** Whether new data may lean on a brick; with some blocks damaged, on the chunks of the others. */
export function isUsable(exclusion: Exclusion): boolean {
  return !exclusion.absent && !exclusion.condemned && !exclusion.gone && exclusion.damaged !== "all";
}

function blocksFrom(value: unknown): "all" | readonly number[] {
  return value instanceof Uint8Array ? Array.from(new Uint32Array(value.slice().buffer)) : "all";
}
