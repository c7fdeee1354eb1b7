/**
 * New chunks to sealed blocks: chunks are gathered in a block buffer until it is full, then the pool compresses and seals
 * it, several at once, and the sealed blocks go to the brick in order.
 */
import { Kernel } from "../chunker/mod.ts";
import type { Buffer } from "./arena.ts";
import type { Pool } from "./pool.ts";
import type { BlockKey } from "./tasks.ts";

/**
 * Where sealed blocks go. `place` gives the brick and number of the next block; `append` is called in the same order. After
 * `fail` no more blocks come, not even those that were placed: whoever waits for them must give up.
 */
export interface BlockSink {
  place(rawLength: number, chunks: number): Promise<{ key: BlockKey; number: number }>;
  /** `sealed` is a view of memory that changes when the promise is fulfilled. */
  append(block: { sealed: Uint8Array; rawLength: number; records: Uint8Array }): Promise<void>;
  fail(error: Error): void;
}

export interface PackerOptions {
  pool: Pool;
  memory: WebAssembly.Memory;
  buffers: Buffer[];
  /** A block is closed when it holds this much. */
  blockBytes: number;
  level: number;
  sink: BlockSink;
}

interface Filling {
  buffer: Buffer;
  length: number;
  chunks: number;
  /** Records of 36 bytes, and room for more. */
  records: Uint8Array<ArrayBuffer>;
}

const RECORD_BYTES = 36;
/** Records that there is room for at first. */
const FIRST_RECORDS = 64;

/** Packs the chunks of one kind. A failure anywhere shows at the next call. */
export class BlockPacker {
  readonly #options: PackerOptions;
  readonly #memory: Uint8Array;
  readonly #kernel: Kernel;
  readonly #free: Buffer[];
  #filling: Filling | undefined;
  /** Placing and appending each happen in order: the ends of two chains. */
  #placed: Promise<unknown> = Promise.resolve();
  #appended: Promise<unknown> = Promise.resolve();
  #freed: (() => void)[] = [];
  #failure: Error | undefined;

  constructor(options: PackerOptions) {
    this.#options = options;
    this.#memory = new Uint8Array(options.memory.buffer);
    this.#kernel = new Kernel(options.memory);
    this.#free = [...options.buffers];
  }

  /** Whether `add` can take a chunk now. */
  get ready(): boolean {
    return this.#filling !== undefined || this.#free.length > 0 || this.#failure !== undefined;
  }

  /** Resolves when `add` can take a chunk. */
  async room(): Promise<void> {
    while (!this.ready) await new Promise<void>((resolve) => this.#freed.push(resolve));
  }

  /** Takes copies of a chunk and of its id. Only when `ready`. */
  add(bytes: Uint8Array, id: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure;
    const filling = this.#filling ??= {
      buffer: this.#free.pop()!,
      length: 0,
      chunks: 0,
      records: new Uint8Array(FIRST_RECORDS * RECORD_BYTES),
    };
    if (filling.length + bytes.length > filling.buffer.capacity) {
      throw new Error(`A chunk of ${bytes.length} bytes does not fit a block`);
    }
    const to = filling.buffer.offset + filling.length;
    if (bytes.buffer === this.#memory.buffer) this.#kernel.copy(bytes.byteOffset, bytes.length, to);
    else this.#memory.set(bytes, to);
    filling.length += bytes.length;
    addRecord(filling, id, bytes.length);
    if (filling.length >= this.#options.blockBytes) this.#dispatch();
  }

  /** Closes the block that is being filled, and waits until all blocks were appended. */
  async flush(): Promise<void> {
    if (this.#filling !== undefined) this.#dispatch();
    await this.#appended;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #dispatch(): void {
    const { buffer, length, chunks, records } = this.#filling!;
    this.#filling = undefined;
    const { pool, sink, level } = this.#options;
    const placed = this.#placed.then(async () => {
      if (this.#failure !== undefined) throw this.#failure;
      return await sink.place(length, chunks);
    }).then(({ key, number }) => {
      // The next block may be placed as soon as this one has its number.
      const result = pool.run({ type: "seal", key, number, offset: buffer.offset, length, level });
      return { result };
    });
    this.#placed = placed.catch(() => {});
    // A buffer is free again only when its block was appended: so a slow disk stops whoever adds.
    this.#appended = Promise.all([placed.then(({ result }) => result), this.#appended]).then(async ([sealedBytes]) => {
      if (this.#failure !== undefined) throw this.#failure;
      const sealed = this.#memory.subarray(buffer.offset, buffer.offset + sealedBytes);
      await sink.append({ sealed, rawLength: length, records: records.slice(0, chunks * RECORD_BYTES) });
    }).catch((error) => {
      this.#failure ??= error as Error;
      sink.fail(this.#failure);
    }).then(() => this.#giveBack(buffer));
  }

  #giveBack(buffer: Buffer): void {
    this.#free.push(buffer);
    for (const resolve of this.#freed.splice(0)) resolve();
  }
}

/** id 32 | u32 length, as in the toc */
function addRecord(filling: Filling, id: Uint8Array, length: number): void {
  const at = filling.chunks++ * RECORD_BYTES;
  if (at === filling.records.length) {
    const grown = new Uint8Array(2 * at);
    grown.set(filling.records);
    filling.records = grown;
  }
  filling.records.set(id, at);
  new DataView(filling.records.buffer).setUint32(at + RECORD_BYTES - 4, length, true);
}
