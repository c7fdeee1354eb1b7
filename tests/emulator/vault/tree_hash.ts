/**
 * Amazon's tree hash: SHA-256 of every MiB, then of each two neighbours' raw digests, level by level; one without a
 * neighbour goes up unchanged. An opinion of the emulator's own, on purpose not the one that it judges.
 */
import { createHash, type Hash } from "node:crypto";

export const mebibyte = 1024 * 1024;

/** Digests of MiB after MiB. */
export type Leaves = readonly Uint8Array[];

/** Hashes bytes as they come, into leaves and as a whole. */
export class LeafHasher {
  readonly #linear = createHash("sha256");
  readonly #leaves: Uint8Array[] = [];
  #leaf: Hash | undefined;
  #inLeaf = 0;

  update(bytes: Uint8Array): void {
    this.#linear.update(bytes);
    for (let at = 0; at < bytes.length;) {
      const piece = bytes.subarray(at, at + mebibyte - this.#inLeaf);
      this.#leaf ??= createHash("sha256");
      this.#leaf.update(piece);
      this.#inLeaf += piece.length;
      at += piece.length;
      if (this.#inLeaf === mebibyte) this.#endLeaf();
    }
  }

  /** The leaves and the plain SHA-256, hex. */
  end(): { leaves: Leaves; sha256: string } {
    if (this.#inLeaf > 0) this.#endLeaf();
    return { leaves: this.#leaves, sha256: this.#linear.digest("hex") };
  }

  #endLeaf(): void {
    this.#leaves.push(this.#leaf!.digest());
    this.#leaf = undefined;
    this.#inLeaf = 0;
  }
}

/** The root over leaves, hex. */
export function treeHash(leaves: Leaves): string {
  let level = [...leaves];
  if (level.length === 0) level = [createHash("sha256").digest()];
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const [left, right] = [level[at]!, level[at + 1]];
      next.push(right ? createHash("sha256").update(left).update(right).digest() : left);
    }
    level = next;
  }
  return [...level[0]!].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A range of bytes, both ends in it. */
export interface ByteRange {
  from: number;
  to: number;
}

/** Starts and ends at a whole MiB, or at the end of the archive. */
export function isMebibyteAligned({ from, to }: ByteRange, archiveLength: number): boolean {
  return from % mebibyte === 0 && ((to + 1) % mebibyte === 0 || to === archiveLength - 1);
}

/** Whether a range is a whole subtree of the archive's, so that its tree hash can be told. */
export function isTreeAligned(range: ByteRange, archiveLength: number): boolean {
  if (!isMebibyteAligned(range, archiveLength)) return false;
  const leaves = Math.ceil(archiveLength / mebibyte);
  const [from, to] = [range.from / mebibyte, Math.ceil((range.to + 1) / mebibyte)];
  for (let size = 1;; size *= 2) {
    if (from % size === 0 && to === Math.min(from + size, leaves)) return true;
    if (size >= leaves) return false;
  }
}

/** The tree hash of an aligned range; undefined for any other. */
export function rangeTreeHash(range: ByteRange, archive: { length: number; leaves: Leaves }): string | undefined {
  if (!isTreeAligned(range, archive.length)) return undefined;
  return treeHash(archive.leaves.slice(range.from / mebibyte, Math.ceil((range.to + 1) / mebibyte)));
}
