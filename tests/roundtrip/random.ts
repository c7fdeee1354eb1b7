import { randomFrom } from "../tar/recorder.ts";

/** Whole numbers that follow from a seed: from 0 up to, but not including, what it is asked for. */
export function chance(seed: number): (below: number) => number {
  const random = randomFrom(seed);
  return (below) => Math.floor(random() * below);
}
