/**
 * The blocks of numbers in docs/FORMAT.md, made from the code and the golden repository. Each stands in the document behind a
 * line `<!-- example: NAME -->`. `deno run -A tests/format/example_blocks.ts` writes them there anew.
 */
import { brickFileBytes, decodeLedger, sizeStep } from "../../lib/brick/mod.ts";
import { bundleHash, deriveKey, fromHex, pinCode, sha256, toHex } from "../../lib/crypto/mod.ts";
import { TreeHasher } from "../../lib/glacier/mod.ts";
import { openSealed, sealedToText, verifyIndex } from "../../lib/snapshot/mod.ts";
import { exampleBundle, exampleCuts, exampleKeyring, exampleRecipe, exampleTar, PASSPHRASE, ROOT } from "./example.ts";
import { golden, openGoldenBrick } from "./golden.ts";

export const DOCUMENT = new URL("../../docs/FORMAT.md", import.meta.url);

/** All blocks by name, as they stand in the document. */
export async function exampleBlocks(): Promise<Map<string, string>> {
  return new Map([
    ["sizes", sizes()],
    ["keys", await keys()],
    ["bundle", await bundle()],
    ["input", input()],
    ["pages", await pages()],
    ["cuts", await cuts()],
    ["bricks", await bricks()],
    ["ledger", await ledger()],
    ["index", await index()],
  ]);
}

/** The document with these blocks in their places. */
export function withBlocks(document: string, blocks: Map<string, string>): string {
  return document.replace(
    /<!-- example: (\w+) -->\n(?:\n```text\n[^]*?\n```\n)?/g,
    (_, name: string) => `<!-- example: ${name} -->\n\n\`\`\`text\n${blocks.get(name)}\n\`\`\`\n`,
  );
}

function sizes(): string {
  const lengths = [6000, 65_536, 65_537, 1_000_000, 4_194_303, 4_194_304, 10_000_000, 50_000_000, 133_000_000];
  const row = (columns: (number | string)[]) => columns.map((column) => String(column).padEnd(11)).join("").trimEnd();
  const rows = lengths.map((length) => row([length, sizeStep(length), brickFileBytes(length)]));
  return [row(["L", "step", "file size"]), ...rows].join("\n");
}

async function keys(): Promise<string> {
  const keyring = await exampleKeyring();
  const { id } = keyring.defaultDomain;
  const shapes = await deriveKey(ROOT, "shapes");
  const bodies = await deriveKey(ROOT, "bodies");
  const shape = await keyring.shapeKeys(id);
  const body = await keyring.bodyKeys(id);
  return table([
    ["root", toHex(ROOT)],
    ["control", toHex(await keyring.controlKey())],
    ["shapes", toHex(shapes)],
    ['D(shapes, "domain default")', toHex(await deriveKey(shapes, "domain default"))],
    ["domain id", id],
    ["shape secret", toHex(await deriveKey(shapes, id))],
    ["toc", toHex(shape.toc)],
    ["ledger", toHex(shape.ledger)],
    ["meta id", toHex(shape.metaId)],
    ["pages", toHex(shape.pages)],
    ["mac brick", toHex(shape.macBrick)],
    ["mac index", toHex(shape.macIndex)],
    ["bodies", toHex(bodies)],
    ["body secret", toHex(await deriveKey(bodies, id))],
    ["data id", toHex(body.dataId)],
    ["chunker, its first 16 bytes", toHex(body.chunker.subarray(0, 16))],
    ["chunker, its SHA-256", toHex(sha256(body.chunker))],
    ["seed of the data identity", toHex(await deriveKey(ROOT, "data identity 1"))],
    ["data identity", (await keyring.dataIdentity())!],
    ["data recipient, its SHA-256", toHex(sha256(await keyring.dataRecipient()))],
    ["seed of the meta identity", toHex(await deriveKey(ROOT, "meta identity 1"))],
    ["meta identity", (await keyring.metaIdentity())!],
    ["meta recipient, its SHA-256", toHex(sha256(await keyring.metaRecipient()))],
  ]);
}

async function bundle(): Promise<string> {
  const text = await exampleBundle();
  const hash = bundleHash(text);
  return [
    ...folded(text.trimEnd(), 116),
    "",
    ...table([
      ["bytes, with the line feed", String(new TextEncoder().encode(text).length)],
      ["SHA-256, the pin", toHex(hash)],
      ["code", pinCode(hash)],
      ["slot", golden.slot],
      ["passphrase", PASSPHRASE],
    ]).split("\n"),
  ].join("\n");
}

function input(): string {
  const tar = exampleTar();
  const hasher = new TreeHasher();
  hasher.update(tar);
  return table([
    ["bytes", String(tar.length)],
    ["SHA-256", toHex(sha256(tar))],
    ["tree hash", toHex(hasher.digest())],
  ]);
}

async function pages(): Promise<string> {
  const { pages, table: pageTable, chunks } = await exampleRecipe();
  const [body, small, lists, heads] = chunks;
  const root = [0, ...varint(pageTable.length), 1];
  const tableId = await metaId(pageTable);
  return [
    "data chunk: the body of docs/numbers.txt",
    `  ${body!.bytes.length} bytes, id ${toHex(body!.id)}`,
    "",
    "small (data chunk): the body of docs/hello.txt",
    `  ${toHex(small!.bytes)}`,
    `  ${small!.bytes.length} bytes, id ${toHex(small!.id)}`,
    "",
    "lists (meta chunk)",
    `  ${toHex(lists!.bytes.subarray(0, 32))}  id of small`,
    `  ${toHex(lists!.bytes.subarray(32, 33))}  one chunk record follows`,
    `  ${toHex(lists!.bytes.subarray(33, 65))}  its id`,
    `  ${toHex(lists!.bytes.subarray(65))}  its length, 1492`,
    `  ${lists!.bytes.length} bytes, id ${toHex(lists!.id)}`,
    "",
    "heads (meta chunk); a position, the varint, what it means",
    ...annotatedHeads(heads!.bytes),
    `  ${heads!.bytes.length} bytes, id ${toHex(heads!.id)}`,
    "",
    "page table (a stream, one meta chunk)",
    `  ${toHex(pageTable.subarray(0, 32))}  heads`,
    `  ${toHex(pageTable.subarray(32, 64))}  lists`,
    `  ${toHex(pageTable.subarray(64, 68))} ${toHex(pageTable.subarray(68))}  ${pages[0]!.entries} entries, ${
      pages[0]!.bytes
    } bytes of the stream`,
    `  ${pageTable.length} bytes, id ${toHex(tableId)}`,
    "",
    "root of the page table",
    `  ${toHex(Uint8Array.from(root))} | ${toHex(tableId)} | ${toHex(u32(pageTable.length))}`,
  ].join("\n");
}

async function metaId(bytes: Uint8Array): Promise<Uint8Array> {
  const { createIdHasher } = await import("../../lib/crypto/mod.ts");
  const keyring = await exampleKeyring();
  return (await createIdHasher((await keyring.shapeKeys(keyring.defaultDomain.id)).metaId)).id(bytes);
}

function annotatedHeads(heads: Uint8Array): string[] {
  const names = ["raw", "entry", "body", "small"];
  const lines: string[] = [];
  for (let at = 0; at < heads.length;) {
    const from = at;
    let word = 0;
    for (let factor = 1;; factor *= 128) {
      const byte = heads[at++]!;
      word += (byte & 127) * factor;
      if (byte < 128) break;
    }
    const code = word % 8;
    const length = (word - code) / 8;
    const follows = code < 2 ? `, which follow` : "";
    lines.push(
      `  ${String(from).padStart(5)}  ${
        toHex(heads.subarray(from, at)).padEnd(6)
      }  ${word} = ${length} * 8 + ${code}: ${names[code]}, ${length} bytes${follows}`,
    );
    if (code < 2) at += length;
  }
  return lines;
}

async function cuts(): Promise<string> {
  const { table: gear, small, large, lengths } = await exampleCuts();
  const view = new DataView(gear.buffer, gear.byteOffset);
  const entry = (i: number) => view.getBigUint64(8 * i, true).toString(16).padStart(16, "0");
  return [
    ...table([
      ["G[0], G[1], G[255]", [0, 1, 255].map(entry).join(" ")],
      ["sizes", "16384 / 65536 / 262144"],
      ["mask S (18 bits)", small.toString(16)],
      ["mask L (14 bits)", large.toString(16)],
      ["data", "262,144 bytes: little-endian u32 words x of xorshift32, from x = 1:"],
      ["", "x ^= x << 13, x ^= x >> 17, x ^= x << 5; the first word is what one step makes of 1"],
      ["lengths of its chunks", lengths.join(" ")],
    ]).split("\n"),
  ].join("\n");
}

async function bricks(): Promise<string> {
  const parts: string[] = [];
  for (const kind of ["D", "M"] as const) {
    const brick = await openGoldenBrick(kind);
    const { header, n, name, bytes, toc, plainToc, key, tocKey, blocks, paddingAt, tocAt, trailer } = brick;
    parts.push([
      kind === "D" ? "The data brick" : "The meta brick",
      ...table([
        ["  name, its SHA-256", name],
        ["  bytes", String(bytes.length)],
        ["  0, the first 32 bytes", spaced(header.bytes.subarray(0, 32), [8, 1, 3, 4, 16])],
        ["  32, age file of K", `${n} bytes`],
        ["  K", toHex(key)],
        [`  ${32 + n}, HM`, toHex(header.hm)],
        ["  Kt", toHex(tocKey)],
        ...blocks.map((block, i): [string, string] => [
          `  ${block.at}, block ${i}`,
          `${block.sealedLength} bytes sealed, codec ${block.codec}, ${block.rawLength} raw, chunks of ${
            block.chunks.join(" ")
          }`,
        ]),
        [`  ${paddingAt}, padding`, `${tocAt - paddingAt} bytes, of zeros ${tocAt - paddingAt - 16}`],
        [`  ${tocAt}, toc`, `${bytes.length - 12 - tocAt} bytes`],
        ["  toc, counts", spaced(plainToc.subarray(0, 8), [4, 4])],
        ...blocks.map((_, i): [string, string] => [
          `  toc, block ${i}`,
          spaced(plainToc.subarray(8 + 12 * i, 20 + 12 * i), [4, 4, 4]),
        ]),
        ...Array.from({ length: toc.chunks.length / 36 }, (_, i): [string, string] => [
          `  toc, chunk ${i}`,
          spaced(toc.chunks.subarray(36 * i, 36 * i + 36), [32, 4]),
        ]),
        [`  ${bytes.length - 12}, trailer`, spaced(trailer, [4, 8])],
      ]).split("\n"),
    ].join("\n"));
  }
  return parts.join("\n\n");
}

async function ledger(): Promise<string> {
  const keyring = await exampleKeyring();
  const { ledger } = await keyring.shapeKeys(golden.domain);
  const object = await golden.read(golden.ledger);
  const salt = object.slice(32, 64);
  const records = await decodeLedger(object, { key: ledger, domain: fromHex(golden.domain), name: golden.ledger });
  const lines = records.map((record): [string, string] => {
    if (record.type !== "brick") throw new Error("The golden ledger has bricks only");
    const { name, kind, bytes, treeHash } = record.brick;
    return [`record: brick ${kind}`, `name ${name}, ${bytes} bytes,\n${" ".repeat(27)}tree hash ${treeHash}`];
  });
  return table([
    ["name", golden.ledger],
    ["bytes", String(object.length)],
    ["0, the first 64 bytes", spaced(object.subarray(0, 32), [8, 8, 16])],
    ["", toHex(salt)],
    ["key", toHex(await deriveKey(ledger, "ledger", { salt }))],
    ...lines,
  ]);
}

async function index(): Promise<string> {
  const keyring = await exampleKeyring();
  const { macIndex } = await keyring.shapeKeys(golden.domain);
  const bytes = await golden.read(golden.index);
  const verified = verifyIndex(bytes, { macIndex, what: "the golden index", name: golden.snapshot });
  const sealed = await openSealed(verified, (await keyring.metaIdentity())!);
  const text = new TextDecoder().decode(bytes).replace(/("sealed":".{24})[^"]*/, "$1…").trimEnd();
  return [golden.index, "", ...folded(text, 116), "", "sealed, opened and without the blanks at its end", ""]
    .concat(folded(sealedToText(sealed), 116)).join("\n");
}

function table(rows: [string, string][]): string {
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => name.padEnd(width) + value).join("\n");
}

function folded(text: string, width: number): string[] {
  return text.match(new RegExp(`.{1,${width}}`, "g"))!;
}

/** Hex with a blank between the parts, which have these lengths. */
function spaced(bytes: Uint8Array, lengths: number[]): string {
  let at = 0;
  return lengths.map((length) => toHex(bytes.subarray(at, at += length))).join(" ");
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [value % 128 + 128, ...varint(Math.floor(value / 128))];
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

if (import.meta.main) {
  await Deno.writeTextFile(DOCUMENT, withBlocks(await Deno.readTextFile(DOCUMENT), await exampleBlocks()));
}
