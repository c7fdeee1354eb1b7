// Bytes that anybody can make again, for frozen cut points: the generators that tests/vectors/fastcdc_own.json names.

/** Little-endian words of xorshift32 (x ^= x << 13, x ^= x >>> 17, x ^= x << 5), the first one after one step from `seed`. */
export function randomBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let x = seed;
  for (let i = 0; i < length; i += 4) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    for (let k = 0; k < 4 && i + k < length; k++) bytes[i + k] = x >>> (8 * k);
  }
  return bytes;
}

/** The ASCII lines "n (n * n) % 7919", for n from 0, each with a line feed, cut to `length`. */
export function lines(length: number): Uint8Array<ArrayBuffer> {
  let text = "";
  for (let n = 0; text.length < length; n++) text += `${n} ${(n * n) % 7919}\n`;
  return new TextEncoder().encode(text.slice(0, length));
}

/** `piece` again and again, cut to `length`. */
export function repeated(length: number, piece: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => piece[i % piece.length]!);
}

/** The gear table of the frozen vectors: randomBytes(2048, 2020). */
export const TABLE = randomBytes(2048, 2020);

/** What fastcdc_own.json calls a kind of data. */
export function generate(kind: string, length: number): Uint8Array<ArrayBuffer> {
  if (kind === "random") return randomBytes(length, 1);
  if (kind === "lines") return lines(length);
  if (kind === "repeated") return repeated(length, randomBytes(100_003, 3));
  if (kind === "zeros") return new Uint8Array(length);
  throw new Error(`No generator for "${kind}" data`);
}
