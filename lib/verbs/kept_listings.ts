/** Listings of a store that are kept on this machine: whoever cannot ask has what was heard before, as far as that goes. */
import type { StoredObject } from "../store/mod.ts";
import type { KeptFiles } from "./kept_files.ts";

const PREFIXES = "listings";

/** Listings by their prefixes. */
export class KeptListings {
  readonly #files: KeptFiles;

  constructor(files: KeptFiles) {
    this.#files = files;
  }

  /** What the listing of exactly this prefix brought, and when. */
  async exactly(prefix: string): Promise<{ objects: StoredObject[]; at: Date } | undefined> {
    const kept = await this.#files.get(`list ${prefix}`);
    if (kept === undefined) return undefined;
    const rows = JSON.parse(new TextDecoder().decode(kept.bytes)) as [string, number, number][];
    const objects = rows.map(([name, size, at]) => ({ name, size, modifiedAt: new Date(at) }));
    return { objects, at: kept.keptAt };
  }

  /** All that is known of names that begin so, ascending; undefined when nobody has listed there. */
  async of(prefix: string): Promise<StoredObject[] | undefined> {
    const related = (await this.#prefixes()).filter((known) => known.startsWith(prefix) || prefix.startsWith(known));
    if (related.length === 0) return undefined;
    const found = new Map<string, StoredObject>();
    for (const known of related) {
      for (const object of (await this.exactly(known))?.objects ?? []) {
        if (object.name.startsWith(prefix)) found.set(object.name, object);
      }
    }
    return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  }

  /** Keeps what was listed behind `after`; what was known in front of it stays. */
  async keep(
    prefix: string,
    { after, objects, at }: { after: string; objects: readonly StoredObject[]; at: Date },
  ): Promise<void> {
    const before = after === "" ? [] : (await this.exactly(prefix))?.objects.filter(({ name }) => name <= after) ?? [];
    const rows = [...before, ...objects].map(({ name, size, modifiedAt }) => [name, size, modifiedAt.getTime()]);
    await this.#files.put(`list ${prefix}`, encode(rows), at);
    const prefixes = await this.#prefixes();
    if (!prefixes.includes(prefix)) await this.#files.put(PREFIXES, encode([...prefixes, prefix]), at);
  }

  async #prefixes(): Promise<string[]> {
    const kept = await this.#files.get(PREFIXES);
    return kept === undefined ? [] : JSON.parse(new TextDecoder().decode(kept.bytes));
  }
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
