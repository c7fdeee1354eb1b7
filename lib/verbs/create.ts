/** `create`: a tar stream in, bricks and an index out. */
import { dirname } from "node:path";
import { createIdHasher } from "../crypto/mod.ts";
import { cutLengths, gearTable } from "../chunker/mod.ts";
import { defaultThreads, type SourceSpec, startWriter, WarmThreads } from "../pipeline/mod.ts";
import {
  BackupWriter,
  deadJournals,
  Journal,
  noteCondemned,
  noteDamage,
  notePresence,
  restoreConfig,
} from "../repository/mod.ts";
import { SMALL_BODY_BYTES, STREAM_SIZES } from "../snapshot/mod.ts";
import { runBackup } from "./backup_run.ts";
import { ColdBackup, type CreatedCold } from "./create_cold.ts";
import { catchUp, open, type Opened } from "./open.ts";
import { ownFolder } from "./local_state.ts";
import { extendLocks } from "./extend_locks.ts";
import { readSettings } from "./settings.ts";
import type { VerbSession } from "./session.ts";

export interface CreateOptions {
  /** A second copy of the index goes there. */
  out: string | undefined;
  label: string | undefined;
  tags: readonly string[];
  /** Undefined: as `init` was told on this machine, else the usual. */
  level: number | undefined;
  brickSizeBytes: number | undefined;
  /** Leave everything in the repository for now, where the repository has cold storage. */
  defer?: boolean;
  source: SourceSpec;
}

/** What a backup did. */
export interface CreateResult {
  snapshot: string;
  /** Where the repository is. */
  location: string;
  complete: boolean;
  /** Why not, as a sentence fragment. */
  incomplete?: string;
  entries: number;
  bytes: number;
  newBytes: number;
  deduplicatedBytes: number;
  storedBytes: number;
  bricks: number;
  opaqueBytes: number;
  producer?: { command: string; code: number };
  /** Where the repository has cold storage, unless that was deferred. */
  cold?: CreatedCold;
  milliseconds: number;
  out?: string;
}

/** Backs up a stream into an existing repository. */
export async function create(session: VerbSession, options: CreateOptions): Promise<CreateResult> {
  const began = performance.now();
  await refuseTakenOutput(options.out);
  const threads = session.threads ?? defaultThreads();
  const warm = new WarmThreads({ workers: threads, reader: options.source.kind !== "bytes" });
  try {
    const result = await createWith({ threads, warm }, session, options);
    return { ...result, milliseconds: Math.round(performance.now() - began) };
  } finally {
    warm.close();
  }
}

/** What a backup runs on. */
interface Threads {
  threads: number;
  warm: WarmThreads;
}

async function createWith(threads: Threads, session: VerbSession, options: CreateOptions) {
  const opened = await open(session, { need: "create", meanwhile: () => threads.warm.start() });
  try {
    const domain = opened.repository.keyring.defaultDomain.id;
    await prepare(session, opened, domain);
    return await store(session, { opened, domain, options, ...threads });
  } finally {
    await opened.close();
  }
}

async function refuseTakenOutput(out: string | undefined): Promise<void> {
  if (out === undefined) return;
  const folder = dirname(out);
  const info = await Deno.stat(folder).catch(() => undefined);
  if (!info?.isDirectory) throw new Error(`Cannot write ${out}: there is no folder ${folder}. Nothing was stored`);
}

/** Learns what is there and what may not be relied on, before the first byte is read. */
async function prepare(session: VerbSession, { repository }: Opened, domain: string): Promise<void> {
  await restoreConfig(repository);
  await catchUp(session, repository, [domain]);
  const absent = await notePresence(repository, domain);
  if (absent.length > 0) {
    session.warn(
      `${absent.length} bricks that the ledger tells of are not there (${
        absent[0]!.slice(0, 16)
      }…); what they held is ` +
        'stored anew where the input has it. Run "tarzan verify" to see which snapshots they touch',
    );
  }
  await noteCondemned(repository);
  for (const problem of (await noteDamage(repository)).problems) session.warn(problem.message);
}

async function store(
  session: VerbSession,
  { opened, domain, options, threads, warm }: { opened: Opened; domain: string; options: CreateOptions } & Threads,
): Promise<Omit<CreateResult, "milliseconds">> {
  const { repository } = opened;
  const { keyring, config } = repository;
  const shapes = await keyring.shapeKeys(domain);
  const bodies = await keyring.bodyKeys(domain);
  const settings = await readSettings(session.places.config(), config.repository);
  const journalFolder = await ownFolder(`${opened.state}/journal-${domain}`);
  const journalKeys = { ledger: shapes.ledger, domain };
  const [dataIds, metaIds] = await Promise.all([createIdHasher(bodies.dataId), createIdHasher(shapes.metaId)]);
  const table = gearTable(bodies.chunker);
  const cut = (bytes: Uint8Array) => cutLengths(bytes, table, STREAM_SIZES);
  const engine = await startWriter({
    sizes: config.chunks,
    smallBodyBytes: SMALL_BODY_BYTES,
    threads,
    level: options.level ?? settings.level,
    keys: { gear: bodies.chunker, dataId: bodies.dataId, pages: shapes.pages },
    warm,
    signal: session.signal,
  });
  const targetBytes = options.brickSizeBytes ?? settings.brickSizeBytes;
  let journal: Journal | undefined;
  let writer: BackupWriter | undefined;
  let cold: ColdBackup | undefined;
  try {
    // Bricks that a dead run was sending are in the store before anybody asks whether they are.
    await repository.store.recover?.();
    if (config.cold !== undefined && !options.defer) {
      cold = await ColdBackup.begin(session, { opened, domain, location: config.cold, targetBytes });
    }
    const dead = await deadJournals(journalFolder, journalKeys);
    try {
      await cold?.recover(dead.bricks);
      journal = await Journal.begin(journalFolder, journalKeys);
      writer = await BackupWriter.begin({
        repository,
        domain,
        brickBytes: targetBytes,
        cut,
        id: { D: (bytes) => dataIds.id(bytes), M: (bytes) => metaIds.id(bytes) },
        journal,
        found: dead.bricks,
        ...(cold?.target === undefined ? {} : { dataTarget: cold.target }),
        onBrick: (brick) => cold?.take(brick),
        beforeIndex: async () => await cold?.placed(),
      });
    } catch (error) {
      dead.leave();
      throw error;
    }
    await dead.forget();
    writer.connect({ D: engine.packer("D", writer.sink("D")), M: engine.packer("M", writer.sink("M")) });
    const { label = "", tags, source } = options;
    const onBatch = async () => await cold?.dropSome();
    const run = { repository, writer, cut, batches: engine.batches(source), source, label, tags, onBatch };
    const { snapshot, index, facts } = await runBackup(session, run);
    await journal.end();
    journal = undefined;
    await prolongLocks(session, { opened, writer });
    const { entries, bytes, opaqueBytes, incomplete, producer } = facts;
    const { counts } = writer;
    const copy = await writeCopy(options.out, index);
    const created = await cold?.finish();
    return {
      snapshot,
      location: repository.store.location,
      complete: incomplete === undefined,
      ...(incomplete === undefined ? {} : { incomplete }),
      entries,
      bytes,
      newBytes: counts.newBytes,
      deduplicatedBytes: counts.knownBytes,
      storedBytes: counts.storedBytes,
      bricks: counts.bricks.length,
      opaqueBytes,
      ...(producer === undefined ? {} : { producer }),
      ...(created && { cold: created }),
      ...copy,
    };
  } catch (error) {
    await writer?.abort();
    await cold?.giveUp();
    journal?.leave();
    throw error;
  } finally {
    engine.close();
  }
}

/** The backup is made; a lock that cannot be prolonged today can be tomorrow. */
async function prolongLocks(
  session: VerbSession,
  { opened, writer }: { opened: Opened; writer: BackupWriter },
): Promise<void> {
  const { store } = opened.repository;
  if (store.protect === undefined) return;
  try {
    await extendLocks(store, { objects: writer.reliedObjects, state: opened.state, now: session.now() });
  } catch (error) {
    session.signal.throwIfAborted();
    session.warn(`The backup is stored, but locks could not be prolonged: ${(error as Error).message}`);
  }
}

async function writeCopy(out: string | undefined, bytes: Uint8Array): Promise<{ out?: string }> {
  if (out === undefined) return {};
  try {
    const old = await Deno.stat(out).catch(() => undefined);
    if (old?.isFile ?? true) {
      await Deno.writeFile(`${out}.new`, bytes);
      await Deno.rename(`${out}.new`, out);
    } else {
      // A pipe or a device: renaming would replace it.
      await Deno.writeFile(out, bytes);
    }
  } catch (cause) {
    throw new Error(
      `The backup is stored, but its index could not be written to ${out}: ${(cause as Error).message}. ` +
        "The repository keeps a copy; use the snapshot's name instead",
      { cause },
    );
  }
  return { out };
}
