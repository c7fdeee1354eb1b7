/** What goes back to a client. */
import type { Connection } from "./connection.ts";

export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** Left out: no body. With HEAD only its length is told. */
  body?: AnswerBody;
}

/** Bytes of known length. */
export interface AnswerBody {
  readonly length: number;
  chunks(): AsyncIterable<Uint8Array>;
}

const reasons: Record<number, string> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  206: "Partial Content",
  304: "Not Modified",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  411: "Length Required",
  412: "Precondition Failed",
  416: "Requested Range Not Satisfiable",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Slow Down",
};

/** A body of one piece. */
export function bytesBody(bytes: Uint8Array): AnswerBody {
  const chunks = async function* () {
    yield bytes;
  };
  return { length: bytes.length, chunks };
}

/** A body of text. */
export function textBody(text: string): AnswerBody {
  return bytesBody(new TextEncoder().encode(text));
}

/** Writes an answer and says how many bytes of body went out; `cutAt` promises all but stops there. */
export async function writeAnswer(
  connection: Connection,
  answer: Answer,
  options: { method: string; closes: boolean; cutAt?: number; flips?: boolean },
): Promise<number> {
  const bodyless = options.method === "HEAD" || answer.status === 204 || answer.status === 304;
  const lines = [`HTTP/1.1 ${answer.status} ${reasons[answer.status] ?? "Status"}`];
  for (const [name, value] of Object.entries(answer.headers)) lines.push(`${name}: ${value}`);
  const hasLength = Object.keys(answer.headers).some((name) => name.toLowerCase() === "content-length");
  if (answer.status !== 204 && !hasLength) lines.push(`Content-Length: ${answer.body?.length ?? 0}`);
  lines.push(`Connection: ${options.closes ? "close" : "keep-alive"}`);
  await connection.write(new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`));
  if (bodyless || !answer.body) return 0;
  let sent = 0;
  for await (const chunk of answer.body.chunks()) {
    const piece = chunk.subarray(0, Math.max(0, Math.min(chunk.length, (options.cutAt ?? Infinity) - sent)));
    await connection.write(options.flips && sent === 0 ? flipped(piece) : piece);
    sent += piece.length;
    if (piece.length < chunk.length) break;
  }
  return sent;
}

function flipped(bytes: Uint8Array): Uint8Array {
  const other = bytes.slice();
  const middle = other.length >> 1;
  if (other.length > 0) other[middle]! ^= 1;
  return other;
}
