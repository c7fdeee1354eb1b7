/** Bytes of bricks and ledger objects to objects and back; no I/O. */
export { packBlock, PACKING_BYTES, unpackBlock } from "./block.ts";
export {
  beginBrick,
  type BrickHeader,
  type BrickKeys,
  checkHeader,
  checkPadding,
  finishBrick,
  headerLength,
  type NewBrick,
  openHeader,
  openToc,
  paddingOffset,
  parseHeader,
  parseTrailer,
} from "./envelope.ts";
export {
  BLOCK_RAW_BYTES,
  brickFileBytes,
  type BrickKind,
  FIXED_HEADER_BYTES,
  GIB,
  HEADER_MAGIC,
  KIB,
  LIMITS,
  MIB,
  sealedBlockBytes,
  sizeStep,
  TAG_BYTES,
  tocFrameBytes,
  TRAILER_BYTES,
} from "./layout.ts";
export {
  type BrickRecord,
  brickRecordBytes,
  chunkCount,
  decodeLedger,
  encodeLedger,
  LEDGER_OBJECT_LIMIT,
  type LedgerRecord,
  parseLedgerHeader,
  type WrittenRecord,
} from "./ledger.ts";
export type { LostRecord, PlacedBrick, PlacedClass, PlacedRecord } from "./placed.ts";
export { CHUNK_RECORD_BYTES, MOST_CHUNKS, type Toc, type TocBlock, tocBlocks, TocBuilder } from "./toc.ts";
