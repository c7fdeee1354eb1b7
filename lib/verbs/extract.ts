/** `extract`: the stream as it was, or a tar of some of its entries. */
import { DamageError } from "../crypto/mod.ts";
import { copyOut, type Output } from "../pipeline/mod.ts";
import { beginColdRestore, type ColdChoice } from "./cold_restore.ts";
import { copyAsThawed } from "./copy_as_thawed.ts";
import { catchUp, type Opened } from "./open.ts";
import { select } from "./selection.ts";
import { findIndex, locationFor, type OpenSnapshot, openToRead, readIndexFile } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";

export interface ExtractOptions {
  /** An index file, a snapshot's name, or undefined for the newest complete one. */
  snapshot: string | undefined;
  /** Paths or globs; empty: everything, byte for byte. */
  paths: readonly string[];
  output: Output;
  /** What to do about bricks that sleep in cold storage; undefined: say so, and write nothing. */
  cold?: ColdChoice;
}

/** Whoever says nothing of cold storage is told what it would take. */
const asleep: ColdChoice = {
  ...{ thaw: false, wait: false, tier: "bulk", days: 7, windowBytes: undefined, maxCost: undefined, sameRegion: false },
};

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
    const written = await write(session, { opened, snapshot }, options);
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

/** Writes what was chosen: at once, or as cold storage gives it. */
async function write(
  session: VerbSession,
  { opened, snapshot }: { opened: Opened; snapshot: OpenSnapshot },
  options: ExtractOptions,
): Promise<{ bytes: number; entries?: number }> {
  const { sealed, reader } = snapshot;
  const { paths, output } = options;
  const isWhole = paths.length === 0;
  const selection = await select(session, { opened, snapshot }, paths);
  const cold = await beginColdRestore(session, { opened, snapshot, selection, paths }, options.cold ?? asleep);
  let done = 0;
  const counted: Output = async (bytes) => {
    await output(bytes);
    done += bytes.length;
    session.progress.update({ phase: "restoring", bytesDone: done, ...(isWhole ? { bytesTotal: sealed.bytes } : {}) });
  };
  const copying = { reader, output: counted, signal: session.signal };
  const bytes = cold === undefined
    ? await copyOut(selection.segments(), copying)
    : await copyAsThawed(session, selection, { ...copying, cold });
  if (isWhole && bytes !== sealed.bytes) {
    throw new DamageError(
      `Snapshot ${snapshot.index.snapshot} gave ${bytes} bytes back, its index says ${sealed.bytes}`,
    );
  }
  if (selection.missing.length > 0) {
    throw new Error(
      `Not in snapshot ${snapshot.index.snapshot}: ${selection.missing.join(", ")}. Everything else was written; ` +
        '"tarzan list" shows the names as they are',
    );
  }
  const entries = selection.entries();
  return { bytes, ...(entries === undefined ? {} : { entries }) };
}
