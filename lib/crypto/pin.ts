/**
 * Pins: how a client knows a bundle again, and how a person compares one at first contact. The code is the first 80 bits of
 * the bundle's SHA-256 in Crockford's Base32 (lower case, four groups of four): no i, l, o or u, so a code that was written
 * down by hand is read back even with those mixed up.
 */
import { equalBytes } from "./compare.ts";
import { sha256 } from "./hash.ts";
import { encodeText } from "./text.ts";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const CODE_DIGITS = 16;

/** The SHA-256 of a bundle's exact text: what a client pins. */
export function bundleHash(text: string): Uint8Array<ArrayBuffer> {
  return sha256(text);
}

/** The code for people, of a hash by `bundleHash`: "k3vm-9t2q-…". */
export function pinCode(hash: Uint8Array): string {
  let bits = 0n;
  for (const byte of hash.subarray(0, 10)) bits = bits << 8n | BigInt(byte);
  const digits = Array.from({ length: CODE_DIGITS }, (_, i) => ALPHABET[Number(bits >> BigInt(75 - 5 * i) & 31n)]!);
  return digits.join("").replace(/(.{4})(?=.)/g, "$1-");
}

/** Whether what a person typed is the code of this hash; case, blanks and dashes do not matter, o is 0, i and l are 1. */
export function pinMatches(typed: string, hash: Uint8Array): boolean {
  return equalBytes(encodeText(plainCode(typed)), encodeText(plainCode(pinCode(hash))));
}

function plainCode(text: string): string {
  return text.toLowerCase().replace(/[\s-]/g, "").replace(/o/g, "0").replace(/[il]/g, "1");
}
