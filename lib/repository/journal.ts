/**
 * The journal of a run: bricks that no ledger object tells of yet. If the run dies, the next one on this machine publishes
 * those that came into the store, so nothing that a finished brick holds is stored again.
 *
 * A journal is a folder of small sealed files that belongs to the run while it lives (see RunFolder). Each file has the
 * form of a ledger object, so a damaged or foreign one does not open.
 */
import { type BrickRecord, decodeLedger, encodeLedger } from "../brick/mod.ts";
import { DamageError, fromHex } from "../crypto/mod.ts";
import { RunFolder } from "../store/mod.ts";

/** The name under which a journal's records are sealed: never that of a ledger object. */
const SEALED_AS = "journal";
const RECORD = /^[0-9a-f]{64}$/;

interface JournalKeys {
  ledger: Uint8Array;
  domain: string;
}

/** A run's own journal. */
export class Journal {
  readonly #folder: RunFolder;
  readonly #keys: JournalKeys;

  private constructor(folder: RunFolder, keys: JournalKeys) {
    this.#folder = folder;
    this.#keys = keys;
  }

  /** Begins a journal below `folder`, which must exist. */
  static async begin(folder: string, keys: JournalKeys): Promise<Journal> {
    return new Journal(await RunFolder.claim(folder), keys);
  }

  /** Remembers a brick; before it gets its name in the store, so that no instant is left in which nobody knows of it. */
  async add(brick: BrickRecord): Promise<void> {
    const { ledger, domain } = this.#keys;
    const record = { type: "brick", brick } as const;
    const bytes = await encodeLedger([record], { key: ledger, domain: fromHex(domain), name: SEALED_AS });
    await this.#folder.put(brick.name, bytes);
  }

  /** The bricks that were remembered are in the ledger now. */
  async clear(bricks: BrickRecord[]): Promise<void> {
    for (const { name } of bricks) await Deno.remove(`${this.#folder.path}/${name}`);
  }

  /** The run is over and everything is published. */
  async end(): Promise<void> {
    await this.#folder.remove();
  }

  /** The run failed: what is not published is left to the next one. */
  leave(): void {
    this.#folder.leave();
  }
}

/** What runs that died remembered. One of `forget`, once it is published, and `leave` must be called. */
export interface DeadJournals {
  /** Some of them may never have come into the store. */
  bricks: BrickRecord[];
  forget(): Promise<void>;
  leave(): void;
}

/** The journals below `folder` that no living run holds. */
export async function deadJournals(folder: string, keys: JournalKeys): Promise<DeadJournals> {
  const dead = await RunFolder.dead(folder);
  const leave = () => dead.forEach((journal) => journal.leave());
  const forget = async () => {
    for (const journal of dead) await journal.remove();
  };
  try {
    return { bricks: (await Promise.all(dead.map(({ path }) => readJournal(path, keys)))).flat(), forget, leave };
  } catch (error) {
    leave();
    throw error;
  }
}

async function readJournal(path: string, keys: JournalKeys): Promise<BrickRecord[]> {
  const bricks: BrickRecord[] = [];
  for (const name of await recordsIn(path)) {
    const brick = await readRecord(`${path}/${name}`, keys);
    if (brick !== undefined) bricks.push(brick);
  }
  return bricks;
}

async function recordsIn(path: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).filter((name) => RECORD.test(name));
  } catch (error) {
    // A lock without folder: its run died before it had any.
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function readRecord(path: string, keys: JournalKeys): Promise<BrickRecord | undefined> {
  try {
    const bytes = await Deno.readFile(path);
    const records = await decodeLedger(bytes, { key: keys.ledger, domain: fromHex(keys.domain), name: SEALED_AS });
    return records[0]?.type === "brick" ? records[0].brick : undefined;
  } catch (error) {
    // Of another domain, or cut short by a power loss: the brick stays in the store, "tarzan rebuild" finds it.
    if (error instanceof DamageError) return undefined;
    throw error;
  }
}
