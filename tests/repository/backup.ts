/** A backup without verbs: the real writer and the real pipeline, on one thread, into whatever store a repository has. */
import { createIdHasher, toHex } from "../../lib/crypto/mod.ts";
import { cutLengths, gearTable } from "../../lib/chunker/mod.ts";
import { TreeHasher } from "../../lib/glacier/mod.ts";
import { type Batch, copyOut, startWriter } from "../../lib/pipeline/mod.ts";
import {
  BackupWriter,
  type IndexFacts,
  type IndexName,
  learn,
  listIndexes,
  noteCondemned,
  noteDamage,
  notePresence,
  readIndex,
  type Repository,
  type WriterOptions,
} from "../../lib/repository/mod.ts";
import { RecipeWriter, replay, type SealedIndex, SMALL_BODY_BYTES, STREAM_SIZES } from "../../lib/snapshot/mod.ts";
import { SnapshotReaders } from "../../lib/verbs/snapshot.ts";
import { joined } from "./machine.ts";

/** What tests vary. */
export type BackupChoice = Partial<Pick<WriterOptions, "brickBytes" | "journal" | "found" | "now" | "onSeal">> & {
  readonly complete?: boolean;
  readonly level?: number;
  /** Called behind each piece of the input (4 MiB) and its checkpoint, if one was due. */
  readonly afterPiece?: (piece: number, writer: BackupWriter) => Promise<void> | void;
  /** Called when the writer has begun. */
  readonly begun?: (writer: BackupWriter) => Promise<void> | void;
};

const MIB = 1024 * 1024;

/** Backs a stream up as `create` does, having learned what is there. */
export async function backUp(
  repository: Repository,
  tar: Uint8Array,
  options: BackupChoice = {},
): Promise<{ name: string; writer: BackupWriter }> {
  const { keyring } = repository;
  const domain = keyring.defaultDomain.id;
  await learn(repository, domain);
  await notePresence(repository, domain);
  await noteCondemned(repository);
  await noteDamage(repository);
  const shapes = await keyring.shapeKeys(domain);
  const bodies = await keyring.bodyKeys(domain);
  const [dataIds, metaIds] = await Promise.all([createIdHasher(bodies.dataId), createIdHasher(shapes.metaId)]);
  const table = gearTable(bodies.chunker);
  const cut = (bytes: Uint8Array) => cutLengths(bytes, table, STREAM_SIZES);
  const engine = await startWriter({
    sizes: repository.config.chunks,
    smallBodyBytes: SMALL_BODY_BYTES,
    threads: 1,
    level: options.level ?? 0,
    keys: { gear: bodies.chunker, dataId: bodies.dataId, pages: shapes.pages },
  });
  const { brickBytes = 2 * MIB, journal, found, now, onSeal } = options;
  const writer = await BackupWriter.begin({
    repository,
    domain,
    brickBytes,
    cut,
    id: { D: (bytes) => dataIds.id(bytes), M: (bytes) => metaIds.id(bytes) },
    ...(journal && { journal }),
    ...(found && { found }),
    ...(now && { now }),
    ...(onSeal && { onSeal }),
  });
  const packers = { D: engine.packer("D", writer.sink("D")), M: engine.packer("M", writer.sink("M")) };
  try {
    writer.connect(packers);
    await options.begun?.(writer);
    const recipe = new RecipeWriter({
      put: (kind, bytes) => writer.put(kind, bytes),
      cut,
      onPage: (page) => writer.addPage(page),
    });
    const treeHash = new TreeHasher();
    const facts: IndexFacts = { ...NO_FACTS, domainName: keyring.defaultDomain.name };
    const batches = engine.batches({ kind: "bytes", pieces: [tar] });
    let piece = 0;
    for (let next = await batches.next(); !next.done; next = await batches.next()) {
      take(next.value, { writer, recipe, treeHash });
      await writer.drain();
      next.value.release();
      facts.bytes += next.value.length;
      facts.entries = next.value.entries;
      await writer.checkpointIfDue(() => facts);
      await options.afterPiece?.(piece++, writer);
    }
    recipe.finish();
    facts.treeHash = toHex(treeHash.digest());
    const { complete = true } = options;
    if (!complete) facts.incomplete = "the test said so";
    return { name: (await writer.finish(facts, { complete })).name, writer };
  } catch (error) {
    // What is being sealed must not go on behind the test's back.
    await Promise.allSettled([packers.D.flush(), packers.M.flush()]);
    await writer.abort();
    throw error;
  } finally {
    engine.close();
  }
}

const NO_FACTS: IndexFacts = {
  host: "bench",
  label: "",
  tags: [],
  domainName: "",
  entries: 0,
  bytes: 0,
  treeHash: "",
  opaqueBytes: 0,
  tool: "a test",
};

function take(
  batch: Batch,
  { writer, recipe, treeHash }: { writer: BackupWriter; recipe: RecipeWriter; treeHash: TreeHasher },
): void {
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

/** What a snapshot gives back to somebody who has only just learned of the repository, and what it says of itself. */
export async function restore(
  repository: Repository,
  index: IndexName,
): Promise<{ bytes: Uint8Array; sealed: SealedIndex }> {
  await learn(repository, index.domain);
  const readers = new SnapshotReaders(repository);
  try {
    const { pages, get, reader, sealed } = await readers.open(await readIndex(repository, index));
    const pieces: Uint8Array[] = [];
    await copyOut(replay(pages(), get), { reader, output: (bytes) => void pieces.push(bytes.slice()) });
    return { bytes: joined(pieces), sealed };
  } finally {
    readers.close();
  }
}

/** The one index with this ending. */
export async function theIndex(repository: Repository, ending: ".json" | ".open"): Promise<IndexName> {
  const found = (await listIndexes(repository)).filter((index) => index.ending === ending);
  if (found.length !== 1) throw new Error(`There are ${found.length} indexes ending in ${ending}`);
  return found[0]!;
}
