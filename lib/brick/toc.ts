/**
 * The table of contents of a brick, before sealing: which blocks there are and which chunks each holds. Offsets are never
 * written down; they are running sums, so no two readers can disagree about them.
 *
 *   u32 blocks | u32 chunks | blocks x (u32 sealed length, u32 raw length, u32 chunks) | chunks x (id 32, u32 length) | zeros
 */
import { DamageError } from "../crypto/mod.ts";
import { KIB, LIMITS, sealedBlockBytes, TAG_BYTES, tocFrameBytes } from "./layout.ts";

const BLOCK_RECORD_BYTES = 12;
/** An id and a length; the same record stands in recipes. */
export const CHUNK_RECORD_BYTES = 36;

/** Blocks and chunks of a brick: the records of the toc as they are written. */
export interface Toc {
  blocks: Uint8Array<ArrayBuffer>;
  chunks: Uint8Array<ArrayBuffer>;
}

/** A block of a toc with everything that follows from the sums. */
export interface TocBlock {
  /** Where the sealed frame begins, counted from the end of the header. */
  offset: number;
  sealedLength: number;
  rawLength: number;
  /** Number of its first chunk. */
  firstChunk: number;
  chunks: number;
}

/** Collects the toc of a brick that is being written. */
export class TocBuilder {
  #blocks: { sealedLength: number; rawLength: number; chunks: number }[] = [];
  #records: Uint8Array[] = [];
  #chunks = 0;

  /** Adds the next block; `records` are the 36-byte records of its chunks. */
  add(sealedLength: number, rawLength: number, records: Uint8Array): void {
    const chunks = records.length / CHUNK_RECORD_BYTES;
    this.#blocks.push({ sealedLength, rawLength, chunks });
    this.#records.push(records);
    this.#chunks += chunks;
  }

  get blocks(): number {
    return this.#blocks.length;
  }

  get chunks(): number {
    return this.#chunks;
  }

  toc(): Toc {
    const blocks = new Uint8Array(this.#blocks.length * BLOCK_RECORD_BYTES);
    const view = new DataView(blocks.buffer);
    this.#blocks.forEach((block, i) => {
      view.setUint32(i * BLOCK_RECORD_BYTES, block.sealedLength, true);
      view.setUint32(i * BLOCK_RECORD_BYTES + 4, block.rawLength, true);
      view.setUint32(i * BLOCK_RECORD_BYTES + 8, block.chunks, true);
    });
    const chunks = new Uint8Array(this.#chunks * CHUNK_RECORD_BYTES);
    let at = 0;
    for (const records of this.#records) {
      chunks.set(records, at);
      at += records.length;
    }
    return { blocks, chunks };
  }
}

/** Length of the plaintext of the toc frame, padded so that the sealed frame is a multiple of 4 KiB. */
export function tocPlainBytes(toc: Toc): number {
  const blocks = toc.blocks.length / BLOCK_RECORD_BYTES;
  return tocFrameBytes(blocks, toc.chunks.length / CHUNK_RECORD_BYTES) - TAG_BYTES;
}

/** Writes the plaintext of the toc frame to a place of `tocPlainBytes` zeros. */
export function writeToc(toc: Toc, to: Uint8Array): void {
  const view = new DataView(to.buffer, to.byteOffset);
  view.setUint32(0, toc.blocks.length / BLOCK_RECORD_BYTES, true);
  view.setUint32(4, toc.chunks.length / CHUNK_RECORD_BYTES, true);
  to.set(toc.blocks, 8);
  to.set(toc.chunks, 8 + toc.blocks.length);
}

/** The plaintext of the toc frame. */
export function encodeToc(toc: Toc): Uint8Array<ArrayBuffer> {
  const plain = new Uint8Array(tocPlainBytes(toc));
  writeToc(toc, plain);
  return plain;
}

/** Parses and checks the plaintext of a toc frame: counts, sums, limits and zeros. */
export function decodeToc(plain: Uint8Array<ArrayBuffer>, what: string): Toc {
  const bad = (why: string) => new DamageError(`Cannot read the table of contents of ${what}: ${why}`);
  if (plain.length < 8) throw bad("it is cut short");
  const view = new DataView(plain.buffer, plain.byteOffset, plain.length);
  const blocks = view.getUint32(0, true);
  const chunks = view.getUint32(4, true);
  if (blocks > LIMITS.blocks) throw bad(`it names ${blocks} blocks`);
  if (plain.length + TAG_BYTES !== tocFrameBytes(blocks, chunks)) throw bad("its counts and its length differ");
  const chunksAt = 8 + blocks * BLOCK_RECORD_BYTES;
  const end = chunksAt + chunks * CHUNK_RECORD_BYTES;
  for (let i = end; i < plain.length; i++) if (plain[i] !== 0) throw bad("its padding is not zero");
  const toc = { blocks: plain.slice(8, chunksAt), chunks: plain.slice(chunksAt, end) };
  checkSums(toc, bad);
  return toc;
}

/** Without an object for each block: a ledger tells of millions. */
function checkSums(toc: Toc, bad: (why: string) => Error): void {
  const blockView = new DataView(toc.blocks.buffer, toc.blocks.byteOffset, toc.blocks.length);
  const chunkView = new DataView(toc.chunks.buffer, toc.chunks.byteOffset, toc.chunks.length);
  const count = toc.chunks.length / CHUNK_RECORD_BYTES;
  let chunk = 0;
  for (let at = 0; at < toc.blocks.length; at += BLOCK_RECORD_BYTES) {
    const sealedLength = blockView.getUint32(at, true);
    const rawLength = blockView.getUint32(at + 4, true);
    const chunks = blockView.getUint32(at + 8, true);
    if (chunks === 0 || chunks > count - chunk) throw bad("its blocks and chunks do not add up");
    if (rawLength > LIMITS.blockRawBytes) throw bad(`a block of ${rawLength} bytes is over the limit`);
    if (sealedLength < sealedBlockBytes(1) || sealedLength > sealedBlockBytes(rawLength)) {
      throw bad("the sealed length of a block is impossible");
    }
    let sum = 0;
    for (const end = chunk + chunks; chunk < end; chunk++) {
      const length = chunkView.getUint32(chunk * CHUNK_RECORD_BYTES + 32, true);
      if (length === 0 || length > LIMITS.chunkBytes) throw bad(`a chunk of ${length} bytes is over the limit`);
      sum += length;
    }
    if (sum !== rawLength) throw bad("the chunks of a block do not add up to its length");
  }
  if (chunk !== count) throw bad("its blocks and chunks do not add up");
}

/** The blocks of a toc, in order. */
export function tocBlocks(toc: { blocks: Uint8Array }): TocBlock[] {
  const view = new DataView(toc.blocks.buffer, toc.blocks.byteOffset, toc.blocks.length);
  const result: TocBlock[] = [];
  let offset = 0;
  let firstChunk = 0;
  for (let at = 0; at < toc.blocks.length; at += BLOCK_RECORD_BYTES) {
    const sealedLength = view.getUint32(at, true);
    const chunks = view.getUint32(at + 8, true);
    result.push({ offset, sealedLength, rawLength: view.getUint32(at + 4, true), firstChunk, chunks });
    offset += sealedLength;
    firstChunk += chunks;
  }
  return result;
}

/** The most chunks that a writer puts into one brick: a toc of about 2 MiB, which is in memory several times over. */
export const MOST_CHUNKS = Math.floor((2 * KIB * KIB) / CHUNK_RECORD_BYTES);
