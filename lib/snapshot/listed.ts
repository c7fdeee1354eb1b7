/**
 * What a listing shows of the entries of a page, in few bytes, so that a page need not be fetched and parsed again to be
 * listed again. Written for the same machine and the same version only: a cache, no part of a repository.
 *
 * For each entry: how many bytes its name shares with the one before it, and the others; which fields differ from those of
 * the entry before it (a bit each), and these; the unpacked size is compared with the size. Most entries of a page are
 * neighbours, so that little more than a size and a time is left of them.
 */
import { DamageError } from "../crypto/mod.ts";
import type { Entry } from "../tar/mod.ts";
import { ByteReader, ByteWriter } from "./varint.ts";

/** An entry without what listings do not show. */
export type ListedEntry = Omit<Entry, "pax" | "globalPax">;

/** Names how the bytes are written: what was kept in another form is of no use. */
export const LISTED_FORM = "1";

/** Which bit stands for which field: numbers come first, then texts, then what is written in other ways. */
const NUMBERS = ["size", "realSize", "mode", "uid", "gid", "mtime", "devMajor", "devMinor"] as const;
const TEXTS = ["type", "user", "group"] as const;
const LINK_BIT = NUMBERS.length + TEXTS.length;
const SPARSE_BIT = LINK_BIT + 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What stands in front of the first entry. */
const NOTHING: ListedEntry = {
  name: new Uint8Array(),
  type: "-",
  size: 0,
  realSize: 0,
  sparse: false,
  mode: 0,
  uid: 0,
  gid: 0,
  user: "",
  group: "",
  mtime: 0,
  linkName: new Uint8Array(),
  devMajor: 0,
  devMinor: 0,
};

/** Used again and again: to allocate one takes as long as to write a page. */
const to = new ByteWriter();

/** The entries of a page as bytes. */
export function encodeListed(entries: readonly ListedEntry[]): Uint8Array<ArrayBuffer> {
  to.number(entries.length);
  to.number(entries.reduce((sum, { name }) => sum + name.length, 0));
  let last = NOTHING;
  for (const entry of entries) {
    const shared = sharedLength(last.name, entry.name);
    to.number(shared);
    writeBytes(entry.name.subarray(shared));
    writeDifferences(entry, last);
    last = entry;
  }
  return to.take();
}

function writeDifferences(entry: ListedEntry, last: ListedEntry): void {
  let bits = 0;
  NUMBERS.forEach((field, i) => {
    const before = field === "realSize" ? entry.size : last[field];
    if (!Object.is(entry[field], before)) bits |= 1 << i;
  });
  TEXTS.forEach((field, i) => {
    if (entry[field] !== last[field]) bits |= 1 << NUMBERS.length + i;
  });
  if (!isEqual(entry.linkName, last.linkName)) bits |= 1 << LINK_BIT;
  if (entry.sparse !== last.sparse) bits |= 1 << SPARSE_BIT;
  to.number(bits);
  NUMBERS.forEach((field, i) => bits >> i & 1 && writeNumber(entry[field]));
  TEXTS.forEach((field, i) => bits >> NUMBERS.length + i & 1 && writeBytes(encoder.encode(entry[field])));
  if (bits >> LINK_BIT & 1) writeBytes(entry.linkName);
}

/** The inverse of `encodeListed`. Names are views of one array. Bytes that it did not write are a DamageError. */
export function decodeListed(bytes: Uint8Array): ListedEntry[] {
  const from = new ByteReader(bytes, "what was kept of a page");
  const count = from.number();
  const nameBytes = from.number();
  // An entry takes three bytes at least; a name may take more than it shares.
  if (count > bytes.length || nameBytes > count * (bytes.length + 1)) throw notOurs();
  const entries: ListedEntry[] = [];
  const names = new Uint8Array(nameBytes);
  let at = 0;
  let last = NOTHING;
  for (let i = 0; i < count; i++) {
    const shared = from.number();
    const rest = from.bytes(from.number());
    const end = at + shared + rest.length;
    if (shared > last.name.length || end > nameBytes) throw notOurs();
    names.copyWithin(at, at - last.name.length, at - last.name.length + shared);
    names.set(rest, at + shared);
    last = readDifferences(from, last, names.subarray(at, end));
    entries.push(last);
    at = end;
  }
  if (!from.done || at !== nameBytes) throw notOurs();
  return entries;
}

function readDifferences(from: ByteReader, last: ListedEntry, name: Uint8Array): ListedEntry {
  const bits = from.number();
  if (bits >= 1 << SPARSE_BIT + 1) throw notOurs();
  const size = bits & 1 ? readNumber(from) : last.size;
  // Spelled out, since a loop over the names of the members takes several times as long.
  return {
    name,
    size,
    realSize: bits & 2 ? readNumber(from) : size,
    mode: bits & 4 ? readNumber(from) : last.mode,
    uid: bits & 8 ? readNumber(from) : last.uid,
    gid: bits & 16 ? readNumber(from) : last.gid,
    mtime: bits & 32 ? readNumber(from) : last.mtime,
    devMajor: bits & 64 ? readNumber(from) : last.devMajor,
    devMinor: bits & 128 ? readNumber(from) : last.devMinor,
    type: bits & 256 ? readText(from) as ListedEntry["type"] : last.type,
    user: bits & 512 ? readText(from) : last.user,
    group: bits & 1024 ? readText(from) : last.group,
    linkName: bits & 2048 ? from.bytes(from.number()) : last.linkName,
    sparse: bits & 4096 ? !last.sparse : last.sparse,
  };
}

/** Most numbers are whole and small; any other is 0 and its eight bytes. */
function writeNumber(value: number): void {
  const isSmall = Number.isInteger(value) && value >= 0 && value < Number.MAX_SAFE_INTEGER && !Object.is(value, -0);
  if (isSmall) return to.number(value + 1);
  to.number(0);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  to.bytes(bytes);
}

function readNumber(from: ByteReader): number {
  const word = from.number();
  if (word > 0) return word - 1;
  const bytes = from.bytes(8);
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
}

function writeBytes(bytes: Uint8Array): void {
  to.number(bytes.length);
  to.bytes(bytes);
}

function readText(from: ByteReader): string {
  return decoder.decode(from.bytes(from.number()));
}

function sharedLength(a: Uint8Array, b: Uint8Array): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && sharedLength(a, b) === a.length;
}

function notOurs(): DamageError {
  return new DamageError("Cannot read what was kept of a page: it was not written so");
}
