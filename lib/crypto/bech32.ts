/**
 * Bech32 (BIP 173) without its limit of 90 characters: how age spells keys. Only this direction is needed, to write down an
 * identity that was derived from the root; the age package reads it.
 */

const ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const CHECKSUM_DIGITS = 6;

/** `bytes` behind the human-readable `prefix`, in lower case. */
export function encodeBech32(prefix: string, bytes: Uint8Array): string {
  const digits = toDigits(bytes);
  const checked = [...spreadPrefix(prefix), ...digits, ...new Array<number>(CHECKSUM_DIGITS).fill(0)];
  const checksum = polymod(checked) ^ 1;
  for (let i = CHECKSUM_DIGITS - 1; i >= 0; i--) digits.push((checksum >>> (5 * i)) & 31);
  return `${prefix}1${digits.map((digit) => ALPHABET[digit]!).join("")}`;
}

/** Groups of five bits, the last one filled with zeros. */
function toDigits(bytes: Uint8Array): number[] {
  const digits: number[] = [];
  let waiting = 0;
  let bits = 0;
  for (const byte of bytes) {
    waiting = (waiting << 8 | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) digits.push((waiting >>> (bits - 5)) & 31);
  }
  if (bits > 0) digits.push((waiting << (5 - bits)) & 31);
  return digits;
}

function spreadPrefix(prefix: string): number[] {
  const codes = Array.from(prefix, (character) => character.charCodeAt(0));
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

function polymod(digits: number[]): number {
  let sum = 1;
  for (const digit of digits) {
    const top = sum >>> 25;
    sum = (sum & 0x1ff_ffff) << 5 ^ digit;
    GENERATOR.forEach((term, bit) => {
      if ((top >> bit) & 1) sum ^= term;
    });
  }
  return sum;
}
