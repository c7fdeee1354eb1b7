/**
 * Runs a program as a user would, input and output through pipes, and takes its time and its memory. Memory is what the
 * kernel says was the most that each process of the tree ever had resident, summed; where there is no /proc it is unknown.
 */

/** What to run. */
export interface Task {
  argv: string[];
  env?: Record<string, string>;
  /** A file that comes through a pipe on standard input. */
  input?: string;
  /** Or a shell command whose output does. What it runs is not measured, if its programs are named here. */
  producer?: { command: string; programs: string[] };
}

/** What it took. */
export interface Measured {
  ms: number;
  /** Time on processors, of all processes and threads. */
  cpuMs: number | undefined;
  peakBytes: number | undefined;
}

const POLL_MS = 20;
/** Clock ticks of /proc a second: 100 on every Linux that matters. */
const TICK_MS = 10;
/** The plumbing is not measured. */
const PLUMBING = ["sh", "cat", "dash", "bash"];

/** Runs a task to its end; throws when it fails. */
export async function measure(task: Task): Promise<Measured> {
  const { argv, env = {}, input, producer } = task;
  const source = producer?.command ?? (input === undefined ? undefined : 'cat "$INPUT"');
  const script = source === undefined ? '"$@" | cat > /dev/null' : `${source} | "$@" > /dev/null`;
  const began = performance.now();
  // Without pipefail a failing program would look like a fast one.
  const child = new Deno.Command("bash", {
    args: ["-c", `set -o pipefail; ${script}`, "bash", ...argv],
    env: { ...env, INPUT: input ?? "" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const watch = watchTree(child.pid, [...PLUMBING, ...producer?.programs ?? []]);
  const { code, stderr } = await child.output();
  const ms = performance.now() - began;
  const { cpuMs, peakBytes } = watch();
  if (code !== 0) {
    const why = new TextDecoder().decode(stderr).trim().split("\n").slice(-5).join("\n");
    throw new Error(`${argv.join(" ")} ended with exit code ${code}: ${why}`);
  }
  return { ms, cpuMs, peakBytes };
}

/** Looks at a process and all below it again and again; the returned function ends that. */
function watchTree(
  root: number,
  ignored: string[],
): () => { cpuMs: number | undefined; peakBytes: number | undefined } {
  const peaks = new Map<number, number>();
  const times = new Map<number, number>();
  const look = () => {
    for (const pid of descendants(root)) {
      try {
        const status = Deno.readTextFileSync(`/proc/${pid}/status`);
        if (ignored.includes(/^Name:\t(.*)$/m.exec(status)![1]!)) continue;
        const kilobytes = /^VmHWM:\s+(\d+)/m.exec(status);
        if (kilobytes !== null) peaks.set(pid, Number(kilobytes[1]) * 1024);
        const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
        times.set(pid, (Number(fields[11]) + Number(fields[12])) * TICK_MS);
      } catch (error) {
        // It ended between two looks.
        if (!isGone(error)) throw error;
      }
    }
  };
  const timer = setInterval(look, POLL_MS);
  const sum = (values: Map<number, number>) => {
    return values.size === 0 ? undefined : [...values.values()].reduce((a, b) => a + b);
  };
  return () => {
    clearInterval(timer);
    return { cpuMs: sum(times), peakBytes: sum(peaks) };
  };
}

function descendants(root: number): number[] {
  const found = [root];
  for (let i = 0; i < found.length; i++) {
    try {
      for (const { name } of Deno.readDirSync(`/proc/${found[i]}/task`)) {
        const children = Deno.readTextFileSync(`/proc/${found[i]}/task/${name}/children`).trim();
        if (children !== "") found.push(...children.split(" ").map(Number));
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return found;
}

/** Whether a process has ended, as files in /proc say it: not found, or ESRCH, which Deno gives no class. */
function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Error && ("code" in error || error.message.includes("os error 3"));
}

/** The most memory that this very process ever had resident; 0 where nobody knows. */
export function peakBytes(): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1]) * 1024;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Bytes of all files below a folder. */
export async function bytesBelow(path: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory, isFile } of Deno.readDir(path)) {
    if (isDirectory) bytes += await bytesBelow(`${path}/${name}`);
    else if (isFile) bytes += (await Deno.stat(`${path}/${name}`)).size;
  }
  return bytes;
}
