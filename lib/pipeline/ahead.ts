/** What waits to be written, in order: its blocks are open or being opened, so that those behind are read meanwhile. */
import { DamageError } from "../crypto/mod.ts";
import type { BlockReader, ChunkPlace, Lease } from "./block_reader.ts";
import type { Gather } from "./gather.ts";
import { Line } from "./line.ts";

/** The next bytes of a stream: here, or a part of a data chunk; `whole`: all of it, so that it must have this length. */
export type OutSegment = { bytes: Uint8Array } | ChunkSegment;
type ChunkSegment = { id: Uint8Array; from: number; length: number; whole: boolean };

/** What waits keeps this much of opened blocks (and of bytes of recipes) in memory. */
const AHEAD_BYTES = 12 * 1024 * 1024;
/** A part costs this beside its block, so that a run of chunks of one, as in an empty disk, does not wait without end. */
const PART_COST_BYTES = 1024;

/** A block of which parts wait: leased once for all of them. */
interface WaitingBlock {
  brick: string;
  block: number;
  bytes: number;
  lease: Lease;
  parts: number;
}

export class Ahead {
  readonly #reader: BlockReader;
  readonly #gather: Gather;
  readonly #line = new Line();
  #bytes = 0;
  /** By brick and number: a block is in memory once, whatever comes between its parts. */
  readonly #numbers = new Map<string, Map<number, number>>();
  /** By the number that it has in the line. */
  readonly #blocks = new Map<number, WaitingBlock>();
  #nextNumber = 0;

  constructor(reader: BlockReader, gather: Gather) {
    this.#reader = reader;
    this.#gather = gather;
  }

  get isFull(): boolean {
    return this.#bytes > AHEAD_BYTES && !this.#line.isEmpty;
  }

  /** Throws where a segment cannot be had, which changes nothing for those before it. */
  add(segment: OutSegment): void {
    if ("bytes" in segment) {
      this.#line.addBytes(segment.bytes);
      this.#bytes += segment.bytes.length;
    } else {
      this.#addPart(segment);
    }
  }

  #addPart(segment: ChunkSegment): void {
    const place = this.#reader.place("D", segment.id);
    checkWanted(segment, place);
    const block = this.#block(place);
    this.#blocks.get(block)!.parts++;
    const { from, length } = segment;
    this.#line.addPart({ block, index: place.index, offset: place.offset + from, from, length });
    this.#bytes += PART_COST_BYTES;
  }

  #block({ brick, block, blockBytes }: ChunkPlace): number {
    let numbers = this.#numbers.get(brick);
    if (numbers === undefined) this.#numbers.set(brick, numbers = new Map());
    const known = numbers.get(block);
    if (known !== undefined) return known;
    const number = this.#nextNumber++;
    const lease = this.#reader.lease(brick, block);
    numbers.set(block, number);
    this.#blocks.set(number, { brick, block, bytes: blockBytes, lease, parts: 0 });
    this.#bytes += blockBytes;
    return number;
  }

  /** Writes what is here already, or waits for the next and writes that. */
  async writeSome(): Promise<void> {
    if (!this.#writeReady()) await this.#writeNext();
    while (this.isFull && this.#writeReady());
  }

  /** Writes the next if that takes no waiting. A turn of waiting for each small file would be half of the work. */
  #writeReady(): boolean {
    if (this.#line.length > this.#gather.room) return false;
    const bytes = this.#line.bytes() ?? this.#readyPart();
    if (bytes === undefined) return false;
    this.#gather.take(bytes);
    this.#done();
    return true;
  }

  #readyPart(): Uint8Array | undefined {
    const { block, offset, length } = this.#line.part();
    const opened = this.#blocks.get(block)!.lease.ready();
    // What is damaged may be intact elsewhere, which takes waiting.
    if (opened === undefined || opened.damaged.length > 0) return undefined;
    return opened.raw.subarray(offset, offset + length);
  }

  async #writeNext(): Promise<void> {
    let rest = this.#gather.take(this.#line.bytes() ?? await this.#partOrAllBefore());
    while (rest.length > 0) {
      await this.#gather.flush();
      rest = this.#gather.take(rest);
    }
    this.#done();
  }

  /** Where the next part cannot be had, what stands before it is written first. */
  async #partOrAllBefore(): Promise<Uint8Array> {
    try {
      return await this.#part();
    } catch (error) {
      await this.#gather.finish();
      throw error;
    }
  }

  async #part(): Promise<Uint8Array> {
    const { block: number, index, offset, from, length } = this.#line.part();
    const { brick, block, lease } = this.#blocks.get(number)!;
    const opened = await lease.opened.catch(() => undefined);
    if (opened !== undefined && !opened.damaged.includes(index)) return opened.raw.subarray(offset, offset + length);
    // Another copy of the chunk may be intact; `chunk` tries them all and says what is wrong when none is.
    const chunk = await this.#reader.chunk("D", this.#reader.idOf(brick, block, index));
    return chunk.subarray(from, from + length);
  }

  async finish(): Promise<number> {
    while (!this.#line.isEmpty) await this.writeSome();
    await this.#gather.finish();
    return this.#gather.total;
  }

  /** Gives back the blocks of what was not written. */
  release(): void {
    for (const { lease } of this.#blocks.values()) lease.release();
    this.#blocks.clear();
  }

  /** The first one is written. */
  #done(): void {
    if (this.#line.isBytes) this.#bytes -= this.#line.length;
    else this.#leave(this.#line.part().block);
    this.#line.shift();
  }

  #leave(number: number): void {
    this.#bytes -= PART_COST_BYTES;
    const waiting = this.#blocks.get(number)!;
    if (--waiting.parts > 0) return;
    const { brick, block, bytes, lease } = waiting;
    lease.release();
    this.#bytes -= bytes;
    this.#blocks.delete(number);
    const numbers = this.#numbers.get(brick)!;
    numbers.delete(block);
    if (numbers.size === 0) this.#numbers.delete(brick);
  }
}

/** A recipe that asks for other bytes than there are would give a stream of another length, silently. */
function checkWanted({ from, length, whole }: ChunkSegment, place: ChunkPlace): void {
  const wanted = from + length;
  if (whole ? wanted === place.length : wanted <= place.length) return;
  throw new DamageError(
    `A recipe asks for ${wanted} bytes of a chunk of ${place.length} bytes (block ${place.block} of brick ` +
      `${place.brick}). Run "tarzan verify --data" to see which snapshots that touches`,
  );
}
