/**
 * Makes the pages of a recipe from what the tar splitter and the chunker found.
 *
 * A new page begins before an entry whose keyed hash of the full name ends in three zero bits, once the page has 24
 * entries; at the latest after 96 entries or 256 KiB of heads: about 31 entries a page. So where pages are cut depends on
 * names alone: a page survives changes of content and times elsewhere, and the cuts meet again after an insertion. A high
 * minimum and few bits keep pages of even size, since a change hits large pages most often. The hash is keyed, so that
 * the sizes of pages say nothing about names to somebody without the key.
 */
import { HEAD_LIMIT_BYTES } from "../tar/mod.ts";
import { CHUNK_RECORD_BYTES, type PutChunk } from "./chunk_io.ts";
import { OP, OP_CODES, type PageRef, SMALL_BODY_BYTES } from "./page.ts";
import { type CutStream, ROOT_RECORDS, StreamWriter, writeRoot } from "./stream.ts";
import { ByteWriter } from "./varint.ts";

/** When a page is closed: frozen, see docs/BENCHMARKS.md for the sizes that were tried. */
export interface PageRule {
  leastEntries: number;
  mostEntries: number;
  mostHeadBytes: number;
  /** The page ends where `hash & mask` is 0. */
  mask: number;
}

export const PAGE_RULE: PageRule = { leastEntries: 24, mostEntries: 96, mostHeadBytes: 256 * 1024, mask: 7 };

/** Header bytes that are kept together while an entry's name is not known: all that the splitter finds, with its own blocks. */
const PENDING_LIMIT = HEAD_LIMIT_BYTES + 64 * 1024;
/**
 * Where no entry ends a page, its length does. Far above the longest header, so that a long map of a sparse file stays in one
 * page with its entry; far enough below the longest chunk of a recipe (4 MiB) for a header more.
 */
const LONG_HEADS = 2.5 * 1024 * 1024;
const LONG_LISTS = 1024 * 1024;
/** Raw bytes are gathered up to this length. */
const RAW_LIMIT = 64 * 1024;

export interface RecipeOptions {
  put: PutChunk;
  cut: CutStream;
  /** Called with each finished page, in order. */
  onPage: (page: PageRef) => void;
  rule?: PageRule;
}

/** Takes the parts of a stream in order and writes pages. */
export class RecipeWriter {
  readonly #options: RecipeOptions;
  readonly #rule: PageRule;
  #heads = new ByteWriter();
  #lists = new ByteWriter();
  #small = new ByteWriter();
  #entries = 0;
  #bytes = 0;
  /** Header bytes of an entry whose name is not known yet, while `#inHeader`. */
  readonly #header = new ByteWriter();
  #inHeader = false;
  #raw = new ByteWriter();
  #body: { length: number; count: number; stream?: StreamWriter } | undefined;
  readonly #records = new ByteWriter();
  readonly #record = new Uint8Array(CHUNK_RECORD_BYTES);
  #smallLength = 0;

  constructor(options: RecipeOptions) {
    this.#options = options;
    this.#rule = options.rule ?? PAGE_RULE;
  }

  /** Bytes that the parser recognised; `begins`: the first ones of an entry. */
  raw(bytes: Uint8Array, begins: boolean): void {
    if (begins) {
      this.#givePendingUp();
      this.#flushRaw();
      this.#inHeader = true;
    }
    if (this.#inHeader) {
      this.#header.bytes(bytes);
      if (this.#header.length >= PENDING_LIMIT) this.#givePendingUp();
      return;
    }
    this.#raw.bytes(bytes);
    if (this.#raw.length >= RAW_LIMIT) this.#flushRaw();
    this.#closeLongPage();
  }

  /** All headers of an entry were seen; `hash` is the first byte of the keyed hash ("pages") of its full name. */
  entry(hash: number): void {
    const full = this.#entries >= this.#rule.mostEntries || this.#heads.length >= this.#rule.mostHeadBytes;
    const cut = this.#entries >= this.#rule.leastEntries && (hash & this.#rule.mask) === 0;
    if (full || cut) this.#closePage();
    this.#entries++;
    if (this.#inHeader) {
      this.#op(OP.entry, this.#header.length);
      this.#heads.move(this.#header);
    }
    this.#inHeader = false;
  }

  /** Bytes of a body that is under 512 bytes long. */
  small(bytes: Uint8Array): void {
    this.#small.bytes(bytes);
    this.#smallLength += bytes.length;
  }

  /** The next chunk of the body. A body without an entry before it is an opaque part of the stream. */
  chunk(id: Uint8Array, length: number): void {
    if (this.#body === undefined) {
      this.#givePendingUp();
      this.#flushRaw();
      this.#body = { length: 0, count: 0 };
    }
    const body = this.#body;
    const record = this.#record;
    record.set(id);
    new DataView(record.buffer).setUint32(32, length, true);
    body.length += length;
    if (++body.count === ROOT_RECORDS + 1) {
      body.stream = new StreamWriter(this.#options.put, this.#options.cut);
      body.stream.write(this.#records.take());
    }
    if (body.stream === undefined) this.#records.bytes(record);
    else body.stream.write(record);
  }

  /** The body is over. */
  bodyEnd(): void {
    if (this.#smallLength > 0) {
      this.#op(OP.small, this.#smallLength);
      this.#smallLength = 0;
    }
    const body = this.#body;
    if (body === undefined) return;
    this.#body = undefined;
    this.#op(OP.body, body.length);
    if (body.stream === undefined) {
      this.#lists.number(body.count * 2);
      this.#lists.move(this.#records);
    } else {
      this.#lists.number(1);
      writeRoot(body.stream.root(), this.#lists);
    }
    // Nameless bodies do not count as entries, but a page of them must end too.
    if (this.#heads.length >= this.#rule.mostHeadBytes || this.#lists.length >= LONG_LISTS) this.#closePage();
  }

  /** The stream is over: closes the last page. */
  finish(): void {
    this.#givePendingUp();
    this.#closePage();
  }

  /** An entry whose headers never came to an end, or take too much: its bytes are only bytes. */
  #givePendingUp(): void {
    if (!this.#inHeader) return;
    this.#inHeader = false;
    const bytes = this.#header.take();
    for (let at = 0; at < bytes.length; at += RAW_LIMIT) this.#bytesOp(OP.raw, bytes.subarray(at, at + RAW_LIMIT));
    this.#closeLongPage();
  }

  #closeLongPage(): void {
    if (this.#heads.length >= LONG_HEADS) this.#closePage();
  }

  #flushRaw(): void {
    if (this.#raw.length === 0) return;
    this.#op(OP.raw, this.#raw.length);
    this.#heads.move(this.#raw);
  }

  #bytesOp(code: number, bytes: Uint8Array): void {
    this.#op(code, bytes.length);
    this.#heads.bytes(bytes);
  }

  #op(code: number, length: number): void {
    if (this.#raw.length > 0 && code !== OP.raw) this.#flushRaw();
    this.#heads.number(length * OP_CODES + code);
    this.#bytes += length;
  }

  #closePage(): void {
    this.#flushRaw();
    if (this.#heads.length === 0) return;
    const { put } = this.#options;
    const lists = new ByteWriter();
    lists.bytes(this.#small.length > 0 ? put("D", this.#small.take()) : new Uint8Array(32));
    const hasLists = this.#lists.length > 0;
    const smallId = lists.take();
    // In the order in which they are read.
    const heads = put("M", this.#heads.take());
    let listsId: Uint8Array = new Uint8Array(32);
    if (hasLists || smallId.some((byte) => byte !== 0)) {
      lists.bytes(smallId);
      lists.bytes(this.#lists.take());
      listsId = put("M", lists.take());
    }
    this.#options.onPage({ heads, lists: listsId, entries: this.#entries, bytes: this.#bytes });
    this.#entries = 0;
    this.#bytes = 0;
  }
}

export { SMALL_BODY_BYTES };
