/** Records of damage: what `verify` found, so that every machine stores those chunks anew. Signed with the control key. */
import { DamageError, isHex, type JsonObject, parseUnverified, signJson } from "../crypto/mod.ts";
import { newStamp, RECORDS_PREFIX } from "./names.ts";
import type { Repository } from "./repository.ts";

export const DAMAGE_FORMAT = "tarzan damage";

/** Damaged blocks of a brick, or all of it. */
export interface BrickDamage {
  brick: string;
  blocks: number[] | "all";
}

/** Notes damage here, and in the repository where the key may sign it. */
export async function recordDamage(repository: Repository, damage: BrickDamage[]): Promise<string | undefined> {
  const { catalog, keyring, store, config } = repository;
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
  await store.put(name, new TextEncoder().encode(text), { once: true });
  catalog.keepOpenedIndex(name, "");
  return name;
}

/** The damage that a record tells of; `checked` are its members once its MAC was found right. */
export function parseDamage(bytes: Uint8Array, what: string, checked?: JsonObject): BrickDamage[] {
  const bricks = (checked ?? parseUnverified(bytes, what)).bricks;
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
