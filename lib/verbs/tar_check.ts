/** Looks at a tar as it is written: whether it is one, and which files of which lengths are in it. */
import { Splitter, type TarSink } from "../tar/mod.ts";
import { plainName } from "./selector.ts";

const MOST_UNREAD_BYTES = 2 * 1024 * 1024;

/** Takes the bytes of a tar, in order. */
export class TarCheck {
  /** Lengths of the bodies that came, by name (see plainName). */
  readonly files = new Map<string, number>();
  readonly #splitter = new Splitter();
  readonly #buffer = new Uint8Array(MOST_UNREAD_BYTES);
  readonly #sink: TarSink;
  #length = 0;
  #current = "";

  constructor() {
    this.#sink = {
      raw: () => {},
      entry: (name) => {
        this.#current = plainName(name);
        this.files.set(this.#current, 0);
      },
      body: (from, to) => {
        this.files.set(this.#current, (this.files.get(this.#current) ?? 0) + to - from);
      },
      bodyEnd: () => {},
    };
  }

  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const taken = bytes.subarray(at, at + this.#buffer.length - this.#length);
      this.#buffer.set(taken, this.#length);
      this.#length += taken.length;
      at += taken.length;
      this.#split(false);
    }
  }

  /** The end of the tar: what is wrong with it, if anything. */
  end(): string | undefined {
    this.#split(true);
    const { incomplete, opaqueBytes } = this.#splitter.status;
    return incomplete ?? (opaqueBytes > 0 ? `${opaqueBytes} bytes of it are no tar` : undefined);
  }

  #split(final: boolean): void {
    const consumed = this.#splitter.split(this.#buffer, 0, this.#length, final, this.#sink);
    this.#buffer.copyWithin(0, consumed, this.#length);
    this.#length -= consumed;
  }
}
