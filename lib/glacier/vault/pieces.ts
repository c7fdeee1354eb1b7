/**
 * How a range of an archive is downloaded: its whole MiB in pieces that are nodes of the hash tree (the service tells their
 * hashes, so each is verified by itself), what is left over at its two ends as it is. Nothing is asked for that is not in
 * the range: every byte is paid on its way out of Amazon.
 */
import { LEAF_BYTES } from "../tree_hash.ts";

const largestLeaves = 16;

/** The pieces of a range, in order. */
export function piecesOf(
  range: { from: number; length: number },
  archiveBytes: number,
): { from: number; length: number }[] {
  const end = range.from + range.length;
  const leaves = Math.ceil(archiveBytes / LEAF_BYTES);
  const pieces: { from: number; length: number }[] = [];
  for (let at = range.from; at < end;) {
    const next = nextNode(at, { end, leaves, archiveBytes }) ??
      Math.min(end, at + LEAF_BYTES - at % LEAF_BYTES);
    pieces.push({ from: at, length: next - at });
    at = next;
  }
  return withoutStubs(pieces);
}

/** Where the largest node that begins here and fits ends; undefined where none does. */
function nextNode(
  at: number,
  { end, leaves, archiveBytes }: { end: number; leaves: number; archiveBytes: number },
): number | undefined {
  if (at % LEAF_BYTES !== 0) return undefined;
  const leaf = at / LEAF_BYTES;
  for (let size = largestLeaves; size >= 1; size /= 2) {
    const nodeEnd = Math.min((Math.min(leaf + size, leaves)) * LEAF_BYTES, archiveBytes);
    if (leaf % size === 0 && nodeEnd <= end) return nodeEnd;
  }
  return undefined;
}

/** Two ends that meet are one piece: a range within two neighbouring MiB needs no second request. */
function withoutStubs(pieces: { from: number; length: number }[]): { from: number; length: number }[] {
  const [first, second] = pieces;
  if (pieces.length !== 2 || first!.from % LEAF_BYTES === 0 || second!.length >= LEAF_BYTES) return pieces;
  return [{ from: first!.from, length: first!.length + second!.length }];
}
