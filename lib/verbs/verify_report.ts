/** What a check has found so far. */

/** One thing that is not as it should be. */
export interface Problem {
  kind:
    | "index"
    | "chain"
    | "ledger"
    | "cold copy"
    | "missing brick"
    | "damaged brick"
    | "damaged block"
    | "recipe"
    | "stream"
    | "record"
    | "slot";
  /** The object, brick or snapshot. */
  name: string;
  message: string;
}

/** A snapshot that damage touches, and which of its entries. */
export interface Affected {
  snapshot: string;
  label: string;
  /** Names of entries, the first hundred; names are made printable. */
  entries: string[];
  /** How many entries in all. */
  count: number;
  /** Parts that belong to no entry: bytes of the stream that were no tar. */
  nameless: boolean;
}

/** A snapshot that does not lie in cold storage whole, by the ledger. */
export interface PartlyOffSite {
  snapshot: string;
  label: string;
  coldBricks: number;
  bricks: number;
}

export interface VerifyResult {
  snapshots: number;
  bricks: number;
  bricksHashed: number;
  /** Bricks of which cold storage itself said that it holds them. */
  coldBricks: number;
  blocksOpened: number;
  bytesReplayed: number;
  problems: Problem[];
  affected: Affected[];
  /** What this key, or these options, could not check; sentences. */
  unchecked: string[];
  /** Snapshots that the loss of the hot store would damage; none where there is no cold storage. */
  partlyOffSite: PartlyOffSite[];
  /** Vaults whose inventory is on its way, and when to ask again. */
  inventories: { location: string; readyAt: Date | undefined }[];
}

/** Collects problems, and which blocks they spoil. */
export class Report {
  readonly problems: Problem[] = [];
  readonly unchecked = new Set<string>();
  readonly #missing = new Set<string>();
  readonly #cold = new Set<string>();
  readonly #damaged = new Map<string, Set<number> | "all">();

  add(kind: Problem["kind"], name: string, message: string): void {
    this.problems.push({ kind, name, message });
  }

  missing(name: string, message: string): void {
    this.#missing.add(name);
    this.add("missing brick", name, message);
  }

  /** A brick that is not there, which is as it should be as long as nothing needs it. */
  gone(name: string): void {
    this.#missing.add(name);
  }

  /** A brick that lies in cold storage alone, where it cannot be read without paying for it. */
  cold(name: string): void {
    this.#cold.add(name);
  }

  isCold(name: string): boolean {
    return this.#cold.has(name);
  }

  /** It can be read now after all. */
  thawed(name: string): void {
    this.#cold.delete(name);
  }

  get coldBricks(): number {
    return this.#cold.size;
  }

  /** A brick whose bytes are not the ones that got its name: which blocks that touches is not known yet. */
  damagedBrick(name: string, message: string): void {
    if (!this.#damaged.has(name)) this.#damaged.set(name, "all");
    this.add("damaged brick", name, message);
  }

  damagedBlock(name: string, block: number, message: string): void {
    const known = this.#damaged.get(name);
    const blocks = known instanceof Set ? known : new Set<number>();
    this.#damaged.set(name, blocks.add(block));
    this.add("damaged block", `${name} ${block}`, message);
  }

  /** Every block of this brick was opened: what is not damaged by name is intact. */
  wholeBrickRead(name: string): void {
    if (this.#damaged.get(name) === "all") this.#damaged.set(name, new Set());
  }

  isMissing(name: string): boolean {
    return this.#missing.has(name);
  }

  spoils(name: string, block: number): boolean {
    const damaged = this.#damaged.get(name);
    return this.#missing.has(name) || damaged === "all" || (damaged?.has(block) ?? false);
  }

  /** Whether any chunk may be unreadable. */
  get spoilsChunks(): boolean {
    return this.#missing.size > 0 || this.#damaged.size > 0;
  }

  /** The damage of bricks that are there, for the repository's records. */
  damage(): { brick: string; blocks: number[] | "all" }[] {
    return [...this.#damaged].filter(([, blocks]) => blocks === "all" || blocks.size > 0)
      .map(([brick, blocks]) => ({ brick, blocks: blocks === "all" ? blocks : [...blocks].sort((a, b) => a - b) }));
  }
}
