/**
 * Amazon Glacier's SHA-256 tree hash: leaves are the SHA-256 of each MiB, a parent that of its two children's raw
 * digests, an odd node is carried up unchanged. Only the roots of complete subtrees are kept, one a level, so a stream of
 * any length takes a few hundred bytes.
 */
import { createHash } from "node:crypto";

export const LEAF_BYTES = 1024 * 1024;

/** Takes a stream in pieces of any size, or finished leaves in order, and gives its tree hash. */
export class TreeHasher {
  #levels: (Uint8Array | undefined)[] = [];
  #leaf = createHash("sha256");
  #leafBytes = 0;
  #leaves = 0;

  /** More bytes of the stream. */
  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + LEAF_BYTES - this.#leafBytes);
      this.#leaf.update(bytes.subarray(at, end));
      this.#leafBytes += end - at;
      at = end;
      if (this.#leafBytes === LEAF_BYTES) this.#closeLeaf();
    }
  }

  /** The SHA-256 of the next whole leaf, made elsewhere; only the last one may be of less than a MiB. */
  addLeaf(digest: Uint8Array): void {
    if (this.#leafBytes !== 0) throw new Error("Cannot add a leaf in the middle of another");
    this.#push(digest);
  }

  /** The tree hash; the hasher is used up. */
  digest(): Uint8Array<ArrayBuffer> {
    if (this.#leafBytes > 0 || this.#leaves === 0) this.#closeLeaf();
    let root: Uint8Array | undefined;
    for (const node of this.#levels) {
      if (node !== undefined) root = root === undefined ? node : parent(node, root);
    }
    return new Uint8Array(root!);
  }

  #closeLeaf(): void {
    const digest = this.#leaf.digest();
    this.#leaf = createHash("sha256");
    this.#leafBytes = 0;
    this.#push(digest);
  }

  #push(digest: Uint8Array): void {
    this.#leaves++;
    let node = digest;
    let level = 0;
    for (; this.#levels[level] !== undefined; level++) {
      node = parent(this.#levels[level]!, node);
      this.#levels[level] = undefined;
    }
    this.#levels[level] = node;
  }
}

function parent(left: Uint8Array, right: Uint8Array): Uint8Array {
  return createHash("sha256").update(left).update(right).digest();
}
