/**
 * What a working thread can do. Each task is a megabyte or more of work, so that the message is cheap beside it; bytes
 * come through shared memory or are handed over, never copied twice.
 */
import { createHash } from "node:crypto";
import { CHUNK_RECORD_BYTES, packBlock, PACKING_BYTES, unpackBlock } from "../brick/mod.ts";
import {
  createIdHasher,
  createSharedIdHasher,
  free,
  ID_BYTES,
  type IdHasher,
  Opener,
  Sealer,
  type SharedIdHasher,
  toHex,
} from "../crypto/mod.ts";
import { LEAF_BYTES, TreeHasher } from "../glacier/mod.ts";
import type { Arena } from "./arena.ts";

/** The key of a brick as a working thread needs it; `serial` tells bricks apart within a run. */
export interface BlockKey {
  serial: number;
  key: Uint8Array<ArrayBuffer>;
  hm: Uint8Array<ArrayBuffer>;
}

/** Ids of a slot's chunks, and the SHA-256 of each MiB of it, into the slot's tables. */
export interface HashTask {
  type: "hash";
  slot: number;
  length: number;
  chunks: number;
}

/** Compress and seal a block that stands in a block buffer; the sealed bytes take the place of the raw ones. */
export interface SealTask {
  type: "seal";
  key: BlockKey;
  number: number;
  offset: number;
  length: number;
  level: number;
}

/** Open, decompress and check a block. */
export interface OpenTask {
  type: "open";
  key: BlockKey;
  number: number;
  frame: Uint8Array<ArrayBuffer>;
  rawLength: number;
  /** The toc's 36-byte records of the block's chunks. */
  records: Uint8Array<ArrayBuffer>;
  /** Key of the ids of this kind of chunk. */
  idKey: Uint8Array<ArrayBuffer>;
  what: string;
}

/** Checksums of a part of a file. */
export interface ChecksumTask {
  type: "checksum";
  path: string;
}

export type Task = HashTask | SealTask | OpenTask | ChecksumTask;

/** A block that was opened, and which of its chunks are not what their ids say. */
export interface OpenedBlock {
  raw: Uint8Array<ArrayBuffer>;
  damaged: number[];
}

export interface Checksums {
  sha256: string;
  treeHash: string;
  length: number;
}

export interface TaskResults {
  hash: null;
  /** Length of the sealed bytes. */
  seal: number;
  open: OpenedBlock;
  checksum: Checksums;
}

/** Does tasks, one at a time or several at once, on whatever thread it was made. */
export class TaskRunner {
  readonly #arena: Arena | undefined;
  readonly #scratch: number;
  readonly #sealers = new Map<number, Sealer>();
  readonly #openers = new Map<number, Opener>();
  readonly #hashers = new Map<string, Promise<IdHasher>>();
  #shared: Promise<SharedIdHasher> | undefined;
  #room: Uint8Array<ArrayBuffer> = new Uint8Array();

  /** `thread` is the number of its scratch area in the arena. */
  constructor(arena: Arena | undefined, thread: number) {
    this.#arena = arena;
    this.#scratch = arena?.scratch[thread] ?? 0;
  }

  async run<T extends Task>(task: T): Promise<TaskResults[T["type"]]> {
    type Result = TaskResults[T["type"]];
    switch (task.type) {
      case "hash":
        return await this.#hash(task) as Result;
      case "seal":
        return await this.#seal(task) as Result;
      case "open":
        return await this.#open(task) as Result;
      case "checksum":
        return checksumFile(task.path) as Result;
    }
  }

  async #hash(task: HashTask): Promise<null> {
    const arena = this.#arena!;
    const slot = arena.slots[task.slot]!;
    if (task.chunks > 0) {
      this.#shared ??= createSharedIdHasher(arena.memory, {
        key: new Uint8Array(arena.memory.buffer, arena.idKey, 32),
        scratch: this.#scratch,
        longest: arena.longestChunk,
      });
      (await this.#shared).ids(slot.chunkTable, task.chunks, slot.ids);
    }
    const memory = new Uint8Array(arena.memory.buffer);
    for (let leaf = 0; leaf * LEAF_BYTES < task.length; leaf++) {
      const from = slot.fresh + leaf * LEAF_BYTES;
      const to = slot.fresh + Math.min(task.length, (leaf + 1) * LEAF_BYTES);
      memory.set(createHash("sha256").update(memory.subarray(from, to)).digest(), slot.leaves + leaf * 32);
    }
    return null;
  }

  async #seal(task: SealTask): Promise<number> {
    const memory = new Uint8Array(this.#arena!.memory.buffer);
    const needed = task.length + PACKING_BYTES;
    if (this.#room.length < needed) this.#room = new Uint8Array(needed + ROOM_STEP_BYTES);
    const packed = packBlock(memory.subarray(task.offset, task.offset + task.length), task.level, this.#room);
    const sealer = keep(this.#sealers, task.key.serial, () => new Sealer(task.key.key, task.key.hm));
    // Sealing takes a copy before it returns: the next block may have the room.
    const sealed = await sealer.seal("B", task.number, packed);
    memory.set(sealed, task.offset);
    const { length } = sealed;
    free(sealed);
    return length;
  }

  async #open(task: OpenTask): Promise<OpenedBlock> {
    const opener = keep(this.#openers, task.key.serial, () => new Opener(task.key.key, task.key.hm));
    const packed = await opener.open("B", task.number, task.frame, task.what);
    free(task.frame);
    const raw = unpackBlock(packed, task.rawLength, task.what);
    if (raw.buffer !== packed.buffer) free(packed);
    const idKey = String.fromCharCode(...task.idKey);
    const hasher = await (this.#hashers.get(idKey) ?? this.#newHasher(idKey, task.idKey));
    return { raw, damaged: damagedChunks(raw, task.records, hasher) };
  }

  #newHasher(name: string, key: Uint8Array): Promise<IdHasher> {
    const hasher = createIdHasher(key);
    this.#hashers.set(name, hasher);
    return hasher;
  }
}

/** Which chunks of a block are not what their records say. All ids in one go: a block may hold thousands of chunks. */
function damagedChunks(raw: Uint8Array, records: Uint8Array<ArrayBuffer>, hasher: IdHasher): number[] {
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  const lengths: number[] = [];
  for (let at = 0; at < records.length; at += CHUNK_RECORD_BYTES) {
    lengths.push(view.getUint32(at + ID_BYTES, true));
  }
  const ids = hasher.ids(raw, lengths);
  const damaged: number[] = [];
  for (let chunk = 0; chunk < lengths.length; chunk++) {
    const [id, record] = [chunk * ID_BYTES, chunk * CHUNK_RECORD_BYTES];
    for (let i = 0; i < ID_BYTES; i++) {
      if (ids[id + i] === records[record + i]) continue;
      damaged.push(chunk);
      break;
    }
  }
  return damaged;
}

/** Blocks are of a MiB and some; room is made anew when a longer one comes. */
const ROOM_STEP_BYTES = 1024 * 1024;

/** Bricks whose keys a thread remembers: those being filled, and the most recently read. */
const KEPT_KEYS = 64;

function keep<T>(kept: Map<number, T>, serial: number, make: () => T): T {
  const found = kept.get(serial) ?? make();
  kept.delete(serial);
  kept.set(serial, found);
  if (kept.size > KEPT_KEYS) kept.delete(kept.keys().next().value!);
  return found;
}

function checksumFile(path: string): Checksums {
  let file: Deno.FsFile | undefined;
  try {
    file = Deno.openSync(path);
    const sha256 = createHash("sha256");
    const tree = new TreeHasher();
    const buffer = new Uint8Array(4 * LEAF_BYTES);
    let length = 0;
    for (let count = file.readSync(buffer); count !== null; count = file.readSync(buffer)) {
      sha256.update(buffer.subarray(0, count));
      tree.update(buffer.subarray(0, count));
      length += count;
    }
    return { sha256: sha256.digest("hex"), treeHash: toHex(tree.digest()), length };
  } catch (cause) {
    throw new Error(`Cannot read ${path}: ${(cause as Error).message}`, { cause });
  } finally {
    file?.close();
  }
}
