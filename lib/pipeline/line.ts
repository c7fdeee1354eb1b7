/**
 * What waits to be written, first in first out, as numbers and copied bytes. Objects would do, but a million small files
 * make millions of them that live just long enough to be costly: a fifth of the main thread's work was collecting them.
 */

/** A part of a chunk of a block. `block` is whatever number the caller gave it. */
export interface LinePart {
  block: number;
  /** The chunk's number in its block. */
  index: number;
  /** Where the part begins: in the block, and in the chunk. */
  offset: number;
  from: number;
  length: number;
}

/** Numbers of an item: block (NONE for bytes), index, offset, from, length. */
const ITEM = 5;
const NONE = -1;
/** Items that were taken before the rest moves up. */
const TAKEN = 1024;
const FIRST_BYTES = 64 * 1024;

export class Line {
  #numbers: number[] = [];
  #next = 0;
  #bytes = new Uint8Array(FIRST_BYTES);
  #bytesFrom = 0;
  #bytesEnd = 0;

  get isEmpty(): boolean {
    return this.#next === this.#numbers.length;
  }

  /** Whether the first one is bytes. */
  get isBytes(): boolean {
    return this.#numbers[this.#next] === NONE;
  }

  /** How long the first one is. */
  get length(): number {
    return this.#numbers[this.#next + ITEM - 1]!;
  }

  /** Takes a copy of `bytes`. */
  addBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#bytesEnd);
    this.#bytesEnd += bytes.length;
    this.#numbers.push(NONE, 0, 0, 0, bytes.length);
  }

  addPart({ block, index, offset, from, length }: LinePart): void {
    this.#numbers.push(block, index, offset, from, length);
  }

  /** The first one, where it is bytes: a view that is good until the next `addBytes`. */
  bytes(): Uint8Array | undefined {
    if (!this.isBytes) return undefined;
    return this.#bytes.subarray(this.#bytesFrom, this.#bytesFrom + this.length);
  }

  /** The first one, where it is a part of a chunk. */
  part(): LinePart {
    const at = this.#next;
    const numbers = this.#numbers;
    return {
      block: numbers[at]!,
      index: numbers[at + 1]!,
      offset: numbers[at + 2]!,
      from: numbers[at + 3]!,
      length: numbers[at + 4]!,
    };
  }

  /** The first one is done with. */
  shift(): void {
    if (this.isBytes) this.#bytesFrom += this.length;
    this.#next += ITEM;
    if (this.#next < TAKEN * ITEM) return;
    this.#numbers.splice(0, this.#next);
    this.#next = 0;
  }

  #reserve(length: number): void {
    if (this.#bytesEnd + length <= this.#bytes.length) return;
    const waiting = this.#bytes.subarray(this.#bytesFrom, this.#bytesEnd);
    const needed = waiting.length + length;
    // Moving up is only cheap where much room is won.
    if (needed > this.#bytes.length * 3 / 4) {
      const grown = new Uint8Array(2 * needed);
      grown.set(waiting);
      this.#bytes = grown;
    } else {
      this.#bytes.set(waiting);
    }
    this.#bytesEnd = waiting.length;
    this.#bytesFrom = 0;
  }
}
