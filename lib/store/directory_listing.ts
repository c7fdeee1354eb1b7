import { isObjectName, isSegment } from "./names.ts";
import type { StoredObject } from "./store.ts";

/**
 * Walks a folder tree in the byte order of whole names without ever holding more than one folder's names for each level.
 * The trick is to sort folders as if their name ended in `/`: `a-b` < `a.b` < `a/c` < `a0`, since `/` lies between `.`
 * and `0`. Symbolic links are not followed (they could lead out of the repository) and, like everything that is no name
 * of an object, not listed.
 */
const statsAtOnce = 64;

/** What a walk needs to know; `gone` is asked when a folder is missing, and throws if all of the store is. */
export interface ListingRequest {
  readonly root: string;
  readonly prefix: string;
  readonly after: string;
  readonly gone: () => Promise<void>;
}

/** All objects under `request.root` that `Store.list` should give, ascending. */
export function listObjects(request: ListingRequest): AsyncGenerator<StoredObject> {
  return walk(request, request.prefix.slice(0, request.prefix.lastIndexOf("/") + 1));
}

async function* walk(request: ListingRequest, folder: string): AsyncGenerator<StoredObject> {
  const keys = await sortedKeys(request, folder);
  for (let at = 0; at < keys.length; at += statsAtOnce) {
    const group = keys.slice(at, at + statsAtOnce);
    const objects = await Promise.all(group.map((key) => isFolder(key) ? undefined : describe(request.root, key)));
    for (const [i, key] of group.entries()) {
      const object = objects[i];
      if (isFolder(key)) yield* walk(request, key);
      else if (object !== undefined) yield object;
    }
  }
}

async function sortedKeys(request: ListingRequest, folder: string): Promise<string[]> {
  const keys: string[] = [];
  try {
    for await (const entry of Deno.readDir(`${request.root}/${folder}`)) {
      if (!isSegment(entry.name)) continue;
      const key = `${folder}${entry.name}${entry.isDirectory ? "/" : ""}`;
      if (isWanted(request, key)) keys.push(key);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !(error instanceof Deno.errors.NotADirectory)) throw error;
    await request.gone();
  }
  return keys.sort();
}

function isWanted(request: ListingRequest, key: string): boolean {
  if (!isFolder(key)) return key.startsWith(request.prefix) && key > request.after && isObjectName(key);
  const below = key.startsWith(request.prefix) || request.prefix.startsWith(key);
  const passed = key <= request.after && !request.after.startsWith(key);
  return below && !passed && isObjectName(`${key}x`);
}

function isFolder(key: string): boolean {
  return key.endsWith("/");
}

/** One object as it is on the disk; undefined if it is no plain file (any more), a symbolic link say. */
export async function describe(root: string, name: string): Promise<StoredObject | undefined> {
  try {
    const there = await Deno.lstat(`${root}/${name}`);
    if (!there.isFile) return undefined;
    return { name, size: there.size, modifiedAt: there.mtime ?? new Date(0) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
