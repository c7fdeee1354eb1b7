/**
 * Ledger objects: what bricks there are, what each holds, and which are gone. Every key of a domain can read its ledger, so
 * a machine that may only write can rebuild its catalogue.
 *
 *   0 "TARZANL1" | 8 eight zeros | 16 domain id (16) | 32 salt (32)
 *   64 AES-256-GCM(HKDF(ledger, salt), nonce of zeros, AAD = first 64 bytes | object's name): records | zeros
 *
 * The sealed frame is a multiple of 4 KiB. A record is u32 length of its payload | u8 type | three zeros | payload. The
 * name is part of the associated data: an object under another's name does not open.
 */
import {
  DamageError,
  free,
  fromHex,
  openRecordFrame,
  randomBytes,
  sealRecordFrame,
  toHex,
  UnsupportedError,
} from "../crypto/mod.ts";
import { type BrickKind, LIMITS, MIB, TAG_BYTES, TOC_STEP_BYTES } from "./layout.ts";
import { decodeLost, decodePlaced, encodeLost, encodePlaced, type LostRecord, type PlacedRecord } from "./placed.ts";
import { CHUNK_RECORD_BYTES, decodeToc, type Toc, tocPlainBytes, writeToc } from "./toc.ts";

const MAGIC = "TARZANL1";
const HEADER_BYTES = 64;
const RECORD_HEADER_BYTES = 8;
/** What stands in the record of a brick before its toc. */
const BRICK_FIELDS_BYTES = 80;
const TYPE_BRICK = 1;
const TYPE_PLACED = 2;
const TYPE_GONE = 4;
const TYPE_LOST = 5;
/** Types from here on may be passed over by whoever only reads and adds; who removes must know all of them. */
const FIRST_HARMLESS_TYPE = 128;
/** No reader takes a larger one; a writer stays far below. */
export const LEDGER_OBJECT_LIMIT = 256 * MIB;

/** A brick as the ledger knows it. */
export interface BrickRecord {
  /** SHA-256 of the file in hex: its name. */
  name: string;
  kind: BrickKind;
  bytes: number;
  /** Glacier's tree hash of the file, in hex. */
  treeHash: string;
  toc: Toc;
}

/** What a ledger object says, in order. */
export type LedgerRecord =
  | { type: "brick"; brick: BrickRecord }
  | { type: "placed"; placed: PlacedRecord }
  | { type: "lost"; lost: LostRecord }
  | { type: "gone"; name: string }
  | { type: "later"; code: number };

/** The records that this version writes. */
export type WrittenRecord = Exclude<LedgerRecord, { type: "later" }>;

/** Bytes that a record of this brick takes, for deciding when a ledger object is full. */
export function brickRecordBytes(toc: Toc): number {
  return RECORD_HEADER_BYTES + BRICK_FIELDS_BYTES + toc.blocks.length + toc.chunks.length + TOC_STEP_BYTES;
}

/** The bytes of one ledger object called `name`. */
export async function encodeLedger(
  records: WrittenRecord[],
  options: { key: Uint8Array; domain: Uint8Array; name: string; random?: (length: number) => Uint8Array },
): Promise<Uint8Array<ArrayBuffer>> {
  const payloads = records.map(payloadOf);
  const length = payloads.reduce((sum, payload) => sum + RECORD_HEADER_BYTES + payload.length, 0);
  const plain = new Uint8Array(Math.ceil((length + TAG_BYTES) / TOC_STEP_BYTES) * TOC_STEP_BYTES - TAG_BYTES);
  let at = 0;
  for (const payload of payloads) at = writeRecord(plain, at, payload);
  const header = new Uint8Array(HEADER_BYTES);
  header.set(new TextEncoder().encode(MAGIC));
  header.set(options.domain, 16);
  const salt = new Uint8Array((options.random ?? randomBytes)(32));
  header.set(salt, 32);
  const frame = await sealRecordFrame(new Uint8Array(options.key), {
    salt,
    aad: associated(header, options.name),
    plain,
  });
  const object = new Uint8Array(HEADER_BYTES + frame.length);
  object.set(header);
  object.set(frame, HEADER_BYTES);
  free(plain);
  free(frame);
  return object;
}

/** Opens a ledger object that is stored as `name` in the ledger of `domain`. */
export async function decodeLedger(
  object: Uint8Array<ArrayBuffer>,
  options: { key: Uint8Array; domain: Uint8Array; name: string },
): Promise<LedgerRecord[]> {
  const { name } = options;
  const header = object.slice(0, HEADER_BYTES);
  checkForm(object, name);
  if (toHex(header.subarray(16, 32)) !== toHex(options.domain)) {
    throw new DamageError(`Cannot trust ledger object ${name}: it belongs to another domain`);
  }
  const plain = await openRecordFrame(new Uint8Array(options.key), {
    salt: header.slice(32),
    aad: associated(header, name),
    frame: object.subarray(HEADER_BYTES),
    what: `ledger object ${name}`,
  });
  // Only now: the frame has proved the header, so these bits were not flipped by accident.
  checkReserved(object, name);
  const records = decodeRecords(plain, name);
  // What the records hold are copies.
  free(plain);
  return records;
}

/** Checks the clear part of a ledger object and gives its domain; nothing of it is proved. */
export function parseLedgerHeader(object: Uint8Array, name: string): { domain: Uint8Array<ArrayBuffer> } {
  checkForm(object, name);
  checkReserved(object, name);
  return { domain: new Uint8Array(object.slice(16, 32)) };
}

function checkForm(object: Uint8Array, name: string): void {
  const magic = new TextDecoder("latin1").decode(object.subarray(0, 8));
  if (/^TARZANL[2-9]$/.test(magic)) {
    throw new UnsupportedError(`Cannot read ledger object ${name}: it was written by a newer tarzan. Update tarzan`);
  }
  const frameBytes = object.length - HEADER_BYTES;
  if (magic !== MAGIC || frameBytes <= 0 || frameBytes % TOC_STEP_BYTES !== 0 || object.length > LEDGER_OBJECT_LIMIT) {
    throw new DamageError(`Cannot read ledger object ${name}: it has not the form of one`);
  }
}

function checkReserved(object: Uint8Array, name: string): void {
  if (object.subarray(8, 16).some((byte) => byte !== 0)) {
    throw new UnsupportedError(`Cannot read ledger object ${name}: it uses bits that a newer tarzan gave a meaning`);
  }
}

function associated(header: Uint8Array, name: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(name);
  const aad = new Uint8Array(header.length + text.length);
  aad.set(header);
  aad.set(text, header.length);
  return aad;
}

/** What a record carries. The list of a brick may be of megabytes: it is written where it belongs, with no copy before. */
interface Payload {
  type: number;
  length: number;
  write(to: Uint8Array): void;
}

/** Writes a record at `at`; where the next one begins. */
function writeRecord(plain: Uint8Array<ArrayBuffer>, at: number, { type, length, write }: Payload): number {
  const end = at + RECORD_HEADER_BYTES + length;
  new DataView(plain.buffer).setUint32(at, length, true);
  plain[at + 4] = type;
  write(plain.subarray(at + RECORD_HEADER_BYTES, end));
  return end;
}

function payloadOf(record: WrittenRecord): Payload {
  switch (record.type) {
    case "brick":
      return brickPayload(record.brick);
    case "placed":
      return smallPayload(TYPE_PLACED, encodePlaced(record.placed));
    case "lost":
      return smallPayload(TYPE_LOST, encodeLost(record.lost));
    case "gone":
      return smallPayload(TYPE_GONE, fromHex(record.name));
  }
}

function smallPayload(type: number, bytes: Uint8Array): Payload {
  return { type, length: bytes.length, write: (to) => to.set(bytes) };
}

/** name 32 | tree hash 32 | u64 bytes | u8 kind | seven zeros | toc as in the brick */
function brickPayload(brick: BrickRecord): Payload {
  return {
    type: TYPE_BRICK,
    length: BRICK_FIELDS_BYTES + tocPlainBytes(brick.toc),
    write(to) {
      to.set(fromHex(brick.name));
      to.set(fromHex(brick.treeHash), 32);
      new DataView(to.buffer, to.byteOffset).setBigUint64(64, BigInt(brick.bytes), true);
      to[72] = brick.kind.charCodeAt(0);
      writeToc(brick.toc, to.subarray(BRICK_FIELDS_BYTES));
    },
  };
}

function decodeRecords(plain: Uint8Array<ArrayBuffer>, name: string): LedgerRecord[] {
  const bad = (why: string) => new DamageError(`Cannot read ledger object ${name}: ${why}`);
  const view = new DataView(plain.buffer, plain.byteOffset, plain.length);
  const records: LedgerRecord[] = [];
  let at = 0;
  while (at + RECORD_HEADER_BYTES <= plain.length && plain[at + 4] !== 0) {
    const length = view.getUint32(at, true);
    const type = plain[at + 4]!;
    const payload = plain.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length);
    if (payload.length !== length) throw bad("a record reaches past its end");
    const known = [TYPE_BRICK, TYPE_PLACED, TYPE_GONE, TYPE_LOST].includes(type) || type >= FIRST_HARMLESS_TYPE;
    if (!known || plain[at + 5] || plain[at + 6] || plain[at + 7]) {
      throw new UnsupportedError(`Cannot read ledger object ${name}: record type ${type} needs a newer tarzan`);
    }
    if (type >= FIRST_HARMLESS_TYPE) records.push({ type: "later", code: type });
    else if (type === TYPE_BRICK) records.push({ type: "brick", brick: decodeBrick(payload, bad) });
    else if (type === TYPE_PLACED) records.push({ type: "placed", placed: decodePlaced(payload, bad) });
    else if (type === TYPE_LOST) records.push({ type: "lost", lost: decodeLost(payload, bad) });
    else if (length === 32) records.push({ type: "gone", name: toHex(payload) });
    else throw bad("a record has the wrong length");
    at += RECORD_HEADER_BYTES + length;
  }
  for (; at < plain.length; at++) if (plain[at] !== 0) throw bad("its padding is not zero");
  return records;
}

function decodeBrick(payload: Uint8Array<ArrayBuffer>, bad: (why: string) => Error): BrickRecord {
  if (payload.length < BRICK_FIELDS_BYTES) throw bad("a brick record is cut short");
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const kind = String.fromCharCode(payload[72]!);
  if ((kind !== "D" && kind !== "M") || payload.subarray(73, 80).some((byte) => byte !== 0)) {
    throw new UnsupportedError(`${bad(`a brick of kind ${JSON.stringify(kind)} needs a newer tarzan`).message}`);
  }
  const name = toHex(payload.subarray(0, 32));
  const bytes = Number(view.getBigUint64(64, true));
  if (bytes > LIMITS.brickBytes) throw bad(`brick ${name} is said to be of ${bytes} bytes`);
  return {
    name,
    kind,
    bytes,
    treeHash: toHex(payload.subarray(32, 64)),
    toc: decodeToc(payload.subarray(BRICK_FIELDS_BYTES), `brick ${name}`),
  };
}

/** Number of chunk records in a toc. */
export function chunkCount(toc: Toc): number {
  return toc.chunks.length / CHUNK_RECORD_BYTES;
}
