/**
 * The sealed part of an index: what only those who may list can read. Whoever may write into one domain makes such parts, and
 * a key that sees all domains reads them: so every member is checked, and a bad one is damage of that index alone.
 */
import { DamageError, isHex } from "../crypto/mod.ts";
import { readRoot, type StreamRoot, writeRoot } from "./stream.ts";
import { ByteReader, ByteWriter } from "./varint.ts";

/** What a key that may list can read. */
export interface SealedIndex {
  host: string;
  label: string;
  tags: string[];
  domainName: string;
  entries: number;
  /** Length of the input, and its Glacier tree hash in hex; empty in an index that stands for a part of it. */
  bytes: number;
  treeHash: string;
  pages: number;
  pageTable: StreamRoot;
  bricks: number;
  /** Names of the bricks needed, in ledger order, as a stream of 32-byte names … */
  brickList: StreamRoot;
  /** … and those of the bricks that hold the ends of that list and of the page table. */
  lastBricks: string[];
  /** Why the input is incomplete, as a sentence fragment. */
  incomplete?: string;
  /** How the program that made the stream ended, if `create` started it. */
  producer?: { command: string; code: number };
  /** Bytes that were no tar. */
  opaqueBytes: number;
  /** What made this index. */
  tool: string;
}

type Members = Record<string, unknown>;

const isText = (value: unknown) => typeof value === "string";
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isListOf = (test: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(test);
const isProducer = (value: unknown) => {
  const { command, code } = (value ?? {}) as Members;
  return isText(command) && Number.isSafeInteger(code);
};

const FORMS: Record<keyof SealedIndex, (value: unknown) => boolean> = {
  host: isText,
  label: isText,
  tags: isListOf(isText),
  domainName: isText,
  entries: isCount,
  bytes: isCount,
  treeHash: (value) => value === "" || isHex(value, 32),
  pages: isCount,
  pageTable: isText,
  bricks: isCount,
  brickList: isText,
  lastBricks: isListOf((name) => isHex(name, 32)),
  incomplete: (value) => value === undefined || isText(value),
  producer: (value) => value === undefined || isProducer(value),
  opaqueBytes: isCount,
  tool: isText,
};

/** The sealed part from its JSON text. Members that this version does not know stay in the result. */
export function sealedFromText(text: string, what: string): SealedIndex {
  const json = parseMembers(text);
  if (json === undefined) throw new DamageError(`Cannot read ${what}: what is sealed in it is no JSON object`);
  for (const [member, isGood] of Object.entries(FORMS)) {
    if (!isGood(json[member])) throw new DamageError(`Cannot read ${what}: its "${member}" is not what it should be`);
  }
  const root = (member: string) => textRoot(json[member] as string, what);
  return { ...(json as unknown as SealedIndex), pageTable: root("pageTable"), brickList: root("brickList") };
}

/** The inverse of `sealedFromText`. */
export function sealedToText(sealed: SealedIndex): string {
  return JSON.stringify({ ...sealed, pageTable: rootText(sealed.pageTable), brickList: rootText(sealed.brickList) });
}

function parseMembers(text: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Members : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function rootText(root: StreamRoot): string {
  const writer = new ByteWriter();
  writeRoot(root, writer);
  return toBase64(writer.take());
}

function textRoot(text: string, what: string): StreamRoot {
  const reader = new ByteReader(fromBase64(text, what), what);
  const root = readRoot(reader);
  if (!reader.done) throw new DamageError(`Cannot read ${what}: something stands behind a list`);
  return root;
}

/** RFC 4648 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return btoa(text);
}

/** The inverse of `toBase64`; `what` names where the text stands. */
export function fromBase64(text: string, what: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new DamageError(`Cannot read ${what}: a part of it is not base64`, { cause });
  }
}
