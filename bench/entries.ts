/**
 * How long the entries of a large backup take: a list of all, a list of some, one file out of it. Very many tiny files.
 *
 *   deno run -A bench/entries.ts [--files 1000000] [--dir FOLDER] [--tarzan EXECUTABLE]
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { tarzan } from "./contestants.ts";
import { dataSet, FULL } from "./data.ts";
import { measure, type Task } from "./measure.ts";
import { mebibytes, say, seconds, table } from "./words.ts";

const { values } = parseArgs({
  options: {
    files: { type: "string", default: "1000000" },
    dir: { type: "string", default: fileURLToPath(new URL("../bench-data", import.meta.url)) },
    tarzan: { type: "string" },
  },
});

const files = Number(values.files);
const data = await dataSet("tiny", values.dir, { ...FULL, tinyFiles: files });
const program = tarzan(values.tarzan);
const place = await Deno.makeTempDir({ dir: values.dir, prefix: "run-" });
const list = program.list!(place);
const extract = program.task("restore", place, "")!;
const middle = Math.floor(files / 2);
const name = `tiny/${middle % 1000 >> 4}/${Math.floor(middle / 1000)}/file-${middle}.txt`;
const with_ = (task: Task, ...words: string[]): Task => ({ ...task, argv: [...task.argv, ...words] });
const listing = with_(list, "latest");
const one = with_(extract, name);
/** Forgets the entries of all pages, as on a machine that has never listed anything. */
const forget = (task: Task): Task => ({
  ...task,
  argv: ["sh", "-c", 'rm -f "$TARZAN_STATE_DIR"/*/entries.sqlite*; exec "$@"', "sh", ...task.argv],
});
const tasks: Record<string, Task> = {
  "first create": program.task("first", place, data.first)!,
  "create again, 0.1 % changed": program.task("again", place, data.again)!,
  "list, no cache": with_(listing, "--no-cache"),
  "list, first time": listing,
  "list, second time": listing,
  "list --long, second time": with_(listing, "--long"),
  "list of one folder, second time": with_(listing, name.slice(0, name.lastIndexOf("/"))),
  "extract of one file, no cache": with_(one, "--no-cache"),
  "extract of one file, first time": forget(one),
  "extract of one file, second time": one,
  "list of snapshots": list,
  "extract of all": extract,
};
const rows = [["", "time", "CPU", "memory"]];
try {
  await measure(program.init!(place));
  for (const [what, task] of Object.entries(tasks)) {
    const { ms, cpuMs, peakBytes } = await measure(task);
    say(`${what}: ${seconds(ms)}`);
    rows.push([
      what,
      seconds(ms),
      cpuMs === undefined ? "" : seconds(cpuMs),
      peakBytes === undefined ? "" : mebibytes(peakBytes),
    ]);
  }
} finally {
  await Deno.remove(place, { recursive: true });
}
await Deno.stdout.write(new TextEncoder().encode(`${files.toLocaleString("en")} files\n\n${table(rows)}\n`));
