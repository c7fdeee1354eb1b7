/**
 * Bodies on their way. Outgoing ones are read piece by piece from whatever holds them, again for every try; incoming ones go
 * straight into a buffer of the length that was agreed upon. Both pay for their bytes, and both are given up when nothing
 * moves: Deno has no time-out for a socket that stays open and silent.
 */
import { Readable } from "node:stream";
import { TransferError } from "./failures.ts";
import type { Rate } from "./rate.ts";

/** Bytes that are at hand and are sent as such. */
const SMALL_BYTES = 1024 * 1024;
const PIECE_BYTES = 256 * 1024;
/** How long a server may think about a body that it has received. */
const THINKING_MS = 5 * 60 * 1000;

/** What is to be stored. */
export interface Body {
  bytes: number;
  /** Hex. */
  sha256: string;
  /** Called again for every try. */
  read(range: { from: number; length: number }): Promise<Uint8Array<ArrayBuffer>>;
}

/** Whether a body is sent in one piece from memory, beside the large ones. */
export function isSmall(bytes: number): boolean {
  return bytes <= SMALL_BYTES;
}

/** Ends a try by its signal when nothing has moved for a while. */
export class Watch {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #stop = () => this.#controller.abort(this.#outer!.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failure: Error | undefined;

  constructor(stallMs: number, signal: AbortSignal | undefined) {
    this.#outer = signal;
    if (signal?.aborted) this.#stop();
    signal?.addEventListener("abort", this.#stop, { once: true });
    this.moved(stallMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something has moved; the next thing has to within `withinMs`. */
  moved(withinMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.fail(new TransferError(`nothing moved for ${Math.round(withinMs / 1000)} s`)),
      withinMs,
    );
  }

  /** Waiting for our own rate limit is no standstill. */
  pause(): void {
    clearTimeout(this.#timer);
  }

  /** Ends the try for this reason. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#controller.abort(error);
  }

  /** What really ended the try: the SDK says "aborted" to everything. */
  reason(error: unknown): unknown {
    return this.#failure ?? (this.#outer?.aborted ? this.#outer.reason : error);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#stop);
  }
}

/** A body for one try. `sent` hears of bytes that were handed to the socket. */
export async function openBody(
  body: Body,
  { rate, watch, stallMs, sent }: { rate: Rate; watch: Watch; stallMs: number; sent: (bytes: number) => void },
): Promise<Uint8Array | Readable> {
  if (isSmall(body.bytes)) {
    const bytes = await body.read({ from: 0, length: body.bytes });
    requireLength(bytes, body.bytes);
    watch.pause();
    await rate.take(bytes.length, watch.signal);
    watch.moved(Math.max(stallMs, THINKING_MS));
    sent(bytes.length);
    return bytes;
  }
  const stream = Readable.from(pieces(), { objectMode: false, highWaterMark: PIECE_BYTES });
  stream.on("error", (error) => watch.fail(error));
  return stream;

  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let from = 0; from < body.bytes;) {
      const length = Math.min(PIECE_BYTES, body.bytes - from);
      const bytes = await body.read({ from, length });
      requireLength(bytes, length);
      watch.pause();
      await rate.take(length, watch.signal);
      watch.moved(stallMs);
      yield bytes;
      from += length;
      sent(length);
      watch.moved(from < body.bytes ? stallMs : Math.max(stallMs, THINKING_MS));
    }
  }
}

function requireLength(bytes: Uint8Array, length: number): void {
  // Not "never moved": whatever holds the body has lost a part of it, and another try would send the same.
  if (bytes.length !== length) {
    throw new RangeError(`The body to send is shorter than it was: ${bytes.length} of ${length}`);
  }
}

/** A body of the SDK's answers under Node. */
export type Incoming = Readable;

/**
 * The bytes of an answer: `length` of them after the first `skip`, fewer where it ends. `announced` is what the answer says
 * of its own length: a body that ends before was cut short. What comes beyond is not read.
 */
export async function takeBody(
  stream: Incoming,
  { skip, length, announced, rate, watch, stallMs }: {
    skip: number;
    length: number;
    announced: number;
    rate: Rate;
    watch: Watch;
    stallMs: number;
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, announced - skip)));
  let seen = 0;
  let filled = 0;
  try {
    for await (const piece of stream as AsyncIterable<Uint8Array>) {
      watch.pause();
      await rate.take(piece.length, watch.signal);
      watch.moved(stallMs);
      const from = Math.max(0, skip - seen);
      const part = piece.subarray(from, from + bytes.length - filled);
      bytes.set(part, filled);
      filled += part.length;
      seen += piece.length;
      // A body that is read to its end leaves the connection to the next request.
      if (filled === bytes.length && seen < announced) break;
    }
  } finally {
    stream.destroy();
  }
  if (filled < bytes.length) {
    throw new TransferError(`the answer ended at byte ${seen} of ${announced}`);
  }
  return bytes;
}
