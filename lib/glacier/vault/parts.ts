/**
 * How an archive is cut into parts. Part sizes are a power of two MiB: the service asks for it, and only then is the tree
 * hash of the parts' tree hashes that of the whole. Small parts are little memory and little lost to a broken connection,
 * large ones fewer requests, each of which is paid: 16 MiB, more where that makes more than 32 parts, 64 at most.
 */
import { LEAF_BYTES } from "../tree_hash.ts";

export interface Part {
  from: number;
  length: number;
}

/** The parts of ordinary bricks. */
export const PART_BYTES = 16 * LEAF_BYTES;
const largestByChoice = 64 * LEAF_BYTES;
const fewParts = 32;
const maximumParts = 10_000;

/** The size of all parts but the last, for an archive of so many bytes; at least `smallest`, a power of two MiB. */
export function partBytesFor(bytes: number, smallest: number = PART_BYTES): number {
  let size = smallest;
  while ((size < largestByChoice && bytes > size * fewParts) || bytes > size * maximumParts) size *= 2;
  return size;
}

/** Whether an upload that somebody began with this part size can be finished here: allowed, and not too large for memory. */
export function isUsablePartSize(partBytes: number, archiveBytes: number): boolean {
  const exponent = Math.log2(partBytes / LEAF_BYTES);
  return Number.isInteger(exponent) && exponent >= 0 &&
    partBytes <= Math.max(largestByChoice, partBytesFor(archiveBytes)) &&
    archiveBytes <= partBytes * maximumParts;
}

/** The parts of an archive, in order. */
export function partsOf(bytes: number, partBytes: number): Part[] {
  const count = Math.ceil(bytes / partBytes);
  return Array.from({ length: count }, (_, i) => {
    const from = i * partBytes;
    return { from, length: Math.min(partBytes, bytes - from) };
  });
}
