/** Brings everything of a domain that is not yet in cold storage there: bricks alone, the rest in bundles. */
import type { ColdStore } from "../../glacier/mod.ts";
import { NotFoundError } from "../../store/mod.ts";
import type { PlacedBrick } from "../../brick/mod.ts";
import { brickObject, parseBrickObject } from "../names.ts";
import type { Repository } from "../repository.ts";
import { type BundleLayout, hashBundle, inBundles, layOut, type Member, type Range, readBundle } from "./bundle.ts";
import type { ColdJournal } from "./cold_journal.ts";
import type { ColdUploader, Outgoing } from "./cold_uploader.ts";
import { findUnplaced, type LoneBrick, type Unplaced } from "./unplaced.ts";

const GIB = 1024 ** 3;

export interface UploadOptions {
  domain: string;
  cold: ColdStore;
  /** The size that data bricks aim at; from a quarter of it on they go alone. */
  targetBytes: number;
  /** Small data bricks gather in the hot store: for one that is a bucket, where each upload is a request that costs. */
  gather: boolean;
  /** No bundle is larger, except for one with a single member. */
  mostBundleBytes?: number;
}

/** The size from which on a data brick goes alone. */
export function aloneBytes(targetBytes: number): number {
  return Math.ceil(targetBytes / 4);
}

/** What would be sent, as far as that is known without reading it. */
export interface UploadPlan {
  /** Bytes of each object. */
  objects: number[];
  bundles: number;
  bytes: number;
  unplaced: Unplaced;
}

/** Looks what there is to do. */
export async function planUpload(repository: Repository, options: UploadOptions): Promise<UploadPlan> {
  const { domain, cold: { location }, targetBytes, gather, mostBundleBytes = GIB } = options;
  const unplaced = await findUnplaced(repository, {
    ...{ domain, location, aloneBytes: aloneBytes(targetBytes) },
    ...(gather && { gatherBytes: targetBytes }),
  });
  const bundles = inBundles(unplaced.bundled, mostBundleBytes).map((members) => layOut(members).bytes);
  const objects = [...unplaced.alone.map(({ bytes }) => bytes), ...bundles];
  return { objects, bundles: bundles.length, bytes: objects.reduce((sum, bytes) => sum + bytes, 0), unplaced };
}

/** Sends what is there to be sent, and waits until all of it is placed. */
export async function uploadUnplaced(
  repository: Repository,
  options: UploadOptions & {
    uploader: ColdUploader;
    journal: ColdJournal;
    signal: AbortSignal;
    /** Hears how many bytes are to be sent, all in all. */
    planned?: (plan: UploadPlan) => void;
  },
): Promise<UploadPlan> {
  const { uploader, mostBundleBytes = GIB } = options;
  await goOn(repository, options);
  const plan = await planUpload(repository, options);
  options.planned?.(plan);
  for (const brick of plan.unplaced.alone) uploader.add(loneBrick(repository, brick));
  for (const members of inBundles(plan.unplaced.bundled, mostBundleBytes)) {
    const object = await newBundle(repository, { ...options, members });
    if (object !== undefined) uploader.add(object);
  }
  await uploader.idle();
  return plan;
}

/** A data brick that goes alone. */
export function loneBrick({ store }: Repository, { name, bytes, treeHash }: LoneBrick): Outgoing {
  const object = brickObject("D", name);
  return {
    ...{ name: object, bytes, sha256: name, treeHash },
    bricks: [{ name, kind: "D", offset: 0, bytes }],
    isHot: true,
    read: (range) => store.get(object, range),
  };
}

interface Bundling {
  cold: ColdStore;
  journal: ColdJournal;
  signal: AbortSignal;
}

/** Bundles that a run had begun which died: the same again, if that can be; before anything is planned anew. */
async function goOn(repository: Repository, options: Bundling & { uploader: ColdUploader }): Promise<void> {
  const { cold, journal, uploader } = options;
  for (const { sha256, members } of journal.bundles(cold.location)) {
    const layout = layOut(members);
    const hashes = await hashesOf(repository, layout, options);
    if (hashes?.sha256 === sha256) uploader.add(bundleObject(repository, layout, hashes));
    else await journal.clear([sha256]);
  }
  await uploader.idle();
}

/** A bundle whose making is remembered before it is sent; undefined where nothing is left to go into it. */
async function newBundle(
  repository: Repository,
  options: Bundling & { members: readonly Member[] },
): Promise<Outgoing | undefined> {
  const { cold, journal } = options;
  let { members } = options;
  while (members.length > 0) {
    const layout = layOut(members);
    const hashes = await hashesOf(repository, layout, options);
    if (hashes !== undefined) {
      const bundle = {
        ...hashes,
        location: cold.location,
        members: members.map(({ name, bytes }) => ({ name, bytes })),
      };
      await journal.beginBundle(bundle);
      return bundleObject(repository, layout, hashes);
    }
    members = await stillThere(repository, members);
  }
  return undefined;
}

/** Undefined where a member was removed meanwhile, such as a key. */
async function hashesOf(
  { store }: Repository,
  layout: BundleLayout,
  { signal }: { signal: AbortSignal },
): Promise<{ sha256: string; treeHash: string } | undefined> {
  try {
    return await hashBundle(layout, { read: (name, range) => store.get(name, range), signal });
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

async function stillThere({ store }: Repository, members: readonly Member[]): Promise<Member[]> {
  const there: Member[] = [];
  for (const member of members) if ((await store.head(member.name))?.size === member.bytes) there.push(member);
  return there;
}

function bundleObject(
  { store }: Repository,
  layout: BundleLayout,
  { sha256, treeHash }: { sha256: string; treeHash: string },
): Outgoing {
  const bricks = layout.members.flatMap(({ name: object, offset, bytes }): PlacedBrick[] => {
    const brick = parseBrickObject(object);
    return brick === undefined ? [] : [{ ...brick, offset, bytes }];
  });
  return {
    ...{ name: `bundles/${sha256}.tar`, bytes: layout.bytes, sha256, treeHash, bricks },
    members: layout.members.map(({ name }) => name),
    read: (range: Range) => readBundle(layout, range, (name, part) => store.get(name, part)),
  };
}
