/**
 * A stream in, batches of recognised parts out, in order: the main thread's half of reading. Reading, splitting and cutting
 * run on a thread of their own, hashing on the pool; a batch is handed out once its ids are there. Nobody gets a slot
 * before a batch is released, so a slow consumer stops the reader, and through the pipe the program that writes it.
 */
import type { Arena } from "./arena.ts";
import { LEAVES } from "./arena.ts";
import { type CuttingOptions, EVENT } from "./cutting.ts";
import { free } from "../crypto/mod.ts";
import { LEAF_BYTES } from "../glacier/mod.ts";
import type { Pool } from "./pool.ts";
import { readAll, type ReadEnd, type ReadSlot } from "./reader.ts";
import type { SourceSpec } from "./source.ts";
import { WarmThreads } from "./warm.ts";

/** Keys and sizes that the reading thread needs. */
export interface ReaderStart {
  arena: Arena;
  sizes: CuttingOptions["sizes"];
  smallBodyBytes: number;
  pagesKey: Uint8Array;
  source: SourceSpec;
}

export type ReaderMessage =
  | { type: "slot"; slot: ReadSlot }
  | { type: "end"; end: ReadEnd }
  | { type: "error"; name: string; message: string };

/** What a batch is made of, in order. `bytes` are views of shared memory, good until the batch is released. */
export interface BatchTaker {
  raw(bytes: Uint8Array, begins: boolean): void;
  entry(hash: number): void;
  small(bytes: Uint8Array): void;
  chunk(id: Uint8Array, bytes: Uint8Array): void;
  bodyEnd(): void;
}

/** A piece of the stream whose chunks have ids. */
export interface Batch {
  /** Bytes of the stream. */
  length: number;
  entries: number;
  /** 32 bytes for each chunk of the batch. */
  ids: Uint8Array;
  /** SHA-256 of each MiB of the piece. */
  leaves: Uint8Array[];
  /** Entries that are named like objects of a repository. */
  brickNames: string[];
  /** Hands the parts over, in order. */
  give(taker: BatchTaker): void;
  /** The batch's memory may be used again. */
  release(): void;
}

/** Reads a stream on a thread of its own (or here, where `inline`) and gives its batches in order. */
export async function* ingest(
  start: ReaderStart,
  options: { pool: Pool; inline: CuttingOptions | undefined; warm?: WarmThreads; signal?: AbortSignal },
): AsyncGenerator<Batch, ReadEnd> {
  // A signal that came before anybody listened says nothing any more.
  options.signal?.throwIfAborted();
  const { arena } = start;
  const queue = new Queue<Promise<Batch> | undefined>();
  const freeSlots = new Queue<number>();
  const reader = options.inline === undefined
    ? threadReader(start, { warm: options.warm ?? new WarmThreads({ workers: 0 }), onSlot })
    : {
      end: readAll(start.source, { arena, cutting: options.inline, freeSlot: () => freeSlots.next(), emit: onSlot }),
    };
  const giveBack = (slot: number) => "release" in reader ? reader.release(slot) : freeSlots.push(slot);
  for (const { number } of arena.slots) giveBack(number);
  const fail = (error: unknown) => queue.fail(error as Error);
  const abort = () => fail(options.signal!.reason);
  options.signal?.addEventListener("abort", abort);
  const ended = reader.end.then((end) => {
    queue.push(undefined);
    return end;
  });
  ended.catch(fail);
  try {
    for (let batch = await queue.next(); batch !== undefined; batch = await queue.next()) yield await batch;
    return await ended;
  } finally {
    options.signal?.removeEventListener("abort", abort);
    if ("close" in reader) reader.close();
  }

  function onSlot(read: ReadSlot): void {
    const { slot, length, plan } = read;
    const hashed = options.pool.run({ type: "hash", slot, length, chunks: plan.chunks });
    const release = () => {
      free(plan.events);
      giveBack(slot);
    };
    const batch = hashed.then(() => makeBatch(arena, read, release));
    batch.catch(() => {});
    queue.push(batch);
  }
}

function threadReader(start: ReaderStart, { warm, onSlot }: { warm: WarmThreads; onSlot: (slot: ReadSlot) => void }) {
  const worker = warm.reader();
  const end = new Promise<ReadEnd>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<ReaderMessage>) => {
      if (data.type === "slot") onSlot(data.slot);
      else if (data.type === "end") resolve(data.end);
      else reject(new Error(data.message));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`The reading thread died: ${event.message}`));
    };
  });
  worker.postMessage(start);
  return { end, release: (slot: number) => worker.postMessage(slot), close: () => worker.terminate() };
}

function makeBatch(arena: Arena, { slot: number, length, plan }: ReadSlot, release: () => void): Batch {
  const slot = arena.slots[number]!;
  const memory = new Uint8Array(arena.memory.buffer);
  const table = new DataView(arena.memory.buffer, slot.chunkTable, plan.chunks * 8);
  const ids = memory.subarray(slot.ids, slot.ids + plan.chunks * 32);
  const leafCount = Math.min(LEAVES, Math.ceil(length / LEAF_BYTES));
  return {
    length,
    entries: plan.entries,
    ids,
    leaves: Array.from({ length: leafCount }, (_, i) => memory.slice(slot.leaves + i * 32, slot.leaves + i * 32 + 32)),
    brickNames: plan.brickNames,
    give(taker) {
      const { events } = plan;
      for (let i = 0; i < events.length; i += 3) {
        const a = events[i + 1]!;
        const b = events[i + 2]!;
        switch (events[i]) {
          case EVENT.raw:
          case EVENT.begins:
            taker.raw(memory.subarray(a, b), events[i] === EVENT.begins);
            break;
          case EVENT.entry:
            taker.entry(a);
            break;
          case EVENT.small:
            taker.small(memory.subarray(a, b));
            break;
          case EVENT.chunk: {
            const from = table.getUint32(a * 8, true);
            const bytes = memory.subarray(from, from + table.getUint32(a * 8 + 4, true));
            taker.chunk(ids.subarray(a * 32, a * 32 + 32), bytes);
            break;
          }
          case EVENT.bodyEnd:
            taker.bodyEnd();
        }
      }
    },
    release,
  };
}

/** First in, first out, for one consumer. */
class Queue<T> {
  #items: T[] = [];
  #waiting: { resolve: (item: T) => void; reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;

  push(item: T): void {
    if (this.#waiting === undefined) this.#items.push(item);
    else this.#waiting.resolve(item);
    this.#waiting = undefined;
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  next(): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift() as T);
    return new Promise((resolve, reject) => this.#waiting = { resolve, reject });
  }
}
