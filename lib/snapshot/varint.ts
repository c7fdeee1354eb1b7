/** LEB128, minimal length only, up to 2^53 - 1: the one number encoding of recipes. */
import { DamageError } from "../crypto/mod.ts";

/** Appends bytes and numbers; grows as needed. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  number(value: number): void {
    this.#reserve(8);
    while (value >= 128) {
      this.#bytes[this.#length++] = value % 128 + 128;
      value = Math.floor(value / 128);
    }
    this.#bytes[this.#length++] = value;
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends what another writer holds, which is empty afterwards. */
  move(from: ByteWriter): void {
    this.bytes(from.#bytes.subarray(0, from.#length));
    from.#length = 0;
  }

  /** A copy of what was written; the writer is empty afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    const result = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return result;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Reads bytes and numbers in order; whatever a writer cannot produce is damage. */
export class ByteReader {
  #bytes: Uint8Array;
  #at = 0;
  #what: string;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  number(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 8; i++, factor *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new DamageError(`Cannot read ${this.#what}: it is cut short`);
      value += (byte & 127) * factor;
      if (byte >= 128) continue;
      if ((byte === 0 && i > 0) || value > Number.MAX_SAFE_INTEGER) break;
      return value;
    }
    throw new DamageError(`Cannot read ${this.#what}: a number is not written as tarzan writes it`);
  }

  /** A view of the next bytes. */
  bytes(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw new DamageError(`Cannot read ${this.#what}: it is cut short`);
    const from = this.#at;
    this.#at += length;
    return this.#bytes.subarray(from, this.#at);
  }
}
