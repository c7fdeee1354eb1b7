/**
 * Object Lock runs out, backups go on: bricks that a new backup relies on are locked again before half of their time is over.
 * At most once a day, and what this machine knows of a lock it does not ask for: so that costs a request for each brick
 * that is prolonged, and no more.
 */
import type { Store } from "../store/mod.ts";

const DAY_MS = 24 * 3600 * 1000;

/** What a machine remembers of the locks in a repository. */
interface Remembered {
  walkedAt: Date | undefined;
  until: Map<string, Date>;
}

/** Prolongs the locks of these objects in a store that locks; how many were prolonged. */
export async function extendLocks(
  store: Store,
  options: { objects: readonly string[]; state: string; now: Date },
): Promise<number> {
  if (store.protect === undefined) return 0;
  const path = `${options.state}/locks`;
  const { walkedAt, until } = await read(path);
  if (walkedAt !== undefined && Math.abs(options.now.getTime() - walkedAt.getTime()) < DAY_MS) return 0;
  const done = await store.protect(options.objects, until);
  if (done === undefined) return 0;
  const { locked, prolonged } = done;
  const lines = [...locked].map(([name, at]) => `${name} ${at.toISOString()}\n`);
  await Deno.writeTextFile(`${path}.new`, `${options.now.toISOString()}\n${lines.join("")}`, { mode: 0o600 });
  await Deno.rename(`${path}.new`, path);
  return prolonged;
}

async function read(path: string): Promise<Remembered> {
  let text = "";
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const [first = "", ...lines] = text.split("\n");
  const until = new Map<string, Date>();
  for (const line of lines) {
    const [name = "", time = ""] = line.split(" ");
    const at = new Date(time);
    // A line that is cut short is asked for again.
    if (!Number.isNaN(at.getTime())) until.set(name, at);
  }
  const walkedAt = new Date(first);
  return { walkedAt: Number.isNaN(walkedAt.getTime()) ? undefined : walkedAt, until };
}
