/**
 * HTTP/1.1 over TCP, by hand: the one place where the emulator can see what a ready-made server hides (whether a body came
 * with a length or in chunks, whether the client waited for 100-continue) and do what one cannot (reset a connection in the
 * middle of a body, promise more bytes than it sends, take a request and say nothing).
 */
import { RequestBody } from "./request_body.ts";

/** A request whose body has not been read yet. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query as they were sent, still encoded. */
  readonly path: string;
  readonly query: string;
  /** Names in lower case; several of the same name are joined with commas. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: RequestBody;
}

/** Thrown when the other side went away or sends no HTTP. */
export class ConnectionLostError extends Error {
  override name = "ConnectionLostError";
}

const longestHeadBytes = 64 * 1024;

/** One client's connection: requests in, answers out. */
export class Connection {
  readonly #tcp: Deno.TcpConn;
  #buffer = new Uint8Array(256 * 1024);
  #from = 0;
  #to = 0;
  #closed = false;

  constructor(tcp: Deno.TcpConn) {
    this.#tcp = tcp;
  }

  /** The next request; undefined when the client has closed the connection between two. */
  async request(): Promise<HttpRequest | undefined> {
    const head = await this.#head();
    if (head === undefined) return undefined;
    const [first = "", ...lines] = head.split("\r\n");
    const [, method, target] = first.match(/^([A-Z]+) (\S+) HTTP\/1\.1$/) ?? [];
    if (method === undefined || target === undefined) throw new ConnectionLostError(`No HTTP/1.1 request: ${first}`);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(":");
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers.set(name, headers.has(name) ? `${headers.get(name)},${value}` : value);
    }
    const [path, query = ""] = splitOnce(target, "?");
    return { method, path, query, headers, body: new RequestBody(this, headers) };
  }

  /** Some bytes, at most `most`; valid until the next call. Fails when the client goes away. */
  async some(most: number): Promise<Uint8Array> {
    if (this.#from === this.#to && !(await this.#fill())) throw new ConnectionLostError("The client went away");
    const piece = this.#buffer.subarray(this.#from, Math.min(this.#to, this.#from + most));
    this.#from += piece.length;
    return piece;
  }

  /** A line without its end. */
  async line(): Promise<string> {
    let text = "";
    while (!text.endsWith("\r\n")) {
      if (text.length > longestHeadBytes) throw new ConnectionLostError("A line of HTTP without end");
      text += String.fromCharCode((await this.some(1))[0]!);
    }
    return text.slice(0, -2);
  }

  /** Writes all of it. */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#tcp.write(bytes.subarray(at));
    } catch (error) {
      throw new ConnectionLostError("The client no longer listens", { cause: error });
    }
  }

  /** Waits until the other side goes away. */
  async gone(): Promise<void> {
    do this.#from = this.#to; while (await this.#fill());
  }

  /** Ends the connection at once. With bytes of the client still unread the system makes a reset of it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tcp.close();
  }

  /** The text before the empty line. */
  async #head(): Promise<string | undefined> {
    for (;;) {
      const end = indexOfEmptyLine(this.#buffer.subarray(0, this.#to), this.#from);
      if (end >= 0) {
        const head = new TextDecoder("latin1").decode(this.#buffer.subarray(this.#from, end));
        this.#from = end + 4;
        return head;
      }
      if (this.#to - this.#from > longestHeadBytes) throw new ConnectionLostError("A request with too many headers");
      const had = this.#to - this.#from;
      if (!(await this.#fill())) {
        if (had === 0) return undefined;
        throw new ConnectionLostError("The client went away in the middle of a request's headers");
      }
    }
  }

  /** Reads more behind what is there; false at the end. */
  async #fill(): Promise<boolean> {
    if (this.#from > 0) {
      this.#buffer.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    let count: number | null;
    try {
      count = await this.#tcp.read(this.#buffer.subarray(this.#to));
    } catch {
      return false; // Reset by the client, or closed by us: both are an end.
    }
    this.#to += count ?? 0;
    return count !== null;
  }
}

function indexOfEmptyLine(bytes: Uint8Array, from: number): number {
  for (let at = from; at + 3 < bytes.length; at++) {
    if (bytes[at] === 13 && bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at;
  }
  return -1;
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
