// FastCDC over a stream that passes through memory in pieces. Which bytes are cut where depends on the stream alone, not on
// how it is split into pieces: what a chunk has seen so far is only a length and a hash.
//
// fastcdc-rs v2020 tests two bytes a step and so leaves the last one out when an odd number of bytes remains, at the end of
// the data or before an odd `max`. A stream does not know which byte is its last; so here each one is tested, as in v2016, and
// a stream may end with a chunk of a single byte. With even sizes the cuts are otherwise the same.

import type { Kernel } from "./kernel.ts";
import { type ChunkSizes, type Masks, masksOf } from "./sizes.ts";

/** Finds where the chunks of one stream after the other end. Several cutters may share a kernel. */
export class Cutter {
  readonly #kernel: Kernel;
  readonly #table: number;
  readonly #max: number;
  readonly #min: number;
  readonly #spans: { limit: number; mask: bigint }[];
  #length = 0;
  #hash = 0n;

  /** The gear table's 2,048 bytes are at `tableOffset` of the kernel's memory, and stay there. */
  constructor(kernel: Kernel, tableOffset: number, sizes: ChunkSizes, masks: Masks = masksOf(sizes)) {
    const { min, average, max } = sizes;
    if (!(min > 0 && min < average && average < max)) {
      throw new RangeError(
        `Cannot cut chunks of ${min}/${average}/${max} bytes: give smallest/average/largest, growing`,
      );
    }
    this.#kernel = kernel;
    this.#table = tableOffset;
    this.#min = min;
    this.#max = max;
    this.#spans = [{ limit: average, mask: masks.small }, { limit: max, mask: masks.large }];
  }

  /** Bytes of the current chunk so far. When a stream ends and this is not 0, they are its last chunk. */
  get length(): number {
    return this.#length;
  }

  /** Forgets the current chunk: the next bytes begin a stream. */
  begin(): void {
    this.#length = 0;
    this.#hash = 0n;
  }

  /**
   * Bytes [from, to) of the kernel's memory continue the current chunk. Returns the offset at which it ends, where the next
   * chunk begins, which may be `from` and may be `to`: call again from there. Returns -1 when the chunk took all and goes on.
   */
  next(from: number, to: number): number {
    if (!(from <= to)) throw new RangeError(`Cannot cut the bytes from ${from} to ${to}: they end before they begin`);
    // Where the chunk would begin if all of it lay before these bytes.
    const start = from - this.#length;
    let at = Math.max(from, start + this.#min);
    for (const { limit, mask } of this.#spans) {
      const end = Math.min(start + limit, to);
      if (at >= end) continue;
      const cut = this.#kernel.scan(at, end, { table: this.#table, hash: this.#hash, mask });
      if (cut < end) return this.#cut(cut);
      this.#hash = this.#kernel.hash;
      at = end;
    }
    if (start + this.#max <= to) return this.#cut(start + this.#max);
    this.#length = to - start;
    return -1;
  }

  #cut(at: number): number {
    this.begin();
    return at;
  }
}
