import { RunFolder } from "./run_folder.ts";

/** Where a run keeps unfinished objects: a folder of its own in `tmp/`. What dead runs left there the next one removes. */
export class Spool {
  readonly #folder: RunFolder;
  #files = 0;

  private constructor(folder: RunFolder) {
    this.#folder = folder;
  }

  /** Removes what dead runs left in `tmp` (which must exist), then claims a folder there. */
  static async open(tmp: string): Promise<Spool> {
    for (const dead of await RunFolder.dead(tmp)) await dead.remove();
    return new Spool(await RunFolder.claim(tmp));
  }

  /** A new path for a temporary file, used by nobody. */
  nextPath(): string {
    return `${this.#folder.path}/${++this.#files}`;
  }

  /** Removes the folder with all that is in it. */
  async close(): Promise<void> {
    await this.#folder.remove();
  }
}
