/**
 * The entries of a snapshot, page by page. What was parsed once is kept on this machine by the id of its page, so that the
 * next listing of this snapshot, or of another that shares the page, neither fetches nor parses it. Nothing depends on
 * that: whatever is wrong with what was kept, the pages themselves are read.
 */
import { CacheDamagedError, EntriesCache } from "../catalog/mod.ts";
import { DamageError } from "../crypto/mod.ts";
import {
  decodeListed,
  encodeListed,
  LISTED_FORM,
  type ListedEntry,
  openAhead,
  openHeads,
  pageEntries,
  type PageRef,
} from "../snapshot/mod.ts";
import type { Opened } from "./open.ts";
import type { OpenSnapshot } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";

/** Pages that are kept in one transaction. */
const PAGES_AT_ONCE = 512;

/** A page and what is listed of it. */
export interface ListedPage {
  ref: PageRef;
  entries: ListedEntry[];
}

/** The entries of a snapshot in order. Its key must be able to list. */
export async function* listedPages(
  session: VerbSession,
  opened: Opened,
  { pages, get, sealed }: OpenSnapshot,
): AsyncGenerator<ListedPage> {
  const kept = new KeptPages(session, opened);
  try {
    let bytesDone = 0;
    const ahead = openAhead(pages(), async (ref) => {
      const entries = kept.get(ref.heads);
      return entries === undefined ? { ref, heads: await openHeads(ref, get) } : { ref, entries };
    });
    for await (const page of ahead) {
      const { ref } = page;
      const entries = page.entries ?? pageEntries(page.heads).map(({ entry }) => entry);
      if (page.entries === undefined) kept.put(ref.heads, entries);
      yield { ref, entries };
      bytesDone += ref.bytes;
      session.progress.update({ phase: "reading the recipe", bytesDone, bytesTotal: sealed.bytes });
      session.signal.throwIfAborted();
    }
  } finally {
    kept.close();
  }
}

/** The cache of one run: the first thing that goes wrong with it is told, and ends its use. */
class KeptPages {
  readonly #session: VerbSession;
  readonly #path: string;
  #cache: EntriesCache | undefined;
  #waiting: [id: Uint8Array, content: Uint8Array][] = [];

  constructor(session: VerbSession, { state, repository }: Opened) {
    this.#session = session;
    this.#path = `${state}/entries.sqlite`;
    if (!session.keepsEntries) return;
    const { repository: id } = repository.config;
    this.#use(() => this.#cache = EntriesCache.open(this.#path, { repository: id, form: LISTED_FORM }));
  }

  get(id: Uint8Array): ListedEntry[] | undefined {
    return this.#use(() => {
      const content = this.#cache?.get(id);
      return content && decodeListed(content);
    });
  }

  put(id: Uint8Array, entries: ListedEntry[]): void {
    if (this.#cache === undefined) return;
    this.#waiting.push([id, encodeListed(entries)]);
    if (this.#waiting.length >= PAGES_AT_ONCE) this.#flush();
  }

  close(): void {
    this.#flush();
    this.#cache?.close();
    this.#cache = undefined;
  }

  #flush(): void {
    const pages = this.#waiting;
    this.#waiting = [];
    if (pages.length > 0) this.#use(() => this.#cache?.putAll(pages));
  }

  #use<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      const isDamaged = error instanceof CacheDamagedError;
      const why = isDamaged ? `${this.#path} was damaged and has been deleted` : (error as Error).message;
      this.#session.warn(`The entries of backups are not kept this time, so that listing takes longer: ${why}`);
      this.#cache?.close();
      this.#cache = undefined;
      this.#waiting = [];
      // Its bytes are as they were written, and no entries all the same.
      if (error instanceof DamageError) EntriesCache.drop(this.#path);
      return undefined;
    }
  }
}
