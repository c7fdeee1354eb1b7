/**
 * What the recipe of a tree costs, and what the next one costs when the tree has changed: the real recipe writer and page
 * table, fed with headers and ids that are made up, so that 100,000 entries take a second. Bytes are those of meta bricks: new chunks
 * packed into blocks and compressed, and for each of them its record in the toc and in the ledger.
 */
import { createHash } from "node:crypto";
import { BLOCK_RAW_BYTES, CHUNK_RECORD_BYTES, packBlock, TAG_BYTES } from "../../lib/brick/mod.ts";
import { encodePageRef, type PutChunk, RecipeWriter, StreamWriter } from "../../lib/snapshot/mod.ts";
import { makeHeader } from "../../lib/tar/mod.ts";
import { cut, join } from "../snapshot/chunks.ts";
import { chance } from "./random.ts";

/** An entry of a made-up tree. */
export interface Item {
  readonly name: string;
  readonly type: "-" | "d" | "l";
  readonly size: number;
  readonly mtime: number;
  /** Which content it is; another number is another content of the same length. */
  readonly version: number;
}

const SMALL_BYTES = 512;
const CHUNK_BYTES = 256 * 1024;
const ZEROS = new Uint8Array(512);
const WORDS = "lib share python include linux driver test model index core module config locale docs image data".split(
  " ",
);

/** A tree of `count` entries like those of a system: folders of some twenty files, most of one chunk, times in clusters. */
export function makeTree(count: number, seed: number): Item[] {
  const random = chance(seed);
  const word = () => WORDS[random(WORDS.length)]!;
  const items: Item[] = [];
  let folder = "";
  let installed = 0;
  for (let i = 0; i < count; i++) {
    const kind = random(100);
    if (i === 0 || kind < 5) {
      folder = `usr/${word()}/${word()}-${random(1000)}/${word()}${i}/`;
      installed = 1_600_000_000 + random(100_000_000);
      items.push({ name: folder, type: "d", size: 0, mtime: installed, version: 0 });
      continue;
    }
    const name = `${folder}${word()}_${random(100_000)}.${word().slice(0, 3)}`;
    const size = kind < 12 ? 0 : kind < 30 ? 1 + random(511) : Math.floor(600 * 2 ** (random(1000) / 100));
    const mtime = installed + random(60);
    items.push({ name, type: kind < 12 ? "l" : "-", size, mtime, version: 0 });
  }
  return items;
}

/** A store of recipe chunks that counts what comes new into it. */
export class RecipeStore {
  readonly #known: Set<string>;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #stored = 0;

  /** Knows what another store knows already. */
  constructor(other?: RecipeStore) {
    this.#known = new Set(other === undefined ? [] : other.#known);
  }

  readonly #put: PutChunk = (kind, bytes) => {
    const id = hash(bytes);
    const name = kind + String.fromCharCode(...id);
    if (kind === "D" || this.#known.has(name)) return id;
    this.#known.add(name);
    this.#stored += 2 * CHUNK_RECORD_BYTES;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes >= BLOCK_RAW_BYTES.M) this.#pack();
    return id;
  };

  #pack(): void {
    if (this.#waitingBytes > 0) this.#stored += packBlock(join(this.#waiting), 3).length + TAG_BYTES;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** Stores the recipe of a tree; how many bytes that took. */
  add(items: Iterable<Item>): number {
    this.#stored = 0;
    const table = new StreamWriter(this.#put, cut);
    const recipe = new RecipeWriter({ put: this.#put, cut, onPage: (page) => table.write(encodePageRef(page)) });
    for (const item of items) give(item, recipe);
    recipe.finish();
    table.root();
    this.#pack();
    return this.#stored;
  }
}

/** What the pipeline says of an entry. */
interface Parts {
  readonly header: Uint8Array;
  readonly nameHash: number;
  readonly small: Uint8Array | undefined;
  readonly chunks: { readonly id: Uint8Array; readonly length: number }[];
}

/** Trees share what has not changed, so it is made once. */
const made = new WeakMap<Item, Parts>();

function partsOf(item: Item): Parts {
  const { name, type, size, mtime, version } = item;
  const encoded = new TextEncoder().encode(name);
  const small = size > 0 && size < SMALL_BYTES ? new Uint8Array(size).fill(version) : undefined;
  const chunks: { id: Uint8Array; length: number }[] = [];
  for (let at = 0; size >= SMALL_BYTES && at < size; at += CHUNK_BYTES) {
    chunks.push({ id: hash(`${name} ${version} ${at}`), length: Math.min(CHUNK_BYTES, size - at) });
  }
  return { header: makeHeader({ name: encoded, type, size, mtime }), nameHash: hash(encoded)[0]!, small, chunks };
}

function give(item: Item, recipe: RecipeWriter): void {
  const parts = made.get(item) ?? partsOf(item);
  made.set(item, parts);
  recipe.raw(parts.header, true);
  recipe.entry(parts.nameHash);
  if (parts.small !== undefined) recipe.small(parts.small);
  for (const { id, length } of parts.chunks) recipe.chunk(id, length);
  if (item.size > 0) recipe.bodyEnd();
  if (item.size % 512 > 0) recipe.raw(ZEROS.subarray(item.size % 512), false);
}

function hash(content: string | Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(content).digest());
}
