import type { StatementSync } from "node:sqlite";
import { chunkEntryLength } from "./brick_row.ts";
import { type Database, InconsistentError } from "./database.ts";
import { prefixOf, word, wordsOf } from "./ids.ts";
import { segmentLength } from "./schema.ts";

/** Words of a chunk's entry: eight of its id and one of its length. */
export const wordsOfEntry = chunkEntryLength / 4;

/** A part of a brick's chunk list: entries from the brick's chunk number `first` on. */
export interface Segment {
  readonly brick: number;
  readonly first: number;
  readonly words: Uint32Array;
}

const rowsAtOnce = 64;
const indexBits = 24;
const segmentsKept = 256;

/** Which segments hold ids with a given prefix, and the segments themselves. */
export class ChunkTable {
  readonly #insertSegment: StatementSync;
  readonly #insertMany: StatementSync;
  readonly #insertOne: StatementSync;
  readonly #segmentOf: StatementSync;
  readonly #share: StatementSync;
  readonly #insertAlso: StatementSync;
  readonly #sharing: StatementSync;
  readonly #sharedIn: StatementSync;
  readonly #segment: StatementSync;
  readonly #unlink: StatementSync;
  readonly #unlinkAlso: StatementSync;
  readonly #removeSegment: StatementSync;
  readonly #kept = new Map<number, Segment>();
  #waiting: { segment: number; words: Uint32Array }[] = [];

  constructor(database: Database) {
    this.#insertSegment = database.prepare("INSERT INTO segments(brick, first, list) VALUES (?, ?, ?)");
    const insert = "INSERT OR IGNORE INTO chunks(prefix, segment) VALUES ";
    this.#insertMany = database.prepare(insert + Array(rowsAtOnce).fill("(?, ?)").join(", "));
    this.#insertOne = database.prepare(`${insert}(?, ?)`);
    this.#segmentOf = database.prepare("SELECT segment FROM chunks WHERE prefix = ?");
    this.#share = database.prepare("UPDATE chunks SET segment = 0 WHERE prefix = ?");
    this.#insertAlso = database.prepare("INSERT OR IGNORE INTO also(prefix, segment) VALUES (?, ?)");
    this.#sharing = database.prepare("SELECT segment FROM also WHERE prefix = ?");
    this.#sharedIn = database.prepare("SELECT prefix FROM also WHERE segment = ?");
    this.#segment = database.prepare("SELECT brick, first, list FROM segments WHERE number = ?");
    this.#unlink = database.prepare("DELETE FROM chunks WHERE prefix = ? AND segment = ?");
    this.#unlinkAlso = database.prepare("DELETE FROM also WHERE segment = ?");
    this.#removeSegment = database.prepare("DELETE FROM segments WHERE number = ?");
  }

  /** Stores a brick's list and returns the number of its first segment; its ids are found after `index()`. */
  add(brick: number, chunks: Uint8Array): number {
    let firstSegment = 0;
    for (let first = 0; first * chunkEntryLength < chunks.length; first += segmentLength) {
      const list = chunks.subarray(first * chunkEntryLength, (first + segmentLength) * chunkEntryLength);
      const segment = Number(this.#insertSegment.run(brick, first, list).lastInsertRowid);
      firstSegment ||= segment;
      this.#waiting.push({ segment, words: wordsOf(list) });
    }
    return firstSegment;
  }

  /**
   * Makes the ids of all lists added since the last call findable, in the order of their prefixes: SQLite then touches
   * each page once. Returns whether some prefix is now shared by several segments.
   */
  index(): boolean {
    const waiting = this.#waiting;
    this.#waiting = [];
    let shared = false;
    while (waiting.length > 0) {
      const batch: typeof waiting = [];
      let count = 0;
      while (waiting.length > 0 && count < 2 ** indexBits - segmentLength) {
        const next = waiting.pop();
        if (next === undefined) break;
        batch.push(next);
        count += next.words.length / wordsOfEntry;
      }
      shared = this.#insertSorted(batch, count) || shared;
    }
    return shared;
  }

  /** The segment that holds ids with this prefix, 0 if there are several, undefined if there is none. */
  segmentOf(prefix: number): number | undefined {
    return this.#segmentOf.get(prefix)?.["segment"] as number | undefined;
  }

  /** All segments that hold ids with this prefix. */
  segmentsOf(prefix: number): number[] {
    const segment = this.segmentOf(prefix);
    if (segment !== 0) return segment === undefined ? [] : [segment];
    return this.#sharing.all(prefix).map((row) => row["segment"] as number);
  }

  /** The prefixes in a segment that other segments have too. */
  sharedPrefixes(segment: number): Set<number> {
    return new Set(this.#sharedIn.all(segment).map((row) => row["prefix"] as number));
  }

  /** Whether a segment was read lately and is still in memory. */
  isKept(segment: number): boolean {
    return this.#kept.has(segment);
  }

  /** The segment with this number. */
  segment(number: number): Segment {
    const kept = this.#kept.get(number);
    if (kept !== undefined) return kept;
    const row = this.#segment.get(number);
    if (row === undefined) throw new InconsistentError(`there is no segment ${number}`);
    const segment = {
      brick: row["brick"] as number,
      first: row["first"] as number,
      words: wordsOf(row["list"] as Uint8Array),
    };
    if (this.#kept.size === segmentsKept) this.#kept.delete(this.#kept.keys().next().value ?? 0);
    this.#kept.set(number, segment);
    return segment;
  }

  /** A brick's whole chunk list again. */
  list(firstSegment: number, chunkCount: number): Uint8Array {
    const list = new Uint8Array(chunkCount * chunkEntryLength);
    for (let i = 0; i * segmentLength < chunkCount; i++) {
      const { words } = this.segment(firstSegment + i);
      list.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), i * segmentLength * chunkEntryLength);
    }
    return list;
  }

  /** Takes a brick's list out again. */
  remove(firstSegment: number, chunkCount: number): void {
    for (let i = 0; i * segmentLength < chunkCount; i++) {
      const number = firstSegment + i;
      const { words } = this.segment(number);
      for (let at = 0; at < words.length; at += wordsOfEntry) this.#unlink.run(prefixOf(words, at), number);
      this.#unlinkAlso.run(number);
      this.#removeSegment.run(number);
    }
    this.#kept.clear();
    // It may have been added just now; what else waits belongs to other bricks.
    const end = firstSegment + Math.ceil(chunkCount / segmentLength);
    this.#waiting = this.#waiting.filter(({ segment }) => segment < firstSegment || segment >= end);
  }

  /** Drops what was kept in memory, since another connection may have changed it, and what waits to be indexed. */
  forget(): void {
    this.#kept.clear();
    this.#waiting = [];
  }

  /**
   * Sorts by the upper 40 bits of each prefix, which is enough for locality: those and the place in the batch make one
   * 64-bit number, written as two words and sorted as native integers.
   */
  #insertSorted(batch: { segment: number; words: Uint32Array }[], count: number): boolean {
    const prefixes = new Float64Array(count);
    const segments = new Int32Array(count);
    const keys = new BigUint64Array(count);
    const keyWords = new Uint32Array(keys.buffer);
    let i = 0;
    for (const { segment, words } of batch) {
      for (let at = 0; at < words.length; at += wordsOfEntry, i++) {
        const prefix = prefixOf(words, at);
        prefixes[i] = prefix;
        segments[i] = segment;
        keyWords[2 * i] = (Math.floor(prefix / 2 ** 12) << indexBits) | i;
        keyWords[2 * i + 1] = Math.floor(prefix / 2 ** 20);
      }
    }
    keys.sort();
    let shared = false;
    const values = new Array<number>(2 * rowsAtOnce);
    for (let at = 0; at < count; at += rowsAtOnce) {
      const rows = Math.min(rowsAtOnce, count - at);
      for (let j = 0; j < rows; j++) {
        const index = word(keyWords, 2 * (at + j)) & (2 ** indexBits - 1);
        values[2 * j] = prefixes[index] ?? 0;
        values[2 * j + 1] = segments[index] ?? 0;
      }
      if (rows === rowsAtOnce && this.#insertMany.run(...values).changes === rows) continue;
      for (let j = 0; j < 2 * rows; j += 2) {
        shared = this.#insertMaybeShared(values[j] ?? 0, values[j + 1] ?? 0) || shared;
      }
    }
    // Twenty bytes a chunk, given back at once: the garbage collector comes by too seldom for them.
    for (const { buffer } of [prefixes, segments, keys]) buffer.transfer(0);
    return shared;
  }

  /** Inserts one row, also if its prefix is there already, by this or another segment. Returns whether it is shared. */
  #insertMaybeShared(prefix: number, segment: number): boolean {
    if (this.#insertOne.run(prefix, segment).changes === 1) return false;
    const there = this.segmentOf(prefix);
    if (there === segment) return false;
    if (there !== undefined && there !== 0) {
      this.#insertAlso.run(prefix, there);
      this.#share.run(prefix);
    }
    this.#insertAlso.run(prefix, segment);
    return true;
  }
}
