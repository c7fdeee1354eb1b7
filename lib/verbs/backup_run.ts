/** The run of a backup: batches of the stream into recipe and writer, up to the index. */
import { toHex } from "../crypto/mod.ts";
import { TreeHasher } from "../glacier/mod.ts";
import type { Batch, ReadEnd, SourceSpec } from "../pipeline/mod.ts";
import type { BackupWriter, IndexFacts, Repository } from "../repository/mod.ts";
import { type CutStream, RecipeWriter } from "../snapshot/mod.ts";
import type { VerbSession } from "./session.ts";
import { TOOL } from "./tool.ts";

/** There was nothing to back up, so nothing was stored. */
export class IncompleteInputError extends Error {
  override name = "IncompleteInputError";
}

/** What a run works with. */
export interface BackupRun {
  repository: Repository;
  writer: BackupWriter;
  cut: CutStream;
  batches: AsyncGenerator<Batch, ReadEnd>;
  source: SourceSpec;
  label: string;
  tags: readonly string[];
  /** Called between two batches. */
  onBatch?: () => Promise<void>;
}

/** A backup that is done. */
export interface FinishedBackup {
  snapshot: string;
  /** The bytes of its index. */
  index: Uint8Array;
  facts: IndexFacts;
}

/** Takes a whole stream and writes its index. Nothing that was stored is lost when this throws. */
export async function runBackup(session: VerbSession, run: BackupRun): Promise<FinishedBackup> {
  const { repository, writer, cut, batches } = run;
  const recipe = new RecipeWriter({
    put: (kind, bytes) => writer.put(kind, bytes),
    cut,
    onPage: (page) => writer.addPage(page),
  });
  const treeHash = new TreeHasher();
  const facts: IndexFacts = {
    host: hostName(),
    label: run.label,
    tags: [...run.tags],
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
    await run.onBatch?.();
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

  async function conclude(end: ReadEnd): Promise<FinishedBackup> {
    if (end.bytes === 0) {
      throw new IncompleteInputError(
        "The input was empty, so nothing was stored. Pipe a tar into this command (tar c DIR | tarzan create)" +
          (end.exitCode ? `; the program ended with exit code ${end.exitCode}` : ""),
      );
    }
    recipe.finish();
    const producer = producerOf(session, run.source, end);
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
    return { snapshot: name, index: bytes, facts };
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
