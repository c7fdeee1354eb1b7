/**
 * What is in a brick, for finding chunks in it quickly: a stream asks for one after the other, hundreds of thousands of
 * times. Mostly the chunk is the one behind the last; else a small hash table tells. The ids are hashes themselves, so their
 * first bytes serve as they are.
 */
import { type BrickKind, CHUNK_RECORD_BYTES, type TocBlock, tocBlocks } from "../brick/mod.ts";

const ID_BYTES = 32;

/** Where a chunk is, as readers of blocks want it. */
export interface ChunkPlace {
  brick: string;
  block: number;
  index: number;
  offset: number;
  length: number;
  blockBytes: number;
}

/** A brick whose table of contents is at hand. */
export class OpenedBrick {
  readonly name: string;
  readonly kind: BrickKind;
  readonly domain: string;
  readonly blocks: TocBlock[];
  /** Tells bricks apart within the process. */
  readonly serial: number;
  /** Nothing speaks against it: a chunk found here need not be looked for elsewhere. */
  readonly usable: boolean;
  readonly #chunks: Uint8Array;
  readonly #view: DataView;
  /** Number of the block of each chunk, and where in it the chunk begins. */
  readonly #blockOf: Uint32Array;
  readonly #offsetOf: Uint32Array;
  /** Open addressing: number + 1 of a chunk, 0 where there is none. Made when it is first needed. */
  #table: Uint32Array | undefined;
  #last = -1;

  constructor(
    brick: { name: string; kind: BrickKind; domain: string; blocks: Uint8Array; chunks: Uint8Array },
    options: { serial: number; usable: boolean },
  ) {
    this.name = brick.name;
    this.kind = brick.kind;
    this.domain = brick.domain;
    this.blocks = tocBlocks(brick);
    this.serial = options.serial;
    this.usable = options.usable;
    this.#chunks = brick.chunks;
    this.#view = new DataView(brick.chunks.buffer, brick.chunks.byteOffset, brick.chunks.length);
    const count = brick.chunks.length / CHUNK_RECORD_BYTES;
    this.#blockOf = new Uint32Array(count);
    this.#offsetOf = new Uint32Array(count);
    this.blocks.forEach(({ firstChunk, chunks }, block) => {
      let offset = 0;
      for (let chunk = firstChunk; chunk < firstChunk + chunks; chunk++) {
        this.#blockOf[chunk] = block;
        this.#offsetOf[chunk] = offset;
        offset += this.#length(chunk);
      }
    });
  }

  get chunkCount(): number {
    return this.#blockOf.length;
  }

  /** The place of a chunk; undefined where it is not in this brick. */
  find(id: Uint8Array): ChunkPlace | undefined {
    const chunk = this.#is(this.#last + 1, id) ? this.#last + 1 : this.#lookUp(id);
    if (chunk === undefined) return undefined;
    this.#last = chunk;
    const block = this.#blockOf[chunk]!;
    const { firstChunk, rawLength } = this.blocks[block]!;
    return {
      brick: this.name,
      block,
      index: chunk - firstChunk,
      offset: this.#offsetOf[chunk]!,
      length: this.#length(chunk),
      blockBytes: rawLength,
    };
  }

  /** The records of a block's chunks, in an array of their own. */
  records(block: number): Uint8Array<ArrayBuffer> {
    const { firstChunk, chunks } = this.blocks[block]!;
    return new Uint8Array(
      this.#chunks.subarray(firstChunk * CHUNK_RECORD_BYTES, (firstChunk + chunks) * CHUNK_RECORD_BYTES),
    );
  }

  #length(chunk: number): number {
    return this.#view.getUint32(chunk * CHUNK_RECORD_BYTES + ID_BYTES, true);
  }

  #is(chunk: number, id: Uint8Array): boolean {
    const at = chunk * CHUNK_RECORD_BYTES;
    if (at >= this.#chunks.length) return false;
    for (let i = 0; i < ID_BYTES; i++) if (this.#chunks[at + i] !== id[i]) return false;
    return true;
  }

  #lookUp(id: Uint8Array): number | undefined {
    const table = this.#table ??= this.#makeTable();
    const mask = table.length - 1;
    const first = id[0]! | id[1]! << 8 | id[2]! << 16 | id[3]! << 24;
    for (let slot = first & mask;; slot = (slot + 1) & mask) {
      const chunk = table[slot]! - 1;
      if (chunk < 0) return undefined;
      if (this.#is(chunk, id)) return chunk;
    }
  }

  #makeTable(): Uint32Array {
    const count = this.#blockOf.length;
    const table = new Uint32Array(2 ** Math.ceil(Math.log2(2 * count + 2)));
    const mask = table.length - 1;
    for (let chunk = 0; chunk < count; chunk++) {
      let slot = this.#view.getUint32(chunk * CHUNK_RECORD_BYTES, true) & mask;
      while (table[slot] !== 0) slot = (slot + 1) & mask;
      table[slot] = chunk + 1;
    }
    return table;
  }
}
