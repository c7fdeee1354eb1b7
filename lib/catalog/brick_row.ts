import { Buffer } from "node:buffer";

/** What a catalogue is told about a brick: one `brick` record of the ledger. */
export interface BrickRow {
  /** SHA-256 of the brick, 64 hex digits. */
  name: string;
  kind: Kind;
  /** 32 hex digits. */
  domain: string;
  bytes: number;
  /** 64 hex digits. */
  treeHash: string;
  /** Name of the ledger object that records it, and the record's place in there: together, how old the brick is. */
  ledgerObject: string;
  position: number;
  /** For each block u32 sealed length, u32 raw length, u32 chunks (little-endian), as in the toc. */
  blocks: Uint8Array;
  /** For each chunk its id (32 bytes) and u32 length (little-endian), as in the toc. */
  chunks: Uint8Array;
}

/** Data or meta, the letter in a brick's header. */
export type Kind = "D" | "M";

/** Length of a block's entry in `BrickRow.blocks`. */
export const blockEntryLength = 12;

/** Length of a chunk's entry in `BrickRow.chunks`. */
export const chunkEntryLength = 36;

/** Throws a TypeError unless a row is what it says it is; the caller has proved the ledger object before. */
export function requireBrickRow(row: BrickRow): void {
  requireHex(row.name, 32);
  requireHex(row.treeHash, 32);
  requireScope(row.kind, row.domain);
  if (!isCount(row.bytes) || !isCount(row.position) || !/^[!-~]+$/.test(row.ledgerObject)) {
    throw new TypeError(`Not the record of a brick: ${row.name} in ledger object ${row.ledgerObject}`);
  }
  const counted = row.blocks.length % blockEntryLength === 0 && row.chunks.length % chunkEntryLength === 0;
  const ends = counted ? chunksBeforeBlocks(row.blocks) : [];
  if (!counted || ends.at(-1) !== row.chunks.length / chunkEntryLength) {
    throw new TypeError(`The lists of brick ${row.name} in ledger object ${row.ledgerObject} do not fit together`);
  }
}

/** Throws a TypeError unless `kind` and `domain` can be a brick's. */
export function requireScope(kind: Kind, domain: string): void {
  if (kind !== "D" && kind !== "M") throw new TypeError(`Not a kind of brick: ${kind}`);
  requireHex(domain, 16);
}

/** How many chunks lie before each block, and at the end how many there are. */
export function chunksBeforeBlocks(blocks: Uint8Array): number[] {
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
  const sums = [0];
  let sum = 0;
  for (let at = 0; at < blocks.length; at += blockEntryLength) sums.push(sum += view.getUint32(at + 8, true));
  return sums;
}

/** The bytes of lower-case hex digits; a TypeError if there are not exactly `length` of them. */
export function fromHex(text: string, length: number): Uint8Array {
  requireHex(text, length);
  return new Uint8Array(Buffer.from(text, "hex"));
}

/** The lower-case hex digits of bytes. */
export function toHex(bytes: unknown): string {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("The catalogue holds a name that is no name");
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");
}

function requireHex(text: string, length: number): void {
  if (text.length !== 2 * length || !/^[0-9a-f]*$/.test(text)) {
    throw new TypeError(`Not ${length} bytes in hex: ${JSON.stringify(text)}`);
  }
}

function isCount(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0;
}
