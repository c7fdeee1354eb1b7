/**
 * Where the bytes of a brick stand (docs/FORMAT.md, "Bricks"): constants, limits and size arithmetic, no I/O.
 *
 *   header | sealed blocks, one after the other | sealed padding | sealed toc | trailer
 *
 * The file is rounded up to a coarse step, so that its size tells little about what a run stored: at least 64 KiB, then
 * Padmé (Nikitin et al., PETS 2019, at most 12 % and shrinking), never more than 1 MiB.
 */

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

/** Data bricks hold bytes of bodies and may be cold; meta bricks hold recipes and stay hot. */
export type BrickKind = "D" | "M";

export const HEADER_MAGIC = "TARZANB1";
export const TRAILER_MAGIC = "TARZANE1";
/** Bytes in front of the age file. */
export const FIXED_HEADER_BYTES = 32;
export const HEADER_MAC_BYTES = 32;
export const TRAILER_BYTES = 12;
/** A GCM tag. */
export const TAG_BYTES = 16;
/** The toc frame is a multiple of this, so that its length tells the number of chunks only roughly. */
export const TOC_STEP_BYTES = 4 * KIB;

/** Everything that a reader refuses before it allocates. */
export const LIMITS = {
  ageFileBytes: 16 * KIB,
  tocFrameBytes: 64 * MIB,
  blocks: 65_536,
  chunkBytes: 16 * MIB,
  blockRawBytes: MIB + 16 * MIB,
  brickBytes: 8 * GIB,
} as const;

/** Raw bytes after which a block is closed: solid runs for data, small ones where single pages are read. */
export const BLOCK_RAW_BYTES: Record<BrickKind, number> = { D: MIB, M: 128 * KIB };

/** Bytes of a sealed block whose codec byte and payload take `payloadBytes` + 1. */
export function sealedBlockBytes(payloadBytes: number): number {
  return 1 + payloadBytes + TAG_BYTES;
}

/** The step to which a brick of `length` bytes is rounded up. */
export function sizeStep(length: number): number {
  const exponent = Math.floor(Math.log2(length));
  const bitsOfExponent = Math.floor(Math.log2(exponent)) + 1;
  return Math.min(MIB, Math.max(64 * KIB, 2 ** (exponent - bitsOfExponent)));
}

/** Size of the file for a brick that takes `length` bytes with an empty padding frame. */
export function brickFileBytes(length: number): number {
  const step = sizeStep(length);
  return Math.ceil(length / step) * step;
}

/** Bytes of the toc frame (with its tag) for a brick of so many blocks and chunks. */
export function tocFrameBytes(blocks: number, chunks: number): number {
  const plain = 8 + blocks * 12 + chunks * 36;
  return Math.ceil((plain + TAG_BYTES) / TOC_STEP_BYTES) * TOC_STEP_BYTES;
}
