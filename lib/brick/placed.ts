/**
 * The `placed` record of a ledger: an object in cold storage, confirmed by that storage, and the bricks that are in it. One
 * brick alone is the whole object; a bundle is a tar of many. Where a cold brick is, only these records say.
 *
 *   0 sha256 (32) | 32 tree hash (32) | 64 u64 bytes | 72 u64 placed at, ms | 80 u8 class | 81 three zeros
 *   84 u16 n | 86 u16 m | 88 u32 bricks | 92 four zeros | 96 location (n) | handle (m)
 *   bricks x (name 32 | u64 offset | u64 bytes | u8 kind | seven zeros)
 *
 * The `lost` record takes one back, because the storage itself said that it does not hold that object (any more). It speaks of
 * what was placed there until then; placed again later, the object counts again.
 *
 *   0 u64 at, ms | 8 u16 n | 10 u16 m | 12 four zeros | 16 location (n) | handle (m)
 */
import { fromHex, toHex, UnsupportedError } from "../crypto/mod.ts";
import { type BrickKind, LIMITS } from "./layout.ts";

/** Storage classes, at the place of their code; VAULT is Amazon Glacier's vaults. */
const CLASSES = [undefined, "STANDARD_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE", "VAULT"] as const;
export type PlacedClass = Exclude<typeof CLASSES[number], undefined>;

/** A brick in a cold object. */
export interface PlacedBrick {
  name: string;
  kind: BrickKind;
  offset: number;
  bytes: number;
}

/** An object that cold storage does not hold, though it was placed there. */
export interface LostRecord {
  location: string;
  handle: string;
  at: Date;
}

/** An object in cold storage. Hashes in hex; location and handle as in lib/glacier/cold.ts. */
export interface PlacedRecord {
  location: string;
  handle: string;
  class: PlacedClass;
  bytes: number;
  sha256: string;
  treeHash: string;
  placedAt: Date;
  bricks: PlacedBrick[];
}

const FIXED_BYTES = 96;
const LOST_FIXED_BYTES = 16;
const BRICK_BYTES = 56;
const MOST_BRICKS = 1 << 20;

/** The payload of a record. */
export function encodePlaced(placed: PlacedRecord): Uint8Array {
  const location = encodeAscii(placed.location);
  const handle = encodeAscii(placed.handle);
  const bricksAt = FIXED_BYTES + location.length + handle.length;
  const bytes = new Uint8Array(bricksAt + BRICK_BYTES * placed.bricks.length);
  const view = new DataView(bytes.buffer);
  bytes.set(fromHex(placed.sha256));
  bytes.set(fromHex(placed.treeHash), 32);
  view.setBigUint64(64, BigInt(placed.bytes), true);
  view.setBigUint64(72, BigInt(placed.placedAt.getTime()), true);
  bytes[80] = CLASSES.indexOf(placed.class);
  view.setUint16(84, location.length, true);
  view.setUint16(86, handle.length, true);
  view.setUint32(88, placed.bricks.length, true);
  bytes.set(location, FIXED_BYTES);
  bytes.set(handle, FIXED_BYTES + location.length);
  for (const [i, { name, kind, offset, bytes: length }] of placed.bricks.entries()) {
    const at = bricksAt + i * BRICK_BYTES;
    bytes.set(fromHex(name), at);
    view.setBigUint64(at + 32, BigInt(offset), true);
    view.setBigUint64(at + 40, BigInt(length), true);
    bytes[at + 48] = kind.charCodeAt(0);
  }
  return bytes;
}

/** Reads the payload of a record; `bad` makes the error for one that is not well-formed. */
export function decodePlaced(payload: Uint8Array<ArrayBuffer>, bad: (why: string) => Error): PlacedRecord {
  if (payload.length < FIXED_BYTES) throw bad("a placed record is cut short");
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const locationBytes = view.getUint16(84, true);
  const handleBytes = view.getUint16(86, true);
  const count = view.getUint32(88, true);
  const bricksAt = FIXED_BYTES + locationBytes + handleBytes;
  if (count > MOST_BRICKS || payload.length !== bricksAt + BRICK_BYTES * count) {
    throw bad("a placed record has the wrong length");
  }
  const name = CLASSES[payload[80]!];
  if (name === undefined || [81, 82, 83, 92, 93, 94, 95].some((at) => payload[at] !== 0)) {
    throw new UnsupportedError(`${bad(`a placed record of class ${payload[80]} needs a newer tarzan`).message}`);
  }
  const number = (at: number) => {
    const value = view.getBigUint64(at, true);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw bad("a placed record has a number that is too large");
    return Number(value);
  };
  const bytes = number(64);
  const placedAt = dateAt(view, 72, bad);
  const bricks = Array.from({ length: count }, (_, i) => {
    const at = bricksAt + i * BRICK_BYTES;
    const kind = String.fromCharCode(payload[at + 48]!);
    if ((kind !== "D" && kind !== "M") || payload.subarray(at + 49, at + BRICK_BYTES).some((byte) => byte !== 0)) {
      throw new UnsupportedError(`${bad("a placed brick of another kind needs a newer tarzan").message}`);
    }
    const brick = {
      name: toHex(payload.subarray(at, at + 32)),
      kind: kind as BrickKind,
      offset: number(at + 32),
      bytes: number(at + 40),
    };
    if (brick.bytes > LIMITS.brickBytes || brick.offset + brick.bytes > bytes) {
      throw bad(`brick ${brick.name} is said to lie outside the object that holds it`);
    }
    return brick;
  });
  return {
    location: decodeAscii(payload.subarray(FIXED_BYTES, FIXED_BYTES + locationBytes), bad),
    handle: decodeAscii(payload.subarray(FIXED_BYTES + locationBytes, bricksAt), bad),
    class: name,
    bytes,
    sha256: toHex(payload.subarray(0, 32)),
    treeHash: toHex(payload.subarray(32, 64)),
    placedAt,
    bricks,
  };
}

/** The payload of a `lost` record. */
export function encodeLost(lost: LostRecord): Uint8Array {
  const location = encodeAscii(lost.location);
  const handle = encodeAscii(lost.handle);
  const bytes = new Uint8Array(LOST_FIXED_BYTES + location.length + handle.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(lost.at.getTime()), true);
  view.setUint16(8, location.length, true);
  view.setUint16(10, handle.length, true);
  bytes.set(location, LOST_FIXED_BYTES);
  bytes.set(handle, LOST_FIXED_BYTES + location.length);
  return bytes;
}

/** Reads the payload of a `lost` record; `bad` makes the error for one that is not well-formed. */
export function decodeLost(payload: Uint8Array<ArrayBuffer>, bad: (why: string) => Error): LostRecord {
  if (payload.length < LOST_FIXED_BYTES) throw bad("a record of a loss is cut short");
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const handleAt = LOST_FIXED_BYTES + view.getUint16(8, true);
  if (payload.length !== handleAt + view.getUint16(10, true)) throw bad("a record of a loss has the wrong length");
  if (view.getUint32(12) !== 0) {
    throw new UnsupportedError(`${bad("a record of a loss needs a newer tarzan").message}`);
  }
  return {
    location: decodeAscii(payload.subarray(LOST_FIXED_BYTES, handleAt), bad),
    handle: decodeAscii(payload.subarray(handleAt), bad),
    at: dateAt(view, 0, bad),
  };
}

function dateAt(view: DataView, at: number, bad: (why: string) => Error): Date {
  const date = new Date(Number(view.getBigUint64(at, true)));
  if (Number.isNaN(date.getTime())) throw bad("it has a record without a date");
  return date;
}

/** A location or a handle; archive ids have 138 characters. */
function encodeAscii(text: string): Uint8Array {
  if (!/^[!-~]{1,1024}$/.test(text)) throw new TypeError(`Cannot record a place called ${JSON.stringify(text)}`);
  return new TextEncoder().encode(text);
}

function decodeAscii(bytes: Uint8Array, bad: (why: string) => Error): string {
  const text = new TextDecoder("latin1").decode(bytes);
  if (!/^[!-~]{1,1024}$/.test(text)) throw bad("it names a place with strange characters");
  return text;
}
