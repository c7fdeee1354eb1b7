/**
 * Reading bricks that are no longer in the hot store. Where they are only the ledger's `placed` records say: a brick may lie in
 * several places, alone here and in a bundle there, and any copy that can be read will do.
 *
 * Every machine of a domain can write such records, also one that was taken over. An object whose SHA-256 is the brick's name
 * is that brick, whoever says so, and comes first. Of a bundle nothing proves what is in it: where several are said to hold a
 * brick, the bytes are hashed before they are believed, so that a lie hides nothing that is there.
 */
import type { Placement } from "../catalog/mod.ts";
import { beginSha256, DamageError, toHex } from "../crypto/mod.ts";
import { NotThawedError } from "../glacier/mod.ts";
import type { Store } from "../store/mod.ts";
import { type ColdAccess, NeedsThawError } from "./cold_access.ts";

/** Names of bricks that were looked for in a hot store and not found: asking before every read would cost a request. */
const notHot = new WeakMap<Store, Set<string>>();

/** Whether this process has looked for a brick in this store and not found it. */
export function isKnownCold(store: Store, name: string): boolean {
  return notHot.get(store)?.has(name) ?? false;
}

/** Remembers that a brick is not in this store. */
export function noteCold(store: Store, name: string): void {
  const names = notHot.get(store) ?? new Set();
  notHot.set(store, names.add(name));
}

/** Whether an object of cold storage is this brick and nothing else, by its name. */
export function isBrickItself({ brick, offset, bytes, object }: Placement): boolean {
  return object.sha256 === brick && offset === 0 && bytes === object.bytes;
}

/** Bytes of a brick from the first of these places that gives them; as many as there are from `range.from` on. */
export async function readPlaced(
  cold: ColdAccess | undefined,
  placements: readonly Placement[],
  range: { from: number; length: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const failures: { placement: Placement; error: Error }[] = [];
  const [sure, unsure] = [placements.filter(isBrickItself), placements.filter((one) => !isBrickItself(one))];
  // What is said to be lost is asked all the same, last: whoever says so may be wrong, or lie.
  for (const placement of [...sure, ...unsure].sort((a, b) => Number(a.lost) - Number(b.lost))) {
    try {
      if (unsure.length > 1 && unsure.includes(placement)) await requireTrue(cold, placement);
      return await readAt(cold, placement, range);
    } catch (error) {
      if (cold?.signal.aborted || !(error instanceof Error)) throw error;
      failures.push({ placement, error });
    }
  }
  const asleep = failures.find(({ error }) => error instanceof NotThawedError);
  const { placement, error } = asleep ?? failures[0]!;
  const { location, handle } = placement.object;
  if (error instanceof NotThawedError) {
    throw new NeedsThawError({ name: placement.brick, location, handle }, { cause: error });
  }
  throw error;
}

const STEP_BYTES = 8 * 1024 * 1024;
/** What bricks in bundles were found to hash to: each is read once for that. */
const hashes = new WeakMap<ColdAccess, Map<string, Promise<string>>>();

/** Throws a DamageError where these bytes are not the brick. */
async function requireTrue(cold: ColdAccess | undefined, placement: Placement): Promise<void> {
  if (cold === undefined) return;
  const { brick, offset, object: { location, handle } } = placement;
  const known = hashes.get(cold) ?? new Map<string, Promise<string>>();
  hashes.set(cold, known);
  const key = `${brick} ${offset} ${location} ${handle}`;
  const hashing = known.get(key) ?? hashAt(cold, placement);
  known.set(key, hashing);
  // What could not be read may be readable later.
  hashing.catch(() => known.delete(key));
  if (await hashing === brick) return;
  throw new DamageError(
    `Cannot trust what the ledger says of brick ${brick}: it is not where it should be in ${handle}`,
  );
}

async function hashAt(cold: ColdAccess, placement: Placement): Promise<string> {
  const sha256 = beginSha256();
  for (let from = 0; from < placement.bytes; from += STEP_BYTES) {
    sha256.update(await readAt(cold, placement, { from, length: STEP_BYTES }));
  }
  return toHex(sha256.digest());
}

async function readAt(
  cold: ColdAccess | undefined,
  { brick, offset, bytes, object }: Placement,
  range: { from: number; length: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const { location, handle } = object;
  if (cold === undefined) {
    throw new Error(`Cannot read brick ${brick}: it is in cold storage (${location}), which is not to be asked now`);
  }
  const from = Math.min(range.from, bytes);
  const length = Math.min(range.length, bytes - from);
  const store = await cold.open(location);
  const { signal } = cold;
  const read = await store.read({ handle, bytes: object.bytes }, { range: { from: offset + from, length }, signal });
  if (read.length === length) return read;
  throw new DamageError(`Cannot read brick ${brick} in ${location}: ${read.length} of ${length} bytes came`);
}
