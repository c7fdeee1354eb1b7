/**
 * What a cold store holds, from its listing alone: for whoever has nothing else. A vault's descriptions say whose an archive
 * is; in a bucket that shows only when a bundle is opened. Names say what an object claims to be, and no more.
 */
import { LIMITS } from "../brick/mod.ts";
import type { ColdObject, Listing } from "../glacier/mod.ts";
import { parseBrickObject } from "./names.ts";

/** A tar of one brick that is as large as any can be, with its header and end. */
const MOST_BUNDLE_BYTES = LIMITS.brickBytes + 1024 * 1024;

/** A bundle as the cold store knows it. */
export interface FoundBundle extends ColdObject {
  /** That of its name. */
  sha256: string;
}

export interface ColdCensus {
  /** When the cold store held all this. */
  at: Date;
  /** Oldest first. */
  bundles: FoundBundle[];
  /** Objects that call themselves bricks, by the names of those. */
  bricks: Map<string, ColdObject[]>;
  /** Every handle that is there. */
  handles: Set<string>;
}

/** Takes in a listing. Of several repositories in one place, `repository` says which one is meant. */
export async function takeCensus(
  { at, objects }: Listing,
  { repository, location, signal }: { repository: string | undefined; location: string; signal: AbortSignal },
): Promise<ColdCensus> {
  const bundles = new Map<string, FoundBundle>();
  const bricks = new Map<string, ColdObject[]>();
  const owners = new Set<string>();
  const handles = new Set<string>();
  for await (const object of objects) {
    signal.throwIfAborted();
    const sha256 = bundleHash(object);
    const brick = object.name === undefined ? undefined : parseBrickObject(object.name);
    if ((sha256 === undefined && brick === undefined) || !/^[!-~]{1,1024}$/.test(object.handle)) continue;
    if (object.repository !== undefined) {
      if (repository !== undefined && object.repository !== repository) continue;
      owners.add(object.repository);
    }
    handles.add(object.handle);
    if (brick !== undefined) bricks.set(brick.name, [...bricks.get(brick.name) ?? [], object]);
    if (sha256 === undefined) continue;
    const known = bundles.get(sha256);
    if (known === undefined || object.storedAt < known.storedAt) bundles.set(sha256, { ...object, sha256 });
  }
  if (owners.size > 1) throw severalRepositories(location, owners);
  const oldestFirst = (a: FoundBundle, b: FoundBundle) => +a.storedAt - +b.storedAt || (a.sha256 < b.sha256 ? -1 : 1);
  return { at, bundles: [...bundles.values()].sort(oldestFirst), bricks, handles };
}

/** Which one is meant, only the user can say. */
export function severalRepositories(location: string, ids: Iterable<string>): Error {
  return new Error(
    `${location} holds several repositories: ${[...ids].sort().join(", ")}. Say which one with --repository-id ` +
      "(your recovery sheet has it), and name an empty place for it with --repository",
  );
}

function bundleHash({ name, bytes }: ColdObject): string | undefined {
  const sha256 = /^bundles\/([0-9a-f]{64})\.tar$/.exec(name ?? "")?.[1];
  return bytes > 0 && bytes <= MOST_BUNDLE_BYTES ? sha256 : undefined;
}
