/**
 * Writes headers: POSIX ustar, with a pax extended header in front when something does not fit. Meant for small tars made here, such as
 * a listing without bodies; tars that came in are given back from their own bytes.
 */

import { BLOCK_BYTES, FIELD, paddingLength, TYPE_AT } from "./block.ts";
import type { EntryType } from "./entry.ts";

/** What a header is made of. */
export interface HeaderFields {
  name: Uint8Array;
  /** "D" is written as a directory, "V", "M" and "?" as a file: ustar has no flags for them. */
  type: EntryType;
  /** Bytes of the body that will follow. */
  size: number;
  mode?: number;
  /** Seconds since 1970; fractions and times before 1970 go into pax. */
  mtime?: number;
  uid?: number;
  gid?: number;
  user?: Uint8Array;
  group?: Uint8Array;
  link?: Uint8Array;
  devMajor?: number;
  devMinor?: number;
}

const FLAGS: Record<EntryType, string> = {
  "-": "0",
  h: "1",
  l: "2",
  c: "3",
  b: "4",
  d: "5",
  p: "6",
  D: "5",
  V: "0",
  M: "0",
  "?": "0",
};

type FieldName = keyof typeof FIELD;

const encoder = new TextEncoder();

/** The header blocks of one entry, pax included: a multiple of 512 bytes. The body and `paddingLength(size)` zeros belong behind it. */
export function makeHeader(fields: HeaderFields): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  const records: [string, Uint8Array][] = [];
  const text = (field: FieldName, key: string, value: Uint8Array | undefined) => {
    if (value === undefined) return;
    if (value.length > FIELD[field][1] || value.includes(0)) records.push([key, value]);
    putText(block, field, value.length > FIELD[field][1] ? value.subarray(0, FIELD[field][1]) : value);
  };
  const number = (field: FieldName, key: string, given = 0) => {
    const value = Number.isFinite(given) ? given : 0;
    const fits = Number.isSafeInteger(value) && value >= 0 && value < 8 ** (FIELD[field][1] - 1);
    if (!fits) records.push([key, encoder.encode(decimal(value))]);
    putNumber(block, field, fits ? value : 0);
  };

  const split = splitName(fields.name);
  if (split) {
    putText(block, "prefix", split.prefix);
    putText(block, "name", split.name);
  } else text("name", "path", fields.name);
  putNumber(block, "mode", (fields.mode ?? 0o644) & 0o7777);
  number("uid", "uid", fields.uid);
  number("gid", "gid", fields.gid);
  number("size", "size", fields.size);
  number("mtime", "mtime", fields.mtime);
  block[TYPE_AT] = FLAGS[fields.type].charCodeAt(0);
  text("link", "linkpath", fields.link);
  text("user", "uname", fields.user);
  text("group", "gname", fields.group);
  number("devMajor", "SCHILY.devmajor", fields.devMajor);
  number("devMinor", "SCHILY.devminor", fields.devMinor);
  seal(block);
  return records.length === 0 ? block : concat([paxHeader(fields.name, records), block]);
}

/** The two zero blocks that close an archive. */
export function endOfArchive(): Uint8Array {
  return new Uint8Array(2 * BLOCK_BYTES);
}

/** Puts the directory of a long name into the prefix field, if there is a slash at the right place. */
function splitName(name: Uint8Array): { prefix: Uint8Array; name: Uint8Array } | undefined {
  const [, nameLimit] = FIELD.name;
  const [, prefixLimit] = FIELD.prefix;
  if (name.length <= nameLimit || name.includes(0)) return undefined;
  // The first slash that leaves a short enough name; a slash at the very end of a directory's name must stay in the name.
  const slash = name.indexOf(0x2f, Math.max(1, name.length - nameLimit - 1));
  if (slash < 0 || slash > prefixLimit || slash === name.length - 1) return undefined;
  return { prefix: name.subarray(0, slash), name: name.subarray(slash + 1) };
}

function paxHeader(name: Uint8Array, records: [string, Uint8Array][]): Uint8Array {
  const binary = records.some(([, value]) => !isUtf8(value));
  const all: [string, Uint8Array][] = binary ? [["hdrcharset", encoder.encode("BINARY")], ...records] : records;
  const data = concat(all.map(([key, value]) => paxRecord(key, value)));
  const block = new Uint8Array(BLOCK_BYTES);
  putText(block, "name", concat([encoder.encode("PaxHeaders/"), name.subarray(-80)]).map((byte) => byte || 0x5f));
  putNumber(block, "mode", 0o644);
  putNumber(block, "size", data.length);
  for (const field of ["uid", "gid", "mtime"] as const) putNumber(block, field, 0);
  block[TYPE_AT] = "x".charCodeAt(0);
  seal(block);
  return concat([block, data, new Uint8Array(paddingLength(data.length))]);
}

/** One record. Its length counts the digits of the length. */
function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = encoder.encode(` ${key}=`);
  const bare = rest.length + value.length + 1;
  let length = bare + String(bare).length;
  if (bare + String(length).length !== length) length = bare + String(length).length;
  return concat([encoder.encode(String(length)), rest, value, encoder.encode("\n")]);
}

function putText(block: Uint8Array, field: FieldName, value: Uint8Array): void {
  block.set(value, FIELD[field][0]);
}

/** Octal digits, then a zero byte. */
function putNumber(block: Uint8Array, field: FieldName, value: number): void {
  const [, length] = FIELD[field];
  putText(block, field, encoder.encode(value.toString(8).padStart(length - 1, "0")));
}

/** Magic, version and, last, the checksum. */
function seal(block: Uint8Array): void {
  block.set(encoder.encode("ustar\x0000"), 257);
  block.fill(0x20, FIELD.checksum[0], FIELD.checksum[0] + FIELD.checksum[1]);
  const sum = block.reduce((total, byte) => total + byte, 0);
  putText(block, "checksum", encoder.encode(`${sum.toString(8).padStart(6, "0")}\0 `));
}

/** Never in exponents: 1e+21 is no pax number. */
function decimal(value: number): string {
  if (Number.isInteger(value)) return BigInt(value).toString();
  return value.toFixed(9).replace(/0+$/, "");
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false; // the answer to the question
  }
}

function concat(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
