/** `create`: a tar stream in, bricks and an index out. */
import { dirname } from "node:path";
import { createIdHasher } from "../crypto/mod.ts";
import { cutLengths, gearTable } from "../chunker/mod.ts";
import { TreeHasher } from "../glacier/mod.ts";
import { type Batch, defaultThreads, type ReadEnd, type SourceSpec, startWriter } from "../pipeline/mod.ts";
import {
  BackupWriter,
  deadJournals,
  type IndexFacts,
  Journal,
  noteCondemned,
  noteDamage,
  notePresence,
  type Repository,
  restoreConfig,
} from "../repository/mod.ts";
import { RecipeWriter, SMALL_BODY_BYTES, STREAM_SIZES } from "../snapshot/mod.ts";
import { toHex } from "../crypto/mod.ts";
import { catchUp, open, type Opened } from "./open.ts";
import { ownFolder } from "./local_state.ts";
import { readSettings } from "./settings.ts";
import { TOOL } from "./tool.ts";
import type { VerbSession } from "./session.ts";

/** There was nothing to back up, so nothing was stored. */
export class IncompleteInputError extends Error {
  override name = "IncompleteInputError";
}

export interface CreateOptions {
  /** A second copy of the index goes there. */
  out: string | undefined;
  label: string | undefined;
  tags: readonly string[];
  /** Undefined: as `init` was told on this machine, else the usual. */
  level: number | undefined;
  brickSizeBytes: number | undefined;
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
  milliseconds: number;
  out?: string;
}

/** Backs up a stream into an existing repository. */
export async function create(session: VerbSession, options: CreateOptions): Promise<CreateResult> {
  const began = performance.now();
  await refuseTakenOutput(options.out);
  const opened = await open(session, { need: "create" });
  try {
    const domain = opened.repository.keyring.defaultDomain.id;
    await prepare(session, opened, domain);
    const result = await store(session, { opened, domain, options });
    return { ...result, milliseconds: Math.round(performance.now() - began) };
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
  { opened, domain, options }: { opened: Opened; domain: string; options: CreateOptions },
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
    threads: session.threads ?? defaultThreads(),
    level: options.level ?? settings.level,
    keys: { gear: bodies.chunker, dataId: bodies.dataId, pages: shapes.pages },
    signal: session.signal,
  });
  let journal: Journal | undefined;
  let writer: BackupWriter | undefined;
  try {
    const dead = await deadJournals(journalFolder, journalKeys);
    journal = await Journal.begin(journalFolder, journalKeys);
    writer = await BackupWriter.begin({
      repository,
      domain,
      brickBytes: options.brickSizeBytes ?? settings.brickSizeBytes,
      cut,
      id: { D: (bytes) => dataIds.id(bytes), M: (bytes) => metaIds.id(bytes) },
      journal,
      found: dead.bricks,
    }).catch((error) => {
      dead.leave();
      throw error;
    });
    await dead.forget();
    writer.connect({ D: engine.packer("D", writer.sink("D")), M: engine.packer("M", writer.sink("M")) });
    const result = await run(session, { repository, writer, cut, batches: engine.batches(options.source), options });
    await journal.end();
    return result;
  } catch (error) {
    await writer?.abort();
    journal?.leave();
    throw error;
  } finally {
    engine.close();
  }
}

interface Run {
  repository: Repository;
  writer: BackupWriter;
  cut: (bytes: Uint8Array) => number[];
  batches: AsyncGenerator<Batch, ReadEnd>;
  options: CreateOptions;
}

async function run(session: VerbSession, { repository, writer, cut, batches, options }: Run) {
  const recipe = new RecipeWriter({
    put: (kind, bytes) => writer.put(kind, bytes),
    cut,
    onPage: (page) => writer.addPage(page),
  });
  const treeHash = new TreeHasher();
  const facts: IndexFacts = {
    host: hostName(),
    label: options.label ?? "",
    tags: [...options.tags],
    domainName: repository.keyring.defaultDomain.name,
    entries: 0,
    bytes: 0,
    treeHash: "",
    opaqueBytes: 0,
    tool: TOOL,
  };
  let warnedOfSelf = false;

  for (;;) {
    const next = await batches.next();
    if (next.done) return await conclude(next.value);
    const batch = next.value;
    takeBatch(batch);
    await writer.drain();
    batch.release();
    session.signal.throwIfAborted();
    facts.bytes += batch.length;
    facts.entries = batch.entries;
    warnOfSelf(batch.brickNames);
    await writer.checkpointIfDue(() => facts);
    const { storedBytes } = writer.counts;
    session.progress.update({ phase: "storing", bytesDone: facts.bytes, entries: facts.entries, storedBytes });
  }

  function takeBatch(batch: Batch): void {
    for (const leaf of batch.leaves) treeHash.addLeaf(leaf);
    const known = writer.lookup("D", batch.ids);
    let number = 0;
    batch.give({
      raw: (bytes, begins) => recipe.raw(bytes, begins),
      entry: (hash) => recipe.entry(hash),
      small: (bytes) => recipe.small(bytes),
      chunk(id, bytes) {
        recipe.chunk(id, bytes.length);
        writer.take("D", id, { bytes, brick: known[number++]! });
      },
      bodyEnd: () => recipe.bodyEnd(),
    });
  }

  function warnOfSelf(names: string[]): void {
    if (warnedOfSelf || !names.some((name) => repository.catalog.brickByName(name) !== undefined)) return;
    warnedOfSelf = true;
    session.warn(
      `The input contains this repository's own bricks: leave ${repository.store.location} out of the tar ` +
        "(--exclude), or every backup stores the one before it again",
    );
  }

  async function conclude(end: ReadEnd) {
    if (end.bytes === 0) {
      throw new IncompleteInputError(
        "The input was empty, so nothing was stored. Pipe a tar into this command (tar c DIR | tarzan create)" +
          (end.exitCode ? `; the program ended with exit code ${end.exitCode}` : ""),
      );
    }
    recipe.finish();
    const producer = producerOf(session, options.source, end);
    const failed = producer !== undefined && producer.code !== 0 && !producer.harmless
      ? `${producer.command} ended with exit code ${producer.code}`
      : undefined;
    const incomplete = failed ?? end.status.incomplete;
    warnOfInput(session, end);
    Object.assign(facts, {
      entries: end.status.entries,
      bytes: end.bytes,
      treeHash: toHex(treeHash.digest()),
      opaqueBytes: end.status.opaqueBytes,
    });
    if (incomplete !== undefined) facts.incomplete = incomplete;
    if (producer !== undefined) facts.producer = { command: producer.command, code: producer.code };
    const { name, bytes } = await writer.finish(facts, { complete: incomplete === undefined });
    const { counts } = writer;
    return {
      snapshot: name,
      location: repository.store.location,
      complete: incomplete === undefined,
      ...(incomplete === undefined ? {} : { incomplete }),
      entries: facts.entries,
      bytes: facts.bytes,
      newBytes: counts.newBytes,
      deduplicatedBytes: counts.knownBytes,
      storedBytes: counts.storedBytes,
      bricks: counts.bricks.length,
      opaqueBytes: facts.opaqueBytes,
      ...(facts.producer === undefined ? {} : { producer: facts.producer }),
      ...(await writeCopy(options.out, bytes)),
    };
  }
}

/** tar ends with 1 when a file changed while it was read: the archive is whole. */
function producerOf(session: VerbSession, source: SourceSpec, end: ReadEnd) {
  if (source.kind !== "command" || end.exitCode === undefined) return undefined;
  const command = source.argv[0]!;
  const isTar = /(?:^|[/\\])(?:g|gnu)?tar(?:\.exe)?$/i.test(command);
  const harmless = isTar && end.exitCode === 1;
  if (harmless) session.warn(`${command} ended with exit code 1: some files changed while it read them`);
  return { command, code: end.exitCode, harmless };
}

function warnOfInput(session: VerbSession, { status, bytes }: ReadEnd): void {
  if (status.compressed !== undefined) {
    session.warn(
      `The input is compressed (${status.compressed}), so almost nothing of it will be found again in other backups. ` +
        "Pipe the plain tar; tarzan compresses it itself",
    );
  } else if (status.opaqueBytes > 0 && status.opaqueBytes < bytes) {
    session.warn(
      `${status.opaqueBytes} bytes from byte ${status.opaqueFrom} on are no tar. They are stored and come back as they ` +
        "are, but are not listed",
    );
  }
}

function hostName(): string {
  try {
    return Deno.hostname();
  } catch {
    // Not allowed, or not known: a host is only a help for people.
    return "";
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
