/**
 * One request and its answer over node:http or node:https; no fetch(), which streams bodies without their length. The
 * answer is bounded before it is read. A connection on which nothing moves is given up, so no request can hang for ever.
 *
 * Every request has a connection of its own. On one that is used again, Deno's node:http sends a request a second time by
 * itself when the server hangs up (POST too, found with Deno 2.9.6): that would begin, and pay, a retrieval twice. And an
 * agent that is shared loses the descriptors of its sockets (Deno 2.7.1).
 */
import { type ClientRequest, type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { Duplex as Socket } from "node:stream";
import { BrokenAnswerError } from "./errors.ts";

export interface Sending {
  method: string;
  /** Path and query, percent-encoded. */
  target: string;
  headers: Record<string, string>;
  body: Uint8Array | undefined;
}

export interface Answer {
  status: number;
  /** The header of this name, or undefined; names are in lower case. */
  header(name: string): string | undefined;
  body: Uint8Array<ArrayBuffer>;
}

/** The connection broke, was refused or stood still: nobody knows whether the request took effect. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
}

const hangUpMs = 100;
const sliceBytes = 256 * 1024;

/** How one endpoint is reached. */
export class Transport {
  readonly host: string;
  readonly hostname: string;
  readonly #endpoint: URL;
  readonly #idleMs: number;

  constructor(endpoint: URL, options: { idleMs: number }) {
    this.#endpoint = endpoint;
    this.host = endpoint.host;
    this.hostname = endpoint.hostname;
    this.#idleMs = options.idleMs;
  }

  /** Sends a request. An answer longer than `limit` is a BrokenAnswerError, a lost connection a ConnectionError. */
  exchange(sending: Sending, options: { signal: AbortSignal; limit: number }): Promise<Answer> {
    const { signal, limit } = options;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const request = this.#begin(sending);
      let socket: Socket | undefined;
      let open = true;
      let hungUp = false;
      let idle: ReturnType<typeof setTimeout>;
      const failIn = (ms: number, why: string) => {
        clearTimeout(idle);
        if (!open) return;
        idle = setTimeout(() => fail(new ConnectionError(why)), ms);
      };
      const moved = () => hungUp || failIn(this.#idleMs, `nothing moved for ${this.#idleMs / 1000} s`);
      const over = () => {
        open = false;
        clearTimeout(idle);
        signal.removeEventListener("abort", aborted);
        request.destroy();
        socket?.destroy();
      };
      const fail = (error: unknown) => {
        reject(error);
        over();
      };
      const aborted = () => fail(signal.reason);
      signal.addEventListener("abort", aborted, { once: true });
      moved();
      request.on("error", (error) => fail(lost(error)));
      request.on("socket", (itsSocket) => {
        socket = itsSocket;
        // Before Deno 2.9 only the socket tells that the server hung up; what it had said may still be on its way here.
        socket.once("close", () => {
          hungUp = true;
          failIn(hangUpMs, "the connection was closed without an answer");
        });
      });
      request.on("response", (response) => {
        moved();
        bodyOf(response, { limit, moved }).then((body) => {
          resolve({ status: response.statusCode ?? 0, header: (name) => headerOf(response, name), body });
          over();
        }, fail);
      });
      writeBody(request, { body: sending.body, moved });
    });
  }

  #begin({ method, target, headers }: Sending): ClientRequest {
    const { hostname, port, protocol } = this.#endpoint;
    // The brackets of an IPv6 address belong to the URL only.
    const host = hostname.replace(/^\[|\]$/g, "");
    const options = { host, method, path: target, headers, agent: false, ...(port === "" ? {} : { port }) };
    return protocol === "https:" ? secureRequest(options) : plainRequest(options);
  }
}

/** Writes the body in slices, so that progress shows and the socket's buffer stays small. */
function writeBody(request: ClientRequest, options: { body: Uint8Array | undefined; moved: () => void }): void {
  const { body, moved } = options;
  if (body === undefined) {
    request.end();
    return;
  }
  let at = 0;
  const go = () => {
    moved();
    while (at < body.length && !request.destroyed) {
      const slice = body.subarray(at, at += sliceBytes);
      if (!request.write(slice) && at < body.length) {
        request.once("drain", go);
        return;
      }
    }
    if (!request.destroyed) request.end();
  };
  go();
}

function bodyOf(
  response: IncomingMessage,
  options: { limit: number; moved: () => void },
): Promise<Uint8Array<ArrayBuffer>> {
  const { limit, moved } = options;
  const stated = Number(response.headers["content-length"] ?? Number.NaN);
  return new Promise((resolve, reject) => {
    if (stated > limit) {
      reject(new BrokenAnswerError(`the answer has ${stated} bytes, ${limit} at most are expected`));
      return;
    }
    const pieces: Uint8Array[] = [];
    let length = 0;
    response.on("data", (piece: Uint8Array) => {
      moved();
      length += piece.length;
      pieces.push(piece);
      if (length > limit) reject(new BrokenAnswerError(`the answer is longer than ${limit} bytes`));
    });
    response.on("error", (error) => reject(lost(error)));
    response.on("close", () => reject(new ConnectionError("the connection was closed in the middle of the answer")));
    response.on("end", () => {
      if (!Number.isNaN(stated) && length !== stated) {
        reject(new ConnectionError(`the answer ends after ${length} of ${stated} bytes`));
      } else resolve(joined(pieces, length));
    });
  });
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

function headerOf(response: IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

function lost(error: unknown): Error {
  return new ConnectionError(error instanceof Error ? error.message : String(error), { cause: error });
}
