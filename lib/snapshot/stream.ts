/**
 * Long lists are streams: their bytes are cut by content into meta chunks of 16 to 256 KiB, so that equal stretches of two
 * versions are stored once. The chunks of a stream are named by 36-byte records; up to 64 of them stand where the stream
 * is referenced (its root), more are a stream again.
 */
import { CHUNK_RECORD_BYTES, type GetChunk, type PutChunk } from "./chunk_io.ts";
import { DamageError } from "../crypto/mod.ts";
import { wholeRecords } from "./records.ts";
import type { ByteReader, ByteWriter } from "./varint.ts";

/** Records that a root holds at most. */
export const ROOT_RECORDS = 64;
/** Streams of streams of … that a reader follows. */
const DEPTH_LIMIT = 8;
/** Sizes by which streams are cut: frozen. */
export const STREAM_SIZES = { min: 16 * 1024, average: 64 * 1024, max: 256 * 1024 } as const;

/** Cuts bytes by content into lengths, as `STREAM_SIZES` say; always the same for the same bytes. */
export type CutStream = (bytes: Uint8Array) => number[];

/** What names a stream: `length` bytes of content, `depth` levels of records above it, and the topmost records. */
export interface StreamRoot {
  length: number;
  depth: number;
  records: Uint8Array;
}

/** Writes a stream. Memory is bounded whatever its length. */
export class StreamWriter {
  readonly #put: PutChunk;
  readonly #cut: CutStream;
  #pending = new Uint8Array(2 * STREAM_SIZES.max);
  #pendingLength = 0;
  #length = 0;
  #records: Uint8Array[] = [];
  #above: StreamWriter | undefined;

  constructor(put: PutChunk, cut: CutStream) {
    this.#put = put;
    this.#cut = cut;
  }

  get length(): number {
    return this.#length;
  }

  write(bytes: Uint8Array): void {
    this.#length += bytes.length;
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + this.#pending.length - this.#pendingLength);
      this.#pending.set(part, this.#pendingLength);
      this.#pendingLength += part.length;
      at += part.length;
      if (this.#pendingLength === this.#pending.length) this.#closeFirst();
    }
  }

  /** With twice the largest chunk at hand, the first cut cannot depend on what follows. */
  #closeFirst(): void {
    const length = this.#cut(this.#pending.subarray(0, STREAM_SIZES.max))[0]!;
    this.#close(this.#store(this.#pending.subarray(0, length)));
    this.#pending.copyWithin(0, length, this.#pendingLength);
    this.#pendingLength -= length;
  }

  #store(bytes: Uint8Array): Uint8Array {
    const record = new Uint8Array(CHUNK_RECORD_BYTES);
    record.set(this.#put("M", bytes.slice()));
    new DataView(record.buffer).setUint32(32, bytes.length, true);
    return record;
  }

  #close(record: Uint8Array): void {
    if (this.#above === undefined && this.#records.length < ROOT_RECORDS) {
      this.#records.push(record);
      return;
    }
    if (this.#above === undefined) this.#above = this.#raise(this.#records);
    this.#above.write(record);
  }

  #raise(records: Uint8Array[]): StreamWriter {
    const above = new StreamWriter(this.#put, this.#cut);
    for (const record of records) above.write(record);
    return above;
  }

  /** The root of what was written so far; more may be written afterwards. */
  root(): StreamRoot {
    return { ...this.#rootWith(new Uint8Array()), length: this.#length };
  }

  #rootWith(extra: Uint8Array): StreamRoot {
    const rest = new Uint8Array(this.#pendingLength + extra.length);
    rest.set(this.#pending.subarray(0, this.#pendingLength));
    rest.set(extra, this.#pendingLength);
    const tail: Uint8Array[] = [];
    let at = 0;
    for (const length of this.#cut(rest)) {
      tail.push(this.#store(rest.subarray(at, at + length)));
      at += length;
    }
    const length = this.#length + extra.length;
    if (this.#above === undefined && this.#records.length + tail.length <= ROOT_RECORDS) {
      return { length, depth: 0, records: join([...this.#records, ...tail]) };
    }
    const above = (this.#above ?? this.#raise(this.#records)).#rootWith(join(tail));
    return { length, depth: above.depth + 1, records: above.records };
  }
}

function join(records: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(records.length * CHUNK_RECORD_BYTES);
  records.forEach((record, i) => bytes.set(record, i * CHUNK_RECORD_BYTES));
  return bytes;
}

/** The bytes of a stream, a chunk at a time. */
export async function* readStream(root: StreamRoot, get: GetChunk): AsyncGenerator<Uint8Array> {
  if (root.depth > DEPTH_LIMIT) throw new DamageError(`Cannot read a recipe: ${root.depth} levels of lists`);
  let sum = 0;
  for await (const bytes of chunksOf(streamRecords(root, get), get)) {
    sum += bytes.length;
    // Asked with every chunk: there is no end to lists of lists that name the same list again and again.
    if (sum > root.length) throw otherLength(root, "longer");
    yield bytes;
  }
  if (sum < root.length) throw otherLength(root, "shorter");
}

function otherLength(root: StreamRoot, how: string): DamageError {
  return new DamageError(`Cannot read a recipe: a list of ${root.length} bytes is ${how}`);
}

/** The chunk records of a stream, in order: which chunks it needs. */
export async function* streamRecords(root: StreamRoot, get: GetChunk): AsyncGenerator<Uint8Array> {
  if (root.depth === 0) {
    for (let at = 0; at < root.records.length; at += CHUNK_RECORD_BYTES) {
      yield root.records.subarray(at, at + CHUNK_RECORD_BYTES);
    }
    return;
  }
  const pieces = chunksOf(streamRecords({ ...root, depth: root.depth - 1 }, get), get);
  yield* wholeRecords(pieces, { recordBytes: CHUNK_RECORD_BYTES, what: "a list of chunks" });
}

async function* chunksOf(records: AsyncIterable<Uint8Array>, get: GetChunk): AsyncGenerator<Uint8Array> {
  for await (const record of records) {
    const bytes = await get("M", record.subarray(0, 32));
    if (bytes.length !== recordLength(record)) {
      throw new DamageError("Cannot read a recipe: a chunk has another length");
    }
    yield bytes;
  }
}

/** Every meta chunk that reading a stream touches: the lists above it, then its own chunks. */
export async function* streamChunks(root: StreamRoot, get: GetChunk): AsyncGenerator<Uint8Array> {
  for (let depth = 0; depth <= root.depth; depth++) yield* streamRecords({ ...root, depth }, get);
}

/** The length that a chunk record gives. */
export function recordLength(record: Uint8Array): number {
  // By hand: a DataView for each chunk of a recipe costs more than what it reads.
  return (record[32]! | record[33]! << 8 | record[34]! << 16 | record[35]! << 24) >>> 0;
}

/** u8 depth | length | number of records | records */
export function writeRoot(root: StreamRoot, to: ByteWriter): void {
  to.number(root.depth);
  to.number(root.length);
  to.number(root.records.length / CHUNK_RECORD_BYTES);
  to.bytes(root.records);
}

/** The inverse of `writeRoot`. */
export function readRoot(from: ByteReader): StreamRoot {
  const depth = from.number();
  const length = from.number();
  const count = from.number();
  if (depth > DEPTH_LIMIT || count > ROOT_RECORDS) {
    throw new DamageError("Cannot read a recipe: a list has no such root");
  }
  return { depth, length, records: from.bytes(count * CHUNK_RECORD_BYTES).slice() };
}
