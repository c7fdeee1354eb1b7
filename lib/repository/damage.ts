/** Records of damage: what `verify` found, so that every machine stores those chunks anew. Signed with the control key. */
import { DamageError, isHex, type JsonObject, openJson, parseUnverified, signJson } from "../crypto/mod.ts";
import { readBounded } from "./bounded.ts";
import { newStamp, RECORDS_PREFIX } from "./names.ts";
import { putOwn } from "./put_own.ts";
import type { Repository } from "./repository.ts";

export const DAMAGE_FORMAT = "tarzan damage";
const LIMIT_BYTES = 16 * 1024 * 1024;

/** Damaged blocks of a brick, or all of it. */
export interface BrickDamage {
  brick: string;
  blocks: number[] | "all";
}

/** Notes damage that was not known yet: here, and in the repository where the key may sign it. */
export async function recordDamage(repository: Repository, found: BrickDamage[]): Promise<string | undefined> {
  const { catalog, keyring, store, config } = repository;
  const damage = found.filter((one) => !isKnown(repository, one));
  for (const { brick, blocks } of damage) catalog.markDamaged(brick, blocks);
  if (!keyring.can("control") || damage.length === 0) return undefined;
  const at = await store.now();
  const record = `damage-${newStamp(at)}`;
  const name = `${RECORDS_PREFIX}${record}.json`;
  const text = signJson({
    format: DAMAGE_FORMAT,
    version: 1,
    requires: [],
    repository: config.repository,
    record,
    created: at.toISOString(),
    bricks: damage,
  }, await keyring.controlKey());
  await putOwn(store, name, new TextEncoder().encode(text));
  catalog.keepOpenedIndex(name, "");
  return name;
}

function isKnown({ catalog }: Repository, { brick, blocks }: BrickDamage): boolean {
  const known = catalog.brickByName(brick)?.excluded.damaged;
  if (known === "all") return true;
  return known !== undefined && blocks !== "all" && blocks.every((block) => known.includes(block));
}

/** The damage that a record tells of. Who made it is known only to a key that could have signed it. */
export async function readDamage(
  { store, keyring }: Repository,
  name: string,
): Promise<BrickDamage[]> {
  const what = `record ${name}`;
  const bytes = await readBounded(store, name, { limit: LIMIT_BYTES, what });
  const record = keyring.can("control")
    ? openJson(bytes, await keyring.controlKey(), { format: DAMAGE_FORMAT, what })
    : parseUnsigned(bytes, what);
  if (name !== `${RECORDS_PREFIX}${record.record}.json`) {
    throw new DamageError(`Cannot trust ${what}: it is the record ${String(record.record)}, under another name`);
  }
  return damageIn(record, what);
}

/** Anybody may have written this: a newer version is no reason to stop, but nothing to believe either. */
function parseUnsigned(bytes: Uint8Array, what: string): JsonObject {
  const record = parseUnverified(bytes, what);
  const { format, version, requires } = record;
  if (format !== DAMAGE_FORMAT || version !== 1 || !Array.isArray(requires) || requires.length > 0) {
    throw new DamageError(`Cannot use ${what}: it is no record of damage as this tarzan knows them`);
  }
  return record;
}

function damageIn({ bricks }: JsonObject, what: string): BrickDamage[] {
  const isBlock = (block: unknown) => Number.isSafeInteger(block) && (block as number) >= 0;
  const isDamage = (item: unknown): item is BrickDamage => {
    const { brick, blocks } = (item ?? {}) as Record<string, unknown>;
    return isHex(brick, 32) && (blocks === "all" || (Array.isArray(blocks) && blocks.every(isBlock)));
  };
  if (!Array.isArray(bricks) || !bricks.every(isDamage)) {
    throw new DamageError(`Cannot read ${what}: it does not say which bricks`);
  }
  return bricks;
}
