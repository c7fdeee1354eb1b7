/** `extract`: the stream as it was, or a tar of some of its entries. */
import { DamageError } from "../crypto/mod.ts";
import { copyOut, type Output } from "../pipeline/mod.ts";
import type { OutSegment } from "../pipeline/mod.ts";
import { type ListedEntry, openPage, pageEntries, type PageRef, placedOps, replay } from "../snapshot/mod.ts";
import { endOfArchive, paddingLength } from "../tar/mod.ts";
import { listedPages } from "./entries.ts";
import { catchUp, type Opened } from "./open.ts";
import { plainName, selector } from "./selector.ts";
import { findIndex, locationFor, type OpenSnapshot, openToRead, readIndexFile } from "./snapshot.ts";
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
  const reading = { location: await locationFor(session, file), need: "extract" as const };
  const { opened, readers, close } = await openToRead(session, reading);
  try {
    const index = await findIndex(opened.repository, options.snapshot, file);
    await catchUp(session, opened.repository, [index.domain]);
    const snapshot = await readers.open(index);
    if (!index.complete) warnOfIncomplete(session, snapshot);
    const written = options.paths.length === 0
      ? await whole(session, snapshot, options.output)
      : await some(session, { opened, snapshot }, options);
    if (index.complete) return { snapshot: index.snapshot, ...written };
    return { snapshot: index.snapshot, ...written, incomplete: whyIncomplete(snapshot) };
  } finally {
    await close();
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

async function some(
  session: VerbSession,
  { opened, snapshot }: { opened: Opened; snapshot: OpenSnapshot },
  options: ExtractOptions,
) {
  const wanted = await findWanted(session, { opened, snapshot }, options.paths);
  const { reader, get } = snapshot;
  let entries = 0;
  async function* segments(): AsyncGenerator<OutSegment> {
    for (const ref of wanted.pages) {
      const page = await openPage(ref, get);
      const placed = [...placedOps(page, get)];
      for (const { entry, fromOp, bodyOp, bodyBytes } of pageEntries(page.ops)) {
        if (!wanted.wants(entry)) continue;
        entries++;
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
