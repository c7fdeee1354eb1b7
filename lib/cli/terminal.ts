/**
 * Questions to the person at the terminal, who is often not at standard input: that is the tar. Three ways lead there,
 * tried in this order:
 *
 * 1. standard input and standard error, when both are the terminal (no permission needed);
 * 2. the controlling terminal itself, `/dev/tty` or `CONIN$` (Deno opens it only under --allow-all);
 * 3. a child `sh` that opens `/dev/tty` (works wherever commands may be run; see shell_terminal.ts).
 */
import { InterruptedError, NoTerminalError } from "./errors.ts";
import { LineEditor } from "./line_editor.ts";
import { printableLine } from "./printable.ts";
import { askThroughShell } from "./shell_terminal.ts";

/** How a line is asked for. */
export interface Asking {
  /** Do not show what is typed. */
  readonly hidden: boolean;
}

/** Somebody who can be asked. */
export interface Terminal {
  /** Shows the question and gives the typed line. Throws InterruptedError at Ctrl-C and NoTerminalError when nobody is there. */
  readLine(question: string, asking: Asking): Promise<string>;
}

/** A terminal that can be put in raw mode: what is typed comes key by key and is not shown. */
export interface TerminalDevice {
  read(buffer: Uint8Array): Promise<number | null>;
  write(text: string): void;
  setRaw(raw: boolean): void;
  close(): void;
}

/** The terminal of this process, opened anew for each question. Aborting the signal ends a question and restores the terminal. */
export function processTerminal(signal: AbortSignal): Terminal {
  return {
    async readLine(text, asking) {
      const question = printableLine(text);
      const device = standardStreams() ?? controllingTerminal();
      if (device) return await readRawLine(device, { question, signal, ...asking });
      if (Deno.build.os === "windows") throw new NoTerminalError("There is no terminal to ask at");
      return await askThroughShell(question, { signal, ...asking });
    },
  };
}

/** Reads a line key by key. The device is back in its normal mode and closed afterwards, whatever happens. */
export async function readRawLine(
  device: TerminalDevice,
  options: Asking & { readonly question: string; readonly signal: AbortSignal },
): Promise<string> {
  const { question, hidden, signal } = options;
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {}); // it may reject when nobody races with it any more
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  device.setRaw(true);
  try {
    device.write(question);
    const editor = new LineEditor();
    const buffer = new Uint8Array(1024);
    while (true) {
      const length = await Promise.race([device.read(buffer), aborted.promise]);
      if (length === null) throw new InterruptedError("Interrupted: the terminal was closed");
      const end = editor.feed(buffer.subarray(0, length));
      if (!hidden) device.write(`\r${question}${editor.typed}\x1b[K`);
      if (end?.kind === "line") return end.text;
      if (end) throw new InterruptedError("Interrupted at a question");
    }
  } finally {
    signal.removeEventListener("abort", abort);
    device.setRaw(false);
    device.write("\n");
    device.close();
  }
}

function standardStreams(): TerminalDevice | undefined {
  if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) return undefined;
  return {
    read: (buffer) => Deno.stdin.read(buffer),
    write: (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
    setRaw: (raw) => Deno.stdin.setRaw(raw),
    close() {},
  };
}

/** The terminal that this process belongs to; undefined when it has none or Deno may not open it. */
function controllingTerminal(): TerminalDevice | undefined {
  const windows = Deno.build.os === "windows";
  const opened: Deno.FsFile[] = [];
  try {
    const input = Deno.openSync(windows ? "CONIN$" : "/dev/tty", { read: true, write: true });
    opened.push(input);
    const output = windows ? Deno.openSync("CONOUT$", { read: true, write: true }) : input;
    if (windows) opened.push(output);
    return {
      read: (buffer) => input.read(buffer),
      write: (text) => void output.writeSync(new TextEncoder().encode(text)),
      setRaw: (raw) => input.setRaw(raw),
      close: () => opened.forEach((file) => file.close()),
    };
  } catch {
    // No controlling terminal, or not permitted: both mean that another way must be tried.
    opened.forEach((file) => file.close());
    return undefined;
  }
}
