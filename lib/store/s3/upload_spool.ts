/**
 * Where bricks wait for their upload: one folder a run below the spool of a place, in the state directory. Only sealed bytes are
 * ever in it. A brick that is whole carries its object's name, so that the next run can finish what a dead one began; what
 * is not whole is removed.
 *
 * The spool is bounded. Whoever writes waits at the limit as long as some upload is under way that will make room; when
 * none is, nobody would ever wake the writer, so it may go on: the limit is exceeded by the bricks that are being filled.
 */
import { folderMode, removeIfThere, setMode, syncFolder, writeSynced } from "../durable.ts";
import { cacheTagName, isObjectName } from "../names.ts";
import { RunFolder } from "../run_folder.ts";

/** Backups need not keep what is on its way into one. */
const cacheTag = "Signature: 8a477f597d28d172789f06886806bc55\n# Bricks that wait for their upload.\n";
/** The disk is left this much for others. */
const SPARE_BYTES = 512 * 1024 * 1024;
/** Looking at the disk is cheap, but not for nothing. */
const LOOK_EVERY_BYTES = 16 * 1024 * 1024;
/** A `/` of an object's name; no name has a `+`. */
const SLASH = "+";
const WHOLE = ".whole";

/** A brick in the spool that wants to be stored. */
export interface WholeFile {
  name: string;
  path: string;
}

/** The spool of one run. */
export class UploadSpool {
  readonly #folder: RunFolder;
  readonly #limitBytes: number;
  #files = 0;
  #usedBytes = 0;
  #unlookedBytes = LOOK_EVERY_BYTES;
  #uploads = 0;
  #kept = 0;
  #waiting: (() => void)[] = [];

  private constructor(folder: RunFolder, limitBytes: number) {
    this.#folder = folder;
    this.#limitBytes = limitBytes;
  }

  /** Hands `finish` what dead runs left, one after the other, and claims a folder in `parent`. */
  static async open(
    parent: string,
    { limitBytes, finish }: { limitBytes: number; finish: (file: WholeFile) => Promise<void> },
  ): Promise<UploadSpool> {
    await Deno.mkdir(parent, { recursive: true, mode: folderMode });
    await setMode(parent, folderMode);
    await writeSynced(`${parent}/${cacheTagName}`, new TextEncoder().encode(cacheTag));
    const dead = await RunFolder.dead(parent);
    try {
      while (dead.length > 0) {
        for (const file of await wholeFiles(dead[0]!.path)) await finish(file);
        await dead.shift()!.remove();
      }
    } finally {
      for (const folder of dead) folder.leave();
    }
    return new UploadSpool(await RunFolder.claim(parent), limitBytes);
  }

  /** A new path for a file that nobody uses. */
  nextPath(): string {
    return `${this.#folder.path}/${++this.#files}`;
  }

  /** Waits until so many bytes more may be written, and counts them. */
  async room(bytes: number): Promise<void> {
    while (this.#uploads > 0 && !(await this.#fits(bytes))) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#usedBytes += bytes;
    this.#unlookedBytes += bytes;
  }

  /** So many bytes are gone. */
  release(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#wake();
  }

  /** Does an upload, which will make room when it is over. */
  async uploading<T>(work: () => Promise<T>): Promise<T> {
    this.#uploads++;
    try {
      return await work();
    } finally {
      this.#uploads--;
      this.#wake();
    }
  }

  /** Gives a whole file the name by which the next run knows what it is; its path from then on. */
  async keep(path: string, name: string): Promise<string> {
    const file = `${name.replaceAll("/", SLASH)}${WHOLE}`;
    // A name that is too long for a file is not one of a brick.
    if (file.length > 200) return path;
    // Two stagings of one run may have the same name.
    const kept = `${this.#folder.path}/${++this.#kept}-${file}`;
    await Deno.rename(path, kept);
    await syncFolder(this.#folder.path);
    return kept;
  }

  /** Ends the run: whole files that were not stored are left to the next one. */
  async close(): Promise<void> {
    if ((await wholeFiles(this.#folder.path)).length === 0) await this.#folder.remove();
    else this.#folder.leave();
  }

  async #fits(bytes: number): Promise<boolean> {
    if (this.#usedBytes + bytes > this.#limitBytes) return false;
    if (this.#unlookedBytes < LOOK_EVERY_BYTES) return true;
    if (await freeBytes(this.#folder.path) < SPARE_BYTES + LOOK_EVERY_BYTES + bytes) return false;
    this.#unlookedBytes = 0;
    return true;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** What the disk has left; where it cannot be asked, the spool's own limit must do. */
async function freeBytes(folder: string): Promise<number> {
  try {
    // Loaded when needed: it takes as long as a tenth of the shortest command, and no directory needs it.
    const { statfs } = await import("node:fs/promises");
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotSupported) return Infinity;
    throw error;
  }
}

async function wholeFiles(folder: string): Promise<WholeFile[]> {
  const files: WholeFile[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      const match = /^\d+-(.+)\.whole$/.exec(entry.name);
      const name = match?.[1]?.replaceAll(SLASH, "/");
      if (name !== undefined && entry.isFile && isObjectName(name)) {
        files.push({ name, path: `${folder}/${entry.name}` });
      }
    }
  } catch (error) {
    // A lock without folder: its run died before it had any.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files;
}

/** Removes a file that was stored; its bytes are free. */
export async function dropFile(spool: UploadSpool, { path, bytes }: { path: string; bytes: number }): Promise<void> {
  await removeIfThere(path);
  spool.release(bytes);
}
