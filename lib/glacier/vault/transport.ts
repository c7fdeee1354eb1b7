/**
 * One request and its answer: over node:http or node:https where something is sent or done, since fetch() streams bodies
 * without their length, and by fetch() where something is read. Answers are bounded before they are read. A connection on
 * which nothing moves is given up, so no request can hang for ever.
 *
 * Every request that does something has a connection of its own. On one that is used again, Deno's node:http sends a
 * request a second time by itself when the server hangs up (POST too, found with Deno 2.9.6): that would begin, and pay, a
 * retrieval twice. And an agent that is shared loses the descriptors of its sockets (Deno 2.7.1).
 */
import { type ClientRequest, type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { Duplex as Socket } from "node:stream";
import { type Answer, ConnectionError, joined } from "./answer.ts";
import { download } from "./download.ts";
import { BrokenAnswerError } from "./errors.ts";
import type { Rate } from "../../store/mod.ts";

export interface Sending {
  method: string;
  /** Path and query, percent-encoded. */
  target: string;
  headers: Record<string, string>;
  body: Uint8Array | undefined;
}

const hangUpMs = 100;
const sliceBytes = 256 * 1024;

/** How one endpoint is reached. */
export class Transport {
  readonly host: string;
  readonly hostname: string;
  readonly #endpoint: URL;
  readonly #idleMs: number;
  readonly #upload: Rate;
  readonly #download: Rate;

  constructor(endpoint: URL, options: { idleMs: number; upload: Rate; download: Rate }) {
    this.#endpoint = endpoint;
    this.host = endpoint.host;
    this.hostname = endpoint.hostname;
    this.#idleMs = options.idleMs;
    this.#upload = options.upload;
    this.#download = options.download;
  }

  /** Sends a request. An answer longer than `limit` is a BrokenAnswerError, a lost connection a ConnectionError. */
  exchange(sending: Sending, options: { signal: AbortSignal; limit: number }): Promise<Answer> {
    if (sending.method !== "GET") return this.#send(sending, options);
    const url = new URL(sending.target, this.#endpoint).href;
    return download(url, { ...options, headers: sending.headers, idleMs: this.#idleMs, rate: this.#download });
  }

  #send(sending: Sending, options: { signal: AbortSignal; limit: number }): Promise<Answer> {
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
        // Before Deno 2.9 only the socket of plain HTTP tells that the server hung up, and what it had said may still be on
        // its way here. That of TLS says so at once, always.
        if (this.#endpoint.protocol === "https:") return;
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
      const paused = () => hungUp || clearTimeout(idle);
      const take = (bytes: number) => this.#upload.take(bytes, signal);
      writeBody(request, { body: sending.body, moved, paused, take }).catch(fail);
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

/** Writes the body in slices, as fast as it may go, so that progress shows and the socket's buffer stays small. */
async function writeBody(
  request: ClientRequest,
  options: {
    body: Uint8Array | undefined;
    moved: () => unknown;
    paused: () => unknown;
    take: (bytes: number) => Promise<void> | undefined;
  },
): Promise<void> {
  const { body = new Uint8Array(), moved, paused, take } = options;
  for (let at = 0; at < body.length && !request.destroyed; at += sliceBytes) {
    const slice = body.subarray(at, at + sliceBytes);
    const turn = take(slice.length);
    if (turn !== undefined) {
      // Waiting for our own limit is no standstill.
      paused();
      await turn;
      moved();
    }
    if (!request.destroyed && !request.write(slice)) await drained(request);
    moved();
  }
  if (!request.destroyed) request.end();
}

/** Waits until more can be written, or never can be. */
function drained(request: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      request.off("drain", done);
      request.off("close", done);
      request.off("error", done);
      resolve();
    };
    for (const event of ["drain", "close", "error"]) request.on(event, done);
  });
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

function headerOf(response: IncomingMessage, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

function lost(error: unknown): Error {
  return new ConnectionError(error instanceof Error ? error.message : String(error), { cause: error });
}
