/**
 * A question asked by a child `sh`, for when Deno may not open `/dev/tty` itself. The shell turns echo off with `stty`,
 * lets the terminal's own line editing do the rest, and hands the line back through a pipe. Whatever ends it, its trap
 * puts the terminal back as it was. The question is its argument; what was typed is never in anybody's arguments.
 */
import { InterruptedError, NoTerminalError } from "./errors.ts";

const noTerminal = 97;
const interrupted = 130;
const maxLineBytes = 4096;

const script = `
( : 3<>/dev/tty ) 2>/dev/null || exit ${noTerminal}
exec 3<>/dev/tty
state=$(stty -g <&3) || exit ${noTerminal}
restore() { stty "$state" <&3; }
trap 'restore; printf "\\n" >&3; exit ${interrupted}' HUP INT TERM
[ "$2" = hidden ] && stty -echo <&3
printf %s "$1" >&3
IFS= read -r line <&3 || { restore; exit ${interrupted}; }
restore
[ "$2" = hidden ] && printf "\\n" >&3
printf "%s\\n" "$line"
`;

/** Asks at `/dev/tty` by way of `sh`. Throws NoTerminalError when there is none, or no `sh`. */
export async function askThroughShell(
  question: string,
  options: { readonly hidden: boolean; readonly signal: AbortSignal },
): Promise<string> {
  options.signal.throwIfAborted();
  const child = startShell([question, options.hidden ? "hidden" : "shown"]);
  const stop = () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended already: Ctrl-C reaches it as well as us.
    }
  };
  options.signal.addEventListener("abort", stop, { once: true });
  try {
    const { code, stdout } = await child.output();
    options.signal.throwIfAborted();
    if (code === noTerminal) throw new NoTerminalError("There is no terminal to ask at");
    if (code !== 0) throw new InterruptedError("Interrupted at a question");
    if (stdout.length > maxLineBytes) throw new Error(`What was typed is longer than ${maxLineBytes} bytes`);
    return new TextDecoder().decode(stdout).replace(/\n$/, "");
  } finally {
    options.signal.removeEventListener("abort", stop);
  }
}

function startShell(words: readonly string[]): Deno.ChildProcess {
  try {
    return new Deno.Command("sh", {
      args: ["-c", script, "tarzan", ...words],
      clearEnv: true,
      env: { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  } catch (error) {
    throw new NoTerminalError("There is no terminal to ask at", { cause: error });
  }
}
