/**
 * What the bench reads: made once below a folder, the same on every run. Each data set has a first and a second version; the
 * second is what is backed up "again".
 *
 * - usr: a tar of a random but repeatable choice of the folders of /usr, up to a given size; the second is the same file.
 * - random: nothing to compress; the second is the same file.
 * - vm: like the image of a machine's disk: files that lie somewhere, runs of zeros; then 1 in 200 blocks of 4 KiB changed.
 * - tiny: a tar of very many files of up to 2 KiB; then 1 in 1,000 changed.
 */
import { createHash } from "node:crypto";
import { say } from "./words.ts";

const MIB = 1024 * 1024;
const BLOCK = 4096;

/** How large the data is. */
export interface Sizes {
  usrBytes: number;
  randomBytes: number;
  vmBytes: number;
  tinyFiles: number;
}

export const FULL: Sizes = { usrBytes: 1434 * MIB, randomBytes: 512 * MIB, vmBytes: 1024 * MIB, tinyFiles: 1_000_000 };
export const QUICK: Sizes = { usrBytes: 160 * MIB, randomBytes: 64 * MIB, vmBytes: 128 * MIB, tinyFiles: 50_000 };

/** Paths of the two versions of a data set. */
export interface DataSet {
  name: string;
  first: string;
  again: string;
  bytes: number;
}

export const DATA_NAMES = ["usr", "random", "vm", "tiny"] as const;
export type DataName = (typeof DATA_NAMES)[number];

/** Makes a data set in `folder` unless it is there. */
export async function dataSet(name: DataName, folder: string, sizes: Sizes): Promise<DataSet> {
  await Deno.mkdir(folder, { recursive: true });
  const part = Object.entries(sizes).find(([key]) => key.startsWith(name))![1];
  const first = `${folder}/${name}-${part}.1`;
  const again = name === "usr" || name === "random" ? first : `${folder}/${name}-${part}.2`;
  const make = { usr: makeUsr, random: makeRandom, vm: makeVm, tiny: makeTiny }[name];
  await once(first, (path) => make(path, { sizes, version: 1, first }));
  await once(again, (path) => make(path, { sizes, version: 2, first }));
  return { name, first, again, bytes: (await Deno.stat(first)).size };
}

interface Making {
  sizes: Sizes;
  version: 1 | 2;
  first: string;
}

async function once(path: string, make: (path: string) => Promise<void>): Promise<void> {
  if (await Deno.stat(path).then(() => true, () => false)) return;
  say(`Making ${path} …`);
  await make(`${path}.new`);
  await Deno.rename(`${path}.new`, path);
}

async function makeUsr(path: string, { sizes }: Making): Promise<void> {
  const names = await chooseFolders("/usr", sizes.usrBytes);
  const child = new Deno.Command("tar", {
    args: ["-c", "--sort=name", "--format=gnu", "-C", "/usr", "--null", "-T", "-", "-f", path],
    stdin: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(names.map((name) => name + "\0").join("")));
  await writer.close();
  await child.status;
}

/** Folders and files three levels down, in an order that a hash decides, as many as fit; then in the order of names. */
async function chooseFolders(tree: string, mostBytes: number): Promise<string[]> {
  const { stdout } = await new Deno.Command("du", { args: ["-a", "-x", "-B1", "-d3", tree], stderr: "null" }).output();
  const places = new TextDecoder().decode(stdout).trimEnd().split("\n").map((line) => {
    const [bytes, path] = line.split("\t");
    return { bytes: Number(bytes), name: path!.slice(tree.length + 1) };
  });
  const folders = new Set(places.map(({ name }) => name.slice(0, Math.max(0, name.lastIndexOf("/")))));
  const leaves = places.filter(({ name }) => !folders.has(name) && name !== "");
  const order = (name: string) => createHash("sha256").update(name).digest("hex");
  const chosen: string[] = [];
  let bytes = 0;
  for (const place of leaves.toSorted((a, b) => order(a.name) < order(b.name) ? -1 : 1)) {
    if (bytes + place.bytes > mostBytes) continue;
    bytes += place.bytes;
    chosen.push(place.name);
  }
  return chosen.sort();
}

async function makeRandom(path: string, { sizes }: Making): Promise<void> {
  await writePieces(path, function* () {
    const noise = noiseFrom("random");
    for (let done = 0; done < sizes.randomBytes; done += MIB) yield noise(MIB);
  });
}

async function makeVm(path: string, { sizes, version, first }: Making): Promise<void> {
  if (version === 2) {
    await Deno.copyFile(first, path);
    await changeBlocks(path, sizes.vmBytes);
    return;
  }
  const choose = numbersFrom("vm");
  const content = await Deno.open("/proc/self/exe");
  const length = (await content.stat()).size;
  await writePieces(path, function* () {
    for (let done = 0; done < sizes.vmBytes;) {
      // A file somewhere, as a file system places it: from the start of a block.
      const bytes = Math.min(sizes.vmBytes - done, BLOCK * (1 + Math.floor(choose() ** 4 * 4096)));
      const piece = new Uint8Array(bytes);
      const kind = choose();
      if (kind < 0.5) {
        content.seekSync(Math.floor(choose() * (length - bytes)), Deno.SeekMode.Start);
        content.readSync(piece);
      } else if (kind < 0.7) {
        piece.set(noiseFrom(`vm ${done}`)(bytes));
      }
      yield piece;
      done += bytes;
    }
  });
  content.close();
}

async function changeBlocks(path: string, bytes: number): Promise<void> {
  const choose = numbersFrom("vm changes");
  const noise = noiseFrom("vm changes");
  const file = await Deno.open(path, { write: true });
  for (let i = 0; i < bytes / BLOCK / 200; i++) {
    await file.seek(BLOCK * Math.floor(choose() * bytes / BLOCK), Deno.SeekMode.Start);
    await file.write(noise(BLOCK));
  }
  file.close();
}

async function makeTiny(path: string, { sizes, version }: Making): Promise<void> {
  const text = new TextEncoder();
  await writePieces(path, function* () {
    const choose = numbersFrom("tiny");
    const change = numbersFrom("tiny changes");
    let gathered: Uint8Array[] = [];
    for (let i = 0; i < sizes.tinyFiles; i++) {
      const changed = change() < 0.001 && version === 2;
      const length = Math.floor(choose() ** 2 * 2048);
      const words = `${changed ? "changed " : ""}${i} ${Math.floor(choose() * 1e9)} of some text that repeats. `;
      const body = text.encode(words.repeat(Math.ceil(length / words.length)).slice(0, length));
      const folder = `${i % 1000 >> 4}/${Math.floor(i / 1000)}`;
      gathered.push(tarEntry(`tiny/${folder}/file-${i}.txt`, body, changed ? 1_710_000_000 : 1_700_000_000 + i));
      if (gathered.length === 4096) {
        yield join(gathered);
        gathered = [];
      }
    }
    yield join([...gathered, new Uint8Array(1024)]);
  });
}

/** A plain ustar header and body, padded. */
function tarEntry(name: string, body: Uint8Array, seconds: number): Uint8Array {
  const entry = new Uint8Array(512 + Math.ceil(body.length / 512) * 512);
  const field = (at: number, value: string) => new TextEncoder().encodeInto(value, entry.subarray(at));
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  field(0, name);
  field(100, "0000644\0" + "0001750\0" + "0001750\0" + octal(body.length, 11) + "\0" + octal(seconds, 11) + "\0");
  field(148, "        0");
  field(257, "ustar\x0000user\0");
  const sum = entry.subarray(0, 512).reduce((a, b) => a + b);
  field(148, `${octal(sum, 6)}\0 `);
  entry.set(body, 512);
  return entry;
}

async function writePieces(path: string, pieces: () => Generator<Uint8Array>): Promise<void> {
  const file = await Deno.create(path);
  for (const piece of pieces()) {
    for (let at = 0; at < piece.length;) at += file.writeSync(piece.subarray(at));
  }
  file.close();
}

function join(pieces: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** Bytes that look random and are the same every time. */
function noiseFrom(seed: string): (bytes: number) => Uint8Array {
  let count = 0;
  return (bytes) => createHash("shake128", { outputLength: bytes }).update(`${seed} ${count++}`).digest();
}

/** Numbers from 0 to 1 that look random and are the same every time. */
export function numbersFrom(seed: string): () => number {
  const numbers = new Uint32Array(1024);
  const noise = noiseFrom(seed);
  let at = numbers.length;
  return () => {
    if (at === numbers.length) {
      new Uint8Array(numbers.buffer).set(noise(numbers.byteLength));
      at = 0;
    }
    return numbers[at++]! / 2 ** 32;
  };
}
