/**
 * Reading bricks that are no longer in the hot store. Where they are only the ledger's `placed` records say, the newest
 * first: a brick may lie in several places, alone here and in a bundle there, and any copy that can be read will do.
 */
import type { Placement } from "../catalog/mod.ts";
import { DamageError } from "../crypto/mod.ts";
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

/** Bytes of a brick from the first of these places that gives them; as many as there are from `range.from` on. */
export async function readPlaced(
  cold: ColdAccess | undefined,
  placements: readonly Placement[],
  range: { from: number; length: number },
): Promise<Uint8Array<ArrayBuffer>> {
  const failures: { placement: Placement; error: Error }[] = [];
  for (const placement of placements) {
    try {
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
