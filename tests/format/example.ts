/**
 * The worked example of docs/FORMAT.md: a repository of three entries whose root key everybody knows. What follows from the
 * key and the input alone is computed here; what is random (keys of bricks, salts, names) stands in tests/golden/format-1,
 * which was made once and never changes.
 */
import { cutLengths, gearTable, masksOf } from "../../lib/chunker/mod.ts";
import { createFullBundle, createIdHasher, encodeText, formatBundle, type Key, Keyring } from "../../lib/crypto/mod.ts";
import { formatConfig } from "../../lib/repository/mod.ts";
import { type ChunkKind, encodePageRef, type PageRef, RecipeWriter, STREAM_SIZES } from "../../lib/snapshot/mod.ts";
import { endOfArchive, makeHeader, paddingLength, Splitter } from "../../lib/tar/mod.ts";

/** Bytes 00 01 02 … 1f. Never use this root for anything else. */
export const ROOT: Key = Uint8Array.from({ length: 32 }, (_, i) => i);
export const REPOSITORY = "5441525a616e20646f63732065782e31";
export const DOMAIN_NAME = "default";
export const PASSPHRASE = "tarzan-example";
export const SIZES = { min: 65536, average: 262144, max: 1048576 };
export const CONFIG = formatConfig({ repository: REPOSITORY, created: "2026-01-02T03:04:05.000Z", chunks: SIZES });

const decode = (text: string) => new TextEncoder().encode(text);

/** The three entries: a directory, a body of 6 bytes, a body of 1,492 bytes. */
const ENTRIES = [
  { name: "docs/", body: "" },
  { name: "docs/hello.txt", body: "hello\n" },
  { name: "docs/numbers.txt", body: Array.from({ length: 400 }, (_, i) => `${i + 1}\n`).join("") },
];

/** The input, a tar. */
export function exampleTar(): Uint8Array<ArrayBuffer> {
  const parts = ENTRIES.flatMap(({ name, body }) => {
    const directory = name.endsWith("/");
    const header = makeHeader({
      name: decode(name),
      type: directory ? "d" : "-",
      size: body.length,
      mode: directory ? 0o755 : 0o644,
      mtime: 1767323045,
    });
    return [header, decode(body), new Uint8Array(paddingLength(body.length))];
  });
  return join([...parts, endOfArchive()]);
}

/** The full key of the example. */
export async function exampleBundle(): Promise<string> {
  return formatBundle(
    await createFullBundle({ repository: REPOSITORY, domainName: DOMAIN_NAME, config: CONFIG, root: ROOT }),
  );
}

export async function exampleKeyring(): Promise<Keyring> {
  const bundle = await createFullBundle({
    repository: REPOSITORY,
    domainName: DOMAIN_NAME,
    config: CONFIG,
    root: ROOT,
  });
  return new Keyring(bundle);
}

/** A chunk of the example. */
export interface ExampleChunk {
  kind: ChunkKind;
  id: Uint8Array;
  bytes: Uint8Array;
}

/** Splits the input and writes its recipe, as `create` does, without threads or bricks. */
export async function exampleRecipe(): Promise<{ pages: PageRef[]; table: Uint8Array; chunks: ExampleChunk[] }> {
  const keyring = await exampleKeyring();
  const { metaId, pages: pagesKey } = await keyring.shapeKeys(keyring.defaultDomain.id);
  const { dataId, chunker } = await keyring.bodyKeys(keyring.defaultDomain.id);
  const [data, meta, names] = await Promise.all([dataId, metaId, pagesKey].map((key) => createIdHasher(key)));
  const chunks: ExampleChunk[] = [];
  const put = (kind: ChunkKind, bytes: Uint8Array) => {
    const id = (kind === "D" ? data! : meta!).id(bytes);
    chunks.push({ kind, id, bytes: bytes.slice() });
    return id;
  };
  const gear = gearTable(chunker);
  const pages: PageRef[] = [];
  const recipe = new RecipeWriter({
    put,
    cut: (bytes) => cutLengths(bytes, gear, STREAM_SIZES),
    onPage: (page) => pages.push(page),
  });
  const tar = exampleTar();
  let small = false;
  new Splitter().split(tar, 0, tar.length, true, {
    raw: (from, to, begins) => recipe.raw(tar.subarray(from, to), begins),
    entry(name, size) {
      small = size < 512;
      recipe.entry(names!.id(name)[0]!);
    },
    body(from, to) {
      // Every body of the example is one chunk.
      const bytes = tar.subarray(from, to);
      if (small) recipe.small(bytes);
      else recipe.chunk(put("D", bytes), bytes.length);
    },
    bodyEnd: () => recipe.bodyEnd(),
  });
  recipe.finish();
  return { pages, table: join(pages.map(encodePageRef)), chunks };
}

/** The bytes whose cuts the document gives: xorshift32 from seed 1, as little-endian words. */
export function cutExampleBytes(): Uint8Array {
  const words = new Uint32Array(262144 / 4);
  let x = 1;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(4 * i, word, true));
  return bytes;
}

/** Masks and cuts under the example's gear table. */
export async function exampleCuts(): Promise<{ table: Uint8Array; small: bigint; large: bigint; lengths: number[] }> {
  const keyring = await exampleKeyring();
  const { chunker } = await keyring.bodyKeys(keyring.defaultDomain.id);
  const { small, large } = masksOf(STREAM_SIZES);
  return { table: chunker, small, large, lengths: cutLengths(cutExampleBytes(), gearTable(chunker), STREAM_SIZES) };
}

export function join(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export const utf8 = encodeText;
