/** Bricks as files of the store: ranges of them, and what they say of themselves. */
import {
  type BrickHeader,
  type BrickKeys,
  type BrickKind,
  checkPadding,
  FIXED_HEADER_BYTES,
  headerLength,
  LIMITS,
  openHeader,
  openToc,
  paddingOffset,
  parseTrailer,
  type Toc,
  TRAILER_BYTES,
} from "../brick/mod.ts";
import { DamageError, equalBytes, free, toHex } from "../crypto/mod.ts";
import { NotFoundError } from "../store/mod.ts";
import { brickObject } from "./names.ts";
import { isKnownCold, noteCold, readPlaced } from "./placed_bricks.ts";
import type { Repository } from "./repository.ts";

/**
 * Bytes of a brick: from the hot store, else from where the ledger says that it was placed. A brick that is nowhere is
 * damage; one that sleeps is a NeedsThawError.
 */
export async function readRange(
  { store, catalog, cold }: Repository,
  brick: { kind: BrickKind; name: string; domain?: string },
  range: { from: number; length: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const { kind, name, domain } = brick;
  const placements = () => catalog.placementsOf(name, { evenLost: true, ...(domain === undefined ? {} : { domain }) });
  if (isKnownCold(store, name)) return await readPlaced(cold, placements(), range);
  try {
    return await store.get(brickObject(kind, name), range);
  } catch (cause) {
    if (!(cause instanceof NotFoundError)) throw cause;
    const placed = placements();
    if (placed.length > 0) {
      noteCold(store, name);
      return await readPlaced(cold, placed, range);
    }
    throw new DamageError(
      `Brick ${name} is missing in ${store.location}. Run "tarzan verify" to see what that touches`,
      { cause },
    );
  }
}

/** Reads and checks the header of a brick. */
export async function readHeader(
  repository: Repository,
  brick: { kind: BrickKind; name: string; domain: string },
): Promise<BrickHeader> {
  const what = `brick ${brick.name}`;
  const start = await readRange(repository, brick, { from: 0, length: 4096 });
  const length = headerLength(start.subarray(0, FIXED_HEADER_BYTES), what);
  const bytes = length <= start.length ? start : await readRange(repository, brick, { from: 0, length });
  const header = openHeader(bytes, await keysOf(repository, brick.domain), what);
  if (header.kind !== brick.kind || toHex(header.domain) !== brick.domain) {
    throw new DamageError(`Cannot trust ${what}: it says that it is of another kind or domain`);
  }
  return header;
}

/** What a brick says of itself: header and toc (whose frame begins at `tocAt`), read from the brick alone. */
export async function readBrickToc(
  repository: Repository,
  brick: { kind: BrickKind; name: string; domain: string; bytes: number },
): Promise<{ header: BrickHeader; toc: Toc; tocAt: number }> {
  const what = `brick ${brick.name}`;
  if (brick.bytes > LIMITS.brickBytes) throw new DamageError(`Cannot read ${what}: it is ${brick.bytes} bytes long`);
  const header = await readHeader(repository, brick);
  const end = await readRange(repository, brick, {
    from: Math.max(0, brick.bytes - TRAILER_BYTES),
    length: TRAILER_BYTES,
  });
  const frameBytes = parseTrailer(end, what);
  const tocAt = brick.bytes - TRAILER_BYTES - frameBytes;
  if (tocAt < header.bytes.length) throw new DamageError(`Cannot read ${what}: its table of contents does not fit`);
  const frame = await readRange(repository, brick, { from: tocAt, length: frameBytes });
  const keys = await keysOf(repository, brick.domain);
  const toc = await openToc(header, { keys, frame, fileBytes: brick.bytes, what });
  free(frame);
  return { header, toc, tocAt };
}

/** Checks what stands between the blocks and the toc of a brick: it must open, and be zeros. */
export async function checkBrickPadding(
  repository: Repository,
  brick: { kind: BrickKind; name: string; domain: string; bytes: number },
): Promise<void> {
  const { header, toc, tocAt } = await readBrickToc(repository, brick);
  const from = paddingOffset(header, toc);
  free(toc.chunks);
  const frame = await readRange(repository, brick, { from, length: tocAt - from });
  await checkPadding(header, { keys: await keysOf(repository, brick.domain), frame, what: `brick ${brick.name}` });
}

async function keysOf({ keyring }: Repository, domain: string): Promise<BrickKeys> {
  const { macBrick, toc } = await keyring.shapeKeys(domain);
  return { macBrick, toc };
}

/** Whether the toc of a brick is the one that the ledger tells of. */
export function sameToc(a: Toc, b: { blocks: Uint8Array; chunks: Uint8Array }): boolean {
  return equalBytes(a.blocks, b.blocks) && equalBytes(a.chunks, b.chunks);
}
