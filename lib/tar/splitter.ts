/**
 * Cuts a stream into headers and bodies without ever failing: whatever comes in, the ranges that are handed out cover it in order.
 *
 * Two kinds of bytes come out. *Raw* bytes are what this reader recognised: header blocks, data of extended headers, padding, zero
 * blocks. They end up where the role that may list, but not read, sees every one of them. All other bytes are *bodies*: of entries, or
 * nameless ones. So the rule is not "what is this most likely", it is "can a byte of a file's content, or of something that is no
 * tar at all, come out as raw". From that follows:
 *
 * - Input that does not begin as a tar is one nameless body to its end. Zero blocks may come first.
 * - Headers are never searched for. Data that cannot be read may itself hold a tar (a backup of backups, a disk image), and a search
 *   would find the headers inside it and list what only its owner may see.
 * - A block that should be a header and has a wrong checksum, but has a magic and a size, is skipped by that size as a nameless body;
 *   reading goes on only if a header or zeros stand exactly there; if not, everything to the end of the stream is one nameless body.
 *   A pax size in front of it counts more than its field. A damaged x, X or g is not skipped, since the size of the next entry may have
 *   been in there. (A size field damaged so that it leads exactly to a header inside the body cannot be told from a right one.)
 * - After zero blocks a header may follow (archives put behind one another); anything else is a nameless body to the end.
 * - Zero blocks are raw for 64 KiB in a row. Longer runs (an empty disk) become a nameless body from there on.
 * - Padding of a body that is not zero is a nameless body: old writers pad with what their buffer held before, which is file contents.
 *   (The blocks of an extended header are raw as a whole: writers new enough to have these pad with zeros.)
 * - Sparse extension blocks have no checksum; one that does not look like one ends the reading.
 *
 * What must be remembered is bounded: raw bytes in front of one entry are at most 1 MiB (see `HEAD_LIMIT_BYTES`). A pax or
 * long-name record beyond that is handed out as an entry of its own, with its data as the body; of that data no more than a pax
 * `size` is read, because without it the reader would lose its place.
 */

import {
  BLOCK_BYTES,
  classify,
  dialectOf,
  FIELD,
  hasMagic,
  isZero,
  paddingLength,
  readName,
  readSize,
  readText,
  sizeIsWritten,
  TYPE_AT,
} from "./block.ts";
import { bodyLength, bodyRule, isPax } from "./body_rule.ts";
import { compressionOf } from "./compression.ts";
import { Extensions } from "./extensions.ts";
import { whyIncomplete } from "./incomplete.ts";
import { HEAD_LIMIT_BYTES, RAW_LIMIT_BYTES, type SplitStatus, type TarSink } from "./sink.ts";
import { continuesSparse, hasSparseExtension, isSparseExtension } from "./sparse.ts";

type State =
  | "header" // a header or a zero block comes next
  | "record" // the data of an extended header
  | "sparse" // an extension block of an old GNU sparse header
  | "question" // whether the entry has a body, the next block tells
  | "body" // of an entry
  | "padding" // after it
  | "zeros" // a long run of them, a nameless body
  | "skipped" // the nameless body that a damaged header stands for
  | "resume" // whether a header stands where that ends
  | "opaque"; // a nameless body to the end of the stream

/** One call of `split`. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly to: number;
  readonly sink: TarSink;
}

/** What a step returns when it needs more bytes. */
const MORE = -1;

/** Splits one stream. */
export class Splitter {
  readonly #status = {
    entries: 0,
    ended: false,
    compressed: undefined as string | undefined,
    opaqueBytes: 0,
    opaqueFrom: undefined as number | undefined,
    incomplete: undefined as string | undefined,
  };
  readonly #extensions = new Extensions();

  #state: State = "header";
  /** Bytes of the stream consumed by finished steps. */
  #position = 0;
  /** Bytes still to come in this state. */
  #left = 0;
  /** Raw bytes since `begins`; 0: no header set was begun. */
  #headLength = 0;
  /** Zeros since the last header. */
  #zeroLength = 0;
  #headerSeen = false;
  /** `body` was called, `bodyEnd` was not. */
  #bodyOpen = false;
  /** The body being read is the data of an extended header. */
  #readsRecord = false;

  #name: Uint8Array = new Uint8Array(0);
  #size = 0;
  #announced = false;

  /** Where things stand; the object stays the same and changes with each call. */
  get status(): SplitStatus {
    return this.#status;
  }

  /**
   * Reads bytes[from..to) and returns the offset up to which they were consumed. What was not (always less than 512 bytes; nothing when
   * `final`) must come again, in front of the next bytes. `final`: nothing follows; no call may come after it.
   */
  split(bytes: Uint8Array, from: number, to: number, final: boolean, sink: TarSink): number {
    const piece: Piece = { bytes, to, sink };
    const at = this.#run(piece, from);
    return final ? this.#finish(piece, at) : at;
  }

  #run(piece: Piece, from: number): number {
    let at = from;
    for (;;) {
      const next = this.#step(piece, at);
      if (next === MORE) return at;
      this.#position += next - at;
      at = next;
    }
  }

  /** Does what can be done at `at`: consumes bytes, changes the state, or both. */
  #step(piece: Piece, at: number): number {
    switch (this.#state) {
      case "body":
        return this.#body(piece, at);
      case "record":
        return this.#record(piece, at);
      case "padding":
        return this.#padding(piece, at);
      case "skipped":
        return this.#skip(piece, at);
      case "opaque":
        return at < piece.to ? this.#giveOpaque(piece, at, piece.to) : MORE;
    }
    if (piece.to - at < BLOCK_BYTES) return MORE;
    switch (this.#state) {
      case "header":
        return this.#header(piece, at);
      case "sparse":
        return this.#sparse(piece, at);
      case "question":
        return this.#question(piece, at);
      case "zeros":
        return this.#zeros(piece, at);
      case "resume":
        return this.#resume(piece, at);
    }
  }

  #header(piece: Piece, at: number): number {
    switch (classify(piece.bytes, at)) {
      case "zeros":
        return this.#zeroBlocks(piece, at);
      case "other":
        return this.#badHeader(piece, at);
      case "header":
        return bodyRule(piece.bytes[at + TYPE_AT]!) === "record"
          ? this.#recordHeader(piece, at)
          : this.#entryHeader(piece, at);
    }
  }

  #entryHeader(piece: Piece, at: number): number {
    const { bytes } = piece;
    const type = bytes[at + TYPE_AT]!;
    const dialect = dialectOf(bytes, at);
    if (dialect !== "ustar") this.#extensions.paxSeen = false;
    const name = this.#extensions.name ?? readName(bytes, at, dialect);
    const { length, sure } = bodyLength({
      type,
      dialect,
      name,
      size: this.#extensions.size(type, readSize(bytes, at)),
      own: this.#extensions.ownSize,
      paxSeen: this.#extensions.paxSeen,
    });
    if (Number.isNaN(length)) return this.#beginOpaque(at);
    this.#extensions.forget();
    this.#name = name;
    this.#size = length;
    this.#announced = false;
    this.#rawHeader(piece, at);
    if (hasSparseExtension(bytes, at, dialect)) this.#state = "sparse";
    else if (!sure) this.#state = "question";
    else {
      this.#announce(piece);
      this.#enterBody();
    }
    return at + BLOCK_BYTES;
  }

  #recordHeader(piece: Piece, at: number): number {
    const { bytes } = piece;
    const size = readSize(bytes, at);
    if (Number.isNaN(size)) return this.#beginOpaque(at);
    const length = size + paddingLength(size);
    const fits = this.#headLength + BLOCK_BYTES + length <= HEAD_LIMIT_BYTES;
    this.#rawHeader(piece, at);
    this.#extensions.begin(bytes[at + TYPE_AT]!, size, fits);
    if (size === 0) this.#extensions.end();
    if (fits) {
      this.#left = length;
      if (size > 0) this.#state = "record";
    } else {
      this.#name = readText(bytes, at, FIELD.name);
      this.#size = size;
      this.#announced = false;
      this.#announce(piece);
      this.#enterBody();
      this.#readsRecord = size > 0;
    }
    return at + BLOCK_BYTES;
  }

  #rawHeader({ sink }: Piece, at: number): void {
    this.#headerSeen = true;
    this.#zeroLength = 0;
    this.#status.ended = false;
    sink.raw(at, at + BLOCK_BYTES, this.#headLength === 0);
    this.#headLength += BLOCK_BYTES;
  }

  #announce({ sink }: Piece): void {
    this.#announced = true;
    this.#status.entries++;
    sink.entry(this.#name, this.#size);
    this.#headLength = 0;
  }

  #enterBody(): void {
    this.#left = this.#size;
    this.#state = this.#size > 0 ? "body" : "header";
  }

  #record({ bytes, to, sink }: Piece, at: number): number {
    const end = Math.min(to, at + this.#left, at + RAW_LIMIT_BYTES);
    if (end === at) return MORE;
    sink.raw(at, end, false);
    this.#headLength += end - at;
    this.#extensions.read(bytes, at, end);
    this.#left -= end - at;
    if (this.#left === 0) {
      this.#extensions.end();
      this.#state = "header";
    }
    return end;
  }

  #sparse(piece: Piece, at: number): number {
    const { bytes, sink } = piece;
    if (!isSparseExtension(bytes, at)) return this.#beginOpaque(at);
    sink.raw(at, at + BLOCK_BYTES, false);
    this.#headLength += BLOCK_BYTES;
    const last = !continuesSparse(bytes, at);
    if (!this.#announced && (last || this.#headLength >= HEAD_LIMIT_BYTES)) this.#announce(piece);
    if (last) {
      this.#headLength = 0;
      this.#enterBody();
    }
    return at + BLOCK_BYTES;
  }

  /** A header or zeros here: the entry has no body. So does a damaged header, which must be treated as one. */
  #question(piece: Piece, at: number): number {
    if (classify(piece.bytes, at) !== "other" || hasMagic(piece.bytes, at)) this.#size = 0;
    this.#announce(piece);
    this.#enterBody();
    return at;
  }

  #body({ bytes, to, sink }: Piece, at: number): number {
    const end = Math.min(to, at + this.#left);
    if (end === at) return MORE;
    sink.body(at, end);
    this.#bodyOpen = true;
    if (this.#readsRecord) this.#extensions.read(bytes, at, end);
    this.#left -= end - at;
    if (this.#left === 0) {
      this.#closeBody(sink);
      if (this.#readsRecord) this.#extensions.end();
      this.#readsRecord = false;
      this.#left = paddingLength(this.#size);
      this.#state = this.#left > 0 ? "padding" : "header";
    }
    return end;
  }

  #padding(piece: Piece, at: number): number {
    const end = at + this.#left;
    if (end > piece.to) return MORE;
    this.#givePadding(piece, at, end);
    this.#state = "header";
    return end;
  }

  #givePadding({ bytes, sink }: Piece, from: number, to: number): void {
    if (isZero(bytes, from, to)) return sink.raw(from, to, false);
    sink.body(from, to);
    sink.bodyEnd();
  }

  #zeroBlocks({ bytes, to, sink }: Piece, at: number): number {
    const stop = Math.min(to, at + RAW_LIMIT_BYTES - this.#zeroLength);
    const end = endOfZeros(bytes, at + BLOCK_BYTES, stop);
    sink.raw(at, end, false);
    this.#status.ended = true;
    this.#extensions.reset();
    this.#headLength = 0;
    this.#zeroLength += end - at;
    if (this.#zeroLength >= RAW_LIMIT_BYTES) this.#state = "zeros";
    return end;
  }

  #zeros({ bytes, to, sink }: Piece, at: number): number {
    const end = endOfZeros(bytes, at, to);
    if (end > at) {
      sink.body(at, end);
      this.#bodyOpen = true;
    } else {
      this.#closeBody(sink);
      this.#state = "header";
    }
    return end;
  }

  /** No header where one should be: see the top of the file. */
  #badHeader({ bytes, to }: Piece, at: number): number {
    if (this.#position === 0) this.#status.compressed = compressionOf(bytes, at, to);
    const type = bytes[at + TYPE_AT]!;
    if (this.#zeroLength > 0 || !hasMagic(bytes, at) || isPax(type) || !sizeIsWritten(bytes, at)) {
      return this.#beginOpaque(at);
    }
    const size = this.#extensions.size(type, readSize(bytes, at));
    this.#beginOpaque(at);
    if (Number.isNaN(size)) return at;
    this.#left = BLOCK_BYTES + size + paddingLength(size);
    this.#state = "skipped";
    return at;
  }

  #beginOpaque(at: number): number {
    this.#state = "opaque";
    this.#headLength = 0;
    this.#status.opaqueFrom ??= this.#position;
    return at;
  }

  #skip(piece: Piece, at: number): number {
    const end = Math.min(piece.to, at + this.#left);
    if (end === at) return MORE;
    this.#left -= end - at;
    if (this.#left === 0) this.#state = "resume";
    return this.#giveOpaque(piece, at, end);
  }

  #resume({ bytes, sink }: Piece, at: number): number {
    if (classify(bytes, at) === "other") this.#state = "opaque";
    else {
      this.#closeBody(sink);
      this.#extensions.forget();
      this.#state = "header";
    }
    return at;
  }

  #giveOpaque({ sink }: Piece, from: number, to: number): number {
    sink.body(from, to);
    this.#bodyOpen = true;
    this.#status.opaqueBytes += to - from;
    return to;
  }

  #closeBody(sink: TarSink): void {
    if (this.#bodyOpen) sink.bodyEnd();
    this.#bodyOpen = false;
  }

  /** The stream ends: hands out what is left, less than a block, and says what is missing. */
  #finish(piece: Piece, from: number): number {
    let at = from;
    if (this.#state === "question") {
      if (isZero(piece.bytes, at, piece.to) || hasMagic(piece.bytes, at, piece.to)) this.#size = 0;
      this.#announce(piece);
      this.#enterBody();
      at = this.#run(piece, at);
    }
    const rest = piece.to - at;
    const blank = isZero(piece.bytes, at, piece.to);
    this.#status.incomplete = whyIncomplete({
      state: this.#state,
      missingBytes: this.#left,
      name: this.#name,
      inHead: this.#headLength > 0,
      ended: this.#status.ended,
      headerSeen: this.#headerSeen,
      empty: this.#position + rest === 0,
      cutHeader: !blank && (this.#headerSeen || hasMagic(piece.bytes, at, piece.to)),
    });
    if (rest > 0) this.#giveRest(piece, at, blank);
    this.#closeBody(piece.sink);
    return piece.to;
  }

  #giveRest(piece: Piece, at: number, blank: boolean): void {
    const { bytes, to, sink } = piece;
    if (this.#state === "padding") return this.#givePadding(piece, at, to);
    if (this.#state === "header" && blank) return sink.raw(at, to, false);
    if (this.#state === "zeros" && blank) {
      sink.body(at, to);
      this.#bodyOpen = true;
      return;
    }
    if (this.#state === "zeros") this.#closeBody(sink);
    if (this.#position === 0) this.#status.compressed = compressionOf(bytes, at, to);
    this.#status.opaqueFrom ??= this.#position;
    this.#giveOpaque(piece, at, to);
  }
}

/** The end of the whole zero blocks that stand from `at` on. */
function endOfZeros(bytes: Uint8Array, at: number, to: number): number {
  let end = at;
  while (end + BLOCK_BYTES <= to && isZero(bytes, end, end + BLOCK_BYTES)) end += BLOCK_BYTES;
  return end;
}
