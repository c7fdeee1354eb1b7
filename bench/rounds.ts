/**
 * Rounds of a data set: in each, every program makes a new repository and goes through all phases, one program after the
 * other. So a machine that is slow for a minute is slow for all of them.
 */
import { type Contestant, type Phase, PHASES } from "./contestants.ts";
import type { DataSet } from "./data.ts";
import { bytesBelow, measure, type Measured } from "./measure.ts";
import { median, say, seconds } from "./words.ts";

/** The medians of one program and phase. */
export interface Result {
  data: string;
  program: string;
  phase: Phase;
  ms: number;
  cpuMs: number | undefined;
  /** The highest of all runs. */
  peakBytes: number | undefined;
  allMs: number[];
}

/** What a program had stored after the first and the second backup. */
export interface StoredResult {
  data: string;
  program: string;
  firstBytes: number;
  againBytes: number;
}

/** Runs all rounds of a data set in folders below `folder`. */
export async function runRounds(
  data: DataSet,
  options: { contestants: Contestant[]; rounds: number; folder: string },
): Promise<{ results: Result[]; stored: StoredResult[] }> {
  const runs = new Map<Contestant, Map<Phase, Measured[]>>();
  const stored = new Map<Contestant, StoredResult>();
  for (let round = 0; round < options.rounds; round++) {
    for (const contestant of options.contestants) {
      if (contestant.slow && round > 0) continue;
      const place = await Deno.makeTempDir({ dir: options.folder, prefix: "run-" });
      try {
        await oneRound(contestant, place);
      } finally {
        await Deno.remove(place, { recursive: true });
      }
    }
  }
  return {
    results: [...runs].flatMap(([program, phases]) => summarise(program, phases)),
    stored: [...stored.values()],
  };

  async function oneRound(contestant: Contestant, place: string): Promise<void> {
    if (contestant.init !== undefined) await measure(contestant.init(place));
    const sizes: number[] = [];
    for (const phase of PHASES) {
      const task = contestant.task(phase, place, phase === "again" ? data.again : data.first);
      if (task === undefined) continue;
      const measured = await measure(task);
      say(`${data.name}, ${contestant.name}, ${phase}: ${seconds(measured.ms)}`);
      const phases = runs.get(contestant) ?? new Map<Phase, Measured[]>();
      runs.set(contestant, phases);
      phases.set(phase, [...phases.get(phase) ?? [], measured]);
      if (phase === "first" || phase === "again") sizes.push(await bytesBelow(`${place}/${contestant.stored}`));
    }
    const { name: program } = contestant;
    stored.set(contestant, { data: data.name, program, firstBytes: sizes[0]!, againBytes: sizes[1] ?? sizes[0]! });
  }

  function summarise({ name }: Contestant, phases: Map<Phase, Measured[]>): Result[] {
    return [...phases].map(([phase, all]) => ({
      data: data.name,
      program: name,
      phase,
      ms: median(all.map(({ ms }) => ms)),
      cpuMs: medianIfAll(all.map(({ cpuMs }) => cpuMs)),
      peakBytes:
        all.reduce<number | undefined>((most, { peakBytes }) => Math.max(most ?? 0, peakBytes ?? 0), undefined) ||
        undefined,
      allMs: all.map(({ ms }) => Math.round(ms)),
    }));
  }
}

function medianIfAll(numbers: (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined);
  return known.length === numbers.length ? median(known) : undefined;
}
