import { randomBytes } from "./random.ts";
import { WORDS } from "./words.ts";

/** Ten words of eleven bits: 110 bits, out of reach for guessing even at a cheap scrypt. */
const PASSPHRASE_WORDS = 10;

/** A fresh passphrase: ten random words joined by dashes. `random` is for tests. */
export function generatePassphrase(random: (length: number) => Uint8Array = randomBytes): string {
  const bytes = random(2 * PASSPHRASE_WORDS);
  const words = Array.from({ length: PASSPHRASE_WORDS }, (_, i) => {
    // 2,048 divides 65,536, so every word is equally likely.
    const number = bytes[2 * i]! << 8 | bytes[2 * i + 1]!;
    return WORDS[number % WORDS.length]!;
  });
  return words.join("-");
}
