/**
 * Reading bricks: where a chunk is, the bytes of a block, the key of a brick. Tocs come from the catalogue, so the brick
 * itself is touched only for its header and for the blocks that are wanted.
 */
import { type BrickHeader, type BrickKind, type TocBlock, tocBlocks } from "../brick/mod.ts";
import { DamageError, toHex, unwrapKey, WrongKeyError } from "../crypto/mod.ts";
import { readHeader, readRange } from "./brick_files.ts";
import { FrameReader } from "./frame_reader.ts";
import type { Repository } from "./repository.ts";

/** Bricks whose tocs are kept at hand. */
const KEPT_BRICKS = 48;

interface OpenedBrick {
  name: string;
  kind: BrickKind;
  domain: string;
  blocks: TocBlock[];
  chunks: Uint8Array;
  /** Number of each chunk by id; made when a chunk is not the one behind the last. */
  numbers?: Map<string, number>;
  lastNumber: number;
  serial: number;
  /** Nothing speaks against it: a chunk found here need not be looked for elsewhere. */
  usable: boolean;
}

/** Where a chunk is, as readers of blocks want it. */
export interface ChunkPlace {
  brick: string;
  block: number;
  index: number;
  offset: number;
  length: number;
  blockBytes: number;
}

/** The key of a brick's blocks as the threads that open them take it. */
interface BrickKey {
  serial: number;
  key: Uint8Array<ArrayBuffer>;
  hm: Uint8Array<ArrayBuffer>;
}

/** Threads remember keys by serial, whichever source made them: so no two bricks of a process share one. */
let serials = 0;

/** Headers and keys that are kept at hand. */
const KEPT_KEYS = 256;

/** What is kept under `name`, made when it is asked for first; a failure is not kept. */
function once<T>(kept: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const known = kept.get(name);
  if (known !== undefined) return known;
  const made = make();
  kept.set(name, made);
  made.catch(() => kept.delete(name));
  if (kept.size > KEPT_KEYS) kept.delete(kept.keys().next().value!);
  return made;
}

/** Reads the bricks of one domain: the source of a block reader (see pipeline). */
export class BrickSource {
  readonly #repository: Repository;
  readonly #domain: string;
  readonly #opened = new Map<number, OpenedBrick>();
  readonly #numbers = new Map<string, number>();
  readonly #last: Partial<Record<BrickKind, OpenedBrick>> = {};
  readonly #headers = new Map<string, Promise<BrickHeader>>();
  readonly #keys = new Map<string, Promise<BrickKey>>();
  readonly #frames: Record<BrickKind, FrameReader> = { D: new FrameReader(), M: new FrameReader() };

  constructor(repository: Repository, domain: string) {
    this.#repository = repository;
    this.#domain = domain;
  }

  /**
   * The place of a chunk to try first. Mostly it is the one behind the last, since a stream meets chunks as they were
   * stored, or the next but one, when somebody reads only the heads of pages.
   */
  place(kind: BrickKind, id: Uint8Array): ChunkPlace | undefined {
    const last = this.#last[kind];
    if (last?.usable) {
      for (let next = last.lastNumber + 1; next <= last.lastNumber + 2; next++) {
        if (!isChunk(last, next, id)) continue;
        last.lastNumber = next;
        return placeOf(last, next);
      }
    }
    const [number] = this.#repository.catalog.candidates(kind, this.#domain, id);
    if (number === undefined) return undefined;
    const brick = this.#last[kind] = this.#brick(number);
    const chunk = chunkNumber(brick, id);
    return chunk === undefined ? undefined : placeOf(brick, chunk);
  }

  /** All places of a chunk, the oldest intact one first. */
  places(kind: BrickKind, id: Uint8Array): ChunkPlace[] {
    const numbers = this.#repository.catalog.candidates(kind, this.#domain, id);
    return numbers.flatMap((number) => {
      const brick = this.#brick(number);
      const chunk = chunkNumber(brick, id);
      return chunk === undefined ? [] : [placeOf(brick, chunk)];
    });
  }

  shape(name: string, block: number) {
    const brick = this.#byName(name);
    const { rawLength, firstChunk, chunks } = brick.blocks[block]!;
    return { rawLength, records: new Uint8Array(brick.chunks.slice(firstChunk * 36, (firstChunk + chunks) * 36)) };
  }

  /** The sealed bytes of a block. */
  async frame(name: string, block: number): Promise<Uint8Array<ArrayBuffer>> {
    const { kind, blocks } = this.#byName(name);
    const headerBytes = (await this.#header(name)).bytes.length;
    const read = (range: { from: number; length: number }) => readRange(this.#repository, { kind, name }, range);
    const bytes = await this.#frames[kind].frame(block, { name, blocks, headerBytes, read });
    if (bytes.length !== blocks[block]!.sealedLength) {
      throw new DamageError(
        `Cannot read block ${block} of brick ${name}: the file ends before it. Run "tarzan verify --bricks"`,
      );
    }
    return bytes;
  }

  /** The key of a brick's blocks; needs an identity for its kind. */
  key(name: string): Promise<BrickKey> {
    return once(this.#keys, name, () => this.#unwrap(name));
  }

  #header(name: string): Promise<BrickHeader> {
    const { kind, domain } = this.#byName(name);
    return once(this.#headers, name, () => readHeader(this.#repository, { kind, name, domain }));
  }

  async idKey(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const { kind, domain } = this.#byName(name);
    const { keyring } = this.#repository;
    return kind === "M" ? (await keyring.shapeKeys(domain)).metaId : (await keyring.bodyKeys(domain)).dataId;
  }

  async #unwrap(name: string): Promise<BrickKey> {
    const { kind, serial } = this.#byName(name);
    const { keyring } = this.#repository;
    const identity = kind === "M" ? await keyring.metaIdentity() : await keyring.dataIdentity();
    if (identity === undefined) {
      const what = kind === "M" ? "recipes" : "contents";
      throw new WrongKeyError(
        `This key has the role "${keyring.role}" and cannot read ${what}. Use a key of a role that may`,
      );
    }
    const header = await this.#header(name);
    return { serial, key: await unwrapKey(header.ageFile, identity, `the key of brick ${name}`), hm: header.hm };
  }

  #byName(name: string): OpenedBrick {
    const known = this.#numbers.get(name);
    if (known !== undefined) return this.#brick(known);
    const row = this.#repository.catalog.brickByName(name, { domain: this.#domain });
    if (row === undefined) throw new DamageError(`Brick ${name} is in no ledger that was read. Run "tarzan rebuild"`);
    return this.#brick(row.number);
  }

  #brick(number: number): OpenedBrick {
    const known = this.#opened.get(number);
    if (known !== undefined) {
      if (this.#opened.size > 1) {
        this.#opened.delete(number);
        this.#opened.set(number, known);
      }
      return known;
    }
    const { name, kind, domain, blocks, chunks, excluded } = this.#repository.catalog.brick(number)!;
    const { absent, condemned, gone, damaged } = excluded;
    const usable = !absent && !condemned && !gone && damaged.length === 0;
    const opened = {
      usable,
      name,
      kind,
      domain,
      blocks: tocBlocks({ blocks }),
      chunks,
      lastNumber: -1,
      serial: serials++,
    };
    this.#opened.set(number, opened);
    this.#numbers.set(name, number);
    if (this.#opened.size > KEPT_BRICKS) this.#opened.delete(this.#opened.keys().next().value!);
    return opened;
  }
}

function chunkNumber(brick: OpenedBrick, id: Uint8Array): number | undefined {
  const next = brick.lastNumber + 1;
  if (isChunk(brick, next, id)) return brick.lastNumber = next;
  brick.numbers ??= numberChunks(brick.chunks);
  const number = brick.numbers.get(toHex(id));
  if (number !== undefined) brick.lastNumber = number;
  return number;
}

function isChunk({ chunks }: OpenedBrick, number: number, id: Uint8Array): boolean {
  const at = number * 36;
  if (at >= chunks.length) return false;
  for (let i = 0; i < 32; i++) if (chunks[at + i] !== id[i]) return false;
  return true;
}

function numberChunks(chunks: Uint8Array): Map<string, number> {
  const numbers = new Map<string, number>();
  for (let i = chunks.length / 36 - 1; i >= 0; i--) numbers.set(toHex(chunks.subarray(i * 36, i * 36 + 32)), i);
  return numbers;
}

function placeOf(brick: OpenedBrick, chunk: number): ChunkPlace {
  let low = 0;
  for (let high = brick.blocks.length - 1; low < high;) {
    const middle = (low + high + 1) >> 1;
    if (brick.blocks[middle]!.firstChunk <= chunk) low = middle;
    else high = middle - 1;
  }
  const block = brick.blocks[low]!;
  const view = new DataView(brick.chunks.buffer, brick.chunks.byteOffset);
  const length = (number: number) => view.getUint32(number * 36 + 32, true);
  let offset = 0;
  for (let i = block.firstChunk; i < chunk; i++) offset += length(i);
  return {
    brick: brick.name,
    block: low,
    index: chunk - block.firstChunk,
    offset,
    length: length(chunk),
    blockBytes: block.rawLength,
  };
}
