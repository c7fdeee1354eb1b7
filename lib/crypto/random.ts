/**
 * Random bytes, and the guard against repeatable ones.
 *
 * `deno run --seed=N` (and `deno compile --seed=N`) makes crypto.getRandomValues and generateKey give the same bytes in
 * every run: every brick would get a key that an earlier brick had, with the same nonces. Deno shows a program neither the
 * flag nor its own arguments, in compiled programs there are none. But it hands N to V8 as --random-seed too, and V8 then
 * begins Math.random in every new context at the same state; so two fresh contexts agree if and only if there is a seed
 * (or once in 2^52 starts). N = 0 alone escapes: V8 takes it for "no seed".
 */
import { runInNewContext } from "node:vm";

/** The most that one call of getRandomValues gives. */
const LARGEST_CALL_BYTES = 65_536;

/** Fresh random bytes from the operating system's generator. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += LARGEST_CALL_BYTES) {
    crypto.getRandomValues(bytes.subarray(at, at + LARGEST_CALL_BYTES));
  }
  return bytes;
}

/** Throws when this process was started with a seed that makes its randomness repeatable. Takes about a millisecond. */
export function refuseSeededRandomness(): void {
  const first: unknown = runInNewContext("Math.random()");
  const second: unknown = runInNewContext("Math.random()");
  if (first !== second) return;
  throw new Error(
    "Refusing to work with repeatable randomness: with --seed (or V8's --random-seed) every run would use the same keys " +
      "again. Start without it",
  );
}
