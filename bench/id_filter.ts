/** A Bloom filter of 10 bits an id, to see what one in front of the catalogue would be worth. Ids are hashes already. */
const BITS_AN_ID = 10;
const TESTS = 6;

export class IdFilter {
  readonly #words: Uint32Array;
  readonly #bits: number;

  constructor(ids: number) {
    this.#words = new Uint32Array(Math.ceil(ids * BITS_AN_ID / 32));
    this.#bits = this.#words.length * 32;
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** Adds ids of 32 bytes each. */
  add(ids: Uint8Array): void {
    const words = new Uint32Array(ids.buffer, ids.byteOffset, ids.length / 4);
    for (let at = 0; at < words.length; at += 8) {
      for (let test = 0; test < TESTS; test++) {
        const bit = this.#bit(words, at, test);
        this.#words[Math.floor(bit / 32)]! |= 1 << (bit % 32);
      }
    }
  }

  /** Those of the ids that may have been added. */
  maybe(ids: Uint8Array): Uint8Array {
    const words = new Uint32Array(ids.buffer, ids.byteOffset, ids.length / 4);
    const kept = new Uint32Array(words.length);
    let end = 0;
    for (let at = 0; at < words.length; at += 8) {
      if (!this.#has(words, at)) continue;
      kept.set(words.subarray(at, at + 8), end);
      end += 8;
    }
    return new Uint8Array(kept.buffer, 0, 4 * end);
  }

  #has(words: Uint32Array, at: number): boolean {
    for (let test = 0; test < TESTS; test++) {
      const bit = this.#bit(words, at, test);
      if ((this.#words[Math.floor(bit / 32)]! >>> (bit % 32) & 1) === 0) return false;
    }
    return true;
  }

  #bit(words: Uint32Array, at: number, test: number): number {
    return Math.floor(words[at + 2 + test]! / 2 ** 32 * this.#bits);
  }
}
