/** What is remembered of drills: the one that waits for cold storage, and how the others ended. */
import { toHex } from "../crypto/mod.ts";

/** A drill under way: another run goes on with the same files. */
export interface RunningDrill {
  readonly snapshot: string;
  /** Names as a user would write them. */
  readonly files: readonly string[];
  readonly startedAt: Date;
  /** What it was estimated to cost when it began, in USD. */
  readonly cost: number;
}

/** A line of the log. */
export interface DrillEntry {
  readonly at: Date;
  readonly startedAt: Date;
  readonly snapshot: string;
  readonly files: readonly string[];
  readonly bytes: number;
  readonly cost: number;
  /** `ok`, or why not. */
  readonly result: string;
}

/** Where the log of drills is. */
export function drillLog(state: string): string {
  return `${state}/drills.log`;
}

/** The drill that waits, if one does. */
export async function readDrill(state: string): Promise<RunningDrill | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(drillPath(state));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const { snapshot, files, startedAt, cost } = JSON.parse(text);
    const at = new Date(startedAt);
    const isSound = typeof snapshot === "string" && Array.isArray(files) && files.length > 0 &&
      files.every((name) => typeof name === "string") && !Number.isNaN(at.getTime()) && typeof cost === "number";
    return isSound ? { snapshot, files, startedAt: at, cost } : undefined;
  } catch (error) {
    // A note that cannot be read is worth no more than none: another drill begins.
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Remembers a drill that waits. */
export async function keepDrill(state: string, drill: RunningDrill): Promise<void> {
  const path = drillPath(state);
  const temporary = `${path}.${toHex(crypto.getRandomValues(new Uint8Array(4)))}.new`;
  await Deno.writeTextFile(temporary, JSON.stringify(drill) + "\n", { mode: 0o600 });
  await Deno.rename(temporary, path);
}

/** Forgets it. */
export async function endDrill(state: string): Promise<void> {
  await Deno.remove(drillPath(state)).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** Writes a line into the log. */
export async function logDrill(state: string, entry: DrillEntry): Promise<void> {
  await Deno.writeTextFile(drillLog(state), JSON.stringify(entry) + "\n", { append: true, mode: 0o600 });
}

function drillPath(state: string): string {
  return `${state}/drill.json`;
}
