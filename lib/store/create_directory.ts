import { resolve } from "node:path";
import { isDirectory, openDirectoryStore } from "./directory_store.ts";
import { writeFailure } from "./disk_errors.ts";
import { folderMode, makeFolder, setMode, syncFolder, writeSynced } from "./durable.ts";
import { ExistsError } from "./errors.ts";
import { cacheTagName, spoolFolder } from "./names.ts";
import type { Store } from "./store.ts";

/** See https://bford.info/cachedir/: tar --exclude-caches, restic and others then pass this directory by. */
const cacheTag = "Signature: 8a477f597d28d172789f06886806bc55\n# This directory is a TARzan repository.\n";

/** What may lie in a directory that counts as empty: what an interrupted creation left, and what a new disk holds. */
const harmless = [spoolFolder, cacheTagName, "lost+found"];

/**
 * Makes a directory (and its parents) into an empty store, closed to other users and marked for other backup programs.
 * One that exists must be empty: otherwise `ExistsError`.
 */
export async function createDirectoryStore(path: string): Promise<Store> {
  const root = resolve(path);
  try {
    await makeRoot(root);
    for await (const entry of Deno.readDir(root)) {
      if (harmless.includes(entry.name)) continue;
      throw new ExistsError(`Cannot make a repository in ${root}: it is not empty (it holds ${entry.name})`);
    }
    await setMode(root, folderMode);
    await writeSynced(`${root}/${cacheTagName}`, new TextEncoder().encode(cacheTag));
    await syncFolder(root);
  } catch (error) {
    throw writeFailure(error, `make the directory ${root}`);
  }
  return await openDirectoryStore(root);
}

async function makeRoot(root: string): Promise<void> {
  const missing: string[] = [];
  for (let path = root; !(await isDirectory(path)); path = resolve(path, "..")) missing.unshift(path);
  for (const path of missing) await makeFolder(path, resolve(path, ".."));
}
