/**
 * The journal of a run: finished bricks that no ledger object tells of yet. If the run dies, the next one on this machine
 * publishes them, so nothing that a finished brick holds is stored again.
 *
 * A run's journal is a folder of small sealed files, locked while the run lives. Each has the form of a ledger object, so
 * a damaged or foreign one does not open.
 */
import { type BrickRecord, decodeLedger, encodeLedger } from "../brick/mod.ts";
import { DamageError, fromHex, randomBytes, toHex } from "../crypto/mod.ts";

const LOCK = "lock";
/** The name under which a journal's records are sealed: never that of a ledger object. */
const SEALED_AS = "journal";

interface JournalKeys {
  ledger: Uint8Array;
  domain: string;
}

/** A run's own journal. */
export class Journal {
  readonly #folder: string;
  readonly #lock: Deno.FsFile;
  readonly #keys: JournalKeys;

  private constructor(folder: string, lock: Deno.FsFile, keys: JournalKeys) {
    this.#folder = folder;
    this.#lock = lock;
    this.#keys = keys;
  }

  /** Begins a journal below `folder`. */
  static async begin(folder: string, keys: JournalKeys): Promise<Journal> {
    const own = `${folder}/${toHex(randomBytes(8))}`;
    await Deno.mkdir(own, { recursive: true, mode: 0o700 });
    const lock = await Deno.open(`${own}/${LOCK}`, { createNew: true, write: true, mode: 0o600 });
    await lock.lock(true);
    return new Journal(own, lock, keys);
  }

  /** Remembers a brick that is in the store. */
  async add(brick: BrickRecord): Promise<void> {
    const { ledger, domain } = this.#keys;
    const record = { type: "brick", brick } as const;
    const bytes = await encodeLedger([record], { key: ledger, domain: fromHex(domain), name: SEALED_AS });
    const path = `${this.#folder}/${brick.name}`;
    await Deno.writeFile(`${path}.new`, bytes, { mode: 0o600 });
    await Deno.rename(`${path}.new`, path);
  }

  /** The bricks that were remembered are in the ledger now. */
  async clear(bricks: BrickRecord[]): Promise<void> {
    for (const { name } of bricks) await Deno.remove(`${this.#folder}/${name}`);
  }

  /** The run is over and everything is published. */
  async end(): Promise<void> {
    this.#lock.close();
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** The run failed: what is not published is left to the next one. */
  leave(): void {
    this.#lock.close();
  }
}

/** What runs that died remembered. One of `forget`, once it is published, and `leave` must be called. */
export interface DeadJournals {
  bricks: BrickRecord[];
  forget(): Promise<void>;
  leave(): void;
}

/** The journals below `folder` that no living run holds. */
export async function deadJournals(folder: string, keys: JournalKeys): Promise<DeadJournals> {
  const bricks: BrickRecord[] = [];
  const dead: { path: string; lock: Deno.FsFile }[] = [];
  for (const path of await foldersIn(folder)) {
    const lock = await lockIfFree(path);
    if (lock === undefined) continue;
    dead.push({ path, lock });
    for await (const { name } of Deno.readDir(path)) {
      if (name === LOCK || name.endsWith(".new")) continue;
      const brick = await readRecord(`${path}/${name}`, keys);
      if (brick !== undefined) bricks.push(brick);
    }
  }
  return {
    bricks,
    async forget() {
      for (const { path, lock } of dead) {
        lock.close();
        await Deno.remove(path, { recursive: true });
      }
    },
    leave: () => dead.forEach(({ lock }) => lock.close()),
  };
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).filter((entry) => entry.isDirectory)
      .map(({ name }) => `${folder}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function lockIfFree(path: string): Promise<Deno.FsFile | undefined> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(`${path}/${LOCK}`, { write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  if (await file.tryLock(true)) return file;
  file.close();
  return undefined;
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
