/** Checks of bricks: are they there, do their tocs say what the ledger says, are their bytes the ones of their names. */
import { beginSha256, DamageError, free, toHex } from "../crypto/mod.ts";
import {
  BRICK_KINDS,
  inParallel,
  listBricks,
  parseBrickObject,
  readBrickToc,
  type Repository,
  sameToc,
  Scales,
} from "../repository/mod.ts";
import { NotFoundError, type Store } from "../store/mod.ts";
import type { Report } from "./verify_report.ts";
import type { VerbSession } from "./session.ts";

/** A brick that a check is about. */
export interface CheckedBrick {
  name: string;
  kind: "D" | "M";
  domain: string;
  bytes: number;
  number: number;
  chunkCount: number;
  ledgerObject: string;
  excluded: { gone: boolean; damaged: "all" | readonly number[] };
}

/**
 * Every brick there, with the length that the ledger gives; except those that were pruned, and those that the ledger says
 * are in cold storage.
 */
export async function checkPresence(repository: Repository, bricks: CheckedBrick[], report: Report): Promise<void> {
  const placed = new Map<string, ReadonlySet<string>>();
  const isPlaced = ({ domain, name }: CheckedBrick) => {
    const names = placed.get(domain) ?? repository.catalog.placedBricks({ domain });
    placed.set(domain, names);
    return names.has(name);
  };
  for (const kind of BRICK_KINDS) {
    const there = await listBricks(repository, kind);
    for (const brick of bricks) {
      if (brick.kind !== kind) continue;
      const bytes = there.get(brick.name);
      if (bytes === undefined && brick.excluded.gone) {
        report.gone(brick.name);
      } else if (bytes === undefined && isPlaced(brick)) {
        report.cold(brick.name);
      } else if (bytes === undefined) {
        report.missing(brick.name, `Brick ${brick.name} is missing in ${repository.store.location}`);
      } else if (bytes !== brick.bytes) {
        report.missing(brick.name, `Brick ${brick.name} is ${bytes} bytes long; the ledger says ${brick.bytes}`);
      }
    }
  }
}

/** Bricks are checked side by side as long as they hold no more chunks than this: a list takes 36 bytes a chunk, thrice. */
const CHUNKS_AT_ONCE = 100_000;

/** Header, toc and trailer of every brick, compared with the ledger. */
export async function checkTocs(
  session: VerbSession,
  { repository, bricks, report }: { repository: Repository; bricks: CheckedBrick[]; report: Report },
): Promise<void> {
  let done = 0;
  const scales = new Scales(CHUNKS_AT_ONCE);
  await inParallel(bricks, 4, async (brick) => {
    session.signal.throwIfAborted();
    session.progress.update({ phase: "checking tables of contents", itemsDone: done++, itemsTotal: bricks.length });
    if (report.isMissing(brick.name) || report.isCold(brick.name)) return;
    try {
      await scales.within(brick.chunkCount, () => checkToc(repository, brick, report));
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      report.damagedBrick(brick.name, error.message);
    }
  });
}

async function checkToc(repository: Repository, brick: CheckedBrick, report: Report): Promise<void> {
  const { toc } = await readBrickToc(repository, brick);
  const known = repository.catalog.brick(brick.number)!;
  if (!sameToc(toc, known)) {
    report.damagedBrick(brick.name, `Brick ${brick.name} holds other chunks than the ledger says`);
  }
  free(toc.chunks);
  free(known.chunks);
}

const STEP_BYTES = 8 * 1024 * 1024;

/** Whether a brick's SHA-256 is its name; reads it whole. */
export async function hashBrick(
  store: Store,
  object: string,
  options: { signal: AbortSignal; onBytes: (bytes: number) => void },
): Promise<string> {
  const sha256 = beginSha256();
  let next = store.get(object, { from: 0, length: STEP_BYTES });
  for (let from = STEP_BYTES;; from += STEP_BYTES) {
    const bytes = await next;
    options.signal.throwIfAborted();
    // The next piece is read while this one is hashed.
    if (bytes.length === STEP_BYTES) next = store.get(object, { from, length: STEP_BYTES });
    sha256.update(bytes);
    options.onBytes(bytes.length);
    if (bytes.length < STEP_BYTES) return toHex(sha256.digest());
  }
}

/** Every brick in the store, by its name alone: needs no key. */
export async function checkNames(
  session: VerbSession,
  { store, report, only }: { store: Store; report: Report; only?: Set<string> },
): Promise<number> {
  const objects: { object: string; name: string; size: number }[] = [];
  for (const folder of ["bricks/", "meta/"]) {
    for await (const { name: object, size } of store.list(folder)) {
      const brick = parseBrickObject(object);
      if (brick !== undefined && (only?.has(brick.name) ?? true)) objects.push({ object, name: brick.name, size });
    }
  }
  const bytesTotal = objects.reduce((sum, { size }) => sum + size, 0);
  let bytesDone = 0;
  const onBytes = (bytes: number) => {
    bytesDone += bytes;
    session.progress.update({ phase: "hashing bricks", bytesDone, bytesTotal });
  };
  for (const { object, name } of objects) {
    try {
      const found = await hashBrick(store, object, { signal: session.signal, onBytes });
      if (found !== name) {
        report.damagedBrick(name, `Brick ${name} was altered: its SHA-256 is ${found}`);
      }
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      report.missing(name, `Brick ${name} disappeared while it was checked`);
    }
  }
  return objects.length;
}
