/** Checks that read everything: streams as they come back, and every block that no stream has touched. */
import { DamageError, toHex, UnsupportedError, WrongKeyError } from "../crypto/mod.ts";
import { tocBlocks } from "../brick/mod.ts";
import { TreeHasher } from "../glacier/mod.ts";
import { type BlockReader, copyOut } from "../pipeline/mod.ts";
import { checkBrickPadding, inParallel, type Repository } from "../repository/mod.ts";
import { replay } from "../snapshot/mod.ts";
import type { CheckedBrick } from "./verify_bricks.ts";
import type { OpenSnapshot } from "./snapshot.ts";
import type { Report } from "./verify_report.ts";
import type { VerbSession } from "./session.ts";

/** What restoring snapshots to nowhere told. */
export interface StreamsChecked {
  bytes: number;
  /** Snapshots that gave back what was read when they were made: every page and every chunk of them was read. */
  sound: Set<OpenSnapshot>;
}

/** Restores snapshots to nowhere and compares lengths and hashes. Of those that have one recipe, one is enough. */
export async function checkStreams(
  session: VerbSession,
  snapshots: readonly OpenSnapshot[],
  report: Report,
): Promise<StreamsChecked> {
  let bytes = 0;
  const sound = new Set<OpenSnapshot>();
  const soundRecipes = new Set<string>();
  for (const snapshot of snapshots) {
    const { index, sealed } = snapshot;
    const { depth, length, records } = sealed.pageTable;
    const recipe = [index.domain, sealed.bytes, sealed.treeHash, depth, length, toHex(records)].join();
    if (!soundRecipes.has(recipe)) {
      const checked = await checkStream(session, snapshot, report);
      bytes += checked.bytes;
      if (!checked.isSound) continue;
      soundRecipes.add(recipe);
    }
    sound.add(snapshot);
  }
  return { bytes, sound };
}

async function checkStream(
  session: VerbSession,
  snapshot: OpenSnapshot,
  report: Report,
): Promise<{ bytes: number; isSound: boolean }> {
  const { index, sealed, reader, get } = snapshot;
  const hasher = new TreeHasher();
  let bytes = 0;
  const output = (piece: Uint8Array) => {
    hasher.update(piece);
    bytes += piece.length;
    session.progress.update({ phase: "comparing streams", bytesDone: bytes, bytesTotal: sealed.bytes });
  };
  let isSound = true;
  const damaged = (why: string) => {
    isSound = false;
    report.add("stream", index.snapshot, `Snapshot ${index.snapshot} ${why}`);
  };
  try {
    await copyOut(replay(snapshot.pages(), get), { reader, output, signal: session.signal });
    const treeHash = toHex(hasher.digest());
    if (bytes !== sealed.bytes) damaged(`gives ${bytes} bytes back, not ${sealed.bytes}`);
    else if (sealed.treeHash !== "" && treeHash !== sealed.treeHash) {
      damaged("gives other bytes back than were read when it was made");
    }
  } catch (error) {
    if (!(error instanceof DamageError || error instanceof UnsupportedError)) throw error;
    damaged(`cannot be restored whole; it breaks off after byte ${bytes}: ${error.message}`);
  }
  return { bytes, isSound };
}

export interface BlockCheck {
  repository: Repository;
  reader: (domain: string) => BlockReader;
  bricks: CheckedBrick[];
  report: Report;
}

/** Opens every block of these bricks that was not found intact already; how many blocks they have. */
export async function checkBlocks(session: VerbSession, check: BlockCheck): Promise<number> {
  const { repository, bricks, report } = check;
  const bytesTotal = bricks.reduce((sum, { bytes }) => sum + bytes, 0);
  let bytesDone = 0;
  let opened = 0;
  for (const brick of bricks) {
    bytesDone += brick.bytes;
    if (report.isMissing(brick.name)) continue;
    const reader = check.reader(brick.domain);
    const blocks = tocBlocks({ blocks: repository.catalog.blocks(brick.number) });
    const numbers = blocks.map((_, i) => i).filter((block) => !reader.foundIntact(brick.name, block));
    opened += blocks.length;
    await inParallel(numbers, 4, async (block) => {
      session.signal.throwIfAborted();
      await checkBlock(reader, brick.name, block, report);
    });
    report.wholeBrickRead(brick.name);
    await checkPadding(repository, brick, report);
    session.progress.update({ phase: "reading bricks", bytesDone, bytesTotal });
  }
  return opened;
}

/** What is wrong with the padding spoils no block. */
async function checkPadding(repository: Repository, brick: CheckedBrick, report: Report): Promise<void> {
  try {
    await checkBrickPadding(repository, brick);
  } catch (error) {
    if (!(error instanceof DamageError)) throw error;
    report.add("damaged brick", brick.name, error.message);
  }
}

async function checkBlock(reader: BlockReader, brick: string, block: number, report: Report): Promise<void> {
  const lease = reader.lease(brick, block);
  try {
    const { damaged } = await lease.opened;
    if (damaged.length > 0) {
      report.damagedBlock(
        brick,
        block,
        `Block ${block} of brick ${brick} holds ${damaged.length} chunks that are not what their ids say`,
      );
    }
  } catch (error) {
    if (!(error instanceof DamageError || error instanceof WrongKeyError)) throw error;
    report.damagedBlock(brick, block, error.message);
  } finally {
    lease.release();
  }
}

/** Some of the bricks, at random, that make up about `percent` of the bytes. */
export function sample(bricks: CheckedBrick[], percent: number, random = Math.random): CheckedBrick[] {
  if (percent >= 100) return bricks;
  const shuffled = bricks.map((brick) => ({ brick, at: random() })).sort((a, b) => a.at - b.at);
  const wanted = bricks.reduce((sum, { bytes }) => sum + bytes, 0) * percent / 100;
  const chosen: CheckedBrick[] = [];
  let bytes = 0;
  for (const { brick } of shuffled) {
    if (bytes >= wanted) break;
    chosen.push(brick);
    bytes += brick.bytes;
  }
  return chosen;
}
