/**
 * How large should a page of a recipe be? Small pages re-store little when a few entries change, but each of them costs two
 * chunks and a record in the page table. This program takes real trees through the real splitter and recipe writer, changes
 * entries in the ways in which file systems change, and counts what would be stored anew.
 *
 *   deno run -A bench/pages.ts [--entries N] [TREE]
 *
 * Bytes are those of meta bricks: chunks packed into blocks of 128 KiB, zstd level 6, sealed, and for every chunk its record in
 * the toc and in the ledger. Small bodies live in data bricks and are counted apart.
 */
import { createHash } from "node:crypto";
import { BLOCK_RAW_BYTES, CHUNK_RECORD_BYTES, packBlock, TAG_BYTES } from "../lib/brick/mod.ts";
import { cutLengths, gearTable } from "../lib/chunker/mod.ts";
import { startWriter } from "../lib/pipeline/mod.ts";
import {
  type ChunkKind,
  encodePageRef,
  type PageRule,
  RecipeWriter,
  SMALL_BODY_BYTES,
  STREAM_SIZES,
  StreamWriter,
} from "../lib/snapshot/mod.ts";

/** What the splitter and the chunker said about one entry, in a form that can be changed and played again. */
interface Recorded {
  header: Uint8Array;
  hash: number;
  small: Uint8Array | undefined;
  chunks: { id: Uint8Array; length: number }[];
  padding: Uint8Array;
}

const RULES: Record<string, PageRule> = {
  "8 to 128, 5 bits": { leastEntries: 8, mostEntries: 128, mostHeadBytes: 256 * 1024, mask: 31 },
  "12 to 48, 2 bits": { leastEntries: 12, mostEntries: 48, mostHeadBytes: 256 * 1024, mask: 3 },
  "24 to 96, 3 bits": { leastEntries: 24, mostEntries: 96, mostHeadBytes: 256 * 1024, mask: 7 },
  "48 to 192, 4 bits": { leastEntries: 48, mostEntries: 192, mostHeadBytes: 256 * 1024, mask: 15 },
};

const FORMATS: Record<string, string[]> = {
  gnu: ["--format=gnu"],
  posix: ["--format=posix", "--pax-option=delete=atime,delete=ctime"],
  "posix with times": ["--format=posix"],
};

/** A repeatable stream of numbers below 1 (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let mixed = Math.imul(state ^ state >>> 15, 1 | state);
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, 61 | mixed) ^ mixed;
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32;
  };
}

/** A file whose content changed: new chunks of the same lengths, and a new time. */
function changeContent(entry: Recorded, random: () => number): Recorded {
  const noise = (length: number) => Uint8Array.from({ length }, () => Math.floor(random() * 256));
  return {
    ...entry,
    header: changeTimes(entry.header, random),
    small: entry.small && noise(entry.small.length),
    chunks: entry.chunks.map(({ length }) => ({ id: noise(32), length })),
  };
}

/** The same header with other times: those of the pax records if it has any, else that of the header itself. */
function changeTimes(header: Uint8Array, random: () => number): Uint8Array {
  const changed = header.slice();
  const text = new TextDecoder("latin1").decode(header);
  const digits = (length: number) => String(Math.floor(random() * 10 ** length)).padStart(length, "0");
  const inPax = [...text.matchAll(/ ([ac]time)=(\d{10})\.?(\d*)\n/g)];
  for (const match of inPax) {
    const [, name, seconds, fraction] = match;
    const at = match.index + name!.length + 2;
    const later = String(Number(seconds) + 86400).padStart(10, "0");
    write(changed, at, fraction === "" ? later : `${later}.${digits(fraction!.length)}`);
  }
  if (inPax.length === 0) changeOwnTime(changed, changed.length - 512, random);
  return changed;
}

function changeOwnTime(header: Uint8Array, block: number, random: () => number): void {
  const seconds = Math.floor(1.7e9 + random() * 86400);
  write(header, block + 136, seconds.toString(8).padStart(11, "0"));
  header.fill(0x20, block + 148, block + 156);
  const sum = header.subarray(block, block + 512).reduce((a, b) => a + b);
  write(header, block + 148, `${sum.toString(8).padStart(6, "0")}\0 `);
}

function write(into: Uint8Array, at: number, text: string): void {
  new TextEncoder().encodeInto(text, into.subarray(at));
}

/** The changes that are tried; each gives what the next run would see. */
const CHANGES: Record<string, (entries: Recorded[], random: () => number) => Recorded[]> = {
  "nothing": (entries) => entries,
  "one file in front": (entries, random) => [changeContent(entries[entries.length >> 1]!, random), ...entries],
  "0.1 % scattered": (entries, random) => scattered(entries, { share: 0.001, run: 1, random }),
  "0.1 % inserted": inserted,
  "1 % scattered": (entries, random) => scattered(entries, { share: 0.01, run: 1, random }),
  "1 % in runs of 50": (entries, random) => scattered(entries, { share: 0.01, run: 50, random }),
  "all times": (entries, random) => entries.map((entry) => ({ ...entry, header: changeTimes(entry.header, random) })),
};

function scattered(entries: Recorded[], options: { share: number; run: number; random: () => number }): Recorded[] {
  const { share, run, random } = options;
  const chosen = new Set<number>();
  while (chosen.size < entries.length * share) {
    const first = Math.floor(random() * entries.length);
    for (let i = first; i < Math.min(entries.length, first + run); i++) chosen.add(i);
  }
  return entries.map((entry, i) => chosen.has(i) ? changeContent(entry, random) : entry);
}

/** A new file in front of one in a thousand. */
function inserted(entries: Recorded[], random: () => number): Recorded[] {
  return entries.flatMap((entry) => {
    if (random() >= 0.001) return [entry];
    const other = entries[Math.floor(random() * entries.length)]!;
    return [{ ...changeContent(other, random), hash: Math.floor(random() * 256) }, entry];
  });
}

/** What a repository would hold, and what came new in the last run. */
class Counter {
  readonly #known = new Set<string>();
  #blocks: Record<ChunkKind, Uint8Array[]> = { D: [], M: [] };
  #bytes: Record<ChunkKind, number> = { D: 0, M: 0 };
  stored: Record<ChunkKind, number> = { D: 0, M: 0 };
  chunks = 0;

  put(kind: ChunkKind, bytes: Uint8Array): Uint8Array {
    const id = new Uint8Array(createHash("sha256").update(bytes).digest());
    const name = String.fromCharCode(...id);
    if (this.#known.has(name)) return id;
    this.#known.add(name);
    this.chunks++;
    this.stored[kind] += 2 * CHUNK_RECORD_BYTES;
    this.#blocks[kind].push(bytes);
    this.#bytes[kind] += bytes.length;
    if (this.#bytes[kind] >= BLOCK_RAW_BYTES[kind]) this.flush(kind);
    return id;
  }

  flush(kind: ChunkKind): void {
    const raw = new Uint8Array(this.#bytes[kind]);
    let at = 0;
    for (const bytes of this.#blocks[kind]) {
      raw.set(bytes, at);
      at += bytes.length;
    }
    if (at > 0) this.stored[kind] += packBlock(raw, 6).length + TAG_BYTES;
    this.#blocks[kind] = [];
    this.#bytes[kind] = 0;
  }

  /** Forgets the counts, not the chunks. */
  next(): void {
    this.stored = { D: 0, M: 0 };
    this.chunks = 0;
  }
}

interface Stored {
  recipe: number;
  /** Of these, what the page table takes. */
  table: number;
  small: number;
  pages: number;
}

const table = gearTable(new Uint8Array(createHash("shake256", { outputLength: 2048 }).update("pages").digest()));
const cut = (bytes: Uint8Array) => cutLengths(bytes, table, STREAM_SIZES);

/** Writes the recipe of these entries; what that stores beyond what `counter` knows. */
function store(entries: Recorded[], rule: PageRule, counter: Counter): Stored {
  counter.next();
  const put = (kind: ChunkKind, bytes: Uint8Array) => counter.put(kind, bytes);
  const refs: Uint8Array[] = [];
  const recipe = new RecipeWriter({ put, cut, rule, onPage: (page) => refs.push(encodePageRef(page)) });
  for (const { header, hash, small, chunks, padding } of entries) {
    recipe.raw(header, true);
    recipe.entry(hash);
    if (small !== undefined) recipe.small(small);
    for (const { id, length } of chunks) recipe.chunk(id, length);
    if (small !== undefined || chunks.length > 0) recipe.bodyEnd();
    if (padding.length > 0) recipe.raw(padding, false);
  }
  recipe.finish();
  counter.flush("M");
  counter.flush("D");
  const pages = counter.stored.M;
  const stream = new StreamWriter(put, cut);
  for (const ref of refs) stream.write(ref);
  stream.root();
  counter.flush("M");
  return { recipe: counter.stored.M, table: counter.stored.M - pages, small: counter.stored.D, pages: refs.length };
}

/** Takes a tar of `tree` through the pipeline and remembers what came out, up to `most` entries. */
async function record(tree: string, options: { format: string[]; most: number }): Promise<Recorded[]> {
  const key = (name: string) => new Uint8Array(createHash("sha256").update(name).digest());
  const engine = await startWriter({
    sizes: { min: 64 * 1024, average: 256 * 1024, max: 1024 * 1024 },
    smallBodyBytes: SMALL_BODY_BYTES,
    threads: 2,
    level: 3,
    keys: { gear: table.bytes, dataId: key("data"), pages: key("pages") },
  });
  const entries: Recorded[] = [];
  let raw: Uint8Array[] = [];
  const takeRaw = () => {
    const joined = new Uint8Array(raw.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const bytes of raw) {
      joined.set(bytes, at);
      at += bytes.length;
    }
    raw = [];
    return joined;
  };
  const argv = ["tar", "--sort=name", "-c", "-C", tree, ...options.format, "."];
  try {
    for await (const batch of engine.batches({ kind: "command", argv, env: Deno.env.toObject() })) {
      batch.give({
        raw(bytes, begins) {
          if (begins && entries.length > 0) entries.at(-1)!.padding = takeRaw();
          raw.push(bytes.slice());
        },
        entry: (hash) =>
          entries.push({ header: takeRaw(), hash, small: undefined, chunks: [], padding: new Uint8Array() }),
        small: (bytes) => {
          const entry = entries.at(-1)!;
          entry.small = new Uint8Array([...entry.small ?? [], ...bytes]);
        },
        chunk: (id, { length }) => entries.at(-1)!.chunks.push({ id: id.slice(), length }),
        bodyEnd: () => {},
      });
      batch.release();
      if (entries.length > options.most) break;
    }
  } finally {
    engine.close();
  }
  return entries.slice(0, options.most);
}

/** The whole study of a tree, as Markdown tables. */
async function study(tree: string, most: number): Promise<string> {
  const lines: string[] = [];
  for (const [format, options] of Object.entries(FORMATS)) {
    const entries = await record(tree, { format: options, most });
    lines.push("", `${format}, ${entries.length.toLocaleString("en")} entries of ${tree}`, "");
    lines.push("| | " + Object.keys(RULES).join(" | ") + " |");
    lines.push("| --- |" + " ---: |".repeat(Object.keys(RULES).length));
    const rows = new Map<string, string[]>();
    const add = (name: string, text: string) => rows.set(name, [...rows.get(name) ?? [], text]);
    for (const rule of Object.values(RULES)) {
      const base = store(entries, rule, new Counter());
      add("entries a page", (entries.length / base.pages).toFixed(1));
      add("recipe, bytes an entry", (base.recipe / entries.length).toFixed(1));
      add("of which page table", percent(base.table / base.recipe));
      for (const [name, change] of Object.entries(CHANGES)) {
        // A counter can be used once, since it learns what changed.
        const counter = new Counter();
        store(entries, rule, counter);
        const { recipe, small } = store(change(entries, randomNumbers(1)), rule, counter);
        add(name, percent(recipe / base.recipe));
        if (name === "0.1 % scattered") add("  small bodies then", percent(small / base.small));
      }
    }
    for (const [name, cells] of rows) lines.push(`| ${name} | ${cells.join(" | ")} |`);
  }
  return lines.join("\n");
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

if (import.meta.main) {
  const at = Deno.args.indexOf("--entries");
  const most = at < 0 ? 100_000 : Number(Deno.args[at + 1]);
  const tree = Deno.args.find((word, i) => !word.startsWith("--") && i !== at + 1) ?? "/usr";
  await Deno.stdout.write(new TextEncoder().encode(await study(tree, most) + "\n"));
}
