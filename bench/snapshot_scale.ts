/**
 * What very many snapshots cost, each step in a process of its own. `plan`, as `deno run -A bench/snapshot_scale.ts plan
 * FOLDER`, reads the list of bricks of every snapshot, as the planning of a prune must.
 */
import { type KeyFile, makeKeyFile } from "./key_file.ts";
import { inRepository, makeSnapshots, neededBricks } from "./many_snapshots.ts";
import { measure, type Measured, type Task } from "./measure.ts";
import { tarzan } from "./contestants.ts";

/** Bricks that the last of the snapshots needs. */
const BRICKS = 2000;

export interface SnapshotResult {
  snapshots: number;
  /** A list on a machine that has never seen any of them. */
  first: Measured;
  again: Measured;
  /** All lists of bricks. */
  plan: Measured;
}

/** Makes a repository of so many snapshots below `folder`, uses it, and removes it. */
export async function snapshotScale(folder: string, snapshots: number): Promise<SnapshotResult> {
  const place = await Deno.makeTempDir({ dir: folder, prefix: "run-" });
  try {
    const key = await makeKeyFile(`${place}/identity`);
    await makeSnapshots(place, { key, snapshots, bricks: BRICKS });
    await Deno.remove(`${place}/state`, { recursive: true });
    const list = tarzan(undefined, key).list!(place);
    const plan: Task = { argv: [Deno.execPath(), "run", "-A", import.meta.url, "plan", place] };
    const [first, again] = [await measure(list), await measure(list)];
    return { snapshots, first, again, plan: await measure(plan) };
  } finally {
    await Deno.remove(place, { recursive: true });
  }
}

async function plan(place: string): Promise<void> {
  const identity = (await Deno.readTextFile(`${place}/identity`)).trim();
  const key: KeyFile = { file: `${place}/identity`, identity, recipient: "" };
  await inRepository(place, key, async (repository) => {
    // The first backup needs a few of its own.
    const { size } = await neededBricks(repository);
    if (size < BRICKS) throw new Error(`Only ${size} of ${BRICKS} bricks were found`);
  });
}

if (import.meta.main) await plan(Deno.args[1]!);
