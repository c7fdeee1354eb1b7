/** `extract`: the stream as it was, or a tar of some of its entries. */
import { DamageError } from "../crypto/mod.ts";
import { copyOut, type Output } from "../pipeline/mod.ts";
import type { OutSegment } from "../pipeline/mod.ts";
import {
  openAhead,
  openHeads,
  openPage,
  pageEntries,
  type PageEntry,
  type PageRef,
  placedOps,
  replay,
} from "../snapshot/mod.ts";
import { endOfArchive, paddingLength } from "../tar/mod.ts";
import { catchUp, open } from "./open.ts";
import { plainName, selector } from "./selector.ts";
import { findIndex, locationFor, type OpenSnapshot, readIndexFile, SnapshotReaders } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";

export interface ExtractOptions {
  /** An index file, a snapshot's name, or undefined for the newest complete one. */
  snapshot: string | undefined;
  /** Paths or globs; empty: everything, byte for byte. */
  paths: readonly string[];
  output: Output;
}

export interface ExtractResult {
  snapshot: string;
  bytes: number;
  /** Entries written, when only some were asked for. */
  entries?: number;
  /** The snapshot itself is incomplete. */
  incomplete?: string;
}

/** Writes a snapshot, or some entries of it, to `output`. */
export async function extract(session: VerbSession, options: ExtractOptions): Promise<ExtractResult> {
  const file = await readIndexFile(options.snapshot);
  const opened = await open(session, { location: await locationFor(session, file), need: "extract" });
  const readers = new SnapshotReaders(opened.repository, session.threads);
  try {
    const index = await findIndex(opened.repository, options.snapshot, file);
    await catchUp(session, opened.repository, [index.domain]);
    const snapshot = await readers.open(index);
    if (!index.complete) warnOfIncomplete(session, snapshot);
    const written = options.paths.length === 0
      ? await whole(session, snapshot, options.output)
      : await some(session, snapshot, options);
    if (index.complete) return { snapshot: index.snapshot, ...written };
    return { snapshot: index.snapshot, ...written, incomplete: whyIncomplete(snapshot) };
  } finally {
    readers.close();
    await opened.close();
  }
}

function warnOfIncomplete(session: VerbSession, snapshot: OpenSnapshot): void {
  const { index, sealed } = snapshot;
  const why = whyIncomplete(snapshot);
  session.warn(`Snapshot ${index.snapshot} is incomplete (${why}): it ends after ${sealed.bytes} bytes of the stream`);
}

/** Why a snapshot that is not complete is not. */
export function whyIncomplete({ sealed }: OpenSnapshot): string {
  return sealed.incomplete ?? "the backup was interrupted, or is still being made";
}

async function whole(session: VerbSession, snapshot: OpenSnapshot, output: Output): Promise<{ bytes: number }> {
  const { sealed, reader, get } = snapshot;
  let done = 0;
  const counted: Output = async (bytes) => {
    await output(bytes);
    done += bytes.length;
    session.progress.update({ phase: "restoring", bytesDone: done, bytesTotal: sealed.bytes });
  };
  const bytes = await copyOut(replay(snapshot.pages(), get), { reader, output: counted, signal: session.signal });
  if (bytes !== sealed.bytes) {
    throw new DamageError(
      `Snapshot ${snapshot.index.snapshot} gave ${bytes} bytes back, its index says ${sealed.bytes}`,
    );
  }
  return { bytes };
}

/** Which entries of which pages are wanted; pages by their number in the snapshot. */
type Wanted = Map<number, { ref: PageRef; entries: Set<number> }>;

async function some(session: VerbSession, snapshot: OpenSnapshot, options: ExtractOptions) {
  const wanted = await findWanted(session, snapshot, options.paths);
  const { reader, get } = snapshot;
  let entries = 0;
  async function* segments(): AsyncGenerator<OutSegment> {
    const pages = [...wanted.pages].sort(([a], [b]) => a - b);
    for (const [, { ref, entries: numbers }] of pages) {
      const page = await openPage(ref, get);
      const all = pageEntries(page.ops);
      const placed = [...placedOps(page, get)];
      for (const number of [...numbers].sort((a, b) => a - b)) {
        const entry = all[number]!;
        entries++;
        const { fromOp, bodyOp, bodyBytes } = entry;
        for (const { segments } of placed.slice(fromOp, (bodyOp ?? fromOp) + 1)) yield* segments();
        yield { bytes: new Uint8Array(paddingLength(bodyBytes)) };
      }
    }
    yield { bytes: endOfArchive() };
  }
  const bytes = await copyOut(segments(), { reader, output: options.output, signal: session.signal });
  if (wanted.missing.length > 0) {
    throw new Error(
      `Not in snapshot ${snapshot.index.snapshot}: ${wanted.missing.join(", ")}. Everything else was written; ` +
        '"tarzan list" shows the names as they are',
    );
  }
  return { bytes, entries };
}

/** Which entries are asked for, and those that hard links among them point to. */
async function findWanted(session: VerbSession, snapshot: OpenSnapshot, paths: readonly string[]) {
  const select = selector(paths);
  const pages: Wanted = new Map();
  const links = new Set<string>();
  const chosen = new Set<string>();
  await collect(session, snapshot, pages, ({ entry }) => {
    const name = plainName(entry.name);
    if (!select.matches(name)) return false;
    chosen.add(name);
    if (entry.type === "h") links.add(plainName(entry.linkName));
    return true;
  });
  const targets = links.difference(chosen);
  if (targets.size > 0) {
    await collect(session, snapshot, pages, ({ entry }) => entry.type !== "h" && targets.has(plainName(entry.name)));
  }
  return { pages, missing: select.missing() };
}

async function collect(
  session: VerbSession,
  snapshot: OpenSnapshot,
  into: Wanted,
  wants: (entry: PageEntry) => boolean,
): Promise<void> {
  let page = 0;
  for await (const { ref, entries } of pagesWithEntries(session, snapshot)) {
    entries.forEach((entry, number) => {
      if (!wants(entry)) return;
      const wanted = into.get(page) ?? { ref, entries: new Set() };
      wanted.entries.add(number);
      into.set(page, wanted);
    });
    page++;
  }
}

/** The entries of a snapshot, page by page. */
export async function* pagesWithEntries(
  session: VerbSession,
  { pages, get, sealed }: OpenSnapshot,
): AsyncGenerator<{ ref: PageRef; entries: PageEntry[] }> {
  let bytesDone = 0;
  const opened = openAhead(pages(), async (ref) => ({ ref, heads: await openHeads(ref, get) }));
  for await (const { ref, heads } of opened) {
    yield { ref, entries: pageEntries(heads) };
    bytesDone += ref.bytes;
    session.progress.update({ phase: "reading the recipe", bytesDone, bytesTotal: sealed.bytes });
    session.signal.throwIfAborted();
  }
}
