/**
 * A hot store out of bundles, with nothing else left and without a key. Whoever owns the cold store may put any bundle there
 * and list them in any order, so nothing here is believed because it is in one: a bundle's SHA-256 is its name, a brick's
 * is its own, a slot's is in its name, and everything else proves itself to the key that reads it later. What is in the
 * hot store already is never replaced (but for indexes of runs that had not finished, which change as they go on).
 */
import { beginSha256, checkSlotName, DamageError, equalBytes, toHex } from "../crypto/mod.ts";
import type { Store } from "../store/mod.ts";
import { parseBrickObject } from "./names.ts";
import { putOwn } from "./put_own.ts";
import type { BundleMember, ReadRange } from "./restore_hot_members.ts";
import { MEMBER_KINDS } from "./restore_hot_names.ts";

const STEP_BYTES = 4 * 1024 * 1024;

/** What unpacking has come to. */
export interface Unpacked {
  /** Objects that were written. */
  written: number;
  bytes: number;
  /** Sentences about members that are not what their names say, or of which the hot store holds something else. */
  problems: string[];
}

/** Writes the members of a bundle into a store, in an order in which an interruption leaves nothing that misleads. */
export async function unpackMembers(
  store: Store,
  { members, read, what }: { members: readonly BundleMember[]; read: ReadRange; what: string },
  { signal }: { signal: AbortSignal },
): Promise<Unpacked> {
  const unpacked: Unpacked = { written: 0, bytes: 0, problems: [] };
  const inOrder = members.toSorted((a, b) => MEMBER_KINDS.indexOf(a.kind) - MEMBER_KINDS.indexOf(b.kind));
  for (const member of inOrder) {
    signal.throwIfAborted();
    try {
      const unpack = member.kind === "brick" ? unpackBrick : unpackSmall;
      if (!await unpack(store, member, read)) continue;
      unpacked.written++;
      unpacked.bytes += member.bytes;
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      unpacked.problems.push(`${error.message} (from ${what})`);
    }
  }
  return unpacked;
}

/** Whether it was written; false: it was there. */
async function unpackBrick(store: Store, { name, bytes, offset }: BundleMember, read: ReadRange): Promise<boolean> {
  const there = await store.head(name);
  if (there?.size === bytes) return false;
  if (there !== undefined) throw other(store, name);
  const staged = await store.stage();
  try {
    const sha256 = beginSha256();
    for (let at = 0; at < bytes; at += STEP_BYTES) {
      const piece = await read({ from: offset + at, length: Math.min(STEP_BYTES, bytes - at) });
      sha256.update(piece);
      await staged.write(piece);
    }
    const found = toHex(sha256.digest());
    if (found !== parseBrickObject(name)!.name) {
      throw new DamageError(`Brick ${name} was not unpacked: its SHA-256 is ${found}`);
    }
    await staged.commit(name);
    return true;
  } finally {
    await staged.abort();
  }
}

async function unpackSmall(store: Store, member: BundleMember, read: ReadRange): Promise<boolean> {
  const { name, kind, bytes } = member;
  const content = await read({ from: member.offset, length: bytes });
  if (kind === "slot") checkSlotName(name, content);
  const there = await store.head(name);
  if (there === undefined) {
    await putOwn(store, name, content);
    return true;
  }
  const isSame = there.size === bytes && equalBytes(await store.get(name, { from: 0, length: bytes + 1 }), content);
  if (isSame) return false;
  if (!name.endsWith(".open")) throw other(store, name);
  await store.put(name, content);
  return true;
}

function other(store: Store, name: string): DamageError {
  return new DamageError(`${name} in ${store.location} was left as it is: a bundle holds another object of that name`);
}
