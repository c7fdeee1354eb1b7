import { resolve } from "node:path";
import { describe, listObjects } from "./directory_listing.ts";
import { readFailure, writeFailure } from "./disk_errors.ts";
import {
  exists,
  fileMode,
  isRealFolder,
  makeFolder,
  publishOnce,
  removeIfThere,
  setMode,
  syncFolder,
  writeSynced,
} from "./durable.ts";
import { ExistsError, NotFoundError, StoreFullError, StoreReadOnlyError } from "./errors.ts";
import { cacheTagName, requireObjectName, requirePrefix, spoolFolder } from "./names.ts";
import { boundedRange } from "./range.ts";
import { Spool } from "./spool.ts";
import { StagedFile } from "./staged_file.ts";
import type { Staged, Store, StoredObject } from "./store.ts";

/** Opens a directory that is there; writes nothing until something is put. `NotFoundError` if there is none. */
export async function openDirectoryStore(path: string): Promise<Store> {
  const root = resolve(path);
  try {
    if (!(await isDirectory(root))) throw new NotFoundError(`Cannot open the directory ${root}: it does not exist`);
    return new DirectoryStore(root, await exists(`${root}/${cacheTagName}`));
  } catch (error) {
    throw readFailure(error, `open the directory ${root}`);
  }
}

/** Whether a directory is there, by whatever links the user came; throws if it is something else. */
export async function isDirectory(path: string): Promise<boolean> {
  try {
    if ((await Deno.stat(path)).isDirectory) return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  throw new Error(`${path} is not a directory`);
}

class DirectoryStore implements Store {
  readonly location: string;
  readonly #tagged: boolean;
  /** Folders that this run found to be no links; folders whose names it brought to the disk. */
  readonly #real = new Set<string>();
  readonly #durable = new Set<string>();
  readonly #staged = new Set<StagedFile>();
  #spool: Promise<Spool> | undefined;
  #closed = false;

  constructor(root: string, tagged: boolean) {
    this.location = root;
    this.#tagged = tagged;
  }

  async *list(prefix: string, options: { after?: string } = {}): AsyncGenerator<StoredObject> {
    this.#requireOpen();
    requirePrefix(prefix);
    try {
      await this.#requireRoot();
      await this.#requireNoLinks(prefix);
      yield* listObjects({
        root: this.location,
        prefix,
        after: options.after ?? "",
        gone: () => this.#requireRoot(),
      });
    } catch (error) {
      throw readFailure(error, `list ${this.location}/${prefix}`);
    }
  }

  async head(name: string): Promise<StoredObject | undefined> {
    this.#requireOpen();
    requireObjectName(name);
    try {
      return await this.#describe(name);
    } catch (error) {
      throw readFailure(error, `look at ${this.location}/${name}`);
    }
  }

  async get(name: string, range?: { from: number; length: number }): Promise<Uint8Array<ArrayBuffer>> {
    const doing = `read ${this.location}/${name}`;
    if (await this.head(name) === undefined) throw new NotFoundError(`Cannot ${doing}: it does not exist`);
    try {
      using file = await Deno.open(`${this.location}/${name}`, { read: true });
      const { from, length } = boundedRange((await file.stat()).size, range);
      if (from > 0) await file.seek(from, Deno.SeekMode.Start);
      return await readWhole(file, length);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      throw readFailure(error, doing);
    }
  }

  async put(name: string, bytes: Uint8Array, options: { once?: boolean } = {}): Promise<void> {
    this.#requireOpen();
    requireObjectName(name);
    const final = `${this.location}/${name}`;
    try {
      const temporary = (await this.#openSpool()).nextPath();
      try {
        await writeSynced(temporary, bytes);
        if (options.once) {
          if (!(await this.#publish(temporary, name))) {
            throw new ExistsError(`Cannot write ${final}: it exists already`);
          }
        } else {
          const folder = await this.#makeFolders(name);
          await Deno.rename(temporary, final);
          await syncFolder(folder);
        }
      } finally {
        await removeIfThere(temporary);
      }
    } catch (error) {
      throw await this.#writeFailure(error, `write ${final}`);
    }
  }

  async delete(name: string): Promise<void> {
    this.#requireOpen();
    requireObjectName(name);
    const path = `${this.location}/${name}`;
    try {
      if (await this.#describe(name) !== undefined) await removeIfThere(path);
      const folder = path.slice(0, path.lastIndexOf("/"));
      if (folder === this.location || this.#real.has(folder)) await syncFolder(folder);
    } catch (error) {
      throw await this.#writeFailure(error, `delete ${path}`);
    }
  }

  async stage(): Promise<Staged> {
    this.#requireOpen();
    try {
      const path = (await this.#openSpool()).nextPath();
      const file = await openNew(path);
      const staged = new StagedFile(file, path, {
        publish: async (path, name) => {
          await this.#commit(path, name);
          this.#staged.delete(staged);
        },
        drop: async (path) => {
          await removeIfThere(path);
          this.#staged.delete(staged);
        },
      });
      this.#staged.add(staged);
      return staged;
    } catch (error) {
      throw await this.#writeFailure(error, `begin an object in ${this.location}`);
    }
  }

  /** A file server stamps files with its own clock, so a file is asked; where none can be made, this machine's must do. */
  async now(): Promise<Date> {
    this.#requireOpen();
    try {
      const path = (await this.#openSpool()).nextPath();
      await writeSynced(path, new Uint8Array());
      const { mtime } = await Deno.stat(path);
      await removeIfThere(path);
      return mtime ?? new Date();
    } catch (error) {
      const explained = await this.#writeFailure(error, `read the clock of ${this.location}`);
      if (explained instanceof StoreReadOnlyError || explained instanceof StoreFullError) return new Date();
      throw explained;
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const spool = await this.#spool;
    try {
      // What an abort cannot remove, the spool's own end removes, or says why not.
      await Promise.allSettled([...this.#staged].map((staged) => staged.abort()));
      await spool?.close();
    } catch (error) {
      throw writeFailure(error, `tidy up ${this.location}/${spoolFolder}`);
    }
  }

  async #commit(temporary: string, name: string): Promise<void> {
    this.#requireOpen();
    requireObjectName(name);
    try {
      await this.#publish(temporary, name);
      await removeIfThere(temporary);
    } catch (error) {
      throw await this.#writeFailure(error, `write ${this.location}/${name}`);
    }
  }

  /** Gives a finished file its name, durably; false if the name was taken. */
  async #publish(temporary: string, name: string): Promise<boolean> {
    const folder = await this.#makeFolders(name);
    const lockPath = `${this.location}/${spoolFolder}/once`;
    const free = await publishOnce(temporary, `${this.location}/${name}`, { lockPath });
    await syncFolder(folder);
    return free;
  }

  /** Makes the folders of an object, once a run each, and returns the innermost. */
  async #makeFolders(name: string): Promise<string> {
    let path = this.location;
    for (const segment of name.split("/").slice(0, -1)) {
      const parent = path;
      path = `${path}/${segment}`;
      if (this.#durable.has(path)) continue;
      await this.#requireRoot();
      await makeFolder(path, parent);
      this.#durable.add(path);
    }
    return path;
  }

  /** What is there under a name. */
  async #describe(name: string): Promise<StoredObject | undefined> {
    await this.#requireNoLinks(name);
    const object = await describe(this.location, name);
    if (object === undefined) await this.#requireRoot();
    return object;
  }

  /** Throws if one of an object's folders is a symbolic link, which could lead anywhere. */
  async #requireNoLinks(name: string): Promise<void> {
    let path = this.location;
    for (const segment of name.split("/").slice(0, -1)) {
      path = `${path}/${segment}`;
      if (!this.#real.has(path) && await isRealFolder(path)) this.#real.add(path);
    }
  }

  /** The spool of this run, made when the first thing is written, so that a store can be read that cannot be written. */
  async #openSpool(): Promise<Spool> {
    await this.#requireRoot();
    this.#spool ??= (async () => {
      const tmp = `${this.location}/${spoolFolder}`;
      await makeFolder(tmp, this.location);
      return await Spool.open(tmp);
    })();
    try {
      return await this.#spool;
    } catch (error) {
      this.#spool = undefined;
      throw error;
    }
  }

  /**
   * Throws if the directory is gone, or another one is in its place: what an unmounted disk leaves behind is an empty
   * mount point, which must not pass for an empty store. The tag tells, since inode numbers do not last on every mount.
   */
  async #requireRoot(): Promise<void> {
    if (this.#tagged ? await exists(`${this.location}/${cacheTagName}`) : await isDirectory(this.location)) return;
    throw new NotFoundError(`The repository in ${this.location} has vanished. Is its disk still mounted?`);
  }

  /** A missing path on the way of a write means that the store is gone, or that somebody tidied up under our feet. */
  async #writeFailure(error: unknown, doing: string): Promise<Error> {
    if (error instanceof Deno.errors.NotFound) {
      this.#durable.clear();
      try {
        await this.#requireRoot();
      } catch (reason) {
        return readFailure(reason, doing);
      }
    }
    return writeFailure(error, doing);
  }

  #requireOpen(): void {
    if (this.#closed) throw new Error(`Cannot use the store ${this.location}: it was closed`);
  }
}

/** A new file for an object under way, closed to other users. */
async function openNew(path: string): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { write: true, createNew: true, mode: fileMode });
  try {
    await setMode(path, fileMode);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Up to `length` bytes; fewer if the file became shorter meanwhile. */
async function readWhole(file: Deno.FsFile, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = await file.read(bytes.subarray(at));
    if (count === null) break;
    at += count;
  }
  return at === length ? bytes : bytes.slice(0, at);
}
