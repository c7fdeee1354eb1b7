/**
 * Sealed blocks out of bricks. Whoever reads one block after the other gets many with one request: that saves most of the
 * calls to a disk, and most of the requests to a bucket. Whoever jumps about reads only what is asked for.
 */
import type { TocBlock } from "../brick/mod.ts";
import { free } from "../crypto/mod.ts";

/** Bytes that one request asks for at most, if that is more than one block. */
const AHEAD_BYTES = 2 * 1024 * 1024;

type ReadRange = (range: { from: number; length: number }) => Promise<Uint8Array<ArrayBuffer>>;

/** Blocks that were asked for together. */
interface Ahead {
  brick: string;
  first: number;
  last: number;
  /** Where the first one begins, counted from the end of the header. */
  offset: number;
  /** Undefined when it was one block alone, which went to whoever asked. */
  bytes: Promise<Uint8Array<ArrayBuffer>> | undefined;
}

/** Where the blocks of a brick are, and how to read them. */
export interface BrickFrames {
  name: string;
  blocks: readonly TocBlock[];
  headerBytes: number;
  read: ReadRange;
}

/** Reads the blocks of bricks of one kind. */
export class FrameReader {
  #ahead: Ahead | undefined;

  /** The sealed bytes of a block, for the caller alone; fewer where the file ends before. */
  async frame(block: number, brick: BrickFrames): Promise<Uint8Array<ArrayBuffer>> {
    const ahead = this.#reading(block, brick);
    const bytes = await ahead?.bytes;
    // Another caller may have taken the last of them while this one waited.
    if (ahead?.bytes === undefined || bytes === undefined) return await readBlocks(brick, block, block);
    const { offset, sealedLength } = brick.blocks[block]!;
    const from = offset - ahead.offset;
    const frame = bytes.slice(from, from + sealedLength);
    if (block === ahead.last) {
      ahead.bytes = undefined;
      free(bytes);
    }
    return frame;
  }

  /** The request that brings this block together with others, if there is one or should be. */
  #reading(block: number, brick: BrickFrames): Ahead | undefined {
    const { name, blocks } = brick;
    const known = this.#ahead?.brick === name ? this.#ahead : undefined;
    if (known !== undefined && block >= known.first && block <= known.last) return known;
    const last = known !== undefined && block === known.last + 1 ? lastWithin(blocks, block) : block;
    const bytes = last === block ? undefined : readBlocks(brick, block, last);
    const ahead = this.#ahead = { brick: name, first: block, last, offset: blocks[block]!.offset, bytes };
    bytes?.catch(() => {
      if (this.#ahead === ahead) this.#ahead = undefined;
    });
    return ahead;
  }
}

function readBlocks({ blocks, headerBytes, read }: BrickFrames, first: number, last: number) {
  const from = blocks[first]!.offset;
  return read({ from: headerBytes + from, length: blocks[last]!.offset + blocks[last]!.sealedLength - from });
}

function lastWithin(blocks: readonly TocBlock[], first: number): number {
  const end = blocks[first]!.offset + AHEAD_BYTES;
  let last = first;
  while (last + 1 < blocks.length && blocks[last + 1]!.offset + blocks[last + 1]!.sealedLength <= end) last++;
  return last;
}
