/**
 * How much memory TARzan takes, whatever comes in: zeros (everything is found again) and noise (everything is new), of any
 * length, through a pipe; backed up, again, restored and checked.
 *
 *   deno run -A bench/memory.ts [--gib 1,20] [--dir FOLDER] [--tarzan EXECUTABLE]
 */
import { parseArgs } from "node:util";
import { type Phase, PHASES, tarzan } from "./contestants.ts";
import { measure, type Task } from "./measure.ts";
import { mebibytes, say, seconds, table } from "./words.ts";

const INPUTS: Record<string, { command: string; programs: string[] }> = {
  zeros: { command: 'head -c "$BYTES" /dev/zero', programs: ["head"] },
  noise: {
    command: 'head -c "$BYTES" /dev/zero | openssl enc -aes-256-ctr -pass pass:noise -nosalt 2> /dev/null',
    programs: ["head", "openssl"],
  },
};

const { values } = parseArgs({
  options: {
    gib: { type: "string", default: "1,20" },
    dir: { type: "string", default: Deno.env.get("TMPDIR") ?? "/tmp" },
    tarzan: { type: "string" },
  },
});

const program = tarzan(values.tarzan);
const rows = [["", ...PHASES.flatMap((phase) => [phase, "memory"])]];
for (const gib of values.gib.split(",").map(Number)) {
  for (const [kind, producer] of Object.entries(INPUTS)) {
    const place = await Deno.makeTempDir({ dir: values.dir, prefix: "tarzan-memory-" });
    try {
      await measure(program.init!(place));
      const cells: string[] = [];
      for (const phase of PHASES) {
        const { ms, peakBytes } = await measure(taskOf(phase, { place, producer, gib }));
        say(`${gib} GiB of ${kind}, ${phase}: ${seconds(ms)}`);
        cells.push(seconds(ms), peakBytes === undefined ? "" : mebibytes(peakBytes));
      }
      rows.push([`${gib} GiB of ${kind}`, ...cells]);
    } finally {
      await Deno.remove(place, { recursive: true });
    }
  }
}
await Deno.stdout.write(new TextEncoder().encode(table(rows) + "\n"));

function taskOf(phase: Phase, options: { place: string; producer: Task["producer"]; gib: number }): Task {
  const { argv, env } = program.task(phase, options.place, "")!;
  const reads = phase === "first" || phase === "again";
  const task = { argv, env: { ...env, BYTES: String(options.gib * 2 ** 30) } };
  return reads && options.producer !== undefined ? { ...task, producer: options.producer } : task;
}
