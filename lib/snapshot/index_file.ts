/**
 * The JSON index: the one object that makes a backup. A clear part for every holder of the domain's keys to check, a
 * sealed part for those who may list, and a MAC over the bytes (docs/FORMAT.md, "The index").
 */
import { DamageError, openJson, parseUnverified, signJson, unwrapKey, wrapKey } from "../crypto/mod.ts";
import { readRoot, type StreamRoot, writeRoot } from "./stream.ts";
import { ByteReader, ByteWriter } from "./varint.ts";

export const INDEX_FORMAT = "tarzan index";
/** The sealed part is padded to a multiple of this, so that its length tells nothing about labels. */
const SEALED_STEP_BYTES = 1024;

/** What anybody can read in an index. */
export interface ClearIndex {
  repository: string;
  domain: string;
  /** The index's own name: `<time>-<8 hex>`. */
  snapshot: string;
  created: string;
  complete: boolean;
  /** Name of the newest index of this domain that the writer saw; null for the first. */
  previous: string | null;
}

/** What a key that may list can read. */
export interface SealedIndex {
  host: string;
  label: string;
  tags: string[];
  domainName: string;
  entries: number;
  /** Length of the input, and its Glacier tree hash in hex. */
  bytes: number;
  treeHash: string;
  pages: number;
  pageTable: StreamRoot;
  bricks: number;
  /** Names of the bricks needed, in ledger order, as a stream of 32-byte names … */
  brickList: StreamRoot;
  /** … and the names behind it, among them the bricks that hold the ends of that list and of the page table. */
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

export interface Index extends ClearIndex {
  sealed: SealedIndex;
}

/** An index as text, MACed with the domain's "mac index" and sealed to the meta recipient. */
export async function encodeIndex(
  index: Index,
  options: { macIndex: Uint8Array; metaRecipient: string },
): Promise<Uint8Array<ArrayBuffer>> {
  const { sealed, ...clear } = index;
  const json = { ...sealed, pageTable: rootText(sealed.pageTable), brickList: rootText(sealed.brickList) };
  const text = new TextEncoder().encode(JSON.stringify(json));
  const padded = new Uint8Array(Math.ceil(text.length / SEALED_STEP_BYTES) * SEALED_STEP_BYTES).fill(0x20);
  padded.set(text);
  const document = {
    format: INDEX_FORMAT,
    version: 1,
    requires: [],
    ...clear,
    sealed: toBase64(await wrapKey(padded, options.metaRecipient)),
  };
  return new TextEncoder().encode(signJson(document, options.macIndex));
}

/** An index whose MAC was checked; `open` needs the meta identity. */
export interface VerifiedIndex extends ClearIndex {
  sealedText: string;
}

/** Checks MAC, form and version of an index. `name` is that under which it is stored, if it is in a repository. */
export function verifyIndex(
  bytes: Uint8Array,
  options: { macIndex: Uint8Array; what: string; name?: string },
): VerifiedIndex {
  const index = clearPart(
    openJson(bytes, options.macIndex, { format: INDEX_FORMAT, what: options.what }),
    options.what,
  );
  if (options.name !== undefined && index.snapshot !== options.name) {
    throw new DamageError(
      `Cannot trust ${options.what}: it is the index of snapshot ${index.snapshot}, under another name`,
    );
  }
  return index;
}

/** The clear part of an index without any key: nothing of it is proved. */
export function peekIndex(bytes: Uint8Array, what: string): VerifiedIndex {
  return clearPart(parseUnverified(bytes, what), what);
}

function clearPart(value: unknown, what: string): VerifiedIndex {
  const json = value as Record<string, unknown>;
  if (json.format !== INDEX_FORMAT) throw new DamageError(`Cannot read ${what}: it is no index of tarzan`);
  const text = (member: string) => {
    const found = json[member];
    if (typeof found !== "string") throw new DamageError(`Cannot read ${what}: it has no "${member}"`);
    return found;
  };
  return {
    repository: text("repository"),
    domain: text("domain"),
    snapshot: text("snapshot"),
    created: text("created"),
    complete: json.complete === true,
    previous: json.previous === null ? null : text("previous"),
    sealedText: text("sealed"),
  };
}

/** Opens the sealed part of an index. */
export async function openSealed(index: VerifiedIndex, metaIdentity: string): Promise<SealedIndex> {
  const what = `the index of snapshot ${index.snapshot}`;
  const plain = await unwrapKey(fromBase64(index.sealedText, what), metaIdentity, what);
  return sealedFromText(new TextDecoder("utf-8", { fatal: true }).decode(plain), what);
}

/** The sealed part from its JSON text, as a cache keeps it. */
export function sealedFromText(text: string, what: string): SealedIndex {
  const json = JSON.parse(text);
  return { ...json, pageTable: textRoot(json.pageTable, what), brickList: textRoot(json.brickList, what) };
}

/** The inverse of `sealedFromText`. */
export function sealedToText(sealed: SealedIndex): string {
  return JSON.stringify({ ...sealed, pageTable: rootText(sealed.pageTable), brickList: rootText(sealed.brickList) });
}

function rootText(root: StreamRoot): string {
  const writer = new ByteWriter();
  writeRoot(root, writer);
  return toBase64(writer.take());
}

function textRoot(text: string, what: string): StreamRoot {
  return readRoot(new ByteReader(fromBase64(text, what), what));
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return btoa(text);
}

function fromBase64(text: string, what: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (cause) {
    throw new DamageError(`Cannot read ${what}: a part of it is not base64`, { cause });
  }
}
