import { fileMode, folderMode, removeIfThere, setMode } from "./durable.ts";
import { systemCode } from "./disk_errors.ts";

/**
 * Where a run keeps unfinished objects: `tmp/<run id>/`, beside a file `tmp/<run id>.lock` on which it holds a lock of the
 * operating system for as long as it lives. So the next run can tell what a dead run left (its lock is free) from what a
 * living one uses, with no clock and no process number.
 *
 * The lock file comes before the folder and goes after it; a folder without lock file is therefore dead. Between
 * making the lock file and locking it another run may take it for a dead one's and remove it: hence the look, after
 * locking, whether the file at that path is still the one that was locked.
 */
const lockSuffix = ".lock";

/** One run's folder for unfinished objects. */
export class Spool {
  readonly #folder: string;
  readonly #lockPath: string;
  readonly #lock: Deno.FsFile;
  #files = 0;

  private constructor(folder: string, lockPath: string, lock: Deno.FsFile) {
    this.#folder = folder;
    this.#lockPath = lockPath;
    this.#lock = lock;
  }

  /** Removes what dead runs left in `tmp` (which must exist), then claims a folder there. */
  static async open(tmp: string): Promise<Spool> {
    await removeDeadRuns(tmp);
    for (;;) {
      const folder = `${tmp}/${crypto.randomUUID()}`;
      const lockPath = `${folder}${lockSuffix}`;
      const lock = await lockFile(lockPath);
      if (lock === undefined) continue;
      try {
        await setMode(lockPath, fileMode);
        await Deno.mkdir(folder, { mode: folderMode });
        await setMode(folder, folderMode);
        return new Spool(folder, lockPath, lock);
      } catch (error) {
        lock.close();
        throw error;
      }
    }
  }

  /** A new path for a temporary file, used by nobody. */
  nextPath(): string {
    return `${this.#folder}/${++this.#files}`;
  }

  /** Removes the folder with all that is in it and gives the lock back. */
  async close(): Promise<void> {
    try {
      await removeRun(this.#folder, this.#lockPath);
    } finally {
      this.#lock.close();
    }
  }
}

/** A locked new file, or undefined if another run took it away before it was locked. */
async function lockFile(path: string): Promise<Deno.FsFile | undefined> {
  const file = await Deno.open(path, { read: true, write: true, createNew: true, mode: fileMode });
  try {
    await file.lock(true);
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

async function removeDeadRuns(tmp: string): Promise<void> {
  const runs = new Set<string>();
  for await (const entry of Deno.readDir(tmp)) {
    if (entry.isDirectory) runs.add(entry.name);
    else if (entry.name.endsWith(lockSuffix)) runs.add(entry.name.slice(0, -lockSuffix.length));
  }
  for (const run of runs) {
    const folder = `${tmp}/${run}`;
    const lockPath = `${folder}${lockSuffix}`;
    using lock = await openIfThere(lockPath);
    if (lock === undefined || await isFree(lock)) await removeRun(folder, lockPath);
  }
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
async function isFree(file: { tryLock?(exclusive?: boolean): Promise<boolean> }): Promise<boolean> {
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

async function removeRun(folder: string, lockPath: string): Promise<void> {
  try {
    await Deno.remove(folder, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await removeIfThere(lockPath);
}
