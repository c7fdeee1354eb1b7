/**
 * TARzan beside the backup programs that are installed here, on the same data, by turns.
 *
 *   deno task bench [--quick] [--runs N] [--data usr,vm,…] [--only TARzan,restic,…] [--dir FOLDER]
 *                   [--tarzan EXECUTABLE] [--json FILE] [--svg FILE] [--no-start-up]
 *
 * Data is made once and kept in FOLDER (bench-data here, if not given), about 5 GB; --quick takes a tenth. A whole bench
 * needs as much again for repositories, and half an hour; zbackup alone takes a third of that.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { asPicture } from "./chart.ts";
import { type Contestant, PEERS, tarzan, versionOf } from "./contestants.ts";
import { DATA_NAMES, type DataName, dataSet, FULL, QUICK } from "./data.ts";
import { asMarkdown, describeData, describeMachine, type Findings } from "./report.ts";
import { runRounds } from "./rounds.ts";
import { startUp } from "./start_up.ts";
import { say } from "./words.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    quick: { type: "boolean", default: false },
    runs: { type: "string" },
    data: { type: "string", default: DATA_NAMES.join(",") },
    only: { type: "string" },
    dir: { type: "string", default: fileURLToPath(new URL("../bench-data", import.meta.url)) },
    tarzan: { type: "string" },
    json: { type: "string" },
    svg: { type: "string" },
    "no-start-up": { type: "boolean", default: false },
  },
});

const names = values.data.split(",").filter((name) => name !== "").map((name) => {
  if (!DATA_NAMES.includes(name as DataName)) throw new Error(`There is no data "${name}": ${DATA_NAMES.join(", ")}`);
  return name as DataName;
});
const wanted = values.only?.split(",");
const versions: Record<string, string> = {};
const contestants: Contestant[] = [];
for (const contestant of [tarzan(values.tarzan), ...PEERS]) {
  if (wanted !== undefined && !wanted.includes(contestant.name)) continue;
  const version = await versionOf(contestant);
  if (version === undefined) say(`${contestant.name} is not installed: left out`);
  else {
    versions[contestant.name] = version;
    contestants.push(contestant);
  }
}

const rounds = Number(values.runs ?? (values.quick ? 1 : 3));
const sets = [];
for (const name of names) sets.push(await dataSet(name, values.dir, values.quick ? QUICK : FULL));
const findings: Findings = {
  schema: "tarzan bench 1",
  machine: await describeMachine(),
  versions,
  data: describeData(sets),
  results: [],
  stored: [],
  startUp: [],
};
for (const data of sets) {
  const { results, stored } = await runRounds(data, { contestants, rounds, folder: values.dir });
  findings.results.push(...results);
  findings.stored.push(...stored);
}
if (!values["no-start-up"]) {
  const snapshots = values.quick ? 10 : 100;
  findings.startUp = await startUp({ contestants, snapshots, rounds: 2 * rounds + 3, folder: values.dir });
}

if (values.json !== undefined) await Deno.writeTextFile(values.json, JSON.stringify(findings, undefined, 2) + "\n");
if (values.svg !== undefined && sets[0] !== undefined) {
  await Deno.writeTextFile(values.svg, asPicture(findings, sets[0].name));
}
await Deno.stdout.write(new TextEncoder().encode(asMarkdown(findings)));
