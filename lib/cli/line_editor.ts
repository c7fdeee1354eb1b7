/**
 * A line typed at a terminal in raw mode, where backspace, Ctrl-U, Ctrl-C and Ctrl-D are ours to understand. It works on
 * bytes: a character may arrive in pieces, and a pasted passphrase comes all at once.
 */

/** The longest line taken; what is typed beyond it is ignored. */
const maxLineBytes = 4096;

/** What a key press ended: the line itself, Ctrl-C, or Ctrl-D on an empty line. */
export type LineEnd = { readonly kind: "line"; readonly text: string } | { readonly kind: "interrupt" } | {
  readonly kind: "end";
};

/** Collects typed bytes until the line ends. */
export class LineEditor {
  readonly #bytes: number[] = [];
  #escape: "none" | "started" | "sequence" = "none";

  /** Takes typed bytes; the answer is undefined while the line goes on. Bytes after the end of the line are dropped. */
  feed(typed: Uint8Array): LineEnd | undefined {
    for (const byte of typed) {
      if (this.#inEscapeSequence(byte)) continue;
      if (byte === 0x0d || byte === 0x0a) return { kind: "line", text: this.#text() };
      if (byte === 0x03) return { kind: "interrupt" };
      if (byte === 0x04 && this.#bytes.length === 0) return { kind: "end" };
      if (byte === 0x7f || byte === 0x08) this.#removeCharacter();
      else if (byte === 0x15) this.#bytes.length = 0;
      else if (byte >= 0x20 && this.#bytes.length < maxLineBytes) this.#bytes.push(byte);
    }
    return undefined;
  }

  /** The characters typed so far, for echoing. */
  get typed(): string {
    return this.#text();
  }

  #text(): string {
    return new TextDecoder().decode(new Uint8Array(this.#bytes));
  }

  /** Arrow keys and the like send ESC [ … letter; none of it belongs in a line. */
  #inEscapeSequence(byte: number): boolean {
    if (this.#escape === "none") {
      if (byte !== 0x1b) return false;
      this.#escape = "started";
    } else if (byte < 0x20) {
      this.#escape = "none"; // the Escape key alone, then Enter or Ctrl-C: those count
      return false;
    } else if (this.#escape === "started") {
      this.#escape = byte === 0x5b || byte === 0x4f ? "sequence" : "none";
    } else if (byte >= 0x40 && byte <= 0x7e) {
      this.#escape = "none";
    }
    return true;
  }

  #removeCharacter(): void {
    let removed = this.#bytes.pop();
    while (removed !== undefined && (removed & 0xc0) === 0x80) removed = this.#bytes.pop();
  }
}
