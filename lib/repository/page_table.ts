/**
 * The pages of a backup on their way into its page table: in order, and none before all its data is in stored bricks, so
 * that a table can be ended at any moment and everything it names can be restored.
 */
import {
  type CutStream,
  encodePageRef,
  type PageRef,
  type PutChunk,
  type StreamRoot,
  StreamWriter,
} from "../snapshot/mod.ts";

/** Collects pages and writes the table. */
export class PageTable {
  readonly #stream: StreamWriter;
  #waiting: { page: PageRef; dataChunks: number }[] = [];
  #totals = { pages: 0, entries: 0, bytes: 0 };

  constructor(put: PutChunk, cut: CutStream) {
    this.#stream = new StreamWriter(put, cut);
  }

  /** What the pages in the table stand for. */
  get totals(): { pages: number; entries: number; bytes: number } {
    return { ...this.#totals };
  }

  /** Takes a finished page; it is whole once the first `dataChunks` new data chunks of the run are stored. */
  add(page: PageRef, dataChunks: number): void {
    this.#waiting.push({ page, dataChunks });
  }

  /** Moves the pages into the table that are whole now that so many data chunks are stored. */
  moveUp(storedChunks: number): void {
    const open = this.#waiting.findIndex(({ dataChunks }) => dataChunks > storedChunks);
    for (const { page } of this.#waiting.splice(0, open < 0 ? this.#waiting.length : open)) {
      this.#stream.write(encodePageRef(page));
      this.#totals.pages++;
      this.#totals.entries += page.entries;
      this.#totals.bytes += page.bytes;
    }
  }

  /** The root of the table as it is; more pages may follow. */
  root(): StreamRoot {
    return this.#stream.root();
  }
}
