/**
 * What extended headers (pax x, X and g, GNU L and K, Solaris A) have said about the entry that is still to come.
 *
 * The one thing that must be right is the size, since the next header stands where the body ends:
 *
 * - A pax `size` holds for the next real entry, never for an L, K, x or g in between (CVE-2025-62518). A second x replaces the
 *   first as a whole, as in GNU tar, Go and libarchive. `size` in a g holds for every later entry without its own (POSIX, GNU).
 * - For sparse files `size` is what is stored, the map of format 1.0 included: so say GNU tar, Go, libarchive and star, and POSIX
 *   knows nothing else. The size of the unpacked file stands in GNU.sparse.size, GNU.sparse.realsize or SCHILY.realsize; these
 *   are never used to find the next header. Readers that add the holes, or subtract the map that they have read already, get out
 *   of step (that is why some writers avoid `size` there). A writer that put the unpacked size there would lead past the next
 *   header; no header stands there then, and the rest is kept opaque: unlisted, not lost, not shown to the wrong eyes.
 * - A size that is no number makes the entry's header unusable. So do records that could not be parsed to their end, if a size may
 *   have been among them.
 */

import { bodyRule, isPax, TYPE } from "./body_rule.ts";
import { PaxReader, readDecimal } from "./pax.ts";

/** Enough for a size in a record whose data is not remembered. */
const SHORT_RECORD_BYTES = 512;

const REMEMBERED = new Set(["size", "path", "GNU.sparse.name"]);
const SIZE_ONLY = new Set(["size"]);

/** Collects the records in front of one entry after the other. */
export class Extensions {
  /** Whether this archive has shown pax or Solaris records, which makes sizes of hard links count. */
  paxSeen = false;

  #size: number | undefined;
  #globalSize: number | undefined;
  #path: Uint8Array | undefined;
  #longName: Uint8Array | undefined;
  #doubtful = false;

  #type = 0;
  #left = 0;
  #pax: PaxReader | undefined;
  #text: Uint8Array | undefined;
  #textLength = 0;

  /** Begins a record with `size` bytes of data. `remember: false` reads no more from it than a pax size. */
  begin(type: number, size: number, remember: boolean): void {
    this.#type = type;
    this.#left = size;
    if (type !== TYPE.longName && type !== TYPE.longLink) this.paxSeen = true;
    if (isPax(type)) {
      this.#pax = remember
        ? new PaxReader({ keys: REMEMBERED, limitBytes: size })
        : new PaxReader({ keys: SIZE_ONLY, limitBytes: SHORT_RECORD_BYTES });
    } else if (type === TYPE.longName) {
      this.#text = new Uint8Array(remember ? size : 0);
      this.#textLength = 0;
    }
  }

  /** Takes the next bytes of the data; padding after it is ignored. */
  read(bytes: Uint8Array, from: number, to: number): void {
    const end = Math.min(to, from + this.#left);
    this.#left -= end - from;
    if (this.#pax) this.#pax.push(bytes, from, end);
    else if (this.#text) {
      for (let i = from; i < end && this.#textLength < this.#text.length; i++) {
        this.#text[this.#textLength++] = bytes[i]!;
      }
    }
  }

  /** Ends the record that was begun. */
  end(): void {
    if (this.#pax) {
      this.#pax.end();
      this.#takePax(this.#pax);
    } else if (this.#text) {
      const zero = this.#text.indexOf(0);
      this.#longName = zero < 0 ? this.#text : this.#text.slice(0, zero);
    }
    this.#pax = this.#text = undefined;
  }

  /** Whether the coming entry has a size record of its own. */
  get ownSize(): boolean {
    return this.#size !== undefined;
  }

  /** The size of the coming entry, whose header field says `field`. NaN: cannot be known. */
  size(type: number, field: number): number {
    if (this.#size !== undefined) return this.#size;
    if (this.#doubtful) return NaN;
    return this.#globalSize !== undefined && bodyRule(type) === "file" ? this.#globalSize : field;
  }

  /** The name of the coming entry, unless only its header has one. Pax wins over L, as in GNU tar. */
  get name(): Uint8Array | undefined {
    if (this.#path !== undefined) return this.#path;
    return this.#longName !== undefined && this.#longName.length > 0 ? this.#longName : undefined;
  }

  /** The entry has come: what was said of it is used up. */
  forget(): void {
    this.#size = this.#path = this.#longName = undefined;
    this.#doubtful = false;
  }

  /** The archive has ended: what a g said is over too. */
  reset(): void {
    this.forget();
    this.#globalSize = undefined;
    this.paxSeen = false;
  }

  #takePax({ records, malformed, mentionsSize }: PaxReader): void {
    const value = records.get("size");
    const size = value === undefined || value.length === 0 ? undefined : readDecimal(value);
    const doubtful = value === undefined && malformed && mentionsSize;
    if (this.#type === TYPE.global) {
      if (value !== undefined) this.#globalSize = size;
      this.#doubtful ||= doubtful;
      return;
    }
    this.#size = size;
    this.#doubtful = doubtful;
    const path = records.get("GNU.sparse.name") ?? records.get("path");
    this.#path = path !== undefined && path.length > 0 ? path : undefined;
  }
}
