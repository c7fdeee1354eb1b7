/** Where a stream comes out, and how: in writes of one size. */

/** Bytes of one write: a leaf of a tree hash, for whoever computes that. */
export const WRITE_BYTES = 1024 * 1024;

/** Where the bytes go, a MiB at a time; each call is awaited before the next one is made. Must not keep `bytes`. */
export type Output = (bytes: Uint8Array<ArrayBuffer>) => Promise<void> | void;

/**
 * Pieces of any size to writes of `WRITE_BYTES` each; only the last one is shorter. While one is written the next one is
 * gathered.
 */
export class Gather {
  readonly #output: Output;
  #buffer = new Uint8Array(WRITE_BYTES);
  #other = new Uint8Array(WRITE_BYTES);
  #length = 0;
  #writing: Promise<void> = Promise.resolve();
  total = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Bytes that can be taken before the next flush. */
  get room(): number {
    return WRITE_BYTES - this.#length;
  }

  /** Takes as much as there is room for and returns the rest; where any is left, `flush` comes first. */
  take(bytes: Uint8Array): Uint8Array {
    const taken = Math.min(bytes.length, this.room);
    this.#buffer.set(taken === bytes.length ? bytes : bytes.subarray(0, taken), this.#length);
    this.#length += taken;
    this.total += taken;
    return bytes.subarray(taken);
  }

  /** Begins to write what was gathered, once the write before it is done; throws when that one failed. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#length === 0) return;
    this.#writing = this.#write(this.#buffer.subarray(0, this.#length));
    // Whoever flushes next is told.
    this.#writing.catch(() => {});
    [this.#buffer, this.#other] = [this.#other, this.#buffer];
    this.#length = 0;
  }

  /** Writes what is left; all of it has gone out then. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#writing;
  }

  /** Returns when nothing is being written any more, well or badly. */
  async settled(): Promise<void> {
    await this.#writing.catch(() => {});
  }

  async #write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#output(bytes);
  }
}
