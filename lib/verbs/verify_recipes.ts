/**
 * Checks of recipes: every page readable, every chunk findable in a brick that is there; and, where damage was found, which
 * entries it touches. Pages that snapshots share are read once.
 */
import { DamageError, toHex, UnsupportedError } from "../crypto/mod.ts";
import {
  openPage,
  pageEntries,
  type PageRef,
  type PlacedOp,
  placedOps,
  readBrickList,
  runsOf,
} from "../snapshot/mod.ts";
import { printableName } from "../tar/mod.ts";
import { BrickSource, NeedsThawError, type Repository } from "../repository/mod.ts";
import type { OpenSnapshot } from "./snapshot.ts";
import type { Affected, Report } from "./verify_report.ts";
import type { VerbSession } from "./session.ts";

/** Names that are told of each snapshot. */
const MOST_NAMES = 100;

export interface RecipeCheck {
  repository: Repository;
  report: Report;
  /** Snapshots that were restored whole: their pages and chunks were all read already. */
  restored: ReadonlySet<OpenSnapshot>;
  /** Pages that were found whole; kept from snapshot to snapshot. */
  seen: Set<string>;
}

/** Reads every page of a snapshot that was not read before. Bodies are looked up, not read. */
export async function checkRecipe(session: VerbSession, snapshot: OpenSnapshot, check: RecipeCheck): Promise<void> {
  const { index, sealed, get } = snapshot;
  const source = new BrickSource(check.repository, index.domain);
  let bytes = 0;
  try {
    await checkBrickList(snapshot, check);
    if (check.restored.has(snapshot)) return;
    for await (const ref of snapshot.pages()) {
      session.signal.throwIfAborted();
      bytes += ref.bytes;
      session.progress.update({ phase: "checking recipes", bytesDone: bytes, bytesTotal: sealed.bytes });
      const name = pageName(ref);
      if (check.seen.has(name)) continue;
      const page = await openPage(ref, get);
      let lost: string | undefined;
      for await (const run of runsOf(placedOps(page, get))) {
        for (const segment of run) {
          if ("id" in segment) lost ??= isReadable(source, check.report, segment.id) ? undefined : toHex(segment.id);
        }
      }
      if (lost !== undefined) {
        const message = `Chunks of snapshot ${index.snapshot} are missing or damaged: ${lost} and perhaps more`;
        check.report.add("recipe", index.snapshot, message);
        return;
      }
      check.seen.add(name);
    }
    if (bytes !== sealed.bytes) {
      const message =
        `The recipe of snapshot ${index.snapshot} stands for ${bytes} bytes, its index for ${sealed.bytes}`;
      check.report.add("recipe", index.snapshot, message);
    }
  } catch (error) {
    if (error instanceof NeedsThawError) {
      const why = `it is in brick ${error.brick}, which is in cold storage`;
      check.report.unchecked.add(`The recipe of snapshot ${index.snapshot} was not read whole: ${why}`);
      return;
    }
    if (!(error instanceof DamageError)) throw error;
    check.report.add(
      "recipe",
      index.snapshot,
      `Cannot read the recipe of snapshot ${index.snapshot}: ${error.message}`,
    );
  }
}

async function checkBrickList(
  { index, sealed, get }: OpenSnapshot,
  { repository, report }: RecipeCheck,
): Promise<void> {
  const names = await readBrickList(sealed, get);
  if (names.length !== sealed.bricks) {
    report.add(
      "recipe",
      index.snapshot,
      `Snapshot ${index.snapshot} needs ${sealed.bricks} bricks, its list names ${names.length}`,
    );
  }
  for (const name of names) {
    const row = repository.catalog.brickByName(name, { domain: index.domain });
    if (row === undefined) {
      report.missing(name, `Brick ${name}, which snapshot ${index.snapshot} needs, is in no ledger that could be read`);
    } else if (row.excluded.gone && report.isMissing(name)) {
      report.missing(name, `Brick ${name}, which snapshot ${index.snapshot} needs, was removed from the repository`);
    }
  }
}

function isReadable(source: BrickSource, report: Report, id: Uint8Array): boolean {
  const isSound = ({ brick, block }: { brick: string; block: number }) => !report.spoils(brick, block);
  const first = source.place("D", id);
  return first !== undefined && (isSound(first) || source.places("D", id).some(isSound));
}

/** Which entries of a snapshot have a chunk that can be read nowhere. */
export async function findAffected(
  session: VerbSession,
  snapshot: OpenSnapshot,
  check: RecipeCheck,
): Promise<Affected | undefined> {
  const { index, sealed, get } = snapshot;
  const source = new BrickSource(check.repository, index.domain);
  const affected: Affected = { snapshot: index.snapshot, label: sealed.label, entries: [], count: 0, nameless: false };
  try {
    for await (const ref of snapshot.pages()) {
      session.signal.throwIfAborted();
      if (check.seen.has(pageName(ref)) && !check.report.spoilsChunks) continue;
      await affectedIn(ref, affected);
    }
  } catch (error) {
    const isTold = error instanceof DamageError || error instanceof UnsupportedError || error instanceof NeedsThawError;
    if (!isTold) throw error;
    // A page that cannot be read hides its entries: said among the problems already.
    affected.nameless = true;
  }
  return affected.count > 0 || affected.nameless ? affected : undefined;

  async function affectedIn(ref: PageRef, affected: Affected): Promise<void> {
    const page = await openPage(ref, get);
    const placed = [...placedOps(page, get)];
    const lost = await Promise.all(placed.map((op) => isLost(op)));
    const inEntry = new Set<number>();
    for (const { entry, fromOp, toOp } of pageEntries(page.ops)) {
      for (let op = fromOp; op < toOp; op++) inEntry.add(op);
      if (!lost.slice(fromOp, toOp).includes(true)) continue;
      affected.count++;
      if (affected.entries.length < MOST_NAMES) affected.entries.push(printableName(entry.name));
    }
    if (lost.some((one, op) => one && !inEntry.has(op))) affected.nameless = true;
  }

  async function isLost({ segments }: PlacedOp): Promise<boolean> {
    for await (const segment of segments()) {
      if ("id" in segment && !isReadable(source, check.report, segment.id)) return true;
    }
    return false;
  }
}

function pageName({ heads, lists }: PageRef): string {
  return toHex(heads) + toHex(lists);
}
