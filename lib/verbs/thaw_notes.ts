/**
 * What this machine remembers of thaws, for its own comfort: everything that matters is asked of the stores. A bucket does
 * not say when a copy will be there, so the time that was promised when it was asked for is kept; and a restore tells how
 * far it has come, so that "thaw --window" beside it asks for what comes next.
 */
import { sha256, toHex } from "../crypto/mod.ts";
import { ownFolder } from "./local_state.ts";

/** A restore that has told nothing for so long is not believed to run. */
const SILENT_MS = 3_600_000;

/** How far a restore is. */
export interface RestoreMark {
  readonly at: Date;
  /** Chunks that it has read. */
  readonly passed: number;
  readonly done: boolean;
}

/** By when what was asked for should be readable, by the location of its store. */
export async function readReadyTimes(state: string): Promise<Map<string, Date>> {
  const value = await readJson(`${state}/thaws.json`);
  const times = Object.entries(value ?? {}).map(([location, at]): [string, Date] => [location, new Date(String(at))]);
  return new Map(times.filter(([, at]) => !Number.isNaN(at.getTime())));
}

/** Remembers it; what was known of other places stays. */
export async function noteReadyTimes(state: string, times: ReadonlyMap<string, Date>): Promise<void> {
  if (times.size === 0) return;
  const known = await readReadyTimes(state);
  await writeJson(`${state}/thaws.json`, Object.fromEntries([...known, ...times]));
}

/** Names a restore: a snapshot, and what was asked for of it. */
export function restoreName(snapshot: string, paths: readonly string[]): string {
  return toHex(sha256(JSON.stringify([snapshot, ...paths]))).slice(0, 32);
}

/** How far the restore of this name is, if one runs or has just ended. */
export async function readMark(state: string, options: { name: string; now: Date }): Promise<RestoreMark | undefined> {
  const value = await readJson(`${state}/restores/${options.name}.json`);
  const [at, passed] = [new Date(String(value?.["at"])), value?.["passed"]];
  if (!Number.isSafeInteger(passed) || !(options.now.getTime() - at.getTime() < SILENT_MS)) return undefined;
  return { at, passed: passed as number, done: value?.["done"] === true };
}

/** Tells how far a restore is. */
export async function writeMark(state: string, name: string, mark: RestoreMark): Promise<void> {
  const folder = await ownFolder(`${state}/restores`);
  await writeJson(`${folder}/${name}.json`, { ...mark, at: mark.at.toISOString() });
}

/** Undefined where nothing is, or nothing that can be read: it is only a note. */
async function readJson(path: string): Promise<Record<string, unknown> | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}

async function writeJson(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.${toHex(crypto.getRandomValues(new Uint8Array(4)))}.new`;
  await Deno.writeTextFile(temporary, JSON.stringify(value) + "\n", { mode: 0o600 });
  await Deno.rename(temporary, path);
}
