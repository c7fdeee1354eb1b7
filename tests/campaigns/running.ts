/** A process that is fed, listened to, and never waited for longer than a minute, or what it is given. */
import assert from "node:assert/strict";

/** Nothing that is tried here takes this long unless it hangs. */
const MOST_MS = 60_000;
/** What a pipe holds. */
const PIECE_BYTES = 65_536;

export interface StartOptions {
  readonly env?: Record<string, string>;
  /** Close standard output after so many bytes, as `head -c` does. */
  readonly readBytes?: number;
  /** Read on after the first piece of standard output only once this is settled: until then the pipe is full. */
  readonly pause?: Promise<unknown>;
  /** What it writes is no text: it is in `bytes` only. */
  readonly binary?: boolean;
  /** It hangs when it takes longer than this. */
  readonly mostMs?: number;
}

/** How a process ended. */
export interface Ended {
  readonly code: number;
  readonly signal: string | null;
  readonly bytes: Uint8Array;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
}

export interface Running {
  readonly pid: number;
  /** Feeds bytes; false if the process does not take them any more. */
  feed(bytes: Uint8Array): Promise<boolean>;
  /** Ends the input. */
  endInput(): Promise<void>;
  kill(signal: Deno.Signal): void;
  readonly ended: Promise<Ended>;
  /** The first piece of its output has come, or the end. */
  readonly flowing: Promise<void>;
  /** The process is over, whoever still has to read what it wrote. */
  readonly gone: Promise<unknown>;
}

/** Starts a program. One that hangs is killed, and its `ended` fails. */
export function start(argv: readonly string[], options: StartOptions = {}): Running {
  const beganMs = performance.now();
  const { mostMs = MOST_MS } = options;
  const child = new Deno.Command(argv[0]!, {
    args: argv.slice(1),
    env: { ...options.env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  input.closed.catch(() => {});
  const flowing = Promise.withResolvers<void>();
  const output = readUpTo(child.stdout, { ...options, onPiece: flowing.resolve }).finally(flowing.resolve);
  const stderr = readUpTo(child.stderr, {});
  let hung = false;
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  };
  const watchdog = setTimeout(() => {
    hung = true;
    kill("SIGKILL");
  }, mostMs);
  const ended = (async () => {
    const { code, signal } = await child.status;
    const ms = performance.now() - beganMs;
    clearTimeout(watchdog);
    await input.abort().catch(() => {});
    const [bytes, errors] = await Promise.all([output, stderr]);
    const told = new TextDecoder().decode(errors);
    assert.ok(!hung, `it hung: ${argv.slice(1).join(" ")} was not over after ${mostMs / 1000} s; ${told}`);
    const stdout = options.binary ? "" : new TextDecoder().decode(bytes);
    return { code, signal, bytes, stdout, stderr: told, ms };
  })();
  ended.catch(() => {});
  return {
    pid: child.pid,
    async feed(bytes) {
      try {
        for (let at = 0; at < bytes.length; at += PIECE_BYTES) await input.write(bytes.subarray(at, at + PIECE_BYTES));
        return true;
      } catch {
        return false;
      }
    },
    endInput: () => input.close().catch(() => {}),
    kill,
    ended,
    flowing: flowing.promise,
    gone: child.status,
  };
}

/** Feeds all of it, and waits for the end. */
export async function feedWhole(running: Running, bytes: Uint8Array): Promise<Ended> {
  await running.feed(bytes);
  await running.endInput();
  return await running.ended;
}

async function readUpTo(
  stream: ReadableStream<Uint8Array>,
  { readBytes = Infinity, pause, onPiece }: StartOptions & { onPiece?: () => void },
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of stream) {
    pieces.push(piece);
    length += piece.length;
    onPiece?.();
    await pause;
    if (length >= readBytes) break; // which closes the stream
  }
  const all = new Uint8Array(length);
  pieces.reduce((at, piece) => (all.set(piece, at), at + piece.length), 0);
  return all;
}

/** How the command line ended, and that it said so in words: no stack, no word of a bug. */
export function assertEnded(
  { code, signal, stderr, stdout }: Ended,
  expected: { code: number; says?: RegExp; silent?: boolean },
): void {
  const told = `it ended with ${code} (${signal}) and said: ${stderr} ${code === 0 ? "" : stdout.slice(0, 500)}`;
  assert.ok(!/^\s+at .*[:(]\d+|Uncaught|panicked|looks like a bug|this is a bug/m.test(stderr), told);
  assert.equal(code, expected.code, told);
  if (expected.says !== undefined) assert.match(stderr, expected.says, told);
  if (expected.silent) assert.equal(stderr, "", told);
}

/** The processes (of Linux) with this text in their words or surroundings. */
export function processesOf(text: string): string[] {
  if (Deno.build.os !== "linux") return [];
  const found: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^[0-9]+$/.test(name) || Number(name) === Deno.pid) continue;
    try {
      const words = Deno.readTextFileSync(`/proc/${name}/cmdline`).replaceAll("\0", " ");
      const around = Deno.readTextFileSync(`/proc/${name}/environ`);
      if (words.includes(text) || around.includes(text)) found.push(`${name}: ${words}`);
    } catch (error) {
      // It ended meanwhile, is somebody else's, or belongs to the kernel.
      const { NotFound, PermissionDenied } = Deno.errors;
      const isGone = error instanceof Error && /os error 3\b/.test(error.message);
      if (!(error instanceof NotFound || error instanceof PermissionDenied || isGone)) throw error;
    }
  }
  return found;
}
