import { LEAF_BYTES, TreeHasher } from "./tree_hash.ts";

/** Leaves that are hashed at once, at most. */
const MOST_UNDER_WAY = 4;

/** The tree hash of a stream that comes leaf by leaf; the leaves are hashed beside this thread. */
export class LeafHasher {
  readonly #tree = new TreeHasher();
  readonly #underWay: Promise<ArrayBuffer>[] = [];

  /** Takes a copy of the next leaf: a MiB, or less if it is the last. Waits while many are being hashed. */
  async add(leaf: Uint8Array<ArrayBuffer>): Promise<void> {
    if (leaf.length > LEAF_BYTES) throw new RangeError(`A leaf has at most ${LEAF_BYTES} bytes, not ${leaf.length}`);
    this.#underWay.push(crypto.subtle.digest("SHA-256", leaf));
    if (this.#underWay.length > MOST_UNDER_WAY) await this.#takeOne();
  }

  /** The tree hash; the hasher is used up. */
  async digest(): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#underWay.length > 0) await this.#takeOne();
    return this.#tree.digest();
  }

  async #takeOne(): Promise<void> {
    this.#tree.addLeaf(new Uint8Array(await this.#underWay.shift()!));
  }
}
