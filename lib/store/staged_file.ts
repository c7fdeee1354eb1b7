import { writeWhole } from "./durable.ts";
import { writeFailure } from "./disk_errors.ts";
import type { Staged } from "./store.ts";

/** An object under way in a temporary file. `publish` gives the finished file its name, `drop` removes it. */
export class StagedFile implements Staged {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #publish: (path: string, name: string) => Promise<void>;
  readonly #drop: (path: string) => Promise<void>;
  #written = 0;
  #committed: string | undefined;
  #state: "filling" | "busy" | "spoilt" | "whole" | "over" = "filling";

  constructor(
    file: Deno.FsFile,
    path: string,
    end: { publish: (path: string, name: string) => Promise<void>; drop: (path: string) => Promise<void> },
  ) {
    this.#file = file;
    this.#path = path;
    this.#publish = end.publish;
    this.#drop = end.drop;
  }

  get written(): number {
    return this.#written;
  }

  /** A commit has brought all bytes to the disk, but not yet succeeded. */
  get isWhole(): boolean {
    return this.#state === "whole";
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#require("filling", "write to");
    this.#state = "busy";
    try {
      await writeWhole(this.#file, bytes);
      this.#written += bytes.length;
      this.#leave("filling");
    } catch (error) {
      this.#leave("spoilt");
      throw writeFailure(error, `write ${this.#path}`);
    }
  }

  async commit(name: string): Promise<void> {
    if (name === this.#committed) return;
    if (this.#state !== "whole") {
      this.#require("filling", "commit");
      this.#state = "busy";
      try {
        await this.#file.sync();
        this.#file.close();
        this.#leave("whole");
      } catch (error) {
        // After a failed fsync nobody knows what reached the disk, and a second one may lie (fsyncgate): start anew.
        this.#leave("spoilt");
        throw writeFailure(error, `write ${this.#path}`);
      }
    }
    this.#require("whole", "commit");
    await this.#publish(this.#path, name);
    this.#state = "over";
    this.#committed = name;
  }

  async abort(): Promise<void> {
    if (this.#state === "over") return;
    if (this.#state !== "whole") this.#file.close();
    this.#state = "over";
    await this.#drop(this.#path);
  }

  /** Ends a busy time, unless an abort came in between. */
  #leave(state: "filling" | "spoilt" | "whole"): void {
    if (this.#state === "busy") this.#state = state;
  }

  #require(state: "filling" | "whole", doing: string): void {
    if (this.#state === state) return;
    const why = {
      filling: "it is not whole yet",
      busy: "the call before has not finished",
      spoilt: "an earlier write failed; abort it and stage anew",
      whole: "it was given its bytes already",
      over: "it was committed or aborted",
    }[this.#state];
    throw new Error(`Cannot ${doing} the staged object ${this.#path}: ${why}`);
  }
}
