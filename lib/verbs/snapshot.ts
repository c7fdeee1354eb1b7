/**
 * A snapshot that can be read: on one cache of blocks, for whoever wants its entries, its pages or its bytes. What a user
 * calls it is an index file, a name, the beginning of one, or `latest`.
 */
import { type Ability, DamageError } from "../crypto/mod.ts";
import { BlockReader, defaultThreads, type Pool, startReaders, WarmThreads } from "../pipeline/mod.ts";
import {
  BrickSource,
  type IndexName,
  listIndexes,
  openIndex,
  readIndex,
  type Repository,
  verifyIndexFile,
} from "../repository/mod.ts";
import {
  decodePageRefs,
  type GetChunk,
  type PageRef,
  peekIndex,
  readStream,
  type SealedIndex,
  type VerifiedIndex,
} from "../snapshot/mod.ts";
import type { Store } from "../store/mod.ts";
import { knownLocation } from "./local_state.ts";
import { open, type Opened } from "./open.ts";
import type { VerbSession } from "./session.ts";

/** A snapshot and the way to its chunks. */
export interface OpenSnapshot {
  index: VerifiedIndex;
  sealed: SealedIndex;
  reader: BlockReader;
  get: GetChunk;
  pages(): AsyncGenerator<PageRef>;
}

/** Blocks of recipes are small and read in order; blocks of bodies are read ahead. */
export class SnapshotReaders {
  readonly #repository: Repository;
  readonly pool: Pool;
  readonly #readers = new Map<string, BlockReader>();

  constructor(repository: Repository, pool = startReaders(1)) {
    this.#repository = repository;
    this.pool = pool;
  }

  /** The one reader of a domain's bricks. */
  reader(domain: string): BlockReader {
    const reader = this.#readers.get(domain) ??
      new BlockReader(new BrickSource(this.#repository, domain), { pool: this.pool });
    this.#readers.set(domain, reader);
    return reader;
  }

  /** Opens a snapshot whose index was verified. */
  async open(index: VerifiedIndex): Promise<OpenSnapshot> {
    const sealed = await openIndex(this.#repository, index);
    const reader = this.reader(index.domain);
    const get: GetChunk = (kind, id) => reader.chunk(kind, id);
    return { index, sealed, reader, get, pages: () => decodePageRefs(readStream(sealed.pageTable, get)) };
  }

  close(): void {
    this.pool.close();
  }
}

/** Opens a repository to read much of it: the threads load their code while the key is opened. */
export async function openToRead(
  session: VerbSession,
  options: { location: string; need?: Ability; memory?: Store },
): Promise<{ opened: Opened; readers: SnapshotReaders; close(): Promise<void> }> {
  const threads = session.threads ?? defaultThreads();
  const warm = new WarmThreads({ workers: threads });
  try {
    const opened = await open(session, { ...options, meanwhile: () => warm.start() });
    const readers = new SnapshotReaders(opened.repository, startReaders(threads, warm));
    const close = async () => {
      readers.close();
      await opened.close();
    };
    return { opened, readers, close };
  } finally {
    warm.close();
  }
}

/** Whether what the user wrote is an index file; its bytes then. */
export async function readIndexFile(ref: string | undefined): Promise<Uint8Array | undefined> {
  if (ref === undefined || !/[./\\]/.test(ref)) return undefined;
  try {
    return await Deno.readFile(ref);
  } catch (cause) {
    throw new Error(`Cannot read index ${ref}: ${(cause as Error).message}`, { cause });
  }
}

/** Where the repository of an index file is: where the user says, else where this machine last saw it. */
export async function locationFor(session: VerbSession, file: Uint8Array | undefined): Promise<string> {
  const standard = () => session.places.repository();
  if (file === undefined || session.repositoryGiven) return standard();
  const { repository } = peekIndex(file, "the index file");
  return await knownLocation(session.places.state(), repository) ?? standard();
}

/** The index that the user means: that of a file, `latest` (complete), or the one whose name begins so. */
export async function findIndex(
  repository: Repository,
  ref: string | undefined,
  file: Uint8Array | undefined,
): Promise<VerifiedIndex> {
  if (file !== undefined) {
    const what = `index ${ref}`;
    const { domain, repository: id } = peekIndex(file, what);
    if (id !== repository.config.repository) {
      throw new DamageError(
        `${what} belongs to repository ${id.slice(0, 16)}…, not to the one at ${repository.store.location}. ` +
          "Name the right one with --repository",
      );
    }
    return await verifyIndexFile(repository, { bytes: file, domain, what });
  }
  const indexes = await listIndexes(repository);
  const where = repository.store.location;
  if (ref === undefined || ref === "latest") return await latest(repository, indexes);
  return await readIndex(repository, theOne(indexes, ref, where));
}

/** Clocks may differ by this much. */
const FUTURE_MS = 24 * 3600 * 1000;

/**
 * The newest complete snapshot of the key's own domain; or of the one domain that has any. Never simply the newest of all:
 * a machine that was taken over could date a snapshot of its own into the future, and it would become everybody's latest.
 */
async function latest(repository: Repository, indexes: IndexName[]): Promise<VerifiedIndex> {
  const { store, keyring } = repository;
  const domains = new Set(indexes.map(({ domain }) => domain));
  const own = keyring.defaultDomain;
  const domain = domains.has(own.id) || domains.size !== 1 ? own.id : [...domains][0]!;
  const future = (await store.now()).getTime() + FUTURE_MS;
  for (const index of indexes.toReversed()) {
    if (index.ending === ".open" || index.domain !== domain) continue;
    const verified = await readIndex(repository, index);
    if (verified.complete && Date.parse(verified.created) < future) return verified;
  }
  const others = domains.size > 1 ? " Others have some: name a snapshot." : "";
  throw new Error(
    `There is no complete snapshot of domain "${own.name}" in ${store.location}.${others} "tarzan list" shows what there is`,
  );
}

function theOne(indexes: IndexName[], ref: string, where: string): IndexName {
  const found = indexes.filter(({ snapshot }) => snapshot.startsWith(ref) || snapshot.endsWith(`-${ref}`));
  if (found.length === 1) return found[0]!;
  throw new Error(
    found.length === 0
      ? `There is no snapshot "${ref}" in ${where}. "tarzan list" shows what there is`
      : `"${ref}" is the beginning of ${found.length} snapshots in ${where}. Write more of the name`,
  );
}
