/**
 * Fills bricks of one kind, one after the other: header, sealed blocks in order, and at the end padding, toc and trailer.
 *
 * When a brick is closed must not depend on how fast threads are, or two runs over the same input would differ. So the
 * sealed lengths of the last WINDOW blocks do not count as known: they count with the most that they can be.
 */
import {
  beginBrick,
  type BrickKeys,
  type BrickKind,
  type BrickRecord,
  finishBrick,
  LIMITS,
  MIB,
  MOST_CHUNKS,
  type NewBrick,
  sealedBlockBytes,
  TAG_BYTES,
  TocBuilder,
  tocFrameBytes,
  TRAILER_BYTES,
} from "../brick/mod.ts";
import { beginSha256, fromHex, type Sha256, toHex } from "../crypto/mod.ts";
import { TreeHasher } from "../glacier/mod.ts";
import type { Staged, Store } from "../store/mod.ts";
import { brickObject } from "./names.ts";

/** Blocks that may be under way at once; a run with more threads waits for the oldest. */
const WINDOW = 16;

/** Where finished bricks go: a store, or something that hands them on. */
export interface BrickTarget extends Pick<Store, "stage" | "commitsAtOnce"> {
  /** Hears of a brick before it is committed. */
  expect?(brick: BrickRecord): void;
}

export interface FillerOptions {
  store: BrickTarget;
  kind: BrickKind;
  domain: string;
  keys: BrickKeys;
  recipient: string;
  targetBytes: number;
  /** Called when a brick is whole, before it gets its name in the store. */
  onWhole?: (brick: BrickRecord) => Promise<void>;
  /** Called when a brick is in the store, in order. */
  onBrick: (brick: BrickRecord) => void;
  random?: (length: number) => Uint8Array;
  onSeal?: (key: string, number: number) => void;
}

interface OpenBrick extends NewBrick {
  serial: number;
  staged: Staged;
  toc: TocBuilder;
  sha256: Sha256;
  treeHash: TreeHasher;
  /** Raw and sealed lengths of the blocks that were placed and appended. */
  raw: number[];
  sealed: number[];
  chunks: number;
  appended?: () => void;
}

let serials = 0;

/** A block sink (see pipeline) that writes bricks into a store. */
export class BrickFiller {
  readonly #options: FillerOptions;
  #brick: OpenBrick | undefined;
  /** Bricks that are being stored, oldest first; each is over only when those before it are. */
  #closing: Promise<void>[] = [];
  #failure: Error | undefined;
  /** Chunks in bricks that are in the store. */
  storedChunks = 0;

  constructor(options: FillerOptions) {
    this.#options = options;
  }

  /** The brick and number of the next block. Closes the brick before it when that is full. */
  async place(
    rawLength: number,
    chunks: number,
  ): Promise<{ key: { serial: number; key: Uint8Array<ArrayBuffer>; hm: Uint8Array<ArrayBuffer> }; number: number }> {
    if (this.#brick !== undefined) await this.#appended(this.#brick, this.#brick.raw.length - WINDOW);
    if (this.#brick !== undefined && this.#isFull(this.#brick, rawLength, chunks)) await this.#close();
    const brick = this.#brick ??= await this.#begin();
    brick.chunks += chunks;
    const number = brick.raw.push(rawLength) - 1;
    return { key: { serial: brick.serial, key: brick.key, hm: brick.header.hm }, number };
  }

  /** The next sealed block, in the order of `place`. */
  async append(block: { sealed: Uint8Array; rawLength: number; records: Uint8Array }): Promise<void> {
    const brick = this.#brick!;
    brick.toc.add(block.sealed.length, block.rawLength, block.records);
    await this.#write(brick, block.sealed);
    brick.sealed.push(block.sealed.length);
    brick.appended?.();
  }

  /** No more blocks come, for this reason. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#brick?.appended?.();
  }

  /** Closes the brick that is being filled, if any, and waits until all are in the store. Append everything before. */
  async finish(): Promise<void> {
    if (this.#brick !== undefined) await this.#close();
    await Promise.all(this.#closing);
  }

  /** Gives up what is not whole yet; bricks that are on their way into the store get there first. */
  async abort(): Promise<void> {
    await Promise.allSettled(this.#closing);
    await this.#brick?.staged.abort();
  }

  #isFull(brick: OpenBrick, rawLength: number, chunks: number): boolean {
    const known = Math.max(0, brick.raw.length - WINDOW);
    let bytes = brick.header.bytes.length + sealedBlockBytes(rawLength);
    for (let i = 0; i < brick.raw.length; i++) bytes += i < known ? brick.sealed[i]! : sealedBlockBytes(brick.raw[i]!);
    bytes += TAG_BYTES + tocFrameBytes(brick.raw.length + 1, brick.chunks + chunks) + TRAILER_BYTES;
    // The size is rounded up by less than a MiB.
    return bytes > this.#options.targetBytes - MIB || brick.chunks + chunks > MOST_CHUNKS ||
      brick.raw.length === LIMITS.blocks;
  }

  async #begin(): Promise<OpenBrick> {
    const { kind, domain, keys, recipient, random, store } = this.#options;
    const options = { domain: fromHex(domain), keys, recipient };
    const brick: OpenBrick = {
      ...await beginBrick(kind, random === undefined ? options : { ...options, random }),
      serial: serials++,
      staged: await store.stage(),
      toc: new TocBuilder(),
      sha256: beginSha256(),
      treeHash: new TreeHasher(),
      raw: [],
      sealed: [],
      chunks: 0,
    };
    await this.#write(brick, brick.header.bytes);
    return brick;
  }

  async #write(brick: OpenBrick, bytes: Uint8Array): Promise<void> {
    brick.sha256.update(bytes);
    brick.treeHash.update(bytes);
    await brick.staged.write(bytes);
  }

  /** Ends the brick; storing it goes on beside the next ones, as many at a time as the store wants. */
  async #close(): Promise<void> {
    const brick = this.#brick!;
    await this.#appended(brick, brick.raw.length);
    while (this.#closing.length >= (this.#options.store.commitsAtOnce ?? 1)) await this.#closing[0];
    this.#brick = undefined;
    const closing = this.#store(brick, this.#closing.at(-1)).then(() => void this.#closing.shift());
    closing.catch(() => {});
    this.#closing.push(closing);
  }

  /** Waits until so many blocks were appended. */
  async #appended(brick: OpenBrick, count: number): Promise<void> {
    while (brick.sealed.length < count) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => brick.appended = resolve);
    }
  }

  /** Stores a brick; what is said of it is said after what is said of the one before. */
  async #store(brick: OpenBrick, before: Promise<void> | undefined): Promise<void> {
    const { keys, kind, onWhole, onBrick, onSeal } = this.#options;
    const toc = brick.toc.toc();
    const blockBytes = brick.sealed.reduce((sum, bytes) => sum + bytes, 0);
    const options = { keys, toc, blockBytes };
    await this.#write(brick, await finishBrick(brick.header, onSeal === undefined ? options : { ...options, onSeal }));
    const name = toHex(brick.sha256.digest());
    const treeHash = toHex(brick.treeHash.digest());
    const record = { name, kind, bytes: brick.staged.written, treeHash, toc };
    this.#options.store.expect?.(record);
    await onWhole?.(record);
    await brick.staged.commit(brickObject(kind, name));
    await before;
    onBrick(record);
    // Only now: whoever counts on these chunks must find their brick among those to be published.
    this.storedChunks += brick.chunks;
  }
}
