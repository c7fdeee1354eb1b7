// FastCDC in plain TypeScript: the definition that the WebAssembly kernel is tested against, and what runs where an engine
// has no SIMD. Numbers are 64 bits as two halves, since BigInt is many times slower.

import { type ChunkSizes, type Masks, masksOf } from "./sizes.ts";

/** Bytes of a gear table: 256 little-endian u64. Its bytes are the key of a domain's cut points. */
export const TABLE_BYTES = 2048;

/** A gear table: its bytes, as a kernel's memory wants them, and the halves of its numbers. */
export interface GearTable {
  bytes: Uint8Array;
  low: Uint32Array;
  high: Uint32Array;
}

/** Where a scan stopped, and the hash there. */
export interface Scan {
  at: number;
  hash: bigint;
}

/** Reads a gear table from its 2,048 bytes, which must not change afterwards. */
export function gearTable(bytes: Uint8Array): GearTable {
  if (bytes.length !== TABLE_BYTES) {
    throw new RangeError(`Cannot use a gear table of ${bytes.length} bytes: it has ${TABLE_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, TABLE_BYTES);
  return {
    bytes,
    low: Uint32Array.from({ length: 256 }, (_, i) => view.getUint32(8 * i, true)),
    high: Uint32Array.from({ length: 256 }, (_, i) => view.getUint32(8 * i + 4, true)),
  };
}

/**
 * Goes on with `hash` over data[from..to) and stops at the first byte after which the hash has no bit of `mask`, or at `to`.
 * Each byte shifts the hash left by one and adds its number from the table, modulo 2^64.
 */
export function scanGear(data: Uint8Array, from: number, to: number, options: {
  table: GearTable;
  hash: bigint;
  mask: bigint;
}): Scan {
  const { low, high } = options.table;
  const maskLow = Number(BigInt.asUintN(32, options.mask)) | 0;
  const maskHigh = Number(BigInt.asUintN(32, options.mask >> 32n)) | 0;
  let hashLow = Number(BigInt.asUintN(32, options.hash));
  let hashHigh = Number(BigInt.asUintN(32, options.hash >> 32n)) | 0;
  let at = from;
  for (; at < to; at++) {
    const byte = data[at]!;
    hashHigh = ((hashHigh << 1) | (hashLow >>> 31)) + high[byte]!;
    const sum = ((hashLow << 1) >>> 0) + low[byte]!;
    hashHigh = (hashHigh + (sum > 0xffffffff ? 1 : 0)) | 0;
    hashLow = sum >>> 0;
    if (((hashLow & maskLow) | (hashHigh & maskHigh)) === 0) break;
  }
  return { at, hash: (BigInt(hashHigh >>> 0) << 32n) | BigInt(hashLow) };
}

/**
 * The lengths of all chunks of a stream that is in memory as a whole. The definition of a cut: in each chunk the hash begins
 * at 0 with the byte at offset `min`; every byte from there on is tested, one after the other; the first one after which the
 * hash has no bit of the mask opens the next chunk; without one the chunk has `max` bytes, or what is left.
 */
export function cutReference(
  data: Uint8Array,
  table: GearTable,
  sizes: ChunkSizes,
  masks: Masks = masksOf(sizes),
): number[] {
  const lengths: number[] = [];
  for (let start = 0; start < data.length;) {
    const average = Math.min(start + sizes.average, data.length);
    const max = Math.min(start + sizes.max, data.length);
    let end = scanGear(data, start + sizes.min, average, { table, hash: 0n, mask: masks.small });
    if (end.at >= average) end = scanGear(data, end.at, max, { table, hash: end.hash, mask: masks.large });
    const cut = Math.min(end.at, max);
    lengths.push(cut - start);
    start = cut;
  }
  return lengths;
}
