/**
 * What stands around the blocks of a brick: header in front, padding, toc and trailer behind.
 *
 * The header's MAC (HM) is the associated data of every frame and the salt of the toc's key, so a frame cannot move to
 * another brick, kind or domain. K, the key of the blocks, stands in the header as a plain age file: `tail -c +33 BRICK |
 * head -c N | age -d -i IDENTITY` prints it.
 */
import {
  DamageError,
  deriveKey,
  equalBytes,
  free,
  hmacSha256,
  Opener,
  randomBytes,
  Sealer,
  UnsupportedError,
  wrapKey,
} from "../crypto/mod.ts";
import {
  brickFileBytes,
  type BrickKind,
  FIXED_HEADER_BYTES,
  HEADER_MAC_BYTES,
  HEADER_MAGIC,
  LIMITS,
  TAG_BYTES,
  TRAILER_BYTES,
  TRAILER_MAGIC,
} from "./layout.ts";
import { decodeToc, encodeToc, type Toc, tocBlocks } from "./toc.ts";

/** The two keys of a domain that make a brick's frame. */
export interface BrickKeys {
  macBrick: Uint8Array<ArrayBuffer>;
  toc: Uint8Array<ArrayBuffer>;
}

/** A header as it was read; `checkHeader` says whether it is genuine. */
export interface BrickHeader {
  kind: BrickKind;
  domain: Uint8Array<ArrayBuffer>;
  /** The key of the blocks, wrapped. */
  ageFile: Uint8Array<ArrayBuffer>;
  /** Header MAC: associated data of all frames. */
  hm: Uint8Array<ArrayBuffer>;
  /** All bytes of the header. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** A brick that is being filled. Its key lives in this object alone. */
export interface NewBrick {
  header: BrickHeader;
  key: Uint8Array<ArrayBuffer>;
}

/** Begins a brick: a fresh key, wrapped to `recipient`, and the header. */
export async function beginBrick(
  kind: BrickKind,
  options: { domain: Uint8Array; keys: BrickKeys; recipient: string; random?: (length: number) => Uint8Array },
): Promise<NewBrick> {
  const key = new Uint8Array((options.random ?? randomBytes)(32));
  const ageFile = await wrapKey(key, options.recipient);
  const signed = new Uint8Array(FIXED_HEADER_BYTES + ageFile.length);
  signed.set(new TextEncoder().encode(HEADER_MAGIC + kind));
  new DataView(signed.buffer).setUint32(12, ageFile.length, true);
  signed.set(options.domain, 16);
  signed.set(ageFile, FIXED_HEADER_BYTES);
  const bytes = new Uint8Array(signed.length + HEADER_MAC_BYTES);
  bytes.set(signed);
  bytes.set(hmacSha256(options.keys.macBrick, signed), signed.length);
  return { header: parseHeader(bytes, "the new brick"), key };
}

/** Bytes of the header whose first `FIXED_HEADER_BYTES` bytes (or more) are given. */
export function headerLength(start: Uint8Array, what: string): number {
  if (start.length < FIXED_HEADER_BYTES) throw new DamageError(`Cannot read ${what}: it ends inside its header`);
  const magic = new TextDecoder("latin1").decode(start.subarray(0, 8));
  if (magic !== HEADER_MAGIC) {
    if (/^TARZANB[2-9]$/.test(magic)) {
      throw new UnsupportedError(`Cannot read ${what}: it was written by a newer tarzan (${magic}). Update tarzan`);
    }
    throw new DamageError(`Cannot read ${what}: it does not begin as a brick does`);
  }
  const n = new DataView(start.buffer, start.byteOffset).getUint32(12, true);
  if (n === 0 || n > LIMITS.ageFileBytes) {
    throw new DamageError(`Cannot read ${what}: its wrapped key is said to be of ${n} bytes`);
  }
  return FIXED_HEADER_BYTES + n + HEADER_MAC_BYTES;
}

/** Parses the whole header of a brick, without any key. */
export function parseHeader(bytes: Uint8Array<ArrayBuffer>, what: string): BrickHeader {
  const length = headerLength(bytes, what);
  if (bytes.length < length) throw new DamageError(`Cannot read ${what}: it ends inside its header`);
  const kind = String.fromCharCode(bytes[8]!);
  if (kind !== "D" && kind !== "M") {
    throw new UnsupportedError(`Cannot read ${what}: a brick of kind ${JSON.stringify(kind)} needs a newer tarzan`);
  }
  if (bytes[9] !== 0 || bytes[10] !== 0 || bytes[11] !== 0) {
    throw new UnsupportedError(`Cannot read ${what}: its header uses bits that a newer tarzan gave a meaning`);
  }
  const macAt = length - HEADER_MAC_BYTES;
  return {
    kind,
    domain: bytes.slice(16, 32),
    ageFile: bytes.slice(FIXED_HEADER_BYTES, macAt),
    hm: bytes.slice(macAt, length),
    bytes: bytes.slice(0, length),
  };
}

/** Refuses a header whose MAC is not that of its domain. */
export function checkHeader(header: BrickHeader, keys: BrickKeys, what: string): void {
  checkHeaderBytes(header.bytes, keys, what);
}

/**
 * The header of a brick, proved before anything that it says is believed: a flipped bit must not pass for a newer kind of
 * brick.
 */
export function openHeader(bytes: Uint8Array<ArrayBuffer>, keys: BrickKeys, what: string): BrickHeader {
  const length = headerLength(bytes, what);
  if (length <= bytes.length) checkHeaderBytes(bytes.subarray(0, length), keys, what);
  return parseHeader(bytes, what);
}

function checkHeaderBytes(bytes: Uint8Array, keys: BrickKeys, what: string): void {
  const macAt = bytes.length - HEADER_MAC_BYTES;
  if (!equalBytes(hmacSha256(keys.macBrick, bytes.subarray(0, macAt)), bytes.subarray(macAt))) {
    throw new DamageError(`Cannot trust ${what}: its header was not made with this repository's key`);
  }
}

async function tocKey(header: BrickHeader, keys: BrickKeys): Promise<Uint8Array<ArrayBuffer>> {
  return await deriveKey(keys.toc, "toc", { salt: header.hm });
}

/** Everything behind the last block of a brick, whose blocks take `blockBytes`. */
export async function finishBrick(
  header: BrickHeader,
  options: { keys: BrickKeys; toc: Toc; blockBytes: number; onSeal?: (key: string, number: number) => void },
): Promise<Uint8Array<ArrayBuffer>> {
  const hook = options.onSeal === undefined ? {} : { onSeal: options.onSeal };
  const sealer = new Sealer(await tocKey(header, options.keys), header.hm, hook);
  const plain = encodeToc(options.toc);
  const least = header.bytes.length + options.blockBytes + TAG_BYTES + plain.length + TAG_BYTES + TRAILER_BYTES;
  const [toc, padding] = await Promise.all([
    sealer.seal("T", 0, plain),
    sealer.seal("P", 1, new Uint8Array(brickFileBytes(least) - least)),
  ]);
  const tail = new Uint8Array(padding.length + toc.length + TRAILER_BYTES);
  tail.set(padding);
  tail.set(toc, padding.length);
  const trailerAt = padding.length + toc.length;
  new DataView(tail.buffer).setUint32(trailerAt, toc.length, true);
  tail.set(new TextEncoder().encode(TRAILER_MAGIC), trailerAt + 4);
  return tail;
}

/** Length of the toc frame, from the last bytes of a brick file. */
export function parseTrailer(end: Uint8Array, what: string): number {
  const trailer = end.subarray(end.length - TRAILER_BYTES);
  if (end.length < TRAILER_BYTES || new TextDecoder("latin1").decode(trailer.subarray(4)) !== TRAILER_MAGIC) {
    throw new DamageError(`Cannot read ${what}: it does not end as a brick does; it may be cut short`);
  }
  const length = new DataView(trailer.buffer, trailer.byteOffset).getUint32(0, true);
  if (length === 0 || length > LIMITS.tocFrameBytes) {
    throw new DamageError(`Cannot read ${what}: its table of contents is said to be of ${length} bytes`);
  }
  return length;
}

/** Opens the toc of a brick and checks that header, blocks, padding, toc and trailer are the whole file. */
export async function openToc(
  header: BrickHeader,
  options: { keys: BrickKeys; frame: Uint8Array<ArrayBuffer>; fileBytes: number; what: string },
): Promise<Toc> {
  const { frame, fileBytes, what } = options;
  const opener = new Opener(await tocKey(header, options.keys), header.hm);
  const plain = await opener.open("T", 0, frame, `the table of contents of ${what}`);
  const toc = decodeToc(plain, what);
  free(plain);
  const paddingBytes = fileBytes - TRAILER_BYTES - frame.length - paddingOffset(header, toc);
  const least = fileBytes - paddingBytes + TAG_BYTES;
  if (paddingBytes < TAG_BYTES || fileBytes !== brickFileBytes(least)) {
    throw new DamageError(`Cannot read ${what}: its parts do not add up to its ${fileBytes} bytes`);
  }
  return toc;
}

/** Where the padding of a brick begins. */
export function paddingOffset(header: BrickHeader, toc: Toc): number {
  const last = tocBlocks(toc).at(-1);
  return header.bytes.length + (last === undefined ? 0 : last.offset + last.sealedLength);
}

/** Checks the padding frame: it must open, and hold zeros only. */
export async function checkPadding(
  header: BrickHeader,
  options: { keys: BrickKeys; frame: Uint8Array<ArrayBuffer>; what: string },
): Promise<void> {
  const opener = new Opener(await tocKey(header, options.keys), header.hm);
  const plain = await opener.open("P", 1, options.frame, `the padding of ${options.what}`);
  if (plain.some((byte) => byte !== 0)) throw new DamageError(`Cannot trust ${options.what}: its padding is not zero`);
}
