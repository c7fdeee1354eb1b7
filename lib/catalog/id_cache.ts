import { isSameId, word, wordsOfId } from "./ids.ts";

/**
 * Remembers answers for the ids that are likely to be asked next. A stream meets old chunks in the order in which they
 * were stored, so whoever finds one chunk loads its neighbours too, and the next thousand questions need no SQLite
 * (Zhu, Li, Patterson: "Avoiding the Disk Bottleneck in the Data Domain Deduplication File System", FAST'08).
 *
 * Open addressing over whole ids, in two generations: answers go into the young one; when it is full, it becomes the old
 * one and the old one is forgotten; what is found in the old one moves to the young. That is as good as
 * least-recently-used here, with no lists to maintain. Which slot an id goes to depends on random numbers of this run, so
 * that nobody can prepare ids that all want the same one.
 */
export class IdCache {
  readonly #keys = crypto.getRandomValues(new Uint32Array(wordsOfId + 1)).map((key) => key | 1);
  readonly #bits: number;
  #young: Generation | undefined;
  #old: Generation | undefined;

  /** Never takes more than `maximumBytes`, and little before it is used. */
  constructor(maximumBytes: number) {
    const slots = maximumBytes / 2 / bytesForSlot;
    this.#bits = Math.max(10, Math.floor(Math.log2(slots)));
  }

  /** The answer for an id, 0 if there is none. Scopes are small integers that keep kinds and domains apart. */
  get(scope: number, words: Uint32Array, at: number): number {
    if (this.#young === undefined) return 0;
    const slot = this.#slot(scope, words, at);
    const found = this.#young.find(slot, scope, words, at);
    if (found >= 0) return word(this.#young.answers, found);
    if (this.#old === undefined) return 0;
    const foundOld = this.#old.find(slot, scope, words, at);
    if (foundOld < 0) return 0;
    const answer = word(this.#old.answers, foundOld);
    this.set(scope, words, at, answer);
    return answer;
  }

  /** Keeps an answer (not 0) for an id, instead of one that may be there. */
  set(scope: number, words: Uint32Array, at: number, answer: number): void {
    if (this.#young?.isFull) {
      const forgotten = this.#old;
      this.#old = this.#young;
      this.#young = forgotten;
      forgotten?.clear();
    }
    this.#young ??= new Generation(this.#bits);
    this.#young.set(this.#slot(scope, words, at), scope, words, at, answer);
  }

  /** Forgets everything. */
  clear(): void {
    this.#young?.clear();
    this.#old = undefined;
  }

  #slot(scope: number, words: Uint32Array, at: number): number {
    let sum = Math.imul(scope, word(this.#keys, wordsOfId));
    for (let i = 0; i < wordsOfId; i++) sum = sum + Math.imul(word(words, at + i), word(this.#keys, i)) | 0;
    return sum >>> (32 - this.#bits);
  }
}

/** Of the slots of a table this share is used at most. */
const load = 0.6;

/** A slot, and its share of an entry: 32 bytes of id, scope and answer. */
const bytesForSlot = 4 + load * 40;

class Generation {
  readonly answers: Int32Array;
  readonly #slots: Int32Array;
  readonly #words: Uint32Array;
  readonly #scopes: Int32Array;
  #count = 0;

  constructor(bits: number) {
    const capacity = Math.floor(2 ** bits * load);
    this.#slots = new Int32Array(2 ** bits);
    this.#words = new Uint32Array(capacity * wordsOfId);
    this.#scopes = new Int32Array(capacity);
    this.answers = new Int32Array(capacity);
  }

  get isFull(): boolean {
    return this.#count === this.answers.length;
  }

  clear(): void {
    if (this.#count > 0) this.#slots.fill(0);
    this.#count = 0;
  }

  /** The number of an id's entry, or -1. `slot` is where to begin. */
  find(slot: number, scope: number, words: Uint32Array, at: number): number {
    for (;; slot = (slot + 1) % this.#slots.length) {
      const entry = word(this.#slots, slot) - 1;
      if (entry < 0) return -1;
      if (word(this.#scopes, entry) === scope && isSameId(this.#words, entry * wordsOfId, words, at)) return entry;
    }
  }

  set(slot: number, scope: number, words: Uint32Array, at: number, answer: number): void {
    const there = this.find(slot, scope, words, at);
    if (there >= 0) {
      this.answers[there] = answer;
      return;
    }
    while (word(this.#slots, slot) !== 0) slot = (slot + 1) % this.#slots.length;
    const entry = this.#count++;
    this.#slots[slot] = entry + 1;
    this.#scopes[entry] = scope;
    this.answers[entry] = answer;
    for (let i = 0; i < wordsOfId; i++) this.#words[entry * wordsOfId + i] = word(words, at + i);
  }
}
