// How large chunks are, and the two masks that follow from it.
//
// Normalised chunking (FastCDC, USENIX ATC 2016, section 3.4): before the average size a cut asks for more zero bits than
// log2(average), after it for fewer, so that lengths gather around the average. Level 2 asks for two more and two fewer.
// The masks are the topmost bits: in a gear hash they depend on the most bytes, and as the table is keyed there is nothing
// to win from spreading them.

/** Lengths of chunks in bytes. A chunk is never longer than `max`; only the last of a stream is shorter than `min`. */
export interface ChunkSizes {
  min: number;
  average: number;
  max: number;
}

/** The bits of the hash that are zero at a cut: `small` before the average size, `large` from there on. */
export interface Masks {
  small: bigint;
  large: bigint;
}

/** The least `min` of a repository. */
export const LEAST_CHUNK_BYTES = 4 * 1024;
/** The greatest `max` of a repository: what a reader must be ready to hold. */
export const GREATEST_CHUNK_BYTES = 16 * 1024 * 1024;

const LEVEL = 2;

/**
 * Throws a RangeError that says what is wrong unless the sizes may be those of a repository. They are even, so that
 * implementations that test two bytes a step change masks between two steps. `what` says in the error whose sizes they are.
 */
export function checkSizes(sizes: ChunkSizes, what?: string): void {
  const { min, average, max } = sizes;
  const refuse = (why: string): never => {
    throw new RangeError(`Cannot use the chunk sizes ${min}/${average}/${max}${what ? ` of ${what}` : ""}: ${why}`);
  };
  for (const size of [min, average, max]) {
    if (!Number.isSafeInteger(size) || size % 2 !== 0) refuse(`give even numbers of bytes, ${size} is not one`);
  }
  if (min < LEAST_CHUNK_BYTES) refuse(`the smallest must be at least ${LEAST_CHUNK_BYTES}`);
  if (max > GREATEST_CHUNK_BYTES) refuse(`the largest must be at most ${GREATEST_CHUNK_BYTES}`);
  if (!(min < average && average < max)) refuse("each must be larger than the one before: smallest/average/largest");
}

/** The masks of these sizes. Frozen: another mask would store everything anew in every repository. */
export function masksOf(sizes: ChunkSizes): Masks {
  const bits = nearestLog2(sizes.average);
  return { small: topBits(bits + LEVEL), large: topBits(bits - LEVEL) };
}

/** log2 to the nearest integer, in integers, so that no two machines round differently: n^2 against the odd powers of two. */
function nearestLog2(n: number): number {
  let bits = 0;
  while (2 ** (2 * bits + 1) < n * n) bits++;
  return bits;
}

function topBits(count: number): bigint {
  return ((1n << BigInt(count)) - 1n) << BigInt(64 - count);
}
