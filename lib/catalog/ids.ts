/**
 * Chunk ids as the machine likes them: eight 32-bit words. The key of the chunk table is the first 52 bits of an id,
 * since a SQLite integer of 52 bits is a plain JavaScript number and costs 8 bytes a row instead of 32.
 */
export const wordsOfId = 8;

const lowBitsOfSecondWord = 0xfffff;
const two32 = 2 ** 32;

/** The first 52 bits of the id whose words begin at `at`, as an integer. */
export function prefixOf(words: Uint32Array, at: number): number {
  return word(words, at) + (word(words, at + 1) & lowBitsOfSecondWord) * two32;
}

/** Whether the ids at two places are equal. Local search, no secret: it may stop early. */
export function isSameId(a: Uint32Array, atA: number, b: Uint32Array, atB: number): boolean {
  for (let i = 0; i < wordsOfId; i++) {
    if (a[atA + i] !== b[atB + i]) return false;
  }
  return true;
}

/** The same bytes as words, without a copy if their place in memory allows it. All our machines are little-endian. */
export function wordsOf(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
}

/** One word; typed arrays have no holes, but their type does not say so. */
export function word(words: Uint32Array | Int32Array, at: number): number {
  return words[at] ?? 0;
}
