/**
 * What a run remembers of its uploads until the ledger tells of them: objects that cold storage has confirmed, what bundles
 * are made of, and texts that help a vault to find an upload again. If the run dies, the next one on this machine records
 * what was stored, and sends the same bundles on, so that nothing is stored twice.
 *
 * A folder of its own for each run (see RunFolder), with files called `<sha256 of the object>.<what>`. Placements are
 * sealed like ledger objects, since they tell of bricks; the others say nothing that the cold store does not know.
 */
import { decodeLedger, encodeLedger, type PlacedRecord } from "../../brick/mod.ts";
import { DamageError, fromHex } from "../../crypto/mod.ts";
import { RunFolder } from "../../store/mod.ts";
import type { Member } from "./bundle.ts";

/** The name under which placements are sealed: never that of a ledger object. */
const SEALED_AS = "cold journal";
const FILE = /^([0-9a-f]{64})\.(placed|bundle|began)$/;
type What = "placed" | "bundle" | "began";

export interface ColdJournalKeys {
  ledger: Uint8Array;
  domain: string;
}

/** A bundle that was to be stored at a place. */
export interface BegunBundle {
  sha256: string;
  treeHash: string;
  location: string;
  members: Member[];
}

/** An object that is stored, and what is in it. */
export interface StoredObject {
  placed: PlacedRecord;
  /** Names of objects in it; undefined: it is a brick alone. */
  members?: string[];
}

/** The journal of a run, with what dead runs left in theirs. */
export class ColdJournal {
  readonly #folder: RunFolder;
  readonly #keys: ColdJournalKeys;
  readonly #texts = new Map<string, Uint8Array<ArrayBuffer>>();

  private constructor(folder: RunFolder, keys: ColdJournalKeys) {
    this.#folder = folder;
    this.#keys = keys;
  }

  /** Begins a journal below `folder`, which must exist, and takes over those of dead runs. */
  static async begin(folder: string, keys: ColdJournalKeys): Promise<ColdJournal> {
    const dead = await RunFolder.dead(folder);
    try {
      const journal = new ColdJournal(await RunFolder.claim(folder), keys);
      for (const { path } of dead) await journal.#takeOver(path);
      for (const run of dead.splice(0)) await run.remove();
      return journal;
    } finally {
      for (const run of dead) run.leave();
    }
  }

  async #takeOver(path: string): Promise<void> {
    for (const name of await filesIn(path)) await this.#put(name, await Deno.readFile(`${path}/${name}`));
  }

  /** What is stored and not told of. Records of another domain, or cut short by a power loss, are passed over. */
  async stored(): Promise<StoredObject[]> {
    const { ledger, domain } = this.#keys;
    const found: StoredObject[] = [];
    for (const [name, bytes] of this.#of("placed")) {
      try {
        const records = await decodeLedger(bytes, { key: ledger, domain: fromHex(domain), name: SEALED_AS });
        const members = this.#bundle(name)?.members.map(({ name }) => name);
        const [record] = records;
        if (record?.type === "placed") found.push({ placed: record.placed, ...(members && { members }) });
      } catch (error) {
        if (!(error instanceof DamageError)) throw error;
      }
    }
    return found;
  }

  /** Bundles that were begun and are not known to be stored. */
  bundles(location: string): BegunBundle[] {
    return [...this.#of("bundle")].flatMap(([sha256]) => {
      const bundle = this.#texts.has(`${sha256}.placed`) ? undefined : this.#bundle(sha256);
      return bundle?.location === location ? [bundle] : [];
    });
  }

  /** What an earlier upload of an object left for the next one. */
  token(sha256: string): string | undefined {
    const bytes = this.#texts.get(`${sha256}.began`);
    return bytes && new TextDecoder().decode(bytes);
  }

  /** Remembers what a bundle is made of, before any of it is sent. */
  async beginBundle({ sha256, ...bundle }: BegunBundle): Promise<void> {
    await this.#put(`${sha256}.bundle`, new TextEncoder().encode(JSON.stringify(bundle)));
  }

  /** Remembers a text that may help to go on with an upload. */
  async began(sha256: string, token: string): Promise<void> {
    await this.#put(`${sha256}.began`, new TextEncoder().encode(token));
  }

  /** Remembers that an object is stored; at once, since a vault does not say it again. */
  async add(placed: PlacedRecord): Promise<void> {
    const { ledger, domain } = this.#keys;
    const options = { key: ledger, domain: fromHex(domain), name: SEALED_AS };
    await this.#put(`${placed.sha256}.placed`, await encodeLedger([{ type: "placed", placed }], options));
  }

  /** These objects are in the ledger now, or will never be stored. */
  async clear(hashes: Iterable<string>): Promise<void> {
    for (const sha256 of hashes) {
      for (const what of ["began", "bundle", "placed"] as const) {
        // The placement last: as long as it is there, nothing is sent again.
        if (this.#texts.delete(`${sha256}.${what}`)) await Deno.remove(`${this.#folder.path}/${sha256}.${what}`);
      }
    }
  }

  /** The run is over and everything is in the ledger. */
  async end(): Promise<void> {
    await this.#folder.remove();
  }

  /** The run failed: what is not in the ledger is left to the next one. */
  leave(): void {
    this.#folder.leave();
  }

  async #put(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#folder.put(name, bytes);
    this.#texts.set(name, bytes);
  }

  *#of(what: What): Generator<[string, Uint8Array<ArrayBuffer>]> {
    for (const [name, bytes] of this.#texts) {
      const [, sha256 = "", kind] = FILE.exec(name)!;
      if (kind === what) yield [sha256, bytes];
    }
  }

  #bundle(sha256: string): BegunBundle | undefined {
    const bytes = this.#texts.get(`${sha256}.bundle`);
    if (bytes === undefined) return undefined;
    try {
      return { sha256, ...JSON.parse(new TextDecoder().decode(bytes)) };
    } catch {
      // Cut short by a power loss, so nothing of it was sent either.
      return undefined;
    }
  }
}

async function filesIn(path: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).filter((name) => FILE.test(name));
  } catch (error) {
    // A lock without folder: its run died before it had any.
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
