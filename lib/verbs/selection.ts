/** What a restore writes: the stream as it was, or a tar of some of its entries. */
import type { OutSegment } from "../pipeline/mod.ts";
import { type ListedEntry, openPage, pageEntries, type PageRef, placedOps, replay, runsOf } from "../snapshot/mod.ts";
import { endOfArchive, paddingLength } from "../tar/mod.ts";
import { listedPages } from "./entries.ts";
import type { Opened } from "./open.ts";
import { plainName, selector } from "./selector.ts";
import type { VerbSession } from "./session.ts";
import type { OpenSnapshot } from "./snapshot.ts";

/** What was chosen of a snapshot. */
export interface Selection {
  /** The bytes of the restore in order, in runs of segments; may be asked for several times. */
  segments(): AsyncIterable<readonly OutSegment[]>;
  /** Entries that the last `segments` has gone through; undefined: all were asked for. */
  entries(): number | undefined;
  /** What was asked for and is not in the snapshot. */
  readonly missing: readonly string[];
}

/** Finds what the paths name, with what hard links among that point to; without paths, everything, byte for byte. */
export async function select(
  session: VerbSession,
  { opened, snapshot }: { opened: Opened; snapshot: OpenSnapshot },
  paths: readonly string[],
): Promise<Selection> {
  const { get } = snapshot;
  if (paths.length === 0) {
    return { segments: () => replay(snapshot.pages(), get), entries: () => undefined, missing: [] };
  }
  const { pages, wants, missing } = await findWanted(session, { opened, snapshot }, paths);
  let entries = 0;
  async function* segments(): AsyncGenerator<OutSegment[]> {
    entries = 0;
    for (const ref of pages) {
      const page = await openPage(ref, get);
      const placed = [...placedOps(page, get)];
      for (const { entry, fromOp, bodyOp, bodyBytes } of pageEntries(page.ops)) {
        if (!wants(entry)) continue;
        entries++;
        yield* runsOf(placed.slice(fromOp, (bodyOp ?? fromOp) + 1));
        yield [{ bytes: new Uint8Array(paddingLength(bodyBytes)) }];
      }
    }
    yield [{ bytes: endOfArchive() }];
  }
  return { segments, entries: () => entries, missing };
}

/** Whether an entry is meant. */
type Wants = (entry: ListedEntry) => boolean;

/** Which entries are asked for, with those that hard links among them point to, and the pages that hold any. */
async function findWanted(
  session: VerbSession,
  { opened, snapshot }: { opened: Opened; snapshot: OpenSnapshot },
  paths: readonly string[],
): Promise<{ pages: PageRef[]; wants: Wants; missing: string[] }> {
  const select = selector(paths);
  const links = new Set<string>();
  const chosen = new Set<string>();
  const pagesWith = async (wants: Wants) => {
    const pages = new Map<number, PageRef>();
    let number = 0;
    for await (const { ref, entries } of listedPages(session, opened, snapshot)) {
      // Every entry is looked at: what is chosen is noted on the way.
      if (entries.filter(wants).length > 0) pages.set(number, ref);
      number++;
    }
    return pages;
  };
  let pages = await pagesWith(({ name, type, linkName }) => {
    const plain = plainName(name);
    if (!select.matches(plain)) return false;
    chosen.add(plain);
    if (type === "h") links.add(plainName(linkName));
    return true;
  });
  const targets = links.difference(chosen);
  const isTarget: Wants = ({ name, type }) => type !== "h" && targets.has(plainName(name));
  if (targets.size > 0) pages = new Map([...pages, ...await pagesWith(isTarget)].sort(([a], [b]) => a - b));
  return {
    pages: [...pages.values()],
    wants: (entry) => select.matches(plainName(entry.name)) || isTarget(entry),
    missing: select.missing(),
  };
}
