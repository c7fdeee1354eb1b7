/**
 * Pages are opened while those before them are used: fetching and decrypting a block takes its time, and several can be
 * under way at once.
 */
import type { PageRef } from "./page.ts";

/** Pages that are opened ahead of the one in use: the entries of some blocks. */
const PAGES_AHEAD = 24;

/** What `open` makes of each page, in order. A failure shows when its page is due. */
export async function* openAhead<T>(
  pages: AsyncIterable<PageRef>,
  open: (ref: PageRef) => Promise<T>,
): AsyncGenerator<T> {
  const opened: Promise<T>[] = [];
  for await (const ref of pages) {
    const page = open(ref);
    page.catch(() => {});
    opened.push(page);
    if (opened.length > PAGES_AHEAD) yield await opened.shift()!;
  }
  for (const page of opened) yield await page;
}
