/**
 * One slot of input to a plan: what is recipe, what is body, where chunks begin and end. The tar splitter decides the
 * first, the cut kernel the second; both work in place and go on where they stopped in the slot before. What a slot leaves
 * unfinished, a chunk or a part of a header block, is carried to the front of the next one.
 */
import { type ChunkSizes, Cutter, Kernel } from "../chunker/mod.ts";
import { type SplitStatus, Splitter, type TarSink } from "../tar/mod.ts";
import { type Arena, type Slot, SLOT_CHUNKS } from "./arena.ts";

/** What happens in a slot, in order; three numbers an event. */
export const EVENT = { raw: 0, begins: 1, entry: 2, small: 3, chunk: 4, bodyEnd: 5 } as const;

/** The plan of a slot: events, and how many chunks its table holds. */
export interface Plan {
  /** code, a, b: raw/begins/small (from, to); entry (first byte of the name's hash, 0); chunk (number, 0). */
  events: Int32Array<ArrayBuffer>;
  chunks: number;
  /** Names of entries that look like objects of a repository. */
  brickNames: string[];
  entries: number;
}

/** Bodies under this many bytes are not chunked. */
export interface CuttingOptions {
  sizes: ChunkSizes;
  smallBodyBytes: number;
  nameHash: (name: Uint8Array) => number;
}

const BRICK_NAME = /(?:^|\/)(?:bricks|meta)\/[0-9a-f]{2}\/([0-9a-f]{64})$/;
const BRICK_NAME_BYTES = 64;

/** Plans slot after slot of one stream. */
export class SlotCutter implements TarSink {
  readonly #arena: Arena;
  readonly #options: CuttingOptions;
  readonly #splitter = new Splitter();
  readonly #cutter: Cutter;
  readonly #bytes: Uint8Array;
  readonly #table: DataView;
  #carry: Uint8Array = new Uint8Array();
  #unsplit = 0;
  #events = new Int32Array(8192);
  #eventsEnd = 0;
  #slot: Slot | undefined;
  #chunks = 0;
  #names: string[] = [];
  /** Bytes to come of a small body. What comes beyond them, after a broken header, is cut like any other body. */
  #smallLeft = 0;
  /** In a body that is cut: `#chunkFrom` is where its current chunk begins. */
  #inBody = false;
  #chunkFrom = 0;
  #bodyAt = 0;

  constructor(arena: Arena, options: CuttingOptions) {
    this.#arena = arena;
    this.#options = options;
    this.#cutter = new Cutter(new Kernel(arena.memory), arena.gear, options.sizes);
    this.#bytes = new Uint8Array(arena.memory.buffer);
    this.#table = new DataView(arena.memory.buffer);
  }

  get status(): SplitStatus {
    return this.#splitter.status;
  }

  /** Plans a slot whose fresh part is filled with `length` bytes; `final`: nothing follows. */
  plan(slot: Slot, length: number, final: boolean): Plan {
    this.#slot = slot;
    this.#eventsEnd = 0;
    this.#chunks = 0;
    this.#names = [];
    const from = slot.fresh - this.#carry.length;
    const end = slot.fresh + length;
    this.#bytes.set(this.#carry, from);
    this.#chunkFrom = from;
    // A body may end here with no byte more: a run of zeros in front of a header.
    this.#bodyAt = slot.fresh - this.#unsplit;
    // An unfinished chunk was split and scanned already; an unfinished block was not.
    const consumed = this.#splitter.split(this.#bytes, slot.fresh - this.#unsplit, end, final, this);
    this.#unsplit = end - consumed;
    this.#carry = this.#bytes.slice(this.#inBody ? this.#chunkFrom : consumed, end);
    return {
      events: this.#events.slice(0, this.#eventsEnd),
      chunks: this.#chunks,
      brickNames: this.#names,
      entries: this.#splitter.status.entries,
    };
  }

  raw(from: number, to: number, begins: boolean): void {
    this.#event(begins ? EVENT.begins : EVENT.raw, from, to);
  }

  entry(name: Uint8Array, size: number): void {
    this.#event(EVENT.entry, this.#options.nameHash(name), 0);
    this.#smallLeft = size < this.#options.smallBodyBytes ? size : 0;
    if (name.length > BRICK_NAME_BYTES && this.#names.length < 16) {
      const brick = BRICK_NAME.exec(new TextDecoder("latin1").decode(name.subarray(-80)));
      if (brick !== null) this.#names.push(brick[1]!);
    }
  }

  body(from: number, to: number): void {
    const cutFrom = Math.min(to, from + this.#smallLeft);
    if (cutFrom > from) {
      this.#event(EVENT.small, from, cutFrom);
      this.#smallLeft -= cutFrom - from;
    }
    if (cutFrom < to) this.#cut(cutFrom, to);
  }

  #cut(from: number, to: number): void {
    if (!this.#inBody) {
      this.#inBody = true;
      this.#chunkFrom = from;
      this.#cutter.begin();
    }
    this.#bodyAt = to;
    for (let at = from; at < to;) {
      const cut = this.#cutter.next(at, to);
      if (cut < 0) break;
      this.#closeChunk(cut);
      at = cut;
    }
  }

  bodyEnd(): void {
    if (this.#inBody && this.#bodyAt > this.#chunkFrom) this.#closeChunk(this.#bodyAt);
    this.#inBody = false;
    this.#smallLeft = 0;
    this.#event(EVENT.bodyEnd, 0, 0);
  }

  #event(code: number, a: number, b: number): void {
    if (this.#eventsEnd + 3 > this.#events.length) {
      const grown = new Int32Array(2 * this.#events.length);
      grown.set(this.#events);
      this.#events = grown;
    }
    this.#events[this.#eventsEnd++] = code;
    this.#events[this.#eventsEnd++] = a;
    this.#events[this.#eventsEnd++] = b;
  }

  #closeChunk(to: number): void {
    if (this.#chunks === SLOT_CHUNKS) throw new Error("More chunks in a piece of input than can be");
    const at = this.#slot!.chunkTable + this.#chunks * 8;
    this.#table.setUint32(at, this.#chunkFrom, true);
    this.#table.setUint32(at + 4, to - this.#chunkFrom, true);
    this.#event(EVENT.chunk, this.#chunks++, 0);
    this.#chunkFrom = to;
  }
}
