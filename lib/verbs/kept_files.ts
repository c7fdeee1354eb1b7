/**
 * Bytes of a repository that are kept on this machine as the store has them, sealed, so that they need not be fetched again.
 * Each file ends with the SHA-256 of what stands before: what a disk has spoiled counts as not kept, and never as damage
 * of the repository.
 */
import { equalBytes, sha256, toHex } from "../crypto/mod.ts";
import { ownFolder } from "./local_state.ts";

const HASH_BYTES = 32;
/** What is smaller says where the rest is, and takes no room. */
const SMALL_BYTES = 4096;

/** Files in a folder of their own, by keys of any form; the oldest make room. */
export class KeptFiles {
  readonly #folder: string;
  readonly #mostBytes: number;
  #made: Promise<string> | undefined;
  #written = 0;

  constructor(folder: string, options: { mostBytes: number }) {
    this.#folder = folder;
    this.#mostBytes = options.mostBytes;
  }

  /** What is kept under a key, and since when. */
  async get(key: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; keptAt: Date } | undefined> {
    const path = this.#path(key);
    try {
      const file = await Deno.readFile(path);
      const bytes = file.subarray(0, Math.max(0, file.length - HASH_BYTES));
      if (!equalBytes(sha256(bytes), file.subarray(bytes.length))) return undefined;
      return { bytes, keptAt: (await Deno.stat(path)).mtime ?? new Date(0) };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Keeps bytes; the moment that `get` will tell is `at`. */
  async put(key: string, bytes: Uint8Array, at: Date): Promise<void> {
    await (this.#made ??= ownFolder(this.#folder));
    const path = this.#path(key);
    const temporary = `${path}.${toHex(crypto.getRandomValues(new Uint8Array(4)))}.new`;
    const file = new Uint8Array(bytes.length + HASH_BYTES);
    file.set(bytes);
    file.set(sha256(bytes), bytes.length);
    await Deno.writeFile(temporary, file, { mode: 0o600 });
    await Deno.utime(temporary, at, at);
    await Deno.rename(temporary, path);
    this.#written += file.length;
  }

  /** Removes the oldest until the rest fits; does nothing when nothing was kept. */
  async makeRoom(): Promise<void> {
    if (this.#written === 0) return;
    this.#written = 0;
    const files: { path: string; bytes: number; at: number }[] = [];
    for await (const { name } of Deno.readDir(this.#folder)) {
      if (!/^[0-9a-f]{64}(\.[0-9a-f]{8}\.new)?$/.test(name)) continue;
      const path = `${this.#folder}/${name}`;
      const { size, mtime } = await Deno.stat(path);
      if (size < SMALL_BYTES) continue;
      files.push({ path, bytes: size, at: mtime?.getTime() ?? 0 });
    }
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    for (const file of files.sort((a, b) => a.at - b.at)) {
      if (bytes <= this.#mostBytes) return;
      bytes -= file.bytes;
      await Deno.remove(file.path);
    }
  }

  #path(key: string): string {
    return `${this.#folder}/${toHex(sha256(key))}`;
  }
}
