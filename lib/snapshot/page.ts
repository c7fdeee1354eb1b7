/**
 * A page: some whole entries of a recipe, in up to three chunks (docs/FORMAT.md, "Pages").
 *
 * - `heads` (meta): operations. What a list needs, and no byte of any body.
 * - `lists` (meta): the id of `small`, then for each body its chunks.
 * - `small` (data): the bodies under 512 bytes, one after the other.
 */
import { DamageError, UnsupportedError } from "../crypto/mod.ts";
import { CHUNK_RECORD_BYTES, type GetChunk } from "./chunk_io.ts";
import { readRoot, readStream, recordLength, ROOT_RECORDS, type StreamRoot } from "./stream.ts";
import { wholeRecords } from "./records.ts";
import { ByteReader } from "./varint.ts";

/** Bodies under this many bytes are gathered in one chunk a page. */
export const SMALL_BODY_BYTES = 512;

/** What an operation of `heads` is; codes 4 to 7 belong to newer versions. */
export const OP = { raw: 0, entry: 1, body: 2, small: 3 } as const;
const OP_NAMES = ["raw", "entry", "body", "small"] as const;
/** An operation is written as `length * 8 + code`. */
export const OP_CODES = 8;

/**
 * One operation: `raw` gives bytes that the tar parser recognised, `entry` all header bytes of an entry, `body` and
 * `small` stand for the next `length` bytes of a body.
 */
export type HeadOp =
  | { op: "raw" | "entry"; length: number; bytes: Uint8Array }
  | { op: "body" | "small"; length: number };

/** Where a page is, and how much it stands for: 76 bytes in the page table. */
export interface PageRef {
  heads: Uint8Array;
  /** Zeros when the page has no body at all. */
  lists: Uint8Array;
  entries: number;
  /** Bytes of the stream. */
  bytes: number;
}

const PAGE_RECORD_BYTES = 76;

export function encodePageRef(page: PageRef): Uint8Array {
  const bytes = new Uint8Array(PAGE_RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(page.heads);
  bytes.set(page.lists, 32);
  view.setUint32(64, page.entries, true);
  view.setBigUint64(68, BigInt(page.bytes), true);
  return bytes;
}

/** The pages that a page table (a stream, in pieces) names. */
export async function* decodePageRefs(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<PageRef> {
  for await (const record of wholeRecords(pieces, { recordBytes: PAGE_RECORD_BYTES, what: "a page table" })) {
    yield decodePageRef(record);
  }
}

function decodePageRef(bytes: Uint8Array): PageRef {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = Number(view.getBigUint64(68, true));
  if (length > Number.MAX_SAFE_INTEGER) throw new DamageError("Cannot read a recipe: a page of impossible length");
  return {
    heads: bytes.slice(0, 32),
    lists: bytes.slice(32, 64),
    entries: view.getUint32(64, true),
    bytes: length,
  };
}

/** The operations of `heads`. Bytes are views. */
export function parseHeads(heads: Uint8Array): HeadOp[] {
  const reader = new ByteReader(heads, "a page of a recipe");
  const ops: HeadOp[] = [];
  while (!reader.done) {
    const word = reader.number();
    const code = word % OP_CODES;
    const length = Math.floor(word / OP_CODES);
    const op = OP_NAMES[code];
    if (op === undefined) {
      throw new UnsupportedError(
        `Cannot read a page of a recipe: operation ${code} needs a newer tarzan. Update tarzan`,
      );
    }
    if (op === "raw" || op === "entry") ops.push({ op, length, bytes: reader.bytes(length) });
    else ops.push({ op, length });
  }
  return ops;
}

/** Where the bodies of a page are: the id of its small bodies (if any), and per `body` operation its chunks. */
export interface PageLists {
  small: Uint8Array | undefined;
  bodies: BodyList[];
}

/** The chunks of one body: here, or as a stream of records when there are many. */
export type BodyList = { records: Uint8Array } | { root: StreamRoot };

/** Parses `lists` of a page with this many `body` operations; undefined where the page has none at all. */
export function parseLists(lists: Uint8Array | undefined, bodies: number): PageLists {
  if (lists === undefined) {
    if (bodies > 0) throw new DamageError("Cannot read a page of a recipe: its lists are missing");
    return { small: undefined, bodies: [] };
  }
  const reader = new ByteReader(lists, "the lists of a page");
  const id = reader.bytes(32);
  const result: PageLists = { small: isZero(id) ? undefined : id, bodies: [] };
  while (!reader.done) {
    const word = reader.number();
    if (word % 2 === 1) {
      if (word !== 1) throw new UnsupportedError("Cannot read the lists of a page: they need a newer tarzan");
      result.bodies.push({ root: readRoot(reader) });
      continue;
    }
    const count = word / 2;
    if (count === 0 || count > ROOT_RECORDS) {
      throw new DamageError("Cannot read the lists of a page: an impossible count");
    }
    result.bodies.push({ records: reader.bytes(count * CHUNK_RECORD_BYTES) });
  }
  if (result.bodies.length !== bodies) {
    throw new DamageError("Cannot read a page of a recipe: its operations and its lists do not belong together");
  }
  return result;
}

/**
 * The chunk records of a body, in order; refuses a list that is not of `length` bytes. Those that are here already come
 * without waiting: most bodies have one or two chunks, and waiting a turn for each would be half of reading a recipe.
 */
export function bodyRecords(
  list: BodyList,
  length: number,
  get: GetChunk,
): readonly Uint8Array[] | AsyncIterable<Uint8Array> {
  const sum = new BodySum(length);
  return "root" in list ? streamedRecords(readStream(list.root, get), sum) : recordsHere(list.records, sum);
}

async function* streamedRecords(stream: AsyncIterable<Uint8Array>, sum: BodySum): AsyncGenerator<Uint8Array> {
  for await (const record of wholeRecords(stream, { recordBytes: CHUNK_RECORD_BYTES, what: "a list of chunks" })) {
    sum.add(record);
    yield record;
  }
  sum.end();
}

function recordsHere(bytes: Uint8Array, sum: BodySum): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_RECORD_BYTES) {
    const record = bytes.subarray(at, at + CHUNK_RECORD_BYTES);
    sum.add(record);
    records.push(record);
  }
  sum.end();
  return records;
}

/** Whether the chunks of a body are as long as the body. */
class BodySum {
  readonly #length: number;
  #sum = 0;

  constructor(length: number) {
    this.#length = length;
  }

  add(record: Uint8Array): void {
    const chunkBytes = recordLength(record);
    this.#sum += chunkBytes;
    if (chunkBytes === 0 || this.#sum > this.#length) throw this.#bad("chunks that do not fit");
  }

  end(): void {
    if (this.#sum < this.#length) throw this.#bad(`chunks of ${this.#sum} bytes`);
  }

  #bad(why: string): DamageError {
    return new DamageError(`Cannot read a recipe: a body of ${this.#length} bytes has ${why}`);
  }
}

export function isZero(id: Uint8Array): boolean {
  return id.every((byte) => byte === 0);
}
