/** Lower-case hex, as in object names. Nothing else is taken, so that one value has one spelling. */

const DIGITS = "0123456789abcdef";
const PAIRS = Array.from({ length: 256 }, (_, byte) => DIGITS[byte >> 4]! + DIGITS[byte & 15]!);

/** Bytes as lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += PAIRS[byte]!;
  return text;
}

/** Whether `text` is lower-case hex for exactly `lengthBytes` bytes. */
export function isHex(text: unknown, lengthBytes: number): text is string {
  return typeof text === "string" && text.length === 2 * lengthBytes && /^[0-9a-f]*$/.test(text);
}

/** Bytes of strict lower-case hex; anything else is a TypeError that does not repeat the text, which may be a secret. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || !isHex(text, text.length / 2)) {
    throw new TypeError(`Cannot read ${text.length} characters as lower-case hex`);
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = DIGITS.indexOf(text[2 * i]!) << 4 | DIGITS.indexOf(text[2 * i + 1]!);
  }
  return bytes;
}
