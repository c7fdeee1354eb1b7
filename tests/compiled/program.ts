/**
 * The whole program as a user has it: the executable that $TARZAN_EXECUTABLE names (`deno task compile` makes one), else
 * `deno task tarzan`, with the same permissions. Either way it runs with no environment but what a test gives it.
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The path of the executable under test, if it is one. */
export const executable = Deno.env.get("TARZAN_EXECUTABLE") || undefined;

/** How a run ended. */
export interface Ended {
  readonly code: number;
  readonly bytes: Uint8Array;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a run is given. */
export interface Given {
  readonly stdin?: Uint8Array;
  /** Instead of HOME and TMPDIR. */
  readonly env?: Record<string, string>;
  /** Where it runs, when not at home. */
  readonly cwd?: string;
  /** Close standard output after so many bytes, as `head -c` does. */
  readonly readBytes?: number;
}

/** A made-up computer: a folder with a home and a place for temporary files, and nothing in either. */
export class Machine {
  readonly folder: string;
  /** Its home and working directory. */
  readonly home: string;
  /** Where programs put temporary files if they do. */
  readonly temporary: string;

  constructor() {
    this.folder = Deno.makeTempDirSync();
    this.home = join(this.folder, "home");
    this.temporary = join(this.folder, "tmp");
    Deno.mkdirSync(this.home);
    Deno.mkdirSync(this.temporary);
  }

  /** Runs one command line of TARzan. */
  async tarzan(args: readonly string[], given: Given = {}): Promise<Ended> {
    const env = given.env ?? { HOME: this.home, TMPDIR: this.temporary };
    const child = start(args, { cwd: given.cwd ?? this.home, env });
    const [stdout, stderr] = [readUpTo(child.stdout, given.readBytes), readUpTo(child.stderr)];
    // A program that does not want its input closes it early, and says with its exit code whether that was wrong.
    const writer = child.stdin.getWriter();
    await writer.write(given.stdin ?? new Uint8Array()).then(() => writer.close()).catch(() => {});
    const { code } = await child.status;
    const bytes = await stdout;
    return { code, bytes, stdout: new TextDecoder().decode(bytes), stderr: new TextDecoder().decode(await stderr) };
  }

  /** Forgets all of it. */
  remove(): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

function start(args: readonly string[], options: { cwd: string; env: Record<string, string> }): Deno.ChildProcess {
  const own = { ...options, clearEnv: true, stdin: "piped", stdout: "piped", stderr: "piped" } as const;
  if (executable !== undefined) return new Deno.Command(executable, { ...own, args: [...args] }).spawn();
  // deno task makes a PATH of its own where there is none, and the system's programs are not on it.
  const more = { DENO_DIR: denoCache(), PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin" };
  const words = ["task", "-q", "--config", join(root, "deno.json"), "tarzan", ...args];
  return new Deno.Command(Deno.execPath(), { ...own, args: words, env: { ...more, ...own.env } }).spawn();
}

async function readUpTo(stream: ReadableStream<Uint8Array>, mostBytes = Infinity): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) { // leaving the loop closes the stream
    pieces.push(piece);
    length += piece.length;
    if (length >= mostBytes) break;
  }
  return Buffer.concat(pieces);
}

let cache: string | undefined;

/** Where Deno keeps packages: without it, a new home would make it fetch them again. */
function denoCache(): string {
  if (cache !== undefined) return cache;
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"], cwd: root }).outputSync();
  return cache = JSON.parse(new TextDecoder().decode(stdout)).denoDir as string;
}
