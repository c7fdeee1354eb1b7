/**
 * Reading bricks: where a chunk is, the bytes of a block, the key of a brick. Tocs come from the catalogue, so the brick
 * itself is touched only for its header and for the blocks that are wanted.
 */
import type { BrickHeader, BrickKind } from "../brick/mod.ts";
import { DamageError, unwrapKey, WrongKeyError } from "../crypto/mod.ts";
import { readHeader, readRange } from "./brick_files.ts";
import { FrameReader } from "./frame_reader.ts";
import { type ChunkPlace, OpenedBrick } from "./opened_brick.ts";
import type { Repository } from "./repository.ts";

/** So many chunks of bricks are kept at hand, at 60 bytes each; the last two bricks always. */
const KEPT_CHUNKS = 200_000;

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
  #keptChunks = 0;
  readonly #numbers = new Map<string, number>();
  readonly #last: Partial<Record<BrickKind, OpenedBrick>> = {};
  readonly #headers = new Map<string, Promise<BrickHeader>>();
  readonly #keys = new Map<string, Promise<BrickKey>>();
  readonly #frames: Record<BrickKind, FrameReader> = { D: new FrameReader(), M: new FrameReader() };

  constructor(repository: Repository, domain: string) {
    this.#repository = repository;
    this.#domain = domain;
  }

  /** The place of a chunk to try first. Mostly it is in the brick of the last one, so that no database is asked. */
  place(kind: BrickKind, id: Uint8Array): ChunkPlace | undefined {
    const last = this.#last[kind];
    const nearby = last?.usable ? last.find(id) : undefined;
    if (nearby !== undefined) return nearby;
    const [number] = this.#repository.catalog.candidates(kind, this.#domain, id);
    if (number === undefined) return undefined;
    const brick = this.#last[kind] = this.#brick(number);
    return brick.find(id);
  }

  /** All places of a chunk, the oldest intact one first. */
  places(kind: BrickKind, id: Uint8Array): ChunkPlace[] {
    const numbers = this.#repository.catalog.candidates(kind, this.#domain, id);
    return numbers.flatMap((number) => this.#brick(number).find(id) ?? []);
  }

  shape(name: string, block: number) {
    const brick = this.#byName(name);
    return { rawLength: brick.blocks[block]!.rawLength, records: brick.records(block) };
  }

  /** The sealed bytes of a block. */
  async frame(name: string, block: number): Promise<Uint8Array<ArrayBuffer>> {
    const { kind, blocks, domain } = this.#byName(name);
    const headerBytes = (await this.#header(name)).bytes.length;
    const brick = { kind, name, domain };
    const read = (range: { from: number; length: number }) => readRange(this.#repository, brick, range);
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
    const brick = this.#repository.catalog.brick(number)!;
    const { absent, condemned, gone, damaged } = brick.excluded;
    const usable = !absent && !condemned && !gone && damaged.length === 0;
    const opened = new OpenedBrick(brick, { serial: serials++, usable });
    this.#opened.set(number, opened);
    this.#numbers.set(opened.name, number);
    this.#keptChunks += opened.chunkCount;
    for (const [oldest, { chunkCount }] of this.#opened) {
      if (this.#keptChunks <= KEPT_CHUNKS || this.#opened.size <= 2) break;
      this.#opened.delete(oldest);
      this.#keptChunks -= chunkCount;
    }
    return opened;
  }
}
