/** The threads and the memory of one run, put together to the size of the machine. */
import { BLOCK_RAW_BYTES, type BrickKind, MIB } from "../brick/mod.ts";
import type { ChunkSizes } from "../chunker/mod.ts";
import { createIdHasher, DamageError, idScratchBytes, UnsupportedError, WrongKeyError } from "../crypto/mod.ts";
import { makeArena } from "./arena.ts";
import { BlockPacker, type BlockSink } from "./blocks.ts";
import { type Batch, ingest } from "./ingest.ts";
import { keepFreedMemory } from "./keep_freed.ts";
import { type CarriedError, type Pool, startPool } from "./pool.ts";
import type { ReadEnd } from "./reader.ts";
import type { SourceSpec } from "./source.ts";
import type { WarmThreads } from "./warm.ts";

/** Pieces of input under way at once: one being read, some being hashed, one being taken. */
const SLOTS = 4;
/** Recipe chunks are at most this long: heads of a page with one very long header, or a page full of long lists. */
const META_CHUNK_LIMIT = 4 * MIB;
/** The small bodies of a page are one chunk, which may be longer than the longest that is cut: about 100 of under 512 bytes. */
const GATHERED_CHUNK_LIMIT = MIB / 4;

/** Threads to use when nobody says otherwise. */
export function defaultThreads(): number {
  return Math.min(8, Math.max(1, navigator.hardwareConcurrency));
}

export interface WriterOptions {
  sizes: ChunkSizes;
  smallBodyBytes: number;
  threads: number;
  level: number;
  keys: { gear: Uint8Array; dataId: Uint8Array; pages: Uint8Array };
  warm?: WarmThreads;
  signal?: AbortSignal;
}

/** Recipes are few and alike: compressing them harder costs nothing that can be measured and saves a twentieth. */
const META_LEVEL = 6;

/** What a backup needs of threads and memory. */
export interface WriterEngine {
  batches(source: SourceSpec): AsyncGenerator<Batch, ReadEnd>;
  packer(kind: BrickKind, sink: BlockSink): BlockPacker;
  close(): void;
}

/** Starts the threads of a backup. */
export async function startWriter(options: WriterOptions): Promise<WriterEngine> {
  const { sizes, threads, keys, warm } = options;
  const arena = makeArena({
    maxChunk: sizes.max,
    threads,
    scratchBytes: idScratchBytes(sizes.max),
    slots: SLOTS,
    dataBuffers: { count: threads + 2, capacity: BLOCK_RAW_BYTES.D + Math.max(sizes.max, GATHERED_CHUNK_LIMIT) },
    metaBuffers: { count: 2, capacity: BLOCK_RAW_BYTES.M + META_CHUNK_LIMIT },
  });
  const memory = new Uint8Array(arena.memory.buffer);
  memory.set(keys.gear, arena.gear);
  memory.set(keys.dataId, arena.idKey);
  const pool = startPool(threads, arena, revive, warm);
  // Only bytes that are at hand already are read on this thread: a read that waits would hold everything up.
  const nameHasher = await createIdHasher(keys.pages);
  const inline = {
    sizes,
    smallBodyBytes: options.smallBodyBytes,
    nameHash: (name: Uint8Array) => nameHasher.id(name)[0]!,
  };
  const reading: AsyncGenerator[] = [];
  return {
    batches(source) {
      const batches = ingest({ arena, sizes, smallBodyBytes: options.smallBodyBytes, pagesKey: keys.pages, source }, {
        pool,
        inline: source.kind === "bytes" ? inline : undefined,
        ...(warm === undefined ? {} : { warm }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
      reading.push(batches);
      return batches;
    },
    packer: (kind, sink) =>
      new BlockPacker({
        pool,
        memory: arena.memory,
        buffers: kind === "D" ? arena.dataBuffers : arena.metaBuffers,
        blockBytes: BLOCK_RAW_BYTES[kind],
        level: kind === "D" || options.level === 0 ? options.level : Math.max(META_LEVEL, options.level),
        sink,
      }),
    close() {
      // Whoever stopped in the middle of the input leaves a reading thread behind.
      for (const batches of reading) void batches.return(undefined);
      pool.close();
    },
  };
}

/** Starts the threads of a restore or a check. */
export function startReaders(threads: number, warm?: WarmThreads): Pool {
  // Not for backups: blocks have their room in the arena there, and little would be gained.
  keepFreedMemory();
  return startPool(threads, undefined, revive, warm);
}

/** Errors lose their class on the way between threads; the ones that mean something get it back. */
function revive({ name, message }: CarriedError): Error {
  const classes = { DamageError, UnsupportedError, WrongKeyError };
  return name in classes ? new classes[name as keyof typeof classes](message) : new Error(message);
}
