/**
 * A block: whole chunks, one after the other, compressed together and sealed. `packBlock` and `unpackBlock` are the part
 * between the chunks and the seal: a codec byte (0 raw, 1 zstd) and the payload. A zstd payload is exactly one frame with
 * its content size, without dictionary or skippable frames: whatever a writer cannot produce is damage.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { DamageError, UnsupportedError } from "../crypto/mod.ts";
import { measureFrame } from "./zstd_frame.ts";

/**
 * Room for the codec byte, and for seven bytes in front of it: out of shared memory bytes come ten times as fast to where
 * they are aligned as they were.
 */
export const PACKING_BYTES = 8;

const CODEC_RAW = 0;
const CODEC_ZSTD = 1;

/** zstd's usual level. */
const USUAL_LEVEL = 3;
/**
 * Smaller tables than zstd takes for it: in blocks of a MiB they stay in the nearest caches, which makes it a sixth faster
 * for 1.5 % more bytes (docs/BENCHMARKS.md has the table).
 */
const USUAL_TABLES = {
  [constants.ZSTD_c_hashLog]: 16,
  [constants.ZSTD_c_chainLog]: 13,
  [constants.ZSTD_c_minMatch]: 5,
};

/**
 * Codec byte and payload for the raw bytes of a block; `level` 0 keeps them as they are. Takes views of shared memory. With
 * `room` for PACKING_BYTES more than the raw ones the result lies there: arrays of a MiB, made and dropped a thousand times
 * a second and each of another length, leave holes in memory that nothing fits.
 */
export function packBlock(raw: Uint8Array, level: number, room?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const packed = level === 0 ? undefined : compress(raw, level);
  const smaller = packed !== undefined && packed.length < raw.length;
  const payload = smaller ? packed : raw;
  const result = room?.subarray(PACKING_BYTES - 1, PACKING_BYTES + payload.length) ??
    new Uint8Array(1 + payload.length);
  result[0] = smaller ? CODEC_ZSTD : CODEC_RAW;
  result.set(payload, 1);
  // The output that zstd was given is as long as the input; the garbage collector would leave too many of them lying about.
  if (packed !== undefined && packed.buffer.byteLength > raw.length) packed.buffer.transfer(0);
  return result;
}

function compress(raw: Uint8Array, level: number): Uint8Array<ArrayBuffer> {
  // Output in one piece, not in many that must be joined: as much as zstd can make of these bytes at most. From 4 KiB on it
  // has memory of its own; shorter ones share a pool. A power of two, so that the next call finds the place of this one.
  const chunkSize = 2 ** Math.ceil(Math.log2(raw.length + (raw.length >> 8) + 4096));
  // pledgedSrcSize makes the content size part of the frame; the type declarations do not know it yet.
  const tables = level === USUAL_LEVEL ? USUAL_TABLES : {};
  const params = { [constants.ZSTD_c_compressionLevel]: level, ...tables };
  const options = { params, pledgedSrcSize: raw.length, chunkSize };
  const compressed = zstdCompressSync(raw, options) as Uint8Array<ArrayBuffer>;
  // Deno 2.9 and before put an empty second frame behind the first.
  return compressed.subarray(0, measureFrame(compressed)!.frameBytes);
}

/** The raw bytes of a block, which must be `rawLength`; nothing is allocated before that is known to be true. */
export function unpackBlock(packed: Uint8Array<ArrayBuffer>, rawLength: number, what: string): Uint8Array<ArrayBuffer> {
  const codec = packed[0];
  const payload = packed.subarray(1);
  if (codec === undefined) throw new DamageError(`Cannot read ${what}: there is nothing in it`);
  if (codec === CODEC_RAW) {
    if (payload.length !== rawLength) {
      throw new DamageError(`Cannot read ${what}: it holds ${payload.length} bytes, its toc says ${rawLength}`);
    }
    return payload;
  }
  if (codec !== CODEC_ZSTD) {
    throw new UnsupportedError(`Cannot read ${what}: it is compressed by method ${codec}, which a newer tarzan wrote`);
  }
  checkFrame(payload, rawLength, what);
  let raw: Uint8Array<ArrayBuffer>;
  try {
    // Room for all of it and some more, so that it comes in one piece.
    const options = { maxOutputLength: rawLength, chunkSize: rawLength + 64 };
    const { buffer, byteOffset, length } = zstdDecompressSync(payload, options);
    // A plain array: slice() of a Buffer does not copy.
    raw = new Uint8Array(buffer as ArrayBuffer, byteOffset, length);
  } catch (cause) {
    throw new DamageError(`Cannot decompress ${what}: ${(cause as Error).message}`, { cause });
  }
  if (raw.length !== rawLength) {
    throw new DamageError(`Cannot decompress ${what}: it gives ${raw.length} bytes, its toc says ${rawLength}`);
  }
  return raw;
}

/** One zstd frame over all of `frame`, with this content size. */
function checkFrame(frame: Uint8Array, rawLength: number, what: string): void {
  const bad = (why: string) => new DamageError(`Cannot decompress ${what}: ${why}`);
  const found = measureFrame(frame);
  if (found === undefined) throw bad("it is no zstd frame as tarzan writes them");
  if (found.contentBytes !== rawLength) {
    throw bad(`its frame is of ${found.contentBytes} bytes, its toc says ${rawLength}`);
  }
  if (found.frameBytes !== frame.length) throw bad("something stands behind its frame");
}
