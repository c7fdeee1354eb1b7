/**
 * A bundle that is never written to a disk: the tar of some objects of the hot store, of which any range can be read. Its
 * pieces are headers, which are made, and ranges of those objects, which are read when they are asked for.
 */
import { beginSha256, toHex } from "../../crypto/mod.ts";
import { LEAF_BYTES, LeafHasher } from "../../glacier/mod.ts";
import { inParallel } from "../parallel.ts";
import { MEMBER_HEADER_BYTES, memberBytes, memberHeader, TAR_END_BYTES } from "./tar_member.ts";

/** An object that goes into a bundle. */
export interface Member {
  readonly name: string;
  readonly bytes: number;
}

/** A member and where its bytes begin. */
export interface PlacedMember extends Member {
  readonly offset: number;
}

/** What a bundle will look like. */
export interface BundleLayout {
  readonly members: readonly PlacedMember[];
  readonly bytes: number;
}

export type Range = { from: number; length: number };
/** Reads a range that lies within an object. */
export type ReadMember = (name: string, range: Range) => Promise<Uint8Array<ArrayBuffer>>;

/** Small objects in a bucket are many requests. */
const READS_AT_ONCE = 8;

/** Puts members into groups of at most `mostBytes`, in the order of their names; one that is larger is alone. */
export function inBundles(members: readonly Member[], mostBytes: number): Member[][] {
  const bundles: Member[][] = [];
  let room = 0;
  for (const member of members.toSorted(byName)) {
    const bytes = memberBytes(member.bytes);
    if (bundles.length === 0 || bytes > room) {
      bundles.push([]);
      room = mostBytes - TAR_END_BYTES;
    }
    bundles.at(-1)!.push(member);
    room -= bytes;
  }
  return bundles;
}

/** Where everything is in the bundle of these members. */
export function layOut(members: readonly Member[]): BundleLayout {
  let at = 0;
  const placed = members.toSorted(byName).map(({ name, bytes }) => {
    const offset = at + MEMBER_HEADER_BYTES;
    at += memberBytes(bytes);
    return { name, bytes, offset };
  });
  return { members: placed, bytes: at + TAR_END_BYTES };
}

/** Bytes of a bundle; `range` lies within it. */
export async function readBundle(
  { members, bytes }: BundleLayout,
  { from, length }: Range,
  read: ReadMember,
): Promise<Uint8Array<ArrayBuffer>> {
  const end = from + length;
  if (!(from >= 0 && length >= 0 && end <= bytes)) throw new RangeError(`No ${length} bytes from ${from} in a bundle`);
  const result = new Uint8Array(length);
  const reads: { member: Member; at: number; range: Range }[] = [];
  for (let i = firstFrom(members, from); i < members.length; i++) {
    const member = members[i]!;
    const headerAt = member.offset - MEMBER_HEADER_BYTES;
    if (headerAt >= end) break;
    if (from < member.offset) {
      const header = memberHeader(member.name, member.bytes);
      const skipped = Math.max(0, from - headerAt);
      result.set(header.subarray(skipped, end - headerAt), headerAt + skipped - from);
    }
    const first = Math.max(from, member.offset);
    const wanted = Math.min(end, member.offset + member.bytes) - first;
    if (wanted > 0) reads.push({ member, at: first - from, range: { from: first - member.offset, length: wanted } });
  }
  await inParallel(reads, READS_AT_ONCE, async ({ member, at, range }) => {
    const piece = await read(member.name, range);
    if (piece.length !== range.length) {
      throw new Error(`Cannot bundle ${member.name}: it is not ${member.bytes} bytes long any more`);
    }
    result.set(piece, at);
  });
  return result;
}

const STEP_BYTES = 4 * 1024 * 1024;

/** Reads a bundle once, for its hashes. */
export async function hashBundle(
  layout: BundleLayout,
  options: { read: ReadMember; signal: AbortSignal; onBytes?: (bytes: number) => void },
): Promise<{ sha256: string; treeHash: string }> {
  const { read, signal, onBytes } = options;
  const sha256 = beginSha256();
  const leaves = new LeafHasher();
  const step = (from: number) => readBundle(layout, { from, length: Math.min(STEP_BYTES, layout.bytes - from) }, read);
  let next = step(0);
  for (let from = 0; from < layout.bytes; from += STEP_BYTES) {
    const bytes = await next;
    signal.throwIfAborted();
    if (from + STEP_BYTES < layout.bytes) {
      // The next piece is read while this one is hashed.
      next = step(from + STEP_BYTES);
      next.catch(() => {});
    }
    sha256.update(bytes);
    for (let at = 0; at < bytes.length; at += LEAF_BYTES) await leaves.add(bytes.slice(at, at + LEAF_BYTES));
    onBytes?.(bytes.length);
  }
  return { sha256: toHex(sha256.digest()), treeHash: toHex(await leaves.digest()) };
}

/** The first member that reaches behind `from`. */
function firstFrom(members: readonly PlacedMember[], from: number): number {
  let [low, high] = [0, members.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { offset, bytes } = members[middle]!;
    if (offset + bytes <= from) low = middle + 1;
    else high = middle;
  }
  return low;
}

function byName(a: Member, b: Member): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
