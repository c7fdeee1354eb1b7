/**
 * Bodies on their way. Outgoing ones are read piece by piece from whatever holds them, again for every try; incoming ones go
 * straight into a buffer of the length that was agreed upon. Both pay for their bytes, and both are given up when nothing
 * moves: Deno has no time-out for a socket that stays open and silent.
 */
import { Readable, type Writable } from "node:stream";
import type { ClientRequest } from "node:http";
import { TransferError } from "./failures.ts";
import type { Rate } from "./rate.ts";

/** Bytes that are at hand and are sent as such. */
const SMALL_BYTES = 1024 * 1024;
const PIECE_BYTES = 128 * 1024;
/** How long a server may think about a body that it has received. */
const THINKING_MS = 5 * 60 * 1000;

/** An answer that was on its way when the connection closed has come after this. */
const CLOSED_MS = 2000;

/**
 * Whether a buffer may be filled again once it was written. Before Deno 2.9 a socket says so while it still reads from it, and
 * the server gets bytes of the next piece.
 */
const socketsKeepNothing = isAtLeast(Deno.version.deno, [2, 9]);

function isAtLeast(version: string, [major, minor]: [number, number]): boolean {
  const [a = 0, b = 0] = version.split(".").map(Number);
  return a > major || (a === major && b >= minor);
}

/** What is to be stored. */
export interface Body {
  bytes: number;
  /** Hex. */
  sha256: string;
  /**
   * The bytes, again for every try. They may be put into `into`, which is large enough, and are used before the next but one
   * call.
   */
  read(range: { from: number; length: number }, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
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
  #deadlineMs = Infinity;
  #withinMs = 0;
  #ended = false;
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
    if (this.#ended) return;
    this.#withinMs = withinMs;
    this.#deadlineMs = performance.now() + withinMs;
    this.#timer ??= setTimeout(() => this.#look(), withinMs);
  }

  /** Waiting for our own rate limit is no standstill. */
  pause(): void {
    this.#deadlineMs = Infinity;
  }

  /** One timer for many moves: they are many thousands. */
  #look(): void {
    this.#timer = undefined;
    const leftMs = this.#deadlineMs - performance.now();
    if (leftMs === Infinity) return;
    if (leftMs > 0) this.#timer = setTimeout(() => this.#look(), leftMs);
    else this.fail(new TransferError(`nothing moved for ${Math.round(this.#withinMs / 1000)} s`));
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
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#stop);
  }
}

/** What a body needs on its way; `sent` hears of bytes that were handed to the socket. */
interface Way {
  rate: Rate;
  watch: Watch;
  stallMs: number;
  sent: (bytes: number) => void;
}

/** A body for one try: the bytes themselves if they are few. */
export async function openBody(body: Body, way: Way): Promise<Uint8Array | Readable> {
  if (!isSmall(body.bytes)) return new BodyStream(body, way);
  const { rate, watch, stallMs, sent } = way;
  const bytes = await body.read({ from: 0, length: body.bytes });
  requireLength(bytes, body.bytes);
  watch.pause();
  await rate.take(bytes.length, watch.signal);
  watch.moved(stallMs);
  sent(bytes.length);
  return bytes;
}

/**
 * A body that pumps itself into the request (which is all that the SDK does with a stream: `pipe`), from two buffers in turn. A
 * stream that makes a new buffer for every piece leaves tens of megabytes lying about, since the garbage collector comes
 * by too seldom. A buffer is filled again only when the socket has said that it is done with it.
 */
class BodyStream extends Readable {
  readonly #body: Body;
  readonly #way: Way;
  readonly #over = Promise.withResolvers<never>();
  /** Deno before 2.9 does not tell a request that its connection has closed, only the connection itself. */
  readonly #onSocketClose = () => this.#way.watch.moved(CLOSED_MS);
  #request: ClientRequest | undefined;
  #socket: Writable | undefined;
  #ended = false;

  constructor(body: Body, way: Way) {
    super();
    this.#body = body;
    this.#way = way;
    this.#over.promise.catch(() => {});
  }

  override pipe<T extends NodeJS.WritableStream>(request: T): T {
    this.#request = request as unknown as ClientRequest;
    this.#request.once("close", () => this.#over.reject(new ConnectionError()));
    this.#request.once("socket", (socket) => {
      if (this.destroyed) return;
      this.#socket = socket;
      socket.once("close", this.#onSocketClose);
    });
    this.#pump(this.#request).catch((error) => {
      // What befalls the connection the SDK hears itself, and perhaps with an answer that says why.
      if (!this.destroyed && !(error instanceof ConnectionError)) this.#way.watch.fail(error);
    });
    return request;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // A connection in the middle of a body is of no use to anybody else.
    if (!this.#ended) this.#request?.destroy();
    this.#socket?.off("close", this.#onSocketClose);
    this.#over.reject(new ConnectionError());
    done(error);
  }

  async #pump(request: Writable): Promise<void> {
    const { rate, watch, stallMs, sent } = this.#way;
    const { bytes: whole } = this.#body;
    const buffers = socketsKeepNothing
      ? [new Uint8Array(PIECE_BYTES), new Uint8Array(PIECE_BYTES)] as const
      : undefined;
    let before: Promise<void> = Promise.resolve();
    let turn: 0 | 1 = 0;
    for (let from = 0; from < whole && !this.destroyed; from += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, whole - from);
      const piece = await this.#body.read({ from, length }, buffers?.[turn]);
      turn = turn === 0 ? 1 : 0;
      requireLength(piece, length);
      watch.pause();
      await rate.take(length, watch.signal);
      watch.moved(stallMs);
      await Promise.race([before, this.#over.promise]);
      before = write(request, piece).then(() => sent(length));
      before.catch(() => {});
    }
    await Promise.race([before, this.#over.promise]);
    if (this.destroyed) return;
    watch.moved(Math.max(stallMs, THINKING_MS));
    this.#ended = true;
    request.end();
  }
}

/** The request broke off. */
class ConnectionError extends Error {}

/** Resolves when the bytes have left their buffer. */
function write(request: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) =>
    request.write(bytes, (error) => error ? reject(new ConnectionError()) : resolve())
  );
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
