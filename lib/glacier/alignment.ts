/**
 * Byte ranges of vault retrievals. A retrieval must begin and end at whole MiB of the archive; only if the range is also
 * a node of the archive's hash tree does the vault say its tree hash, so that a part can be verified without the whole.
 * With N leaves of a MiB, [P, Q) is a node exactly if for some i: P is a multiple of 2^i and Q = min(P + 2^i, N).
 */
import { LEAF_BYTES } from "./tree_hash.ts";

/** Bytes of an archive. */
export interface ByteRange {
  readonly from: number;
  readonly length: number;
}

/** Whether a retrieval may ask for this range. */
export function isMegabyteAligned(range: ByteRange, archiveBytes: number): boolean {
  return leavesOf(range, archiveBytes) !== undefined;
}

/** Whether a vault tells the tree hash of this range. */
export function isTreeHashAligned(range: ByteRange, archiveBytes: number): boolean {
  const leaves = leavesOf(range, archiveBytes);
  if (leaves === undefined) return false;
  const { first, end, count } = leaves;
  let size = 1;
  while (size < end - first) size *= 2;
  return first % size === 0 && end === Math.min(first + size, count);
}

/** The smallest range around these bytes that a retrieval may ask for. */
export function megabyteAlignedAround(range: ByteRange, archiveBytes: number): ByteRange {
  const { first, end } = around(range, archiveBytes);
  return bytesOf(first, end, archiveBytes);
}

/** The smallest range around these bytes whose tree hash a vault tells. */
export function treeHashAlignedAround(range: ByteRange, archiveBytes: number): ByteRange {
  const { first, end } = around(range, archiveBytes);
  let size = 1;
  while (Math.floor(first / size) !== Math.floor((end - 1) / size)) size *= 2;
  const start = first - first % size;
  return bytesOf(start, start + size, archiveBytes);
}

/** The leaves that a range consists of; undefined when it is no range of whole leaves of the archive. */
function leavesOf({ from, length }: ByteRange, archiveBytes: number) {
  const to = from + length;
  if (!(from >= 0 && length > 0 && to <= archiveBytes)) return undefined;
  if (from % LEAF_BYTES !== 0 || (to % LEAF_BYTES !== 0 && to !== archiveBytes)) return undefined;
  const count = Math.ceil(archiveBytes / LEAF_BYTES);
  return { first: from / LEAF_BYTES, end: Math.ceil(to / LEAF_BYTES), count };
}

function around({ from, length }: ByteRange, archiveBytes: number): { first: number; end: number } {
  if (!(from >= 0 && length > 0 && from + length <= archiveBytes)) {
    throw new RangeError(`${length} bytes from ${from} are not in an archive of ${archiveBytes} bytes`);
  }
  return { first: Math.floor(from / LEAF_BYTES), end: Math.ceil((from + length) / LEAF_BYTES) };
}

function bytesOf(first: number, end: number, archiveBytes: number): ByteRange {
  const from = first * LEAF_BYTES;
  return { from, length: Math.min(end * LEAF_BYTES, archiveBytes) - from };
}
