/**
 * Who owns which bytes of the one shared memory that reader, workers and main thread look at. Laid out once, at the start:
 *
 *   gear table | key of data ids | scratch of each hashing thread | slots | block buffers
 *
 * A slot is a piece of the input with room in front for what the piece before it left unfinished, so that every chunk lies
 * in one piece; behind it stand the tables that the reader and the hashing threads fill. A block buffer collects chunks
 * that are new until they are compressed and sealed.
 */
import { sealedBlockBytes } from "../brick/mod.ts";

export const SLOT_BYTES = 4 * 1024 * 1024;
const PAGE = 64 * 1024;
/** A body of at least 512 bytes and its header make at most one chunk a KiB; nameless ones are rarer still. */
export const SLOT_CHUNKS = SLOT_BYTES / 512 + 64;
export const LEAVES = SLOT_BYTES / (1024 * 1024);
/** A sealed block takes the place of its raw bytes, and is longer by a codec byte and a tag. */
const SEALING_BYTES = sealedBlockBytes(0);

/** A slot: all members are offsets into the shared memory. */
export interface Slot {
  number: number;
  /** Where the piece begins; `carryBytes` in front of it belong to the slot as well. */
  fresh: number;
  /** u32 offset | u32 length for each chunk. */
  chunkTable: number;
  /** 32 bytes for each chunk. */
  ids: number;
  /** SHA-256 of each MiB of the piece. */
  leaves: number;
}

export interface Buffer {
  offset: number;
  capacity: number;
}

/** The layout, as it is handed to every thread. */
export interface Arena {
  memory: WebAssembly.Memory;
  gear: number;
  idKey: number;
  scratch: number[];
  longestChunk: number;
  carryBytes: number;
  slots: Slot[];
  dataBuffers: Buffer[];
  metaBuffers: Buffer[];
}

export interface ArenaOptions {
  maxChunk: number;
  threads: number;
  scratchBytes: number;
  slots: number;
  dataBuffers: { count: number; capacity: number };
  metaBuffers: { count: number; capacity: number };
}

/** Reserves the shared memory and divides it. */
export function makeArena(options: ArenaOptions): Arena {
  let end = 1024;
  const take = (bytes: number) => {
    const at = end;
    end += Math.ceil(bytes / 64) * 64;
    return at;
  };
  const gear = take(2048);
  const idKey = take(32);
  const scratch = Array.from({ length: options.threads }, () => take(options.scratchBytes));
  const carryBytes = options.maxChunk + 1024;
  const slots = Array.from({ length: options.slots }, (_, number) => ({
    number,
    fresh: take(carryBytes + SLOT_BYTES) + carryBytes,
    chunkTable: take(SLOT_CHUNKS * 8),
    ids: take(SLOT_CHUNKS * 32),
    leaves: take(LEAVES * 32),
  }));
  const buffers = ({ count, capacity }: { count: number; capacity: number }) =>
    Array.from({ length: count }, () => ({ offset: take(capacity + SEALING_BYTES), capacity }));
  const dataBuffers = buffers(options.dataBuffers);
  const metaBuffers = buffers(options.metaBuffers);
  const pages = Math.ceil(end / PAGE);
  // The maximum must be that of the compiled kernel; only `initial` is ever used.
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65_536, shared: true });
  return {
    memory,
    gear,
    idKey,
    scratch,
    longestChunk: options.maxChunk,
    carryBytes,
    slots,
    dataBuffers,
    metaBuffers,
  };
}
