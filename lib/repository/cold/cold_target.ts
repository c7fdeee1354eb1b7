/**
 * Where data bricks go when the repository is in a bucket and their place is cold storage: not through the bucket, which would
 * mean to send, fetch and send again. A brick is finished in a folder of this machine and sent from there; it counts as
 * stored when cold storage has confirmed it. Small ones go into the bucket after all, to gather there.
 *
 * The folder holds no more than the bricks under way. What a dead run left in it, its journal tells of.
 */
import type { BrickRecord } from "../../brick/mod.ts";
import { NotFoundError, type Staged, type Store } from "../../store/mod.ts";
import { brickObject, parseBrickObject } from "../names.ts";
import type { BrickTarget } from "../brick_filler.ts";
import type { ColdUploader } from "./cold_uploader.ts";
import { hashOf } from "./hash_of.ts";
import type { LoneBrick } from "./unplaced.ts";

const STEP_BYTES = 8 * 1024 * 1024;

export interface ColdTargetOptions {
  /** The repository's own store. */
  hot: Store;
  /** A store on this machine. */
  outbox: Store;
  uploader: ColdUploader;
  /** Bricks from this size on go to cold storage. */
  aloneBytes: number;
  /** Bricks that may be under way at once. */
  parallel: number;
}

/** Takes finished data bricks. */
export class ColdTarget implements BrickTarget {
  readonly commitsAtOnce: number;
  readonly #options: ColdTargetOptions;
  /** What is known of bricks that are about to be committed. */
  readonly #whole = new Map<string, LoneBrick>();

  constructor(options: ColdTargetOptions) {
    this.#options = options;
    this.commitsAtOnce = options.parallel;
  }

  /** A brick is whole and will be committed: a vault needs its tree hash. */
  expect({ name, bytes, treeHash, kind }: Pick<BrickRecord, "name" | "bytes" | "treeHash" | "kind">): void {
    if (kind === "D") this.#whole.set(name, { name, bytes, treeHash });
  }

  async stage(): Promise<Staged> {
    const staged = await this.#options.outbox.stage();
    return {
      get written() {
        return staged.written;
      },
      write: (bytes) => staged.write(bytes),
      abort: () => staged.abort(),
      commit: async (object) => {
        await staged.commit(object);
        const name = parseBrickObject(object)!.name;
        await this.#forward(this.#whole.get(name)!);
        this.#whole.delete(name);
      },
    };
  }

  /** Sends on what dead runs left behind; what is not whole is removed, and stored anew where the input has it. */
  async recover(bricks: readonly BrickRecord[]): Promise<void> {
    const { outbox } = this.#options;
    for (const brick of bricks) {
      if (brick.kind !== "D") continue;
      const object = brickObject("D", brick.name);
      if (await outbox.head(object) === undefined) continue;
      if (await hashOf(outbox, object, brick.bytes) === brick.name) await this.#forward(brick);
      else await outbox.delete(object);
    }
  }

  async #forward(brick: LoneBrick): Promise<void> {
    const { outbox, uploader, aloneBytes } = this.#options;
    const { name, bytes, treeHash } = brick;
    const object = brickObject("D", name);
    if (bytes < aloneBytes) {
      await this.#toHot(object, bytes);
    } else {
      await uploader.add({
        ...{ name: object, bytes, sha256: name, treeHash },
        bricks: [{ name, kind: "D", offset: 0, bytes }],
        read: (range) => outbox.get(object, range),
      });
    }
    await outbox.delete(object);
  }

  async #toHot(object: string, bytes: number): Promise<void> {
    const { hot, outbox } = this.#options;
    const staged = await hot.stage();
    try {
      for (let from = 0; from < bytes; from += STEP_BYTES) {
        await staged.write(await outbox.get(object, { from, length: Math.min(STEP_BYTES, bytes - from) }));
      }
      await staged.commit(object);
    } catch (error) {
      await staged.abort();
      if (!(error instanceof NotFoundError)) throw error;
      throw new Error(`Cannot go on: ${object} was taken out of ${outbox.location}`, { cause: error });
    }
  }
}
