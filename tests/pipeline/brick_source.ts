/** A source of blocks over bricks in memory, which counts what is asked of it and can be told to hold or spoil things. */
import { tocBlocks } from "../../lib/brick/mod.ts";
import { createIdHasher, DamageError, toHex, unwrapKey } from "../../lib/crypto/mod.ts";
import type { BlockKey, BlockSource, ChunkPlace } from "../../lib/pipeline/mod.ts";
import { DOMAIN, IDENTITY, KEYRING, openBrick, type OpenedBrick, writeBrick } from "../brick/bricks.ts";

const { dataId } = await KEYRING.bodyKeys(DOMAIN);
const hasher = await createIdHasher(dataId);
let serials = 1_000_000;

/** The id of a chunk in these bricks. */
export function idOf(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  return hasher.id(chunk);
}

interface HeldBrick extends OpenedBrick {
  bytes: Uint8Array<ArrayBuffer>;
  key: Promise<BlockKey>;
}

/** Bricks by name, in the order in which they are to be tried. */
export class MemorySource implements BlockSource {
  readonly #bricks = new Map<string, HeldBrick>();
  /** Frames that were asked for, as "brick block". */
  readonly asked: string[] = [];
  /** Called before a frame is handed out. */
  onFrame: (brick: string, block: number) => Promise<void> | void = () => {};

  /** Writes a brick of blocks of chunks, and changes its bytes afterwards. */
  async add(
    blocks: Uint8Array[][],
    spoil: (bytes: Uint8Array, brick: OpenedBrick) => void = () => {},
  ): Promise<string> {
    const { record, bytes } = await writeBrick(blocks);
    const opened = await openBrick(bytes);
    const key = unwrapKey(opened.header.ageFile, IDENTITY, "the key")
      .then((key) => ({ serial: serials++, key, hm: opened.header.hm }));
    spoil(bytes, opened);
    this.#bricks.set(record.name, { ...opened, bytes, key });
    return record.name;
  }

  /** Makes the toc of a brick name another id than its first chunk has. */
  lie(name: string): void {
    this.#bricks.get(name)!.toc.chunks[0]! ^= 1;
  }

  place(kind: "D" | "M", id: Uint8Array): ChunkPlace | undefined {
    return this.places(kind, id)[0];
  }

  places(_kind: "D" | "M", id: Uint8Array): ChunkPlace[] {
    return [...this.#bricks].flatMap(([brick, { toc }]) => {
      const view = new DataView(toc.chunks.buffer);
      return tocBlocks(toc).flatMap(({ firstChunk, chunks, rawLength }, block) => {
        let offset = 0;
        for (let index = 0; index < chunks; index++) {
          const at = (firstChunk + index) * 36;
          const length = view.getUint32(at + 32, true);
          if (toHex(toc.chunks.subarray(at, at + 32)) === toHex(id)) {
            return [{ brick, block, index, offset, length, blockBytes: rawLength }];
          }
          offset += length;
        }
        return [];
      });
    });
  }

  shape(brick: string, block: number) {
    const { toc, blocks } = this.#bricks.get(brick)!;
    const { rawLength, firstChunk, chunks } = blocks[block]!;
    return { rawLength, records: toc.chunks.slice(firstChunk * 36, (firstChunk + chunks) * 36) };
  }

  async frame(brick: string, block: number): Promise<Uint8Array<ArrayBuffer>> {
    this.asked.push(`${brick} ${block}`);
    await this.onFrame(brick, block);
    const held = this.#bricks.get(brick);
    if (held === undefined) throw new DamageError(`Brick ${brick} is missing`);
    const { from, to } = held.blocks[block]!;
    return held.bytes.slice(from, to);
  }

  key(brick: string): Promise<BlockKey> {
    return this.#bricks.get(brick)!.key;
  }

  idKey(): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.resolve(new Uint8Array(dataId));
  }
}
