/**
 * What is really there: bricks by listing, marks of a prune, records of damage. The catalogue may be ahead of the
 * repository (a rolled back disk, another machine's prune); what it alone believes in is not built upon.
 *
 * A brick that the ledger says was placed in cold storage may be missing in the hot store: that is what cold storage is for.
 * Whether it is there is the cold store's own to say, which only `verify` asks.
 */
import { DamageError } from "../crypto/mod.ts";
import {
  BRICK_KINDS,
  brickFolder,
  brickObject,
  CONDEMNED_PREFIX,
  parseBrickObject,
  parseCondemned,
  RECORDS_PREFIX,
} from "./names.ts";
import type { BrickKind } from "../brick/mod.ts";
import { readDamage } from "./damage.ts";
import type { Repository } from "./repository.ts";

/** Sizes of all bricks in the store, by name. */
export async function listBricks({ store }: Repository, kind: BrickKind): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { name, size } of store.list(brickFolder(kind))) {
    const brick = parseBrickObject(name);
    if (brick?.kind === kind) sizes.set(brick.name, size);
  }
  return sizes;
}

/** Tells the catalogue which bricks of a domain are absent or have another length; their names. */
export async function notePresence(repository: Repository, domain: string): Promise<string[]> {
  const { catalog } = repository;
  const absent: string[] = [];
  const placed = catalog.placedBricks({ domain });
  for (const kind of BRICK_KINDS) {
    const there = await listBricks(repository, kind);
    for (const { name, bytes } of catalog.bricks({ domain, kind })) {
      if (!isPresent(there.get(name), { bytes, placed: placed.has(name) })) absent.push(name);
    }
  }
  catalog.exclude("absent", absent, "replace");
  return absent;
}

/** What is there with another length is damaged, wherever else a copy may be. */
function isPresent(size: number | undefined, brick: { bytes: number; placed: boolean }): boolean {
  return size === undefined ? brick.placed : size === brick.bytes;
}

/** The marks of a prune that is under way: condemned bricks count as unknown, sentenced ones are as good as gone. */
export async function noteCondemned({ store, catalog }: Repository): Promise<{ sentenced: Set<string> }> {
  const condemned = new Set<string>();
  const sentenced = new Set<string>();
  for await (const { name } of store.list(CONDEMNED_PREFIX)) {
    const mark = parseCondemned(name);
    if (mark === undefined) continue;
    condemned.add(mark.name);
    if (mark.sentence) sentenced.add(mark.name);
  }
  catalog.exclude("condemned", [...condemned], "replace");
  return { sentenced };
}

/**
 * What checks found damaged, on this machine or another: those blocks count as unknown, so that their chunks are stored
 * anew. A key that cannot check who made a record takes it for true: the worst that costs is storing something twice.
 * `again` reads those too that were taken in before.
 */
export async function noteDamage(
  repository: Repository,
  { again = false }: { again?: boolean } = {},
): Promise<{ records: number; problems: DamageError[] }> {
  const { store, catalog } = repository;
  const problems: DamageError[] = [];
  let records = 0;
  for await (const { name } of store.list(`${RECORDS_PREFIX}damage-`)) {
    records++;
    if (!again && catalog.openedIndex(name) !== undefined) continue;
    try {
      for (const { brick, blocks } of await readDamage(repository, name)) catalog.markDamaged(brick, blocks);
      catalog.keepOpenedIndex(name, "");
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      problems.push(error);
    }
  }
  return { records, problems };
}

/** Which of these bricks are missing or have another length now. Only the ledger of its own domain excuses one. */
export async function missingBricks(
  repository: Repository,
  bricks: { name: string; kind: BrickKind; bytes: number; domain?: string }[],
): Promise<string[]> {
  const sizes = await sizesOf(repository, bricks);
  const isPlaced = ({ name, domain }: { name: string; domain?: string }) =>
    repository.catalog.placementsOf(name, domain === undefined ? {} : { domain }).length > 0;
  return bricks.filter((brick) => {
    const size = sizes.get(brick.name);
    return !isPresent(size, { bytes: brick.bytes, placed: size === undefined && isPlaced(brick) });
  }).map(({ name }) => name);
}

async function sizesOf(
  repository: Repository,
  bricks: { name: string; kind: BrickKind }[],
): Promise<{ get(name: string): number | undefined }> {
  if (bricks.length <= 64) {
    const heads = await Promise.all(bricks.map(({ kind, name }) => repository.store.head(brickObject(kind, name))));
    return new Map(bricks.flatMap(({ name }, i) => heads[i] === undefined ? [] : [[name, heads[i].size]]));
  }
  const there = new Map(await listBricks(repository, "D"));
  for (const [name, size] of await listBricks(repository, "M")) there.set(name, size);
  return there;
}
