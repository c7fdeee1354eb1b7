/** Owns threads, shared memory and back-pressure: stream to sealed blocks, ranges back to bytes in order. */
export type { OutSegment } from "./ahead.ts";
export { BlockReader, type BlockShape, type BlockSource, type ChunkPlace } from "./block_reader.ts";
export { type BlockPacker, type BlockSink } from "./blocks.ts";
export { copyOut } from "./copy_out.ts";
export { defaultThreads, startReaders, startWriter, type WriterEngine, type WriterOptions } from "./engine.ts";
export type { Output } from "./gather.ts";
export type { Batch, BatchTaker } from "./ingest.ts";
export type { Pool } from "./pool.ts";
export type { ReadEnd } from "./reader.ts";
export type { SourceSpec } from "./source.ts";
export type { BlockKey, Checksums, OpenedBlock } from "./tasks.ts";
export { WarmThreads } from "./warm.ts";
