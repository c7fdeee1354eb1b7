/** What was measured, as Markdown tables and as one JSON document. */
import { type Phase, PHASES } from "./contestants.ts";
import type { DataSet } from "./data.ts";
import type { Result, StoredResult } from "./rounds.ts";
import type { StartResult } from "./start_up.ts";
import { mebibytes, seconds, table } from "./words.ts";

/** Everything that a bench found out. */
export interface Findings {
  schema: "tarzan bench 1";
  machine: { processor: string; cores: number; memoryBytes: number; system: string };
  versions: Record<string, string>;
  data: { name: string; bytes: number }[];
  results: Result[];
  stored: StoredResult[];
  startUp: StartResult[];
}

const PHASE_WORDS: Record<Phase, string> = {
  first: "first backup",
  again: "again",
  restore: "restore",
  check: "check all data",
};

/** The machine as far as it can be told. */
export async function describeMachine(): Promise<Findings["machine"]> {
  const information = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return {
    processor: /^model name\s*: (.*)$/m.exec(information)?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    memoryBytes: Deno.systemMemoryInfo().total,
    system: `${Deno.build.os} ${Deno.osRelease()}, Deno ${Deno.version.deno}`,
  };
}

/** The tables of all data sets. */
export function asMarkdown(findings: Findings): string {
  const { machine, versions, data } = findings;
  const lines = [
    `${machine.processor}, ${machine.cores} cores, ${mebibytes(machine.memoryBytes)}; ${machine.system}`,
    Object.entries(versions).map(([name, version]) => version.includes(name) ? version : `${name} ${version}`).join(
      "; ",
    ),
  ];
  for (const { name, bytes } of data) {
    lines.push("", `### ${name}, ${mebibytes(bytes)}`, "", ...dataTables(findings, name));
  }
  if (findings.startUp.length > 0) {
    const rows = findings.startUp.map(({ program, what, ms }) => [`${program} ${what}`, `${Math.round(ms)} ms`]);
    lines.push("", "### Start-up", "", table([["", "median"], ...rows]));
  }
  return lines.join("\n") + "\n";
}

function dataTables({ results, stored }: Findings, data: string): string[] {
  const programs = [...new Set(results.filter((result) => result.data === data).map(({ program }) => program))];
  const find = (program: string, phase: Phase) =>
    results.find((result) => result.data === data && result.program === program && result.phase === phase);
  const rows = programs.map((program) => {
    const own = PHASES.map((phase) => find(program, phase));
    const size = stored.find((one) => one.data === data && one.program === program);
    const peaks = own.flatMap((result) => result?.peakBytes ?? []);
    return [
      program,
      ...own.map((result) => result === undefined ? "" : seconds(result.ms)),
      ...(["first", "restore"] as const).map((phase) => cpu(find(program, phase))),
      size === undefined ? "" : mebibytes(size.firstBytes),
      size === undefined ? "" : mebibytes(size.againBytes - size.firstBytes),
      peaks.length === 0 ? "" : mebibytes(Math.max(...peaks)),
    ];
  });
  const head = [
    "",
    ...PHASES.map((phase) => PHASE_WORDS[phase]),
    "CPU first",
    "CPU restore",
    "stored",
    "added",
    "memory",
  ];
  const [ours, ...others] = programs;
  const ratios = others.map((program) => [
    `TARzan : ${program}`,
    ...PHASES.map((phase) => times(find(ours!, phase)?.ms, find(program, phase)?.ms)),
  ]);
  const tables = [table([head, ...rows])];
  if (ratios.length > 0) {
    tables.push("", "How many times as fast:", "", table([head.slice(0, 1 + PHASES.length), ...ratios]));
  }
  return tables;
}

function cpu(result: Result | undefined): string {
  return result?.cpuMs === undefined ? "" : seconds(result.cpuMs);
}

function times(ours: number | undefined, other: number | undefined): string {
  return ours === undefined || other === undefined ? "" : `${(other / ours).toFixed(1)}`;
}

/** The data sets as the findings name them. */
export function describeData(sets: DataSet[]): Findings["data"] {
  return sets.map(({ name, bytes }) => ({ name, bytes }));
}
