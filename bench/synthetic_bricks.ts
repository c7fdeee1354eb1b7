/**
 * Bricks that nobody stored: rows for a catalogue, whose chunks have ids that follow from their numbers. So hundreds of
 * millions can be asked for again without being kept.
 */
import { createHash } from "node:crypto";
import type { BrickRow } from "../lib/catalog/mod.ts";

export const DOMAIN = "d0".repeat(16);
const CHUNK_ENTRY_BYTES = 36;
const MIB = 1024 * 1024;
/** Bricks of 128 MiB with chunks of 256 KiB and some, and between them the last one of each backup, which is not full. */
const FULL_CHUNKS = [400, 512] as const;
const LAST_CHUNKS = [1, 128] as const;
const LAST_EVERY = 16;

/** A run of chunks, from the number of its first one on. */
export interface SyntheticBrick {
  number: number;
  first: number;
  count: number;
}

/** The bricks of a catalogue of about so many chunks, oldest first. */
export function* syntheticBricks(chunks: number): Generator<SyntheticBrick> {
  let first = 0;
  for (let number = 0; first < chunks; number++) {
    const [least, most] = number % LAST_EVERY === LAST_EVERY - 1 ? LAST_CHUNKS : FULL_CHUNKS;
    const count = least + mixed(number) % (most - least);
    yield { number, first, count };
    first += count;
  }
}

/** What the ledger would say of a brick. */
export function brickRow({ number, first, count }: SyntheticBrick): BrickRow {
  const chunks = new Uint8Array(count * CHUNK_ENTRY_BYTES);
  const view = new DataView(chunks.buffer);
  for (let i = 0; i < count; i++) {
    writeId(view, i * CHUNK_ENTRY_BYTES, first + i);
    view.setUint32(i * CHUNK_ENTRY_BYTES + 32, 256 * 1024, true);
  }
  const perBlock = 4;
  const blocks = new Uint32Array(3 * Math.ceil(count / perBlock));
  for (let block = 0; block * 3 < blocks.length; block++) {
    const inBlock = Math.min(perBlock, count - block * perBlock);
    blocks.set([inBlock * 256 * 1024, inBlock * 256 * 1024, inBlock], block * 3);
  }
  const name = createHash("sha256").update(`brick ${number}`).digest("hex");
  return {
    ...{ name, kind: "D", domain: DOMAIN, bytes: 128 * MIB, treeHash: name },
    ledgerObject: `ledger/${DOMAIN}/${String(Math.floor(number / LAST_EVERY)).padStart(12, "0")}`,
    position: number % LAST_EVERY,
    blocks: new Uint8Array(blocks.buffer),
    chunks,
  };
}

/** The ids of the chunks with these numbers, as a question to a catalogue. Numbers from `UNKNOWN` on are in none. */
export function idsOf(numbers: readonly number[]): Uint8Array {
  const ids = new Uint8Array(numbers.length * 32);
  const view = new DataView(ids.buffer);
  numbers.forEach((number, i) => writeId(view, i * 32, number));
  return ids;
}

/** Numbers of chunks begin again here, with ids that no brick has. */
export const UNKNOWN = 2 ** 31;

/** A number below `below` that looks random and follows from `seed`. */
export function scattered(seed: number, below: number): number {
  return Math.floor((mixed(seed) + mixed(seed ^ 0x5bd1e995) / 2 ** 32) / 2 ** 32 * below);
}

/** Each step of the mix can be undone, so that no two numbers have the same first word: as good as no collisions. */
function writeId(view: DataView, at: number, number: number): void {
  for (let i = 0; i < 8; i++) view.setUint32(at + 4 * i, mixed((number + Math.imul(i, 0x9e3779b9)) >>> 0), true);
}

/** The end of MurmurHash3: a permutation of the 32-bit numbers. */
function mixed(number: number): number {
  let hash = number;
  hash = Math.imul(hash ^ hash >>> 16, 0x85ebca6b);
  hash = Math.imul(hash ^ hash >>> 13, 0xc2b2ae35);
  return (hash ^ hash >>> 16) >>> 0;
}
