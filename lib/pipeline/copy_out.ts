/**
 * Segments to bytes in order: blocks are opened ahead of need, on the pool, while those before them are written. The
 * look-ahead is bounded by bytes, writing is awaited: a slow reader at the other end stops the reading here.
 */
import { DamageError } from "../crypto/mod.ts";
import type { BlockReader, ChunkPlace } from "./block_reader.ts";
import type { OpenedBlock } from "./tasks.ts";

/** The next bytes of a stream: here, or a part of a data chunk; `whole`: all of it, so that it must have this length. */
export type OutSegment = { bytes: Uint8Array } | { id: Uint8Array; from: number; length: number; whole: boolean };

/** What waits to be written keeps this much of opened blocks (and of bytes of recipes) in memory. */
const AHEAD_BYTES = 24 * 1024 * 1024;
const WRITE_BYTES = 1024 * 1024;

/** Where the bytes go; each call is awaited before the next. Must not keep `bytes`. */
export type Output = (bytes: Uint8Array) => Promise<void> | void;

interface WaitingChunk {
  id: Uint8Array;
  place: ChunkPlace;
  block: Promise<OpenedBlock>;
  cost: number;
  from: number;
  length: number;
  whole: boolean;
}

/** Writes all segments in order; the number of bytes. */
export async function copyOut(
  segments: AsyncIterable<OutSegment>,
  options: { reader: BlockReader; output: Output; signal?: AbortSignal },
): Promise<number> {
  const { reader } = options;
  const gather = new Gather(options.output);
  const ahead: ({ bytes: Uint8Array } | WaitingChunk)[] = [];
  let aheadBytes = 0;
  let head = 0;
  // Blocks are awaited once for the run of chunks that they hold, not once a chunk.
  let lastPromise: Promise<OpenedBlock> | undefined;
  let lastBlock: OpenedBlock | undefined;

  for await (const segment of segments) {
    if ("bytes" in segment) {
      ahead.push(segment);
      aheadBytes += segment.bytes.length;
    } else {
      const place = reader.place("D", segment.id);
      const block = reader.block(place.brick, place.block);
      const before = ahead.at(-1);
      // A run of chunks of one block keeps that block in memory once.
      const cost = before !== undefined && "block" in before && before.block === block ? 0 : place.blockBytes;
      ahead.push({ ...segment, place, block, cost });
      aheadBytes += cost;
    }
    while (aheadBytes > AHEAD_BYTES && head < ahead.length) await writeHead();
    options.signal?.throwIfAborted();
  }
  while (head < ahead.length) await writeHead();
  await gather.flush();
  return gather.total;

  async function writeHead(): Promise<void> {
    const item = ahead[head++]!;
    if (head > 4096) {
      ahead.splice(0, head);
      head = 0;
    }
    if ("bytes" in item) {
      aheadBytes -= item.bytes.length;
      if (gather.take(item.bytes)) await gather.flush();
      return;
    }
    aheadBytes -= item.cost;
    const bytes = await chunkBytes(item);
    checkLength(bytes, item);
    if (gather.take(bytes.subarray(item.from, item.from + item.length))) await gather.flush();
  }

  async function chunkBytes(item: WaitingChunk): Promise<Uint8Array> {
    try {
      if (lastPromise !== item.block || lastBlock === undefined) {
        lastBlock = await item.block;
        lastPromise = item.block;
      }
      return reader.cutOut(lastBlock, item.place);
    } catch {
      // Another copy of the chunk may be intact; `chunk` tries them all and says what is wrong when none is.
      return await reader.chunk("D", item.id);
    }
  }
}

/** A recipe that asks for other bytes than there are would give a stream of another length, silently. */
function checkLength(chunk: Uint8Array, { from, length, whole, place }: WaitingChunk): void {
  const wanted = from + length;
  if (whole ? wanted === chunk.length : wanted <= chunk.length) return;
  throw new DamageError(
    `A recipe asks for ${wanted} bytes of a chunk of ${chunk.length} bytes (block ${place.block} of brick ` +
      `${place.brick}). Run "tarzan verify --data" to see which snapshots that touches`,
  );
}

/** Small pieces to large writes. */
class Gather {
  readonly #output: Output;
  readonly #buffer = new Uint8Array(WRITE_BYTES);
  #length = 0;
  #large: Uint8Array | undefined;
  total = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Takes bytes; true: call `flush` before the next. */
  take(bytes: Uint8Array): boolean {
    this.total += bytes.length;
    if (bytes.length > WRITE_BYTES - this.#length) {
      this.#large = bytes;
      return true;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    return false;
  }

  async flush(): Promise<void> {
    if (this.#length > 0) await this.#output(this.#buffer.subarray(0, this.#length));
    this.#length = 0;
    if (this.#large !== undefined) await this.#output(this.#large);
    this.#large = undefined;
  }
}
