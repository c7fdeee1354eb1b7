/**
 * Pax records, `length key=value` and a newline, where the length counts itself. Values may hold newlines and zeros, so only the
 * length tells where a record ends.
 *
 * The reader takes pieces, since the data of one extended header may be larger than what anybody wants to keep: a record over the
 * limit is stepped over, and only wanted keys are kept. What cannot be parsed ends the reading (as in GNU tar and libarchive);
 * the records before it hold, and `malformed` tells that something may be missing.
 */

const SPACE = 0x20;
const NEWLINE = 0x0a;
const EQUALS = 0x3d;

/** Longer lengths are nonsense, and must not grow into inexact numbers. */
const MAX_DIGITS = 15;

const SIZE_KEY = new TextEncoder().encode(" size=");

const keyDecoder = new TextDecoder();

/** What a PaxReader keeps. */
export interface PaxOptions {
  /** The keys to keep; all of them if not given. */
  keys?: ReadonlySet<string>;
  /** The longest record to keep. */
  limitBytes: number;
}

/** Reads the data of one extended header. */
export class PaxReader {
  /** Later records win. An empty value is kept: it takes back what an earlier one said. */
  readonly records: Map<string, Uint8Array> = new Map();
  /** Set once something was no record, or a wanted record was over the limit. */
  malformed = false;
  /** Whether " size=" stands anywhere in the data, in a record that was understood or not. */
  mentionsSize = false;

  readonly #keys: ReadonlySet<string> | undefined;
  readonly #limitBytes: number;
  #length = 0;
  #digits = 0;
  #left = 0;
  #kept = new Uint8Array(256);
  #keptLength = 0;
  #lastByte = 0;
  #over = false;
  #matched = 0;

  constructor({ keys, limitBytes }: PaxOptions) {
    this.#keys = keys;
    this.#limitBytes = limitBytes;
  }

  /** Takes the bytes [from, to) of the data. */
  push(bytes: Uint8Array, from: number, to: number): void {
    this.#watch(bytes, from, to);
    let at = from;
    while (at < to && !this.#over) {
      if (this.#left > 0) at = this.#takeRecord(bytes, at, to);
      else this.#takeLength(bytes[at++]!);
    }
  }

  /** Must be called after the last byte. */
  end(): void {
    if (!this.#over && (this.#left > 0 || this.#digits > 0)) this.malformed = true;
    this.#over = true;
  }

  #watch(bytes: Uint8Array, from: number, to: number): void {
    for (let i = from; i < to && !this.mentionsSize; i++) {
      if (bytes[i] === SIZE_KEY[this.#matched]) this.#matched++;
      else this.#matched = bytes[i] === SPACE ? 1 : 0;
      this.mentionsSize = this.#matched === SIZE_KEY.length;
    }
  }

  #takeLength(byte: number): void {
    const digit = byte - 0x30;
    if (digit >= 0 && digit <= 9 && this.#digits < MAX_DIGITS) {
      this.#length = this.#length * 10 + digit;
      this.#digits++;
      return;
    }
    const left = this.#length - this.#digits - 1;
    if (byte === SPACE && this.#digits > 0 && left >= 3) {
      this.#left = left;
      this.#keptLength = 0;
    } else {
      // Some writers count the zeros of the padding in: a clean end.
      this.#over = true;
      this.malformed = this.#digits > 0 || byte !== 0;
    }
    this.#length = this.#digits = 0;
  }

  #takeRecord(bytes: Uint8Array, at: number, to: number): number {
    const end = Math.min(to, at + this.#left);
    const keep = Math.min(end - at, this.#limitBytes - this.#keptLength);
    this.#reserve(this.#keptLength + keep);
    for (let i = 0; i < keep; i++) this.#kept[this.#keptLength + i] = bytes[at + i]!;
    this.#keptLength += keep;
    this.#left -= end - at;
    this.#lastByte = bytes[end - 1]!;
    if (this.#left === 0) this.#finishRecord();
    return end;
  }

  /** Grows with what has come, not with what the length claims. */
  #reserve(length: number): void {
    if (length <= this.#kept.length) return;
    const larger = new Uint8Array(Math.max(length, Math.min(2 * this.#kept.length, this.#limitBytes)));
    larger.set(this.#kept.subarray(0, this.#keptLength));
    this.#kept = larger;
  }

  #finishRecord(): void {
    const record = this.#kept.subarray(0, this.#keptLength);
    const equals = record.indexOf(EQUALS);
    const whole = record.length < this.#limitBytes;
    if (this.#lastByte !== NEWLINE || equals === 0 || (equals < 0 && whole)) {
      this.malformed = this.#over = true;
      return;
    }
    const key = equals < 0 ? undefined : keyDecoder.decode(record.subarray(0, equals));
    if (key === undefined || (this.#keys !== undefined && !this.#keys.has(key))) return;
    if (whole) this.records.set(key, record.slice(equals + 1, -1));
    else this.malformed = true;
  }
}

/** A size as pax writes it: decimal digits and nothing else. NaN when it is not, or beyond 2^53. */
export function readDecimal(value: Uint8Array): number {
  if (value.length === 0) return NaN;
  let number = 0;
  for (const byte of value) {
    const digit = byte - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    number = number * 10 + digit;
    if (number > Number.MAX_SAFE_INTEGER) return NaN;
  }
  return number;
}
