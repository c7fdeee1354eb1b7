/** The outer form of a zstd frame (RFC 8878): where it ends and how much it holds, without decompressing it. */

const MAGIC = 0xfd2fb528;
const RLE_BLOCK = 1;

/** Lengths of a frame. */
export interface FrameMeasure {
  frameBytes: number;
  contentBytes: number;
}

/** Measures the frame at the start of `bytes`; undefined where there is none, none whole, or none with a content size. */
export function measureFrame(bytes: Uint8Array): FrameMeasure | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 9 || view.getUint32(0, true) !== MAGIC) return undefined;
  const descriptor = bytes[4]!;
  const usesDictionary = (descriptor & 0x03) !== 0;
  const usesReserved = (descriptor & 0x18) !== 0;
  if (usesDictionary || usesReserved) return undefined;
  const single = (descriptor & 0x20) !== 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  let at = 5 + (single ? 0 : 1);
  if (sizeBytes === 0 || bytes.length < at + sizeBytes) return undefined;
  const contentBytes = readSize(view, at, sizeBytes);
  at += sizeBytes;
  for (let last = false; !last;) {
    if (at + 3 > bytes.length) return undefined;
    const header = bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16;
    last = (header & 1) !== 0;
    at += 3 + (((header >> 1) & 3) === RLE_BLOCK ? 1 : header >> 3);
  }
  const checksumBytes = (descriptor & 0x04) !== 0 ? 4 : 0;
  const frameBytes = at + checksumBytes;
  return frameBytes > bytes.length ? undefined : { frameBytes, contentBytes };
}

function readSize(view: DataView, at: number, sizeBytes: number): number {
  switch (sizeBytes) {
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    default:
      return Number(view.getBigUint64(at, true));
  }
}
