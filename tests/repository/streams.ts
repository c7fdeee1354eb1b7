/** Tars for the tests of this folder. */
import { END, member } from "../tar/archives.ts";
import { joined, noise } from "./machine.ts";

/** Two files, one of them a few bytes long. */
export const SMALL = joined([member({ name: "small" }, noise(100_000, 99)), member({ name: "tiny" }, "tiny"), END]);

/**
 * 12.6 MiB: four pieces of input, and with bricks of 2 MiB a brick for each MiB. Pages take at most 2 MiB of it, and at
 * most 7 MiB are on their way at any time; so behind the third piece a checkpoint holds something, however slow the machine.
 */
export const LARGE = joined([
  ...Array.from({ length: 800 }, (_, i) => member({ name: `large ${i}` }, noise(16 * 1024, i + 1))),
  END,
]);
/** The last piece of LARGE behind which more comes. */
export const LATE_PIECE = 2;

/** A clock that makes a checkpoint due each time it is asked. */
export function hurriedClock(): () => number {
  let nowMs = 0;
  return () => nowMs += 16 * 60 * 1000;
}
