// Keyed BLAKE3-256 of bytes in memory. In its tree the left side is always the largest full one, which is the same as
// joining neighbours level by level and carrying an odd last node up. So each level is one pass over an array of chaining
// values, in place, four at a time as long as there are four.

import { BLOCK_BYTES, CHUNK_BYTES, compress, CV_BYTES, PARENT, ROOT } from "./blake3_compress";
import { compressFour, WORDS_BYTES } from "./blake3_four";

/**
 * Writes the 32 bytes of the hash to `out`. `scratch`: 256 bytes, and 32 for each KiB of input begun, which no other thread
 * may use meanwhile. `key` (32 bytes) and the input are only read.
 */
export function blake3Keyed(key: usize, input: usize, length: usize, out: usize, scratch: usize): void {
  if (length <= CHUNK_BYTES) {
    compress(0, key, input, length, 0, ROOT, out, scratch);
    return;
  }
  const nodes = scratch + WORDS_BYTES;
  let count = chunks(key, input, length, nodes, scratch);
  while (count > 2) count = parents(key, nodes, count, scratch);
  compress(PARENT, key, nodes, BLOCK_BYTES, 0, ROOT, out, scratch);
}

/** `table`: count x (u32 offset, u32 length). Writes count x 32 bytes to `out`. `scratch` as for the longest of them. */
export function blake3KeyedBatch(key: usize, table: usize, count: usize, out: usize, scratch: usize): void {
  for (; count; count--, table += 8, out += CV_BYTES) {
    blake3Keyed(key, load<u32>(table), load<u32>(table, 4), out, scratch);
  }
}

/** The chaining values of all chunks, to `nodes`; returns how many. */
function chunks(key: usize, input: usize, length: usize, nodes: usize, scratch: usize): usize {
  const end = input + length;
  let at = input, out = nodes, count: usize = 0;
  for (; end - at >= 4 * CHUNK_BYTES; count += 4, at += 4 * CHUNK_BYTES, out += 4 * CV_BYTES) {
    compressFour(0, key, at, count, out, scratch);
  }
  for (; at < end; count++, at += CHUNK_BYTES, out += CV_BYTES) {
    compress(0, key, at, min(end - at, CHUNK_BYTES), count, 0, out, scratch);
  }
  return count;
}

/** One level up, in place; returns how many nodes it has. */
function parents(key: usize, nodes: usize, count: usize, scratch: usize): usize {
  const pairs = count / 2;
  let at = nodes, out = nodes, i: usize = 0;
  for (; i + 4 <= pairs; i += 4, at += 4 * BLOCK_BYTES, out += 4 * CV_BYTES) {
    compressFour(PARENT, key, at, 0, out, scratch);
  }
  for (; i < pairs; i++, at += BLOCK_BYTES, out += CV_BYTES) {
    compress(PARENT, key, at, BLOCK_BYTES, 0, 0, out, scratch);
  }
  if (count & 1) memory.copy(out, at, CV_BYTES);
  return pairs + (count & 1);
}
