/** How long the shortest commands take: help, and a list of some snapshots. */
import { type Contestant } from "./contestants.ts";
import { makeKeyFile } from "./key_file.ts";
import { measure } from "./measure.ts";
import { median, say } from "./words.ts";

export interface StartResult {
  program: string;
  what: string;
  ms: number;
}

/** Times `--help`, and a listing of so many snapshots of a few bytes, `rounds` times each. */
export async function startUp(
  options: { contestants: Contestant[]; snapshots: number; rounds: number; folder: string },
): Promise<StartResult[]> {
  const results: StartResult[] = [];
  for (const given of options.contestants) {
    const contestant = await keyed(given);
    const { name: program, help, list, init } = contestant;
    if (help === undefined || list === undefined) continue;
    results.push({ program, what: "--help", ms: await medianOf(() => measure(help)) });
    const place = await Deno.makeTempDir({ dir: options.folder, prefix: "run-" });
    try {
      await measure(init!(place));
      await Deno.writeFile(`${place}/input`, new Uint8Array(10_240));
      say(`${program}: making ${options.snapshots} snapshots`);
      for (let i = 0; i < options.snapshots; i++) await measure(snapshotTask(contestant, place, i));
      const what = `list of ${options.snapshots}${given === contestant ? "" : ", identity file"}`;
      results.push({ program, what, ms: await medianOf(() => measure(list(place))) });
    } finally {
      await Deno.remove(place, { recursive: true });
    }
  }
  return results;

  /** Where a program can do without a passphrase, only the rest of its start is of interest. */
  async function keyed(contestant: Contestant): Promise<Contestant> {
    return contestant.withKey?.(await makeKeyFile(`${options.folder}/identity`)) ?? contestant;
  }

  async function medianOf(work: () => Promise<{ ms: number }>): Promise<number> {
    const all: number[] = [];
    for (let i = 0; i < options.rounds; i++) all.push((await work()).ms);
    return median(all);
  }
}

function snapshotTask(contestant: Contestant, place: string, number: number) {
  const task = contestant.task("first", place, `${place}/input`)!;
  // Archives of borg need names of their own.
  return { ...task, argv: task.argv.map((word) => word.replace(/::first$/, `::number-${number}`)) };
}
