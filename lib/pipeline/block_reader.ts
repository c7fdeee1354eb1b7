/**
 * Chunks out of bricks: finds the block, opens it on the pool, keeps what was opened for a while. Every chunk's id is
 * recomputed when its block is opened; where a copy is damaged or missing, the next one is taken.
 */
import { CHUNK_RECORD_BYTES } from "../brick/mod.ts";
import { DamageError, free, ID_BYTES, toHex } from "../crypto/mod.ts";
import type { Pool } from "./pool.ts";
import type { BlockKey, OpenedBlock } from "./tasks.ts";

export type Kind = "D" | "M";

/** Where a chunk is. */
export interface ChunkPlace {
  brick: string;
  block: number;
  /** Its number among the block's chunks, and where it stands in the block's raw bytes. */
  index: number;
  offset: number;
  length: number;
  /** Raw bytes of the whole block. */
  blockBytes: number;
}

/** One block as its brick's toc describes it. */
export interface BlockShape {
  rawLength: number;
  records: Uint8Array<ArrayBuffer>;
}

/** What the block reader asks of the repository. */
export interface BlockSource {
  /** The place of a chunk to try first: quick, for it is asked for every chunk. */
  place(kind: Kind, id: Uint8Array): ChunkPlace | undefined;
  /** All places of a chunk, for when the first fails. */
  places(kind: Kind, id: Uint8Array): ChunkPlace[];
  shape(brick: string, block: number): BlockShape;
  frame(brick: string, block: number): Promise<Uint8Array<ArrayBuffer>>;
  key(brick: string): Promise<BlockKey>;
  idKey(brick: string): Promise<Uint8Array<ArrayBuffer>>;
}

/** An opened block in use. Whoever has one calls `release` when its bytes are looked at no more. */
export interface Lease {
  opened: Promise<OpenedBlock>;
  /** The block, once `opened` is fulfilled: for those who need not wait a turn then. */
  ready(): OpenedBlock | undefined;
  release(): void;
}

/** A block that is open or being opened. */
interface Held {
  opened: Promise<OpenedBlock>;
  ready: OpenedBlock | undefined;
  bytes: number;
  inCache: boolean;
  leases: number;
  /** Views of it were given to somebody who does not say when they are done. */
  lent: boolean;
}

/** Reads chunks, with a cache of opened blocks that is bounded by bytes. */
export class BlockReader {
  readonly #source: BlockSource;
  readonly #pool: Pool;
  readonly #cacheBytes: number;
  readonly #blocks = new Map<string, Held>();
  #bytes = 0;
  readonly #intact = new Map<string, Set<number>>();
  #underWay = 0;
  readonly #queue: (() => void)[] = [];

  constructor(source: BlockSource, options: { pool: Pool; cacheBytes?: number }) {
    this.#source = source;
    this.#pool = options.pool;
    this.#cacheBytes = options.cacheBytes ?? 16 * 1024 * 1024;
  }

  /** Opens a block, or finds it opened, for somebody who says when it is no longer needed. */
  lease(brick: string, block: number): Lease {
    const held = this.#hold(brick, block);
    held.leases++;
    const release = () => {
      held.leases--;
      freeIfUnused(held);
    };
    return { opened: held.opened, ready: () => held.ready, release };
  }

  #hold(brick: string, block: number): Held {
    const name = `${brick} ${block}`;
    const known = this.#blocks.get(name);
    if (known !== undefined) {
      this.#blocks.delete(name);
      this.#blocks.set(name, known);
      return known;
    }
    const { rawLength, records } = this.#source.shape(brick, block);
    const opened = this.#inTurn(() => this.#open(brick, block, { rawLength, records }));
    const held: Held = { opened, ready: undefined, bytes: rawLength, inCache: true, leases: 0, lent: false };
    // What fails once may succeed later: a copy in cold storage that has ended is asked for again.
    opened.then((block) => held.ready = block, () => {
      if (this.#blocks.get(name) !== held) return;
      this.#blocks.delete(name);
      this.#bytes -= held.bytes;
      held.inCache = false;
    });
    this.#blocks.set(name, held);
    this.#bytes += rawLength;
    for (const [oldestName, oldest] of this.#blocks) {
      if (this.#bytes <= this.#cacheBytes || oldest === held) break;
      this.#blocks.delete(oldestName);
      this.#bytes -= oldest.bytes;
      oldest.inCache = false;
      freeIfUnused(oldest);
    }
    return held;
  }

  /** Whether this reader has opened a block and found every chunk in it to be what its id says. */
  foundIntact(brick: string, block: number): boolean {
    return this.#intact.get(brick)?.has(block) ?? false;
  }

  /** The first place of a chunk, for those who read many in order. */
  place(kind: Kind, id: Uint8Array): ChunkPlace {
    const place = this.#source.place(kind, id);
    if (place === undefined) throw missing(id);
    return place;
  }

  /** The bytes of a chunk, from the first place where they are what they should be. A view. */
  async chunk(kind: Kind, id: Uint8Array): Promise<Uint8Array> {
    const first = this.place(kind, id);
    let failure: Error;
    try {
      return await this.#lend(first);
    } catch (error) {
      failure = error as Error;
    }
    for (const place of this.#source.places(kind, id)) {
      if (place.brick === first.brick && place.block === first.block) continue;
      try {
        return await this.#lend(place);
      } catch {
        // The first failure is told: the other copies were only a hope.
      }
    }
    throw failure;
  }

  async #lend(place: ChunkPlace): Promise<Uint8Array> {
    const held = this.#hold(place.brick, place.block);
    held.lent = true;
    return this.#cutOut(await held.opened, place);
  }

  /** The id of a chunk. */
  idOf(brick: string, block: number, index: number): Uint8Array {
    return this.#source.shape(brick, block).records.slice(
      index * CHUNK_RECORD_BYTES,
      index * CHUNK_RECORD_BYTES + ID_BYTES,
    );
  }

  /** A chunk of an opened block; throws when it is not what its id says. */
  #cutOut(block: OpenedBlock, place: ChunkPlace): Uint8Array {
    if (block.damaged.includes(place.index)) {
      throw new DamageError(
        `A chunk in block ${place.block} of brick ${place.brick} is not what was stored. ` +
          'Run "tarzan verify --data" to see which files it touches',
      );
    }
    return block.raw.subarray(place.offset, place.offset + place.length);
  }

  async #open(brick: string, block: number, shape: BlockShape): Promise<OpenedBlock> {
    const [frame, key, idKey] = await Promise.all([
      this.#source.frame(brick, block),
      this.#source.key(brick),
      this.#source.idKey(brick),
    ]);
    const what = `block ${block} of brick ${brick}`;
    const task = { type: "open", key, number: block, frame, idKey, what, ...shape } as const;
    const opened = await this.#pool.run(task, [frame.buffer, shape.records.buffer]);
    if (opened.damaged.length === 0) {
      const intact = this.#intact.get(brick) ?? new Set();
      this.#intact.set(brick, intact.add(block));
    }
    return opened;
  }

  /** A few blocks under way at a time, so that reading ahead takes bounded memory. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    while (this.#underWay >= this.#pool.threads + 4) await new Promise<void>((resolve) => this.#queue.push(resolve));
    this.#underWay++;
    try {
      return await work();
    } finally {
      this.#underWay--;
      this.#queue.shift()?.();
    }
  }
}

function freeIfUnused({ opened, inCache, leases, lent }: Held): void {
  if (!inCache && leases === 0 && !lent) opened.then(({ raw }) => free(raw), () => {});
}

function missing(id: Uint8Array): DamageError {
  return new DamageError(
    `A chunk (id ${toHex(id)}) is in none of the bricks that are there. ` +
      'Run "tarzan rebuild" to read the ledger anew, then "tarzan verify" to see what is missing',
  );
}
