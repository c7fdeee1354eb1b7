import type { Environment } from "../../lib/cli/environment.ts";
import { NoTerminalError } from "../../lib/cli/errors.ts";

/** What a run of the command line printed. */
export interface Captured {
  readonly environment: Environment;
  readonly stdout: () => string;
  readonly stdoutBytes: () => Uint8Array<ArrayBuffer>;
  readonly stderr: () => string;
}

/** A process without a terminal whose outputs are kept. */
export function captureEnvironment(variables: Record<string, string> = {}): Captured {
  const stdout = capture();
  const stderr = capture();
  const environment: Environment = {
    stdin: { read: () => Promise.resolve(null), readSync: () => null, isTerminal: () => false },
    stdout: stdout.stream,
    stderr: stderr.stream,
    variables: () => ({ HOME: "/home/ann", ...variables }),
    platform: "linux",
    columns: () => undefined,
    terminal: () => ({ readLine: () => Promise.reject(new NoTerminalError("nobody there")) }),
    nowMs: () => 0,
    now: () => new Date(0),
    exit: (code) => {
      throw new Error(`exit ${code}`);
    },
  };
  return { environment, stdout: stdout.text, stdoutBytes: stdout.bytes, stderr: stderr.text };
}

function capture() {
  const kept: Uint8Array[] = [];
  const writeSync = (bytes: Uint8Array) => {
    kept.push(bytes.slice());
    return bytes.length;
  };
  const bytes = () => {
    const whole = new Uint8Array(kept.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of kept) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  };
  const stream = {
    writeSync,
    write: (bytes: Uint8Array) => Promise.resolve(writeSync(bytes)),
    isTerminal: () => false,
  };
  return { stream, bytes, text: () => new TextDecoder().decode(bytes()) };
}
