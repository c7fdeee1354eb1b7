/**
 * The framing that clients put around a body whose checksum they know only at its end: `size;chunk-signature=…` lines, and
 * a trailer. "Signature calculations: transferring a payload in multiple chunks" of the S3 API reference.
 */
import { createHash, createHmac } from "node:crypto";
import { ServiceError } from "../errors.ts";

/** How chunks are signed: each with the signature before it. */
export interface ChunkSigning {
  key: Uint8Array;
  at: string;
  scope: string;
  seed: string;
}

const incomplete = () => new ServiceError(400, "IncompleteBody", "The request body terminated unexpectedly");

/** Takes the framing off; `onTrailer` hears each header behind the last chunk. */
export async function* unframed(
  source: AsyncIterable<Uint8Array>,
  options: { signing?: ChunkSigning; onTrailer: (name: string, value: string) => void },
): AsyncGenerator<Uint8Array> {
  const input = new Input(source);
  let previous = options.signing?.seed ?? "";
  for (;;) {
    const [size = "", extension = ""] = (await input.line()).split(";", 2);
    if (!/^[0-9a-f]{1,12}$/i.test(size)) throw incomplete();
    const hash = createHash("sha256");
    let left = parseInt(size, 16);
    const isLast = left === 0;
    while (left > 0) {
      const piece = await input.some(left);
      left -= piece.length;
      if (options.signing) hash.update(piece);
      yield piece;
    }
    if (options.signing) {
      previous = chunkSignature(options.signing, previous, hash.digest("hex"));
      if (extension !== `chunk-signature=${previous}`) {
        throw new ServiceError(403, "SignatureDoesNotMatch", "The signature of a chunk does not match");
      }
    }
    if (isLast) break;
    if (await input.line() !== "") throw incomplete();
  }
  for (let line; (line = await input.line()) !== "";) {
    const colon = line.indexOf(":");
    if (colon < 0) throw incomplete();
    options.onTrailer(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
}

function chunkSignature(signing: ChunkSigning, previous: string, hash: string): string {
  const empty = createHash("sha256").digest("hex");
  const text = ["AWS4-HMAC-SHA256-PAYLOAD", signing.at, signing.scope, previous, empty, hash].join("\n");
  return createHmac("sha256", signing.key).update(text).digest("hex");
}

/** Bytes by line or by count. */
class Input {
  readonly #source: AsyncIterator<Uint8Array>;
  #piece = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async some(most: number): Promise<Uint8Array> {
    while (this.#piece.length === 0) {
      const next = await this.#source.next();
      if (next.done) throw incomplete();
      this.#piece = next.value as Uint8Array<ArrayBuffer>;
    }
    const taken = this.#piece.subarray(0, most);
    this.#piece = this.#piece.subarray(taken.length);
    return taken;
  }

  async line(): Promise<string> {
    let text = "";
    while (!text.endsWith("\r\n")) {
      if (text.length > 8192) throw incomplete();
      text += String.fromCharCode((await this.some(1))[0]!);
    }
    return text.slice(0, -2);
  }
}
