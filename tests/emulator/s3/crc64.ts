/**
 * CRC-64/NVME, reflected, in halves of 32 bits: BigInt is far too slow for bodies. Eight tables take eight bytes a step
 * ("slicing by 8").
 */
import type { Hasher } from "./checksums.ts";

const [polynomialHigh, polynomialLow] = [0x9a6c9329, 0xac4bc9b5];
const high = Array.from({ length: 8 }, () => new Uint32Array(256));
const low = Array.from({ length: 8 }, () => new Uint32Array(256));

for (let index = 0; index < 256; index++) {
  let [h, l] = [0, index];
  for (let bit = 0; bit < 8; bit++) {
    const odd = l & 1;
    l = (l >>> 1 | h << 31) >>> 0;
    h >>>= 1;
    if (odd) [h, l] = [(h ^ polynomialHigh) >>> 0, (l ^ polynomialLow) >>> 0];
  }
  [high[0]![index], low[0]![index]] = [h, l];
}
for (let slice = 1; slice < 8; slice++) {
  for (let index = 0; index < 256; index++) {
    const [h, l] = [high[slice - 1]![index]!, low[slice - 1]![index]!];
    high[slice]![index] = (h >>> 8) ^ high[0]![l & 0xff]!;
    low[slice]![index] = (l >>> 8 | h << 24) ^ low[0]![l & 0xff]!;
  }
}

/** Begins a CRC. */
export function crc64Nvme(): Hasher {
  let [h, l] = [0xffffffff, 0xffffffff];
  const update = (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    for (; at + 8 <= bytes.length; at += 8) {
      const [x, y] = [l ^ view.getUint32(at, true), h ^ view.getUint32(at + 4, true)];
      const [a, b, c, d] = [x & 0xff, x >>> 8 & 0xff, x >>> 16 & 0xff, x >>> 24];
      const [e, f, g, i] = [y & 0xff, y >>> 8 & 0xff, y >>> 16 & 0xff, y >>> 24];
      h = high[7]![a]! ^ high[6]![b]! ^ high[5]![c]! ^ high[4]![d]! ^ high[3]![e]! ^ high[2]![f]! ^ high[1]![g]! ^
        high[0]![i]!;
      l = low[7]![a]! ^ low[6]![b]! ^ low[5]![c]! ^ low[4]![d]! ^ low[3]![e]! ^ low[2]![f]! ^ low[1]![g]! ^ low[0]![i]!;
    }
    for (; at < bytes.length; at++) {
      const index = (l ^ bytes[at]!) & 0xff;
      l = (l >>> 8 | h << 24) ^ low[0]![index]!;
      h = (h >>> 8) ^ high[0]![index]!;
    }
    [h, l] = [h >>> 0, l >>> 0];
  };
  const digest = () => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setUint32(0, ~h >>> 0);
    new DataView(bytes.buffer).setUint32(4, ~l >>> 0);
    return bytes;
  };
  return { update, digest };
}
