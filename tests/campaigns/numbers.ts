/** Chance that follows from a seed: the same seed makes the same campaign again. */

/** A number from 0 up to, but not including, `below`. */
export type Numbers = (below: number) => number;

/** Numbers that follow from a seed (mulberry32). */
export function numbers(seed: number): Numbers {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ state >>> 15, state | 1);
    mixed ^= mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61);
    return Math.floor(((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32 * below);
  };
}

/** One of several. */
export function oneOf<T>(next: Numbers, choices: readonly T[]): T {
  return choices[next(choices.length)]!;
}

/** A seed that nobody chose. */
export function anySeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
