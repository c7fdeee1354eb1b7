/** Where the tests of recipes keep their chunks: a map from id to bytes. The id is a SHA-256 of kind and bytes. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cutLengths, gearTable } from "../../lib/chunker/mod.ts";
import { DamageError, toHex } from "../../lib/crypto/mod.ts";
import {
  type ChunkKind,
  type CutStream,
  type GetChunk,
  type PageRef,
  type PutChunk,
  replay,
  type Segment,
  STREAM_SIZES,
} from "../../lib/snapshot/mod.ts";
import { TABLE } from "../chunker/generated.ts";

const table = gearTable(TABLE);

/** Cuts streams as a repository with this gear table does. */
export const cut: CutStream = (bytes) => cutLengths(bytes, table, STREAM_SIZES);

/** The id of a chunk in these tests. */
export function idOf(kind: ChunkKind, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(kind).update(bytes).digest());
}

/** A store of chunks that remembers what was put and what was asked for. */
export class Chunks {
  readonly kept = new Map<string, Uint8Array>();
  /** Bytes of chunks that were new. */
  newBytes = { D: 0, M: 0 };
  /** Ids of chunks in the order in which they were read. */
  readonly read: string[] = [];

  readonly put: PutChunk = (kind, bytes) => {
    const id = idOf(kind, bytes);
    const name = kind + toHex(id);
    assert.ok(bytes.length > 0, "an empty chunk");
    if (!this.kept.has(name)) this.newBytes[kind] += bytes.length;
    this.kept.set(name, bytes);
    return id;
  };

  // deno-lint-ignore require-await
  readonly get: GetChunk = async (kind, id) => {
    const name = kind + toHex(id);
    this.read.push(name);
    const bytes = this.kept.get(name);
    if (bytes === undefined) throw new DamageError(`There is no chunk ${name}`);
    return bytes;
  };
}

/** Items of a list, as something that comes over time. */
export async function* later<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

/** The bytes that segments stand for, one after the other. */
export async function bytesOf(runs: AsyncIterable<Segment[]>, get: GetChunk): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const run of runs) {
    for (const segment of run) {
      if ("bytes" in segment) {
        parts.push(segment.bytes);
        continue;
      }
      const chunk = await get("D", segment.id);
      const to = segment.from + segment.length;
      // As the pipeline refuses it.
      if (segment.whole ? to !== chunk.length : to > chunk.length) throw new DamageError("A chunk of another length");
      parts.push(chunk.subarray(segment.from, to));
    }
  }
  return join(parts);
}

/** The stream that pages stand for. */
export function replayed(pages: PageRef[], get: GetChunk): Promise<Uint8Array<ArrayBuffer>> {
  return bytesOf(replay(later(pages), get), get);
}

/** One array after the other. */
export function join(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
