/** `list`: the snapshots of a repository, or the entries of one. */
import { DamageError, UnsupportedError, WrongKeyError } from "../crypto/mod.ts";
import { type IndexName, inParallel, listIndexes, openIndex, readIndex, type Repository } from "../repository/mod.ts";
import type { ListedEntry } from "../snapshot/mod.ts";
import { listedPages } from "./entries.ts";
import { hasColdStorage, OffSite } from "./off_site.ts";
import { catchUp, open } from "./open.ts";
import { whyIncomplete } from "./extract.ts";
import { plainName, selector } from "./selector.ts";
import { findIndex, locationFor, readIndexFile, SnapshotReaders } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";

/** A snapshot in a listing. What a key cannot read is undefined. */
export interface SnapshotLine {
  snapshot: string;
  domain: string;
  domainName?: string;
  created: string;
  complete: boolean;
  /** Still being written, or left by a run that was interrupted. */
  open: boolean;
  host?: string;
  label?: string;
  tags?: string[];
  entries?: number;
  bytes?: number;
  bricks?: number;
  /** How many of them are in cold storage, by the ledger; undefined where there is none. */
  coldBricks?: number;
  incomplete?: string;
  producer?: { command: string; code: number };
  /** Why nothing can be said of it, and what kind of trouble that is: the name of an error class. */
  problem?: string;
  trouble?: string;
}

/** Indexes that are read at once: each takes a store a moment, and a bucket a long one. */
const READS_AT_ONCE = 16;

/** All snapshots, oldest first. */
export async function listSnapshots(session: VerbSession): Promise<SnapshotLine[]> {
  const opened = await open(session);
  const { repository } = opened;
  const offSite = repository.keyring.can("list") && hasColdStorage(repository) ? new OffSite(repository) : undefined;
  try {
    // Where things are may have been told by other machines.
    if (offSite !== undefined) await catchUp(session, repository);
    const lines: SnapshotLine[] = [];
    const indexes = [...(await listIndexes(repository)).entries()];
    await inParallel(indexes, READS_AT_ONCE, async ([number, index]) => {
      lines[number] = await lineOf(repository, index, offSite);
    });
    return lines;
  } finally {
    offSite?.close();
    await opened.close();
  }
}

/** What can be said of a snapshot. Trouble that is its own is a line like any other. */
async function lineOf(
  repository: Repository,
  index: IndexName,
  offSite: OffSite | undefined,
): Promise<SnapshotLine> {
  const open = index.ending === ".open";
  try {
    const verified = await readIndex(repository, index);
    const { snapshot, domain, created, complete } = verified;
    const line = { snapshot, domain, created, complete, open };
    if (!repository.keyring.can("list")) return line;
    const sealed = await openIndex(repository, verified);
    const { host, label, tags, domainName, entries, bytes, bricks, incomplete, producer } = sealed;
    const coldBricks = await offSite?.count(domain, sealed);
    const more = {
      ...(coldBricks === undefined ? {} : { coldBricks }),
      ...(incomplete === undefined ? {} : { incomplete }),
      ...(producer === undefined ? {} : { producer }),
    };
    return { ...line, domainName, host, label, tags, entries, bytes, bricks, ...more };
  } catch (error) {
    const isItsOwn = error instanceof DamageError || error instanceof WrongKeyError ||
      error instanceof UnsupportedError;
    if (!isItsOwn) throw error;
    const { snapshot, domain } = index;
    const { message: problem, name: trouble } = error;
    return { snapshot, domain, created: "", complete: false, open, problem, trouble };
  }
}

export interface ListEntriesOptions {
  snapshot: string | undefined;
  paths: readonly string[];
  /** Takes the entries of a page, in order. */
  onEntries: (entries: ListedEntry[]) => Promise<void> | void;
}

/** The entries of a snapshot, or those that the paths name, page by page. */
export async function listEntries(session: VerbSession, options: ListEntriesOptions): Promise<void> {
  const file = await readIndexFile(options.snapshot);
  const opened = await open(session, { location: await locationFor(session, file), need: "list" });
  const readers = new SnapshotReaders(opened.repository);
  try {
    const index = await findIndex(opened.repository, options.snapshot, file);
    await catchUp(session, opened.repository, [index.domain]);
    const snapshot = await readers.open(index);
    if (!index.complete) {
      session.warn(`Snapshot ${index.snapshot} is incomplete: ${whyIncomplete(snapshot)}`);
    }
    const select = options.paths.length === 0 ? undefined : selector(options.paths);
    for await (const { entries } of listedPages(session, opened, snapshot)) {
      const wanted = select === undefined ? entries : entries.filter(({ name }) => select.matches(plainName(name)));
      if (wanted.length > 0) await options.onEntries(wanted);
    }
    const missing = select?.missing() ?? [];
    if (missing.length > 0) throw new Error(`Not in snapshot ${index.snapshot}: ${missing.join(", ")}`);
  } finally {
    readers.close();
    await opened.close();
  }
}
