/** The most that one call of `raw` hands out, and how many zeros in a row are raw. */
export const RAW_LIMIT_BYTES = 65536;

/** The most raw bytes from the first one of an entry to its `entry` call, but for the entry's own header block. */
export const HEAD_LIMIT_BYTES = 1 << 20;

/**
 * Takes what a Splitter finds. All ranges are offsets into the array of the running `split` call; they come in order and together cover
 * all that the call consumed.
 *
 * For an entry: `raw` with `begins`, more `raw`, `entry`, then the body if it has one; nothing else comes in between. Between entries
 * there may be more raw bytes and nameless bodies. A header set may also end without an `entry` (a g at the end, a cut, damage): then
 * zeros, a nameless body, another `begins` or nothing follows. The part of an old GNU sparse map that is over the limit comes as `raw`
 * after `entry`, before the body.
 */
export interface TarSink {
  /** Recognised bytes, at most 64 KiB a call. `begins`: the first bytes of an entry's header set. */
  raw(from: number, to: number, begins: boolean): void;
  /** All headers of the entry were seen. `name` is the full raw name, a copy; `size` bytes of body follow (0: none). */
  entry(name: Uint8Array, size: number): void;
  /** A piece of the entry's body, or of a nameless one. Never empty. */
  body(from: number, to: number): void;
  /** That body is over, also when the stream ends inside it. Not called when no `body` was. */
  bodyEnd(): void;
}

/** What a Splitter knows so far. */
export interface SplitStatus {
  /** Entries announced. */
  readonly entries: number;
  /** Whether at least one zero block stands after the last entry: the mark of a finished archive. */
  readonly ended: boolean;
  /** The compressed format that the input seems to be. */
  readonly compressed: string | undefined;
  /** Bytes that could not be read as tar. Long runs of zeros and padding are not counted. */
  readonly opaqueBytes: number;
  /** The offset in the stream of the first of those. */
  readonly opaqueFrom: number | undefined;
  /** After the final call: why the input is incomplete, to follow words like "The input is incomplete: ". */
  readonly incomplete: string | undefined;
}
