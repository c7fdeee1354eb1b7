import type { Output } from "../output.ts";

const pieceLength = 256 * 1024;

/** Collects lines into large writes: a million of them must not be a million system calls. */
export class LineWriter {
  readonly #output: Pick<Output, "write">;
  #waiting = "";

  constructor(output: Pick<Output, "write">) {
    this.#output = output;
  }

  /** Takes text; await it, so that a slow reader holds up the source. */
  async add(text: string): Promise<void> {
    this.#waiting += text;
    if (this.#waiting.length >= pieceLength) await this.flush();
  }

  /** Writes what is left. */
  async flush(): Promise<void> {
    const text = this.#waiting;
    this.#waiting = "";
    if (text !== "") await this.#output.write(new TextEncoder().encode(text));
  }
}
