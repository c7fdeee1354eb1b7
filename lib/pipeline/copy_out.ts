/**
 * Segments to bytes in order: blocks are opened ahead of need, on the pool, while those before them are written. The
 * look-ahead is bounded by bytes, writing is awaited: a slow reader at the other end stops the reading here.
 */
import { DamageError } from "../crypto/mod.ts";
import type { BlockReader, ChunkPlace, Lease } from "./block_reader.ts";

/** The next bytes of a stream: here, or a part of a data chunk; `whole`: all of it, so that it must have this length. */
export type OutSegment = { bytes: Uint8Array } | { id: Uint8Array; from: number; length: number; whole: boolean };

/** What waits to be written keeps this much of opened blocks (and of bytes of recipes) in memory. */
const AHEAD_BYTES = 16 * 1024 * 1024;
/** Bytes of one write: a leaf of a tree hash, for whoever computes that. */
export const WRITE_BYTES = 1024 * 1024;
/** Writes after which signals are listened for. */
const WRITES_A_TURN = 16;
/** What waits costs this beside its block, so that a run of chunks of one, as in an empty disk, does not wait without end. */
const CHUNK_COST_BYTES = 1024;

/** Where the bytes go, a MiB at a time; each call is awaited before the next one is made. Must not keep `bytes`. */
export type Output = (bytes: Uint8Array<ArrayBuffer>) => Promise<void> | void;

/** A block of which chunks wait: leased once for all of them. */
interface WaitingBlock {
  lease: Lease;
  chunks: number;
}

interface WaitingChunk {
  segment: Exclude<OutSegment, { bytes: Uint8Array }>;
  place: ChunkPlace;
  block: WaitingBlock;
}

/** Writes all segments, which come in runs, in order; the number of bytes. */
export async function copyOut(
  runs: AsyncIterable<readonly OutSegment[]>,
  options: { reader: BlockReader; output: Output; signal?: AbortSignal },
): Promise<number> {
  const { reader, signal } = options;
  const output = signal === undefined ? options.output : interruptible(options.output, signal);
  const gather = new Gather(output);
  const ahead = new Ahead(reader, gather);
  try {
    for await (const run of runs) {
      for (const segment of run) {
        ahead.add(segment);
        while (ahead.isFull) await ahead.writeSome();
      }
      signal?.throwIfAborted();
    }
    return await ahead.finish();
  } finally {
    ahead.release();
    await gather.settled();
  }
}

/** An output that does not wait for a reader who stalls once the signal has come. */
function interruptible(output: Output, signal: AbortSignal): Output {
  let writes = 0;
  return async (bytes) => {
    // Where nothing ever waits, all of it in memory and the output only a hash, nobody would hear the signal come.
    if (++writes % WRITES_A_TURN === 0) await new Promise((resolve) => setTimeout(resolve));
    const { promise, reject } = Promise.withResolvers<never>();
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop);
    try {
      signal.throwIfAborted();
      await Promise.race([output(bytes), promise]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  };
}

/** What waits to be written, in order; its blocks are open or being opened. */
class Ahead {
  readonly #reader: BlockReader;
  readonly #gather: Gather;
  #waiting: ({ bytes: Uint8Array } | WaitingChunk)[] = [];
  #next = 0;
  #bytes = 0;
  /** By brick and number: a block is in memory once, whatever comes between its chunks. */
  readonly #blocks = new Map<string, Map<number, WaitingBlock>>();

  constructor(reader: BlockReader, gather: Gather) {
    this.#reader = reader;
    this.#gather = gather;
  }

  get isFull(): boolean {
    return this.#bytes > AHEAD_BYTES && this.#next < this.#waiting.length;
  }

  add(segment: OutSegment): void {
    if ("bytes" in segment) {
      this.#waiting.push(segment);
      this.#bytes += segment.bytes.length;
      return;
    }
    const place = this.#reader.place("D", segment.id);
    const block = this.#block(place);
    block.chunks++;
    this.#waiting.push({ segment, place, block });
    this.#bytes += CHUNK_COST_BYTES;
  }

  #block(place: ChunkPlace): WaitingBlock {
    let blocks = this.#blocks.get(place.brick);
    if (blocks === undefined) this.#blocks.set(place.brick, blocks = new Map());
    let block = blocks.get(place.block);
    if (block === undefined) {
      blocks.set(place.block, block = { lease: this.#reader.lease(place.brick, place.block), chunks: 0 });
      this.#bytes += place.blockBytes;
    }
    return block;
  }

  /** Writes what is here already, or waits for the next and writes that. */
  async writeSome(): Promise<void> {
    if (!this.#writeReady()) await this.#writeNext();
    while (this.isFull && this.#writeReady());
  }

  /** Writes the next if that takes no waiting. A turn of waiting for each small file would be half of the work. */
  #writeReady(): boolean {
    const item = this.#waiting[this.#next]!;
    const bytes = "bytes" in item ? item.bytes : this.#readyBytesOf(item);
    if (bytes === undefined || bytes.length > this.#gather.room) return false;
    this.#gather.take(bytes);
    this.#done(item);
    return true;
  }

  #readyBytesOf(item: WaitingChunk): Uint8Array | undefined {
    const block = item.block.lease.ready();
    // What is damaged may be intact elsewhere, which takes waiting.
    if (block === undefined || block.damaged.length > 0) return undefined;
    return cutOut(item, this.#reader.cutOut(block, item.place));
  }

  async #writeNext(): Promise<void> {
    const item = this.#waiting[this.#next]!;
    let rest = this.#gather.take("bytes" in item ? item.bytes : await this.#bytesOf(item));
    while (rest.length > 0) {
      await this.#gather.flush();
      rest = this.#gather.take(rest);
    }
    this.#done(item);
  }

  async finish(): Promise<number> {
    while (this.#next < this.#waiting.length) await this.writeSome();
    await this.#gather.finish();
    return this.#gather.total;
  }

  /** Gives back the blocks of what was not written. */
  release(): void {
    for (const blocks of this.#blocks.values()) for (const { lease } of blocks.values()) lease.release();
    this.#blocks.clear();
    this.#waiting = [];
  }

  #done(item: { bytes: Uint8Array } | WaitingChunk): void {
    if ("place" in item) {
      this.#leave(item);
    } else {
      this.#bytes -= item.bytes.length;
    }
    if (++this.#next === 1024) {
      this.#waiting.splice(0, this.#next);
      this.#next = 0;
    }
  }

  #leave({ block, place }: WaitingChunk): void {
    this.#bytes -= CHUNK_COST_BYTES;
    if (--block.chunks > 0) return;
    block.lease.release();
    this.#bytes -= place.blockBytes;
    const blocks = this.#blocks.get(place.brick)!;
    blocks.delete(place.block);
    if (blocks.size === 0) this.#blocks.delete(place.brick);
  }

  async #bytesOf(item: WaitingChunk): Promise<Uint8Array> {
    return cutOut(item, await this.#chunkOf(item));
  }

  async #chunkOf({ block, place, segment }: WaitingChunk): Promise<Uint8Array> {
    try {
      return this.#reader.cutOut(await block.lease.opened, place);
    } catch {
      // Another copy of the chunk may be intact; `chunk` tries them all and says what is wrong when none is.
      return await this.#reader.chunk("D", segment.id);
    }
  }
}

/** The bytes of a chunk that are wanted. */
function cutOut({ segment: { from, length, whole }, place }: WaitingChunk, chunk: Uint8Array): Uint8Array {
  const wanted = from + length;
  if (whole ? wanted === chunk.length : wanted <= chunk.length) return chunk.subarray(from, wanted);
  // A recipe that asks for other bytes than there are would give a stream of another length, silently.
  throw new DamageError(
    `A recipe asks for ${wanted} bytes of a chunk of ${chunk.length} bytes (block ${place.block} of brick ` +
      `${place.brick}). Run "tarzan verify --data" to see which snapshots that touches`,
  );
}

/**
 * Pieces of any size to writes of `WRITE_BYTES` each; only the last one is shorter. While one is written the next one is
 * gathered.
 */
class Gather {
  readonly #output: Output;
  #buffer = new Uint8Array(WRITE_BYTES);
  #other = new Uint8Array(WRITE_BYTES);
  #length = 0;
  #writing: Promise<void> = Promise.resolve();
  total = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Bytes that can be taken before the next flush. */
  get room(): number {
    return WRITE_BYTES - this.#length;
  }

  /** Takes as much as there is room for and returns the rest; where any is left, `flush` comes first. */
  take(bytes: Uint8Array): Uint8Array {
    const taken = Math.min(bytes.length, this.room);
    this.#buffer.set(bytes.subarray(0, taken), this.#length);
    this.#length += taken;
    this.total += taken;
    return bytes.subarray(taken);
  }

  /** Begins to write what was gathered, once the write before it is done; throws when that one failed. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#length === 0) return;
    this.#writing = this.#write(this.#buffer.subarray(0, this.#length));
    // Whoever flushes next is told.
    this.#writing.catch(() => {});
    [this.#buffer, this.#other] = [this.#other, this.#buffer];
    this.#length = 0;
  }

  /** Writes what is left; all of it has gone out then. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#writing;
  }

  /** Returns when nothing is being written any more, well or badly. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => {});
  }

  async #write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#output(bytes);
  }
}
