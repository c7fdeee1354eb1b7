/**
 * A folder that one run has for itself: `<parent>/<id>/`, beside a file `<id>.lock` on which it holds a lock of the operating
 * system for as long as it lives. So another run can tell what a dead one left (its lock is free) from what a living one
 * uses, with no clock and no process number.
 *
 * The lock file comes before the folder and goes after it; a folder without lock file is therefore dead. Between
 * making the lock file and locking it another run may take it for a dead one's and remove it: hence the look, after
 * locking, whether the file at that path is still the one that was locked.
 */
import { fileMode, folderMode, removeIfThere, setMode, syncFolder, writeSynced } from "./durable.ts";
import { systemCode } from "./disk_errors.ts";

const lockSuffix = ".lock";

/** A file as Deno before 2.7 has it, too. */
interface Lockable {
  lock(exclusive?: boolean): Promise<void>;
  tryLock?(exclusive?: boolean): Promise<boolean>;
}

/** A folder of this run, or of a dead one that this run holds now. One of `remove` and `leave` must be called. */
export class RunFolder {
  readonly path: string;
  readonly #lock: Deno.FsFile | undefined;

  private constructor(path: string, lock: Deno.FsFile | undefined) {
    this.path = path;
    this.#lock = lock;
  }

  /** Makes a new folder in `parent`, which must exist. */
  static async claim(parent: string): Promise<RunFolder> {
    for (;;) {
      const path = `${parent}/${crypto.randomUUID()}`;
      const lock = await lockFile(`${path}${lockSuffix}`);
      if (lock === undefined) continue;
      try {
        await setMode(`${path}${lockSuffix}`, fileMode);
        await Deno.mkdir(path, { mode: folderMode });
        await setMode(path, folderMode);
        return new RunFolder(path, lock);
      } catch (error) {
        lock.close();
        throw error;
      }
    }
  }

  /** The folders in `parent` whose runs are dead; nobody else is given the same ones. */
  static async dead(parent: string): Promise<RunFolder[]> {
    const runs = new Set<string>();
    for await (const entry of Deno.readDir(parent)) {
      if (entry.isDirectory) runs.add(entry.name);
      else if (entry.name.endsWith(lockSuffix)) runs.add(entry.name.slice(0, -lockSuffix.length));
    }
    const dead: RunFolder[] = [];
    for (const run of runs) {
      const lock = await openIfThere(`${parent}/${run}${lockSuffix}`);
      if (lock === undefined || await isFree(lock)) dead.push(new RunFolder(`${parent}/${run}`, lock));
      else lock.close();
    }
    return dead;
  }

  /** Stores a small file in the folder, whole or not at all, whatever happens to the power. */
  async put(name: string, bytes: Uint8Array): Promise<void> {
    await writeSynced(`${this.path}/${name}.new`, bytes);
    await Deno.rename(`${this.path}/${name}.new`, `${this.path}/${name}`);
    await syncFolder(this.path);
  }

  /** Removes the folder with all that is in it and gives the lock back. */
  async remove(): Promise<void> {
    try {
      await removeFolder(this.path);
      await removeIfThere(`${this.path}${lockSuffix}`);
    } finally {
      this.#lock?.close();
    }
  }

  /** Gives the lock back; what is in the folder is left to the next run. */
  leave(): void {
    this.#lock?.close();
  }
}

/** A locked new file, or undefined if another run took it for a dead one's before it was locked. */
async function lockFile(path: string): Promise<Deno.FsFile | undefined> {
  const file = await Deno.open(path, { read: true, write: true, createNew: true, mode: fileMode });
  try {
    if (!(await takeLock(file))) {
      file.close();
      return undefined;
    }
    const [locked, named] = [await file.stat(), await Deno.lstat(path)];
    if (locked.ino === named.ino) return file;
  } catch (error) {
    // A mount without locks: runs cannot see each other there, and tryLock will fail for whoever wants to tidy up.
    if (isLockless(error)) return file;
    if (!(error instanceof Deno.errors.NotFound)) {
      file.close();
      throw error;
    }
  }
  file.close();
  return undefined;
}

/** Locks a new file without waiting, where Deno can: whoever holds it is about to remove it. */
async function takeLock(file: Lockable): Promise<boolean> {
  if (file.tryLock !== undefined) return await file.tryLock(true);
  await file.lock(true);
  return true;
}

async function openIfThere(path: string): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Takes the lock if its owner is dead. Deno before 2.7 cannot try a lock: then nothing counts as dead. */
async function isFree(file: Lockable): Promise<boolean> {
  try {
    return await file.tryLock?.(true) ?? false;
  } catch (error) {
    if (isLockless(error)) return false;
    throw error;
  }
}

function isLockless(error: unknown): boolean {
  return error instanceof Deno.errors.NotSupported ||
    ["ENOLCK", "ENOSYS", "EOPNOTSUPP", "ENOTSUP"].includes(systemCode(error));
}

async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
