/**
 * What a listing shows of an entry, read from its raw header bytes alone: every extended header in front of it and its own block. It is
 * best effort by design. The bytes come from the input of anybody; whatever they are, the answer is an Entry, and nothing that must be
 * right (where a body begins, how long it is) is decided here: the Splitter decided that when the stream went by. It may know
 * better than this function in three cases: a `size` in a global header, a record over the limit, a body that only what follows could tell.
 *
 * Names are bytes, in whatever charset their writer used; so `hdrcharset=BINARY` changes nothing here.
 */

import {
  BLOCK_BYTES,
  type Dialect,
  dialectOf,
  FIELD,
  paddingLength,
  readNumber,
  readSize,
  TYPE_AT,
  viewName,
  viewText,
} from "./block.ts";
import { bodyLength, bodyRule, TYPE } from "./body_rule.ts";
import { PaxReader, readDecimal } from "./pax.ts";
import { printableName } from "./printable.ts";

/**
 * The type of an entry in one character, as in `tar tv`: "-" file (also sparse or contiguous), "h" hard link, "l" symbolic link, "c"
 * and "b" devices, "d" directory, "p" fifo, "D" directory with a list of its names (incremental), "V" volume label, "M" the rest of
 * a file from another volume, "?" anything else.
 */
export type EntryType = "-" | "h" | "l" | "c" | "b" | "d" | "p" | "D" | "V" | "M" | "?";

/** What a header says. Numbers that cannot be read are 0. */
export interface Entry {
  /** The full raw name, mostly a view of the header. Print it with `printableName` only. */
  name: Uint8Array;
  type: EntryType;
  /** Bytes of the body in the archive, as the header has it. */
  size: number;
  /** Bytes of the file when unpacked; differs from `size` for sparse files. */
  realSize: number;
  /** Whether the body is stored without its holes. */
  sparse: boolean;
  /** The twelve permission bits. */
  mode: number;
  uid: number;
  gid: number;
  /** The owner's name, made printable; empty if there is none. */
  user: string;
  /** The group's name, made printable; empty if there is none. */
  group: string;
  /** Seconds since 1970, with a fraction if a pax record has one. */
  mtime: number;
  /** What a link points to, raw; empty if it is no link. */
  linkName: Uint8Array;
  devMajor: number;
  devMinor: number;
  /** The pax records of this entry. */
  pax: Map<string, Uint8Array>;
  /** The pax records of global headers that stand in front of it. */
  globalPax: Map<string, Uint8Array>;
}

const NO_TEXT = new Uint8Array();

/** Reads the raw header bytes of one entry. Never throws. */
export function readEntry(header: Uint8Array): Entry {
  const head = readHead(header);
  const { block, dialect, pax, globalPax } = head;
  const type = block[TYPE_AT]!;
  const field = (key: keyof typeof FIELD) => finite(readNumber(block, 0, FIELD[key]));
  const text = (key: keyof typeof FIELD) => dialect === "v7" ? NO_TEXT : viewText(block, 0, FIELD[key]);
  const value = (key: string) => notEmpty(pax.get(key));
  const number = (key: string) => readPaxNumber(value(key));
  const length = (key: string) => {
    const digits = value(key);
    return digits === undefined ? undefined : notNegative(readDecimal(digits));
  };

  const name = value("GNU.sparse.name") ?? value("path") ?? notEmpty(head.longName) ?? viewName(block, 0, dialect);
  const ownSize = value("size") && readDecimal(value("size")!);
  const size = finite(
    bodyLength({
      type,
      dialect,
      name,
      size: ownSize ?? readSize(block, 0),
      own: ownSize !== undefined,
      paxSeen: head.paxSeen,
    }).length,
  );
  const isDevice = type === TYPE.charDevice || type === TYPE.blockDevice;
  const isLink = type === TYPE.symlink || type === TYPE.hardLink;
  return {
    name,
    type: entryType(type, name),
    size,
    realSize: length("GNU.sparse.realsize") ?? length("GNU.sparse.size") ?? length("SCHILY.realsize") ??
      headerRealSize(block, dialect) ?? size,
    sparse: type === TYPE.sparse || (pax.size > 0 && [...pax.keys()].some(isSparseKey)),
    mode: field("mode") & 0o7777,
    uid: number("uid") ?? field("uid"),
    gid: number("gid") ?? field("gid"),
    user: printableName(value("uname") ?? text("user")),
    group: printableName(value("gname") ?? text("group")),
    mtime: number("mtime") ?? field("mtime"),
    linkName: isLink
      ? value("linkpath") ?? notEmpty(head.longLink) ?? viewText(block, 0, FIELD.link)
      : new Uint8Array(0),
    devMajor: isDevice ? number("SCHILY.devmajor") ?? field("devMajor") : 0,
    devMinor: isDevice ? number("SCHILY.devminor") ?? field("devMinor") : 0,
    pax,
    globalPax,
  };
}

interface Head {
  /** The entry's own header block. */
  block: Uint8Array;
  dialect: Dialect;
  pax: Map<string, Uint8Array>;
  globalPax: Map<string, Uint8Array>;
  paxSeen: boolean;
  longName: Uint8Array | undefined;
  longLink: Uint8Array | undefined;
}

/** Walks over the extended headers. The last header is the entry's own, even if it is an extended one (the data of which is a body). */
function readHead(header: Uint8Array): Head {
  const head = {
    pax: new Map<string, Uint8Array>(),
    globalPax: new Map<string, Uint8Array>(),
    paxSeen: false,
    longName: undefined as Uint8Array | undefined,
    longLink: undefined as Uint8Array | undefined,
  };
  let at = 0;
  let next = 0;
  while (next + BLOCK_BYTES <= header.length) {
    at = next;
    const type = header[at + TYPE_AT]!;
    const size = readSize(header, at);
    const from = at + BLOCK_BYTES;
    if (bodyRule(type) !== "record" || Number.isNaN(size)) break;
    next = from + size + paddingLength(size);
    if (from === header.length) break;
    const data = header.subarray(from, from + size);
    if (type === TYPE.longName) head.longName = upToZero(data);
    else if (type === TYPE.longLink) head.longLink = upToZero(data);
    else if (type === TYPE.global) { for (const [key, value] of readPax(data)) head.globalPax.set(key, value); }
    else if (type !== TYPE.acl) head.pax = readPax(data);
    if (type !== TYPE.longName && type !== TYPE.longLink) head.paxSeen = true;
  }
  let block = header.subarray(at, at + BLOCK_BYTES);
  if (block.length < BLOCK_BYTES) {
    block = new Uint8Array(BLOCK_BYTES);
    block.set(header.subarray(at));
  }
  if (bodyRule(block[TYPE_AT]!) === "record") {
    // It stands for itself: what was said in front of it is about an entry that has not come yet.
    head.pax = new Map();
    head.longName = head.longLink = undefined;
  }
  return { block, dialect: dialectOf(block, 0), ...head };
}

function readPax(data: Uint8Array): Map<string, Uint8Array> {
  const reader = new PaxReader({ limitBytes: data.length });
  reader.push(data, 0, data.length);
  reader.end();
  return reader.records;
}

function entryType(type: number, name: Uint8Array): EntryType {
  switch (type) {
    case TYPE.oldFile:
    case TYPE.file:
    case TYPE.contiguous:
      return name[name.length - 1] === 0x2f ? "d" : "-";
    case TYPE.sparse:
      return "-";
    case TYPE.hardLink:
      return "h";
    case TYPE.symlink:
      return "l";
    case TYPE.charDevice:
      return "c";
    case TYPE.blockDevice:
      return "b";
    case TYPE.directory:
      return "d";
    case TYPE.fifo:
      return "p";
    case TYPE.dumpdir:
      return "D";
    case TYPE.label:
      return "V";
    case TYPE.continuation:
      return "M";
    default:
      return "?";
  }
}

/** Old GNU and star sparse headers have the size of the unpacked file in the block itself. */
function headerRealSize(block: Uint8Array, dialect: Dialect): number | undefined {
  if (block[TYPE_AT] !== TYPE.sparse || dialect === "v7") return undefined;
  return notNegative(readNumber(block, 0, dialect === "gnu" ? FIELD.gnuRealSize : FIELD.starRealSize));
}

function isSparseKey(key: string): boolean {
  return key.startsWith("GNU.sparse.") || key === "SCHILY.realsize" || key === "SUN.holesdata";
}

/** Decimal, perhaps negative, perhaps with a fraction. */
function readPaxNumber(value: Uint8Array | undefined): number | undefined {
  if (value === undefined || value.length > 40) return undefined;
  const text = String.fromCharCode(...value);
  return /^-?\d+(\.\d*)?$/.test(text) ? Number(text) : undefined;
}

function upToZero(data: Uint8Array): Uint8Array {
  const zero = data.indexOf(0);
  return data.slice(0, zero < 0 ? data.length : zero);
}

function notEmpty(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes !== undefined && bytes.length > 0 ? bytes : undefined;
}

/** Undefined for NaN, too. */
function notNegative(number: number): number | undefined {
  return number >= 0 ? number : undefined;
}

function finite(number: number): number {
  return Number.isFinite(number) ? number : 0;
}
