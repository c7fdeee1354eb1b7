import type { Environment } from "../../lib/cli/environment.ts";
import { NoTerminalError } from "../../lib/cli/errors.ts";

/** What a run of the command line printed. */
export interface Captured {
  readonly environment: Environment;
  readonly stdout: () => string;
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
  return { environment, stdout: stdout.text, stderr: stderr.text };
}

function capture() {
  let kept = "";
  const writeSync = (bytes: Uint8Array) => {
    kept += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  const stream = {
    writeSync,
    write: (bytes: Uint8Array) => Promise.resolve(writeSync(bytes)),
    isTerminal: () => false,
  };
  return { stream, text: () => kept };
}
