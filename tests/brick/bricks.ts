/** Bricks for tests: written by the real filler into memory, and read back whole, as a stranger would read a file. */
import {
  type BrickHeader,
  type BrickKeys,
  type BrickKind,
  type BrickRecord,
  checkPadding,
  openHeader,
  openToc,
  packBlock,
  paddingOffset,
  parseTrailer,
  type Toc,
  tocBlocks,
  TRAILER_BYTES,
  unpackBlock,
} from "../../lib/brick/mod.ts";
import {
  createFullBundle,
  createIdHasher,
  DamageError,
  equalBytes,
  Keyring,
  Opener,
  Sealer,
  unwrapKey,
} from "../../lib/crypto/mod.ts";
import { BrickFiller, brickObject } from "../../lib/repository/mod.ts";
import { createMemoryStore } from "../../lib/store/mod.ts";

const bundle = await createFullBundle({
  repository: "0123456789abcdef".repeat(2),
  config: "",
  domainName: "test",
  root: new Uint8Array(32).fill(7),
});

export const KEYRING = new Keyring(bundle);
/** The domain's id in hex. */
export const DOMAIN = KEYRING.defaultDomain.id;
const shapes = await KEYRING.shapeKeys(DOMAIN);
const bodies = await KEYRING.bodyKeys(DOMAIN);
export const KEYS: BrickKeys = { macBrick: shapes.macBrick, toc: shapes.toc };
export const LEDGER_KEY = shapes.ledger;
export const RECIPIENT = await KEYRING.dataRecipient();
export const IDENTITY = (await KEYRING.dataIdentity())!;
const hasher = await createIdHasher(bodies.dataId);

/** A brick file, and what the filler said of it. */
export interface WrittenBrick {
  record: BrickRecord;
  bytes: Uint8Array<ArrayBuffer>;
}

/** The 36-byte records of chunks. */
export function recordsOf(chunks: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const records = new Uint8Array(chunks.length * 36);
  chunks.forEach((chunk, i) => {
    records.set(hasher.id(chunk), i * 36);
    new DataView(records.buffer).setUint32(i * 36 + 32, chunk.length, true);
  });
  return records;
}

/** Writes blocks of chunks; the bricks that came of it, in order. */
export async function writeBricks(
  blocks: Uint8Array[][],
  options: { kind?: BrickKind; level?: number; targetBytes?: number } = {},
): Promise<WrittenBrick[]> {
  const { kind = "D", level = 3, targetBytes = 128 << 20 } = options;
  const store = createMemoryStore();
  const written: BrickRecord[] = [];
  const filler = new BrickFiller({
    store,
    kind,
    domain: DOMAIN,
    keys: KEYS,
    recipient: RECIPIENT,
    targetBytes,
    onBrick: (brick) => Promise.resolve(void written.push(brick)),
  });
  const sealers = new Map<number, Sealer>();
  for (const chunks of blocks) {
    const raw = concat(chunks);
    const { key, number } = await filler.place(raw.length, chunks.length);
    const sealer = sealers.get(key.serial) ?? new Sealer(key.key, key.hm);
    sealers.set(key.serial, sealer);
    const sealed = await sealer.seal("B", number, packBlock(raw, level));
    await filler.append({ sealed, rawLength: raw.length, records: recordsOf(chunks) });
  }
  await filler.finish();
  return await Promise.all(
    written.map(async (record) => ({ record, bytes: await store.get(brickObject(kind, record.name)) })),
  );
}

/** The one brick that these blocks make. */
export async function writeBrick(blocks: Uint8Array[][], level?: number): Promise<WrittenBrick> {
  const bricks = await writeBricks(blocks, level === undefined ? {} : { level });
  if (bricks.length !== 1) throw new Error(`${bricks.length} bricks, not one`);
  return bricks[0]!;
}

/** A brick whose header and toc were read and checked, and where its frames stand. */
export interface OpenedBrick {
  header: BrickHeader;
  toc: Toc;
  blocks: { from: number; to: number; rawLength: number; firstChunk: number; chunks: number }[];
  padding: { from: number; to: number };
  tocFrame: { from: number; to: number };
}

/** Everything that can be checked without the key of the blocks; throws DamageError or UnsupportedError. */
export async function openBrick(bytes: Uint8Array<ArrayBuffer>): Promise<OpenedBrick> {
  const header = openHeader(bytes, KEYS, "the brick");
  const tocTo = bytes.length - TRAILER_BYTES;
  const tocFrom = tocTo - parseTrailer(bytes.subarray(-TRAILER_BYTES), "the brick");
  if (tocFrom < header.bytes.length) throw new DamageError("The toc does not fit");
  const frame = bytes.slice(tocFrom, tocTo);
  const toc = await openToc(header, { keys: KEYS, frame, fileBytes: bytes.length, what: "the brick" });
  const paddingFrom = paddingOffset(header, toc);
  await checkPadding(header, { keys: KEYS, frame: bytes.slice(paddingFrom, tocFrom), what: "the brick" });
  return {
    header,
    toc,
    blocks: tocBlocks(toc).map(({ offset, sealedLength, rawLength, firstChunk, chunks }) => {
      const from = header.bytes.length + offset;
      return { from, to: from + sealedLength, rawLength, firstChunk, chunks };
    }),
    padding: { from: paddingFrom, to: tocFrom },
    tocFrame: { from: tocFrom, to: tocTo },
  };
}

/** All chunks of a brick, each proved by its id. */
export async function readBrick(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array[]> {
  const { header, toc, blocks } = await openBrick(bytes);
  const opener = new Opener(await unwrapKey(header.ageFile, IDENTITY, "the key"), header.hm);
  const chunks: Uint8Array[] = [];
  for (const [number, { from, to, rawLength, firstChunk, chunks: count }] of blocks.entries()) {
    const packed = await opener.open("B", number, bytes.slice(from, to));
    const raw = unpackBlock(packed, rawLength, `block ${number}`);
    let at = 0;
    for (let i = firstChunk; i < firstChunk + count; i++) {
      const record = toc.chunks.subarray(i * 36, i * 36 + 36);
      const length = new DataView(record.buffer, record.byteOffset).getUint32(32, true);
      const chunk = raw.slice(at, at += length);
      if (!equalBytes(hasher.id(chunk), record.subarray(0, 32))) throw new DamageError(`Chunk ${i} has another id`);
      chunks.push(chunk);
    }
  }
  return chunks;
}

/** Bytes that no compression makes smaller, and that follow from the seed (xorshift32). */
export function noise(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let x = seed || 1;
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    words[i] = x;
  }
  return new Uint8Array(words.buffer).slice(0, length);
}

/** One array after the other. */
export function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A copy with one bit flipped. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}
