/** Which bricks a restore reads, how much of each, and in which order it comes to them: from recipes and tocs alone. */
import { tocBlocks } from "../brick/mod.ts";
import type { Catalog } from "../catalog/mod.ts";
import { DamageError } from "../crypto/mod.ts";
import type { BlockReader, OutSegment } from "../pipeline/mod.ts";

/** A data brick and what is read of it. */
export interface NeededBrick {
  readonly name: string;
  readonly bytes: number;
  /** Bytes of the ranges that are read: its header, and the blocks that are wanted. */
  readonly neededBytes: number;
  /** Requests that read them. */
  readonly reads: number;
  /** Numbers of the first and the last chunk that comes from it, counted along the restore. */
  readonly first: number;
  readonly last: number;
}

/** A reader asks for so much at once of what follows what it has just read (see lib/repository/frame_reader.ts). */
const AHEAD_BYTES = 2 * 1024 * 1024;
/** What is read to find the header of a brick. */
const HEADER_BYTES = 4096;

/** The bricks in the order in which the restore comes to them. Reads no body. */
export async function neededBricks(
  segments: AsyncIterable<readonly OutSegment[]>,
  { reader, catalog, domain, signal }: {
    reader: Pick<BlockReader, "place">;
    catalog: Catalog;
    domain: string;
    signal: AbortSignal;
  },
): Promise<NeededBrick[]> {
  const uses = new Map<string, Use>();
  let number = 0;
  let last: Use | undefined;
  for await (const run of segments) {
    for (const segment of run) {
      if ("bytes" in segment) continue;
      const { brick, block } = reader.place("D", segment.id);
      if (last?.brick !== brick) {
        last = uses.get(brick) ?? new Use(brick, number);
        uses.set(brick, last);
        signal.throwIfAborted();
      }
      last.add(block, number++);
    }
  }
  return [...uses.values()].map((use) => use.sum(catalog, domain));
}

/** The use that is made of one brick. */
class Use {
  readonly brick: string;
  readonly #first: number;
  #last = 0;
  /** A bit for each block. */
  #blocks = new Uint8Array(32);

  constructor(brick: string, first: number) {
    this.brick = brick;
    this.#first = first;
  }

  add(block: number, number: number): void {
    this.#last = number;
    const byte = block >> 3;
    if (byte >= this.#blocks.length) {
      const more = new Uint8Array(2 * byte + 1);
      more.set(this.#blocks);
      this.#blocks = more;
    }
    this.#blocks[byte]! |= 1 << (block & 7);
  }

  sum(catalog: Catalog, domain: string): NeededBrick {
    const row = catalog.brickByName(this.brick, { domain });
    if (row === undefined) {
      throw new DamageError(`Brick ${this.brick} is in no ledger that was read. Run "tarzan rebuild"`);
    }
    let [neededBytes, reads, follows] = [HEADER_BYTES, 1, 0];
    let inRun = false;
    for (const [i, { sealedLength }] of tocBlocks({ blocks: catalog.blocks(row.number) }).entries()) {
      const isUsed = ((this.#blocks[i >> 3] ?? 0) >> (i & 7) & 1) === 1;
      if (isUsed) neededBytes += sealedLength;
      // The first block of a run is read alone, the others together.
      if (isUsed && inRun) follows += sealedLength;
      if (isUsed && !inRun) reads++;
      if (!isUsed) [reads, follows] = [reads + Math.ceil(follows / AHEAD_BYTES), 0];
      inRun = isUsed;
    }
    reads += Math.ceil(follows / AHEAD_BYTES);
    const { name, bytes } = row;
    return { name, bytes, neededBytes: Math.min(neededBytes, bytes), reads, first: this.#first, last: this.#last };
  }
}
