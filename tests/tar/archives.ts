/** Tars made by hand, down to the field, for what no program writes any more or should ever have written. */

import { concat } from "./recorder.ts";

const encoder = new TextEncoder();

/** Header fields; a string is put into its field as it stands. */
export interface Fields {
  name?: string | Uint8Array;
  /** The type flag. */
  type?: string;
  size?: number | string | Uint8Array;
  magic?: "ustar" | "gnu" | "v7";
  mode?: string;
  mtime?: string | Uint8Array;
  link?: string;
  prefix?: string;
  /** Bytes to put anywhere, before the checksum is made. */
  patch?: [offset: number, bytes: Uint8Array | string][];
  /** How the checksum is made. */
  sum?: "unsigned" | "signed" | "wrong";
}

const MAGIC = { ustar: "ustar\x0000", gnu: "ustar  \0", v7: "" };

/** Bytes of a text, one a character. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** One header block. */
export function header(fields: Fields = {}): Uint8Array {
  const block = new Uint8Array(512);
  const put = (at: number, value: string | Uint8Array) =>
    block.set(typeof value === "string" ? latin1(value) : value, at);
  const { name = "file", size = 0, magic = "ustar", sum = "unsigned" } = fields;
  put(0, name);
  put(100, fields.mode ?? "0000644\0");
  put(108, "0001750\0");
  put(116, "0000144\0");
  put(124, typeof size === "number" ? octal(size) : size);
  put(136, fields.mtime ?? octal(1700000000));
  put(156, fields.type ?? "0");
  put(157, fields.link ?? "");
  put(257, MAGIC[magic]);
  if (magic !== "v7") {
    put(265, "owner");
    put(297, "staff");
  }
  put(345, fields.prefix ?? "");
  for (const [at, bytes] of fields.patch ?? []) put(at, bytes);
  put(148, "        ");
  const total = block.reduce(
    (all, byte) => all + (sum === "signed" ? byte << 24 >> 24 : byte),
    sum === "wrong" ? 1 : 0,
  );
  put(148, `${total.toString(8).padStart(6, "0")}\0 `);
  return block;
}

/** Eleven octal digits and a zero byte. */
export function octal(value: number): string {
  return value.toString(8).padStart(11, "0") + "\0";
}

/** Twelve bytes of base-256, negative ones too. */
export function base256(value: bigint): Uint8Array {
  const bytes = new Uint8Array(12);
  let rest = BigInt.asUintN(95, value);
  for (let i = 11; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  bytes[0]! |= 0x80;
  return bytes;
}

/** A text filled up to whole blocks. */
export function blocks(content: string | Uint8Array, filler = 0): Uint8Array {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  const filled = new Uint8Array(Math.ceil(bytes.length / 512) * 512).fill(filler);
  filled.set(bytes);
  return filled;
}

/** A header and its content in whole blocks; the size follows from the content. */
export function member(fields: Fields, content: string | Uint8Array = ""): Uint8Array {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  return concat(header({ size: bytes.length, ...fields }), blocks(bytes));
}

/** One pax record. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = encoder.encode(rest).length;
  let length = bytes + 1;
  while (String(length).length + bytes !== length) length++;
  return length + rest;
}

/** An extended header of type x (or another) with these records. */
export function pax(records: Record<string, string>, fields: Fields = {}): Uint8Array {
  const data = Object.entries(records).map(([key, value]) => paxRecord(key, value)).join("");
  return member({ name: "PaxHeaders/x", type: "x", ...fields }, data);
}

/** A GNU long name or, with type K, a long link. */
export function longName(name: string, type = "L"): Uint8Array {
  return member({ name: "././@LongLink", type, magic: "gnu" }, name + "\0");
}

/** The end of an archive. */
export const END = new Uint8Array(1024);

/** Content in which nothing can be taken for a header, digits or zeros. */
export function marked(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => 0xc0 + (i * 7 + seed) % 61);
}
