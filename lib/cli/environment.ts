import { homedir } from "node:os";
import type { OutputStream } from "./output.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

/** The part of `Deno.stdin` that is needed. */
export interface InputStream {
  /** Fills a part of the buffer and says how much; null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  readSync(buffer: Uint8Array): number | null;
  isTerminal(): boolean;
}

/** All that a run of the command line touches of its process. A test hands in its own. */
export interface Environment {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly variables: () => Record<string, string>;
  /** As in `Deno.build.os`. */
  readonly platform: string;
  /** The user's home as the system knows it: a timer or a hook may run us without $HOME. */
  readonly home?: () => string | undefined;
  /** The width of the terminal, if there is one. */
  readonly columns: () => number | undefined;
  /** Who can be asked questions. */
  readonly terminal: (signal: AbortSignal) => Terminal;
  /** Time that only grows, for rates. */
  readonly nowMs: () => number;
  readonly now: () => Date;
  /** Ends the process at once: the second Ctrl-C. */
  readonly exit: (code: number) => void;
}

/** The process that we are. */
export function processEnvironment(): Environment {
  return {
    stdin: Deno.stdin,
    stdout: Deno.stdout,
    stderr: Deno.stderr,
    variables: () => Deno.env.toObject(),
    platform: Deno.build.os,
    home: () => homedir() || undefined,
    columns: terminalColumns,
    terminal: processTerminal,
    nowMs: () => performance.now(),
    now: () => new Date(),
    exit: (code) => Deno.exit(code),
  };
}

function terminalColumns(): number | undefined {
  if (!Deno.stdout.isTerminal() && !Deno.stderr.isTerminal()) return undefined;
  const { columns } = Deno.consoleSize();
  return columns > 0 ? columns : undefined; // a terminal that was never told its size says 0
}
