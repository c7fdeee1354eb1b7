/**
 * Sealed frames of a brick: AES-256-GCM, nonce = u32 number | 8 zeros, associated data = header MAC | letter | for blocks
 * u32 number (docs/FORMAT.md, "Bricks").
 *
 * GCM loses everything when a nonce is used twice under one key. So the counter lives here, next to the only call of
 * encrypt: it only rises, whatever the caller does, and it rises before anything is awaited, so that frames in flight
 * beside each other cannot share a number.
 */
import { concatBytes, isU32, unshared, writeU32 } from "./bytes.ts";
import { SECRET_BYTES } from "./derive.ts";
import { DamageError } from "./errors.ts";
import { sha256 } from "./hash.ts";
import { toHex } from "./hex.ts";
import { encodeText } from "./text.ts";

/** B: a block of a brick (numbers from 0), under its own key. T (number 0) and P (number 1): its toc and its padding. */
export type FrameLetter = "B" | "T" | "P";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FIXED_NUMBERS: Partial<Record<FrameLetter, number>> = { T: 0, P: 1 };

/** Bytes of the frame around so many bytes. */
export function sealedSize(plainBytes: number): number {
  return plainBytes + TAG_BYTES;
}

/** Bytes inside a frame of so many bytes. */
export function openedSize(frameBytes: number): number {
  if (frameBytes < TAG_BYTES) throw new DamageError(`A sealed frame of ${frameBytes} bytes is too short to be one`);
  return frameBytes - TAG_BYTES;
}

/** Seals the frames of one key. Make one for each key, once: a second one for the same key would count from 0 again. */
export class Sealer {
  readonly #key: ImportedKey;
  readonly #headerMac: Uint8Array<ArrayBuffer>;
  readonly #onSeal: ((number: number) => void) | undefined;
  #last = -1;

  /** `onSeal` hears of every nonce (SHA-256 of the key in hex, number) before it is used: a test proves with it that none repeats. */
  constructor(
    rawKey: Uint8Array,
    headerMac: Uint8Array,
    options: { onSeal?: (keyHash: string, number: number) => void } = {},
  ) {
    this.#key = new ImportedKey(rawKey, "encrypt");
    this.#headerMac = new Uint8Array(headerMac);
    const { onSeal } = options;
    if (onSeal !== undefined) {
      const keyHash = toHex(sha256(rawKey));
      this.#onSeal = (number) => onSeal(keyHash, number);
    }
  }

  /**
   * Seals `plain`, which may be shared memory and may change as soon as this returns. `number` must be larger than every
   * one before under this key. Several may be in flight.
   */
  async seal(letter: FrameLetter, number: number, plain: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const parameters = frameParameters(this.#headerMac, letter, number);
    if (number <= this.#last) {
      throw new Error(`Refusing to seal frame ${number}: frame ${this.#last} was sealed with the same key already`);
    }
    this.#last = number;
    this.#onSeal?.(number);
    const { ready } = this.#key;
    // Web Crypto copies its input before it returns; as long as there is no key yet, that copy is made here.
    if (ready !== undefined) return new Uint8Array(await crypto.subtle.encrypt(parameters, ready, unshared(plain)));
    const copy = new Uint8Array(plain);
    return new Uint8Array(await crypto.subtle.encrypt(parameters, await this.#key.imported, copy));
  }
}

/** Opens the frames of one key, in any order. */
export class Opener {
  readonly #key: ImportedKey;
  readonly #headerMac: Uint8Array<ArrayBuffer>;

  constructor(rawKey: Uint8Array, headerMac: Uint8Array) {
    this.#key = new ImportedKey(rawKey, "decrypt");
    this.#headerMac = new Uint8Array(headerMac);
  }

  /** What was sealed; DamageError, which calls the frame `what`, when any bit of it or of its place is another. */
  async open(
    letter: FrameLetter,
    number: number,
    frame: Uint8Array,
    what = `frame ${letter} ${number}`,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const parameters = frameParameters(this.#headerMac, letter, number);
    const key = this.#key.ready ?? await this.#key.imported;
    return await openFrame(key, { parameters, frame, what });
  }
}

/** AES-GCM opening for this folder: a wrong tag becomes a DamageError, everything else stays what it is. */
export async function openFrame(
  key: CryptoKey,
  options: { parameters: AesGcmParams; frame: Uint8Array; what: string },
): Promise<Uint8Array<ArrayBuffer>> {
  const { parameters, frame, what } = options;
  if (frame.length < TAG_BYTES) {
    throw new DamageError(`Cannot open ${what}: ${frame.length} bytes are too short for it`);
  }
  try {
    return new Uint8Array(await crypto.subtle.decrypt(parameters, key, unshared(frame)));
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "OperationError")) throw error;
    throw new DamageError(`Cannot open ${what}: its bytes are not the ones that were sealed there`, { cause: error });
  }
}

/** A raw AES-256 key on its way into Web Crypto: `ready` as soon as it is there, so that later calls need not wait a turn. */
class ImportedKey {
  ready: CryptoKey | undefined;
  readonly imported: Promise<CryptoKey>;

  constructor(rawKey: Uint8Array, use: "encrypt" | "decrypt") {
    if (rawKey.length !== SECRET_BYTES) {
      throw new TypeError(`A frame's key has ${SECRET_BYTES} bytes, not ${rawKey.length}`);
    }
    this.imported = crypto.subtle.importKey("raw", unshared(rawKey), "AES-GCM", false, [use]).then((key) => {
      this.ready = key;
      return key;
    });
  }
}

function frameParameters(headerMac: Uint8Array, letter: FrameLetter, number: number): AesGcmParams {
  const fixed = FIXED_NUMBERS[letter];
  if (!isU32(number) || (fixed !== undefined && fixed !== number)) {
    throw new RangeError(`There is no frame ${letter} number ${number}`);
  }
  const nonce = new Uint8Array(NONCE_BYTES);
  writeU32(nonce, 0, number);
  const place = fixed === undefined ? nonce.subarray(0, 4) : new Uint8Array(0);
  return { name: "AES-GCM", iv: nonce, additionalData: concatBytes(headerMac, encodeText(letter), place) };
}
