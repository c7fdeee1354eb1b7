/** The bytes after a request's headers, with a length or in HTTP's chunks; asks the client to go on where it waits. */
import type { Connection } from "./connection.ts";

export class RequestBody {
  /** As the client announced it; undefined: it did not. */
  readonly announcedLength: number | undefined;
  /** Sent with Transfer-Encoding: chunked. */
  readonly isChunked: boolean;
  /** How many bytes were taken in so far. */
  receivedBytes = 0;
  readonly #connection: Connection;
  #waiting: boolean;
  #left: number;
  #ended = false;
  #failAt = Infinity;

  constructor(connection: Connection, headers: ReadonlyMap<string, string>) {
    this.#connection = connection;
    this.isChunked = /\bchunked\b/i.test(headers.get("transfer-encoding") ?? "");
    const length = headers.get("content-length");
    this.announcedLength = length !== undefined && /^[0-9]+$/.test(length) ? Number(length) : undefined;
    this.#waiting = /100-continue/i.test(headers.get("expect") ?? "");
    this.#left = this.isChunked ? 0 : this.announcedLength ?? 0;
  }

  /** The client holds the body back until it is told to send it, and it was not told. */
  get isHeldBack(): boolean {
    return this.#waiting && !this.#ended;
  }

  /** Breaks off, as a connection that is reset, when this many bytes have come. */
  failAfter(bytes: number): void {
    this.#failAt = bytes;
  }

  /** The next bytes, valid until the next call; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    if (this.receivedBytes >= this.#failAt) throw new BrokenOffError("The plan of faults breaks off this request");
    if (this.#ended) return undefined;
    if (this.#waiting) {
      this.#waiting = false;
      await this.#connection.write(new TextEncoder().encode("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    if (this.#left === 0) {
      if (this.isChunked) this.#left = await this.#nextChunk();
      if (this.#left === 0) {
        this.#ended = true;
        return undefined;
      }
    }
    const piece = await this.#connection.some(Math.min(this.#left, this.#failAt - this.receivedBytes));
    this.#left -= piece.length;
    this.receivedBytes += piece.length;
    if (this.isChunked && this.#left === 0) {
      const copy = piece.slice(); // The line below reads on, and would overwrite it.
      await this.#connection.line();
      return copy;
    }
    return piece;
  }

  /** Reads what is left and forgets it, so that the next request can begin. */
  async drain(): Promise<void> {
    while (await this.read() !== undefined) { /* forgotten */ }
  }

  /** All of it, if it is not longer than `most`. */
  async whole(most: number): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    for (let piece; (piece = await this.read()) !== undefined;) {
      if (this.receivedBytes > most) return undefined;
      pieces.push(piece.slice());
    }
    const all = new Uint8Array(this.receivedBytes);
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  /** The size line of a chunk; behind the last one, the trailer is read and forgotten. */
  async #nextChunk(): Promise<number> {
    const size = parseInt(await this.#connection.line(), 16);
    if (size === 0) {
      while (await this.#connection.line() !== "") {
        /* trailers of HTTP's own, which nobody sends */
      }
    }
    return size;
  }
}

/** Thrown where a plan of faults breaks off a request. */
export class BrokenOffError extends Error {
  override name = "BrokenOffError";
}
