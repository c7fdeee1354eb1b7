/**
 * Asking without a body: by fetch(), which keeps its connections and takes an answer that is cut short as an error (the
 * node:http of Deno 2.7 ends the process then). Only requests that may be sent twice go here, since connections that are
 * used again may do that.
 */
import { type Answer, ConnectionError, joined } from "./answer.ts";
import { BrokenAnswerError } from "./errors.ts";
import type { Rate } from "../../store/mod.ts";

/** Does a GET. The errors are those of `Transport.exchange`. */
export async function download(
  url: string,
  options: { headers: Record<string, string>; signal: AbortSignal; limit: number; idleMs: number; rate: Rate },
): Promise<Answer> {
  const { limit, idleMs } = options;
  const idle = new AbortController();
  const signal = AbortSignal.any([options.signal, idle.signal]);
  const stalled = () => idle.abort(new ConnectionError(`nothing moved for ${idleMs / 1000} s`));
  let timer = setTimeout(stalled, idleMs);
  try {
    // fetch() writes this one itself.
    const { host: _host, ...headers } = options.headers;
    const response = await fetch(url, { headers, signal, redirect: "manual" });
    const body = await bodyOf(response, limit, async (bytes) => {
      clearTimeout(timer);
      await options.rate.take(bytes, signal);
      timer = setTimeout(stalled, idleMs);
    });
    return { status: response.status, header: (name) => response.headers.get(name) ?? undefined, body };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof BrokenAnswerError || error instanceof ConnectionError) throw error;
    throw new ConnectionError(error instanceof Error ? error.message : String(error), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

async function bodyOf(
  response: Response,
  limit: number,
  moved: (bytes: number) => Promise<void>,
): Promise<Uint8Array<ArrayBuffer>> {
  const stated = Number(response.headers.get("content-length") ?? Number.NaN);
  if (stated > limit) {
    await response.body?.cancel();
    throw new BrokenAnswerError(`the answer has ${stated} bytes, ${limit} at most are expected`);
  }
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of response.body ?? []) {
    await moved(piece.length);
    length += piece.length;
    if (length > limit) throw new BrokenAnswerError(`the answer is longer than ${limit} bytes`);
    pieces.push(piece);
  }
  if (!Number.isNaN(stated) && length !== stated) {
    throw new ConnectionError(`the answer ends after ${length} of ${stated} bytes`);
  }
  return joined(pieces, length);
}
