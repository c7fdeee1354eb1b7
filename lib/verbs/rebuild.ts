/**
 * `rebuild`: the catalogue from the repository alone. The ledger tells of every brick; bricks that it does not tell of (of a
 * machine that was lost, or of a ledger object that was) tell of themselves, and are put on record.
 */
import { beginSha256, DamageError, toHex, UnsupportedError } from "../crypto/mod.ts";
import { TreeHasher } from "../glacier/mod.ts";
import {
  BRICK_KINDS,
  brickObject,
  inParallel,
  learn,
  listBricks,
  publish,
  readBrickToc,
  remember,
  type Repository,
  visibleDomains,
} from "../repository/mod.ts";
import { StoreFullError, StoreReadOnlyError } from "../store/mod.ts";
import type { BrickKind, BrickRecord, WrittenRecord } from "../brick/mod.ts";
import { open } from "./open.ts";
import type { VerbSession } from "./session.ts";

export interface RebuildResult {
  bricks: number;
  chunks: number;
  domains: number;
  /** Bricks that no ledger told of, and that are on record now. */
  adopted: string[];
  /** Bricks that are not ours, or cannot be read. */
  strangers: string[];
  problems: string[];
}

/** Reads the whole repository anew. */
export async function rebuild(session: VerbSession): Promise<RebuildResult> {
  const opened = await open(session, { freshCatalog: true });
  try {
    return await refill(session, opened.repository);
  } finally {
    await opened.close();
  }
}

/** Fills an empty catalogue from the repository. */
export async function refill(session: VerbSession, repository: Repository): Promise<RebuildResult> {
  const domains = await visibleDomains(repository);
  const problems: string[] = [];
  for (const domain of domains) {
    const progress = (done: number, total: number) =>
      session.progress.update({ phase: "reading the ledger", itemsDone: done, itemsTotal: total });
    for (const problem of await learn(repository, domain, { whole: true, progress })) problems.push(problem.message);
  }
  const { adopted, strangers } = await adopt(session, repository, domains);
  const rows = [...repository.catalog.bricks()];
  const chunks = rows.reduce((sum, { chunkCount }) => sum + chunkCount, 0);
  return { bricks: rows.length, chunks, domains: domains.length, adopted, strangers, problems };
}

async function adopt(session: VerbSession, repository: Repository, domains: string[]) {
  const found = new Map<string, BrickRecord[]>(domains.map((domain) => [domain, []]));
  const strangers: string[] = [];
  for (const kind of BRICK_KINDS) {
    const unknown = [...await listBricks(repository, kind)].filter(([name]) =>
      repository.catalog.brickByName(name) === undefined
    );
    await inParallel(unknown, 4, async ([name, bytes]) => {
      session.signal.throwIfAborted();
      const brick = await readWhole(repository, { kind, name, bytes }, domains);
      if (brick === undefined) strangers.push(name);
      else found.get(brick.domain)!.push(brick.record);
    });
  }
  const adopted: string[] = [];
  for (const [domain, records] of found) {
    for (let at = 0; at < records.length; at += 16) {
      const some = records.slice(at, at + 16);
      await putOnRecord(session, repository, { domain, records: some.map((brick) => ({ type: "brick", brick })) });
      adopted.push(...some.map(({ name }) => name));
    }
  }
  return { adopted, strangers };
}

/** Tells everybody, or at least this machine where the repository cannot be written to. */
export async function putOnRecord(
  session: VerbSession,
  repository: Repository,
  { domain, records }: { domain: string; records: WrittenRecord[] },
): Promise<void> {
  try {
    await publish(repository, domain, records);
  } catch (error) {
    if (!(error instanceof StoreReadOnlyError || error instanceof StoreFullError)) throw error;
    session.warn(`What was found is known to this machine only (${records.length} records): ${error.message}`);
    await remember(repository, domain, records);
  }
}

/** A brick that tells of itself, if one of our keys made it and its bytes are what its name says. */
async function readWhole(
  repository: Repository,
  brick: { kind: BrickKind; name: string; bytes: number },
  domains: string[],
): Promise<{ domain: string; record: BrickRecord } | undefined> {
  for (const domain of domains) {
    try {
      const { toc } = await readBrickToc(repository, { ...brick, domain });
      const { sha256, treeHash } = await hashesOf(repository, brick);
      return sha256 === brick.name ? { domain, record: { ...brick, treeHash, toc } } : undefined;
    } catch (error) {
      // Of another domain, or damaged: the next key may fit.
      if (!(error instanceof DamageError || error instanceof UnsupportedError)) throw error;
    }
  }
  return undefined;
}

async function hashesOf(
  { store }: Repository,
  { kind, name, bytes }: { kind: BrickKind; name: string; bytes: number },
): Promise<{ sha256: string; treeHash: string }> {
  const sha256 = beginSha256();
  const treeHash = new TreeHasher();
  const step = 8 * 1024 * 1024;
  for (let from = 0; from < bytes; from += step) {
    const piece = await store.get(brickObject(kind, name), { from, length: step });
    sha256.update(piece);
    treeHash.update(piece);
  }
  return { sha256: toHex(sha256.digest()), treeHash: toHex(treeHash.digest()) };
}
