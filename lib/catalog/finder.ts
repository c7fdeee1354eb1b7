import { chunksBeforeBlocks, type Kind } from "./brick_row.ts";
import { type BrickSummary, type BrickTable, isOlder } from "./brick_table.ts";
import { type ChunkTable, wordsOfEntry } from "./chunk_table.ts";
import { InconsistentError } from "./database.ts";
import { type Exclusion, type Exclusions, isUsable } from "./exclusions.ts";
import { IdCache } from "./id_cache.ts";
import { isSameId, prefixOf, wordsOfId } from "./ids.ts";

/** The answer for an id that no usable brick holds. */
const nowhere = -1;

/** A brick as the search sees it: whose it is, how old, and which of its chunks can be trusted. */
interface Holder {
  readonly summary: BrickSummary;
  readonly scope: number;
  readonly exclusion: Exclusion;
  readonly usable: boolean;
  /** Ranges of chunk numbers in damaged blocks: from, to, from, to… */
  readonly damagedChunks: readonly number[];
}

/**
 * How good a place for reading is, best first. What is said to be absent or gone comes last, but it does come: the brick may
 * be back, and a reader who tries does no harm, while whoever can write into a ledger can call any brick gone.
 */
type Rank = "intact" | "condemned" | "damaged" | "lost";

/**
 * Finds chunks. Equal prefixes prove nothing: every answer was confirmed with the brick's own list of whole ids.
 */
export class Finder {
  readonly #bricks: BrickTable;
  readonly #chunks: ChunkTable;
  readonly #exclusions: Exclusions;
  readonly #cache: IdCache;
  readonly #scopes = new Map<string, number>();
  readonly #holders = new Map<number, Holder>();

  constructor(bricks: BrickTable, chunks: ChunkTable, exclusions: Exclusions, cacheBytes: number) {
    this.#bricks = bricks;
    this.#chunks = chunks;
    this.#exclusions = exclusions;
    this.#cache = new IdCache(cacheBytes);
  }

  /** For each id the number of the oldest usable brick that holds it, or -1. */
  lookup(kind: Kind, domain: string, ids: Uint32Array): Int32Array {
    const scope = this.#scope(kind, domain);
    const answers = new Int32Array(ids.length / wordsOfId);
    for (let i = 0; i < answers.length; i++) {
      const at = i * wordsOfId;
      answers[i] = this.#cache.get(scope, ids, at) || this.#ask(scope, ids, at);
    }
    return answers;
  }

  /** All bricks that may hold the chunk readably: the intact ones oldest first, then condemned, damaged and lost ones. */
  candidates(kind: Kind, domain: string, id: Uint32Array): number[] {
    const scope = this.#scope(kind, domain);
    const found: Record<Rank, BrickSummary[]> = { intact: [], condemned: [], damaged: [], lost: [] };
    const segments = this.#chunks.segmentsOf(prefixOf(id, 0));
    for (const [brick, rank] of this.#places(segments, scope, id, 0)) found[rank].push(this.#holder(brick).summary);
    const sorted = Object.values(found).flatMap((bricks) => bricks.sort(byAge));
    return sorted.map((brick) => brick.number);
  }

  /** Drops everything held in memory, since bricks or exclusions changed. */
  forget(): void {
    this.#cache.clear();
    this.#holders.clear();
  }

  /**
   * Asks the tables. The second question that leads to a segment loads all of it: after a single one, its neighbours
   * are as likely to be asked as any other chunk.
   */
  #ask(scope: number, ids: Uint32Array, at: number): number {
    const prefix = prefixOf(ids, at);
    const segment = this.#chunks.segmentOf(prefix);
    if (segment === undefined) return nowhere;
    if (segment > 0 && this.#chunks.isKept(segment)) {
      this.#loadSegment(segment);
      return this.#cache.get(scope, ids, at) || nowhere;
    }
    let oldest: BrickSummary | undefined;
    const segments = segment > 0 ? [segment] : this.#chunks.segmentsOf(prefix);
    for (const [brick, rank] of this.#places(segments, scope, ids, at)) {
      const { summary } = this.#holder(brick);
      if (rank === "intact" && (oldest === undefined || isOlder(summary, oldest))) oldest = summary;
    }
    const answer = oldest?.number ?? nowhere;
    this.#cache.set(scope, ids, at, answer);
    return answer;
  }

  /** Caches the answer for every id of a segment, but for those that other segments have a say in. */
  #loadSegment(number: number): void {
    const { brick, first, words } = this.#chunks.segment(number);
    const { scope, usable, damagedChunks } = this.#holder(brick);
    const shared = this.#chunks.sharedPrefixes(number);
    for (let at = 0; at < words.length; at += wordsOfEntry) {
      const chunk = first + at / wordsOfEntry;
      if (shared.size > 0 && shared.has(prefixOf(words, at))) continue;
      if (usable && !isWithin(chunk, damagedChunks)) this.#cache.set(scope, words, at, brick);
      else if (this.#cache.get(scope, words, at) === 0) this.#cache.set(scope, words, at, nowhere);
    }
  }

  /** Which bricks of these segments really hold an id, each with its best place for it. */
  #places(segments: number[], scope: number, ids: Uint32Array, at: number): Map<number, Rank> {
    const places = new Map<number, Rank>();
    for (const segment of segments) {
      const { brick, first, words } = this.#chunks.segment(segment);
      const holder = this.#holder(brick);
      if (holder.scope !== scope) continue;
      for (let entry = 0; entry < words.length; entry += wordsOfEntry) {
        if (!isSameId(words, entry, ids, at)) continue;
        const rank = rankOf(holder, first + entry / wordsOfEntry);
        if (places.get(brick) !== "intact") places.set(brick, rank);
      }
    }
    return places;
  }

  #holder(brick: number): Holder {
    const known = this.#holders.get(brick);
    if (known !== undefined) return known;
    const summary = this.#bricks.byNumber(brick);
    if (summary === undefined) throw new InconsistentError(`there is no brick ${brick}`);
    const exclusion = this.#exclusions.of(brick);
    const holder: Holder = {
      summary,
      scope: this.#scope(summary.kind, summary.domain),
      exclusion,
      usable: isUsable(exclusion),
      damagedChunks: this.#damagedChunks(brick, exclusion),
    };
    this.#holders.set(brick, holder);
    return holder;
  }

  #damagedChunks(brick: number, { damaged }: Exclusion): number[] {
    if (damaged === "all") return [0, Infinity];
    if (damaged.length === 0) return [];
    const before = chunksBeforeBlocks(this.#bricks.blocks(brick));
    return damaged.flatMap((block) => [before[block] ?? Infinity, before[block + 1] ?? Infinity]);
  }

  #scope(kind: Kind, domain: string): number {
    const key = kind + domain;
    const scope = this.#scopes.get(key) ?? this.#scopes.size + 1;
    this.#scopes.set(key, scope);
    return scope;
  }
}

function rankOf({ exclusion, damagedChunks }: Holder, chunk: number): Rank {
  if (exclusion.absent || exclusion.gone) return "lost";
  if (isWithin(chunk, damagedChunks)) return "damaged";
  return exclusion.condemned ? "condemned" : "intact";
}

function isWithin(chunk: number, ranges: readonly number[]): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (chunk >= (ranges[i] ?? 0) && chunk < (ranges[i + 1] ?? 0)) return true;
  }
  return false;
}

function byAge(a: BrickSummary, b: BrickSummary): number {
  return isOlder(a, b) ? -1 : 1;
}
