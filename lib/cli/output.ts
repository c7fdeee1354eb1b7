import { ClosedOutputError } from "./errors.ts";

/** The part of `Deno.stdout` that is needed, so that a test can hand in its own. */
export interface OutputStream {
  write(bytes: Uint8Array): Promise<number>;
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

/** Standard output for data and results. When its reader has gone away, writing throws ClosedOutputError. */
export interface Output {
  /** Writes all of the bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes text and waits for it. */
  print(text: string): void;
  readonly isTerminal: boolean;
}

/** Wraps a stream so that whole pieces are written and a vanished reader is told from a failure. */
export function openOutput(stream: OutputStream): Output {
  return {
    async write(bytes) {
      try {
        for (let at = 0; at < bytes.length;) at += await stream.write(bytes.subarray(at));
      } catch (error) {
        throw closedOr(error);
      }
    },
    print(text) {
      const bytes = new TextEncoder().encode(text);
      try {
        for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
      } catch (error) {
        throw closedOr(error);
      }
    },
    isTerminal: stream.isTerminal(),
  };
}

/**
 * `tarzan extract | head` closes the pipe early and means it: that is no failure to report. A BrokenPipe from anything
 * but standard output (a tar that died under `--to`) never comes through here and stays an error.
 */
function closedOr(error: unknown): unknown {
  if (error instanceof Deno.errors.BrokenPipe) {
    return new ClosedOutputError("The reader of the output has gone away", { cause: error });
  }
  return error;
}
