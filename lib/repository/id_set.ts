/**
 * A set of ids that takes 40 bytes for each, where a Set of strings takes three times that and much of the garbage
 * collector's time. Open addressing; ids are hashes, so their first bytes serve as they are.
 */

const ID_BYTES = 32;
const FREE = 0;
const DELETED = -1;
/** Of the slots of the table this share is used at most. */
const LOAD = 0.6;

/** Ids of 32 bytes, each once. */
export class IdSet {
  /** Number + 1 of an id, or a mark. */
  #table = new Int32Array(1024);
  #ids = new Uint8Array(ID_BYTES * Math.floor(1024 * LOAD));
  /** Places in `#ids` that were given out, also to ids that were deleted since. */
  #used = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(id: Uint8Array): boolean {
    return this.#slotOf(id) >= 0;
  }

  /** Adds an id; false if it is there already. */
  add(id: Uint8Array): boolean {
    if (this.has(id)) return false;
    if (this.#used * ID_BYTES === this.#ids.length) this.#rebuild();
    this.#ids.set(id, this.#used * ID_BYTES);
    this.#enter(this.#used++);
    this.#size++;
    return true;
  }

  delete(id: Uint8Array): void {
    const slot = this.#slotOf(id);
    if (slot < 0) return;
    this.#table[slot] = DELETED;
    this.#size--;
  }

  #slotOf(id: Uint8Array): number {
    const mask = this.#table.length - 1;
    for (let slot = firstWord(id, 0) & mask;; slot = (slot + 1) & mask) {
      const entry = this.#table[slot]!;
      if (entry === FREE) return -1;
      if (entry !== DELETED && this.#isAt((entry - 1) * ID_BYTES, id)) return slot;
    }
  }

  #isAt(at: number, id: Uint8Array): boolean {
    for (let i = 0; i < ID_BYTES; i++) if (this.#ids[at + i] !== id[i]) return false;
    return true;
  }

  #enter(number: number): void {
    const mask = this.#table.length - 1;
    let slot = firstWord(this.#ids, number * ID_BYTES) & mask;
    while (this.#table[slot] !== FREE) slot = (slot + 1) & mask;
    this.#table[slot] = number + 1;
  }

  /** Drops what was deleted; makes room for as many ids again. */
  #rebuild(): void {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(1024, 2 * this.#size / LOAD)));
    const ids = new Uint8Array(ID_BYTES * Math.floor(slots * LOAD));
    let count = 0;
    for (const entry of this.#table) {
      if (entry === FREE || entry === DELETED) continue;
      const at = (entry - 1) * ID_BYTES;
      ids.set(this.#ids.subarray(at, at + ID_BYTES), ID_BYTES * count++);
    }
    this.#ids = ids;
    this.#table = new Int32Array(slots);
    this.#used = count;
    for (let number = 0; number < count; number++) this.#enter(number);
  }
}

function firstWord(bytes: Uint8Array, at: number): number {
  return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24;
}
