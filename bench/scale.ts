/**
 * What costs grow with what: a catalogue of very many chunks, a repository of very many snapshots, backups of very many
 * files and of one very large one.
 *
 *   deno task bench:scale [--chunks 1,3,10] [--snapshots 100,1000,10000] [--files 50000,1000000] [--stream 50]
 *                         [--dir FOLDER] [--json FILE] [--svg FOLDER]
 *
 * --chunks counts millions, --stream GiB of one file (noise that comes again after 4 GiB); each may be 0 or empty: not that.
 * A million chunks take 62 MB of disk while they are measured (up to ten million, with their ledger, 110), 300 million about
 * an hour. Files and stream are only measured when asked for. --svg writes the curves.
 */
import { statfs } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type CatalogResult, catalogScale } from "./catalog_scale.ts";
import { tarzan } from "./contestants.ts";
import { dataSet, FULL } from "./data.ts";
import { bigFile } from "./big_file.ts";
import { type LedgerResult, ledgerScale } from "./ledger_scale.ts";
import { asCurves, type LineChart } from "./line_chart.ts";
import { measure, type Measured, type Task } from "./measure.ts";
import { describeMachine } from "./report.ts";
import { type SnapshotResult, snapshotScale } from "./snapshot_scale.ts";
import { mebibytes, say, seconds, table } from "./words.ts";

/** With the log that SQLite keeps beside the file while it fills. */
const DISK_BYTES_PER_CHUNK = 70;
/** A ledger is learned as far as that takes seconds; it lies beside the catalogue that it fills. */
const MOST_LEDGER_CHUNKS = 10e6;
const LEDGER_BYTES_PER_CHUNK = 45;
const GIB = 2 ** 30;

interface BackupResult {
  what: string;
  size: number;
  create: Measured;
}

const { values } = parseArgs({
  options: {
    chunks: { type: "string", default: "1,3,10" },
    snapshots: { type: "string", default: "100,1000,10000" },
    files: { type: "string", default: "" },
    stream: { type: "string", default: "" },
    dir: { type: "string", default: fileURLToPath(new URL("../bench-data", import.meta.url)) },
    json: { type: "string" },
    svg: { type: "string" },
  },
});
const numbers = (list: string) => list.split(",").map(Number).filter((number) => number > 0);
const sizes = numbers(values.chunks).map((millions) => millions * 1e6);
await Deno.mkdir(values.dir, { recursive: true });
await refuseSmallDisk();

const catalogs: (CatalogResult & Partial<LedgerResult>)[] = [];
for (const chunks of sizes) {
  say(`Catalogue of ${chunks.toLocaleString("en")} chunks …`);
  const catalog = await inPlace((place) => catalogScale(`${place}/catalog.sqlite`, chunks));
  const ledger = chunks > MOST_LEDGER_CHUNKS ? {} : await inPlace((place) => ledgerScale(place, chunks));
  catalogs.push({ ...catalog, ...ledger });
}
if (catalogs.length > 0) await print(catalogTable(catalogs));

const snapshots: SnapshotResult[] = [];
for (const count of numbers(values.snapshots)) {
  say(`Repository of ${count.toLocaleString("en")} snapshots …`);
  snapshots.push(await snapshotScale(values.dir, count));
}
if (snapshots.length > 0) await print(snapshotTable(snapshots));

const backups: BackupResult[] = [];
for (const files of numbers(values.files)) {
  const data = await dataSet("tiny", values.dir, { ...FULL, tinyFiles: files });
  backups.push(await backup(`${files.toLocaleString("en")} small files`, files, { input: data.first }));
}
for (const gib of numbers(values.stream)) {
  backups.push(await backup(`one file of ${gib} GiB`, gib * GIB, { producer: bigFile(gib * GIB) }));
}

if (backups.length > 0) await print(backupTable(backups));

if (values.json !== undefined) {
  const found = { schema: "tarzan scale 1", machine: await describeMachine(), catalogs, snapshots, backups };
  await Deno.writeTextFile(values.json, JSON.stringify(found, undefined, 2) + "\n");
}
if (values.svg !== undefined) {
  for (const [name, chart] of Object.entries(charts())) {
    await Deno.writeTextFile(`${values.svg}/${name}.svg`, asCurves(chart));
  }
}

async function print(text: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${text}\n\n`));
}

async function inPlace<T>(work: (place: string) => Promise<T>): Promise<T> {
  const place = await Deno.makeTempDir({ dir: values.dir, prefix: "run-" });
  try {
    return await work(place);
  } finally {
    await Deno.remove(place, { recursive: true });
  }
}

async function refuseSmallDisk(): Promise<void> {
  if (sizes.length === 0) return;
  const ledgerBytes = (chunks: number) => chunks > MOST_LEDGER_CHUNKS ? 0 : chunks * LEDGER_BYTES_PER_CHUNK;
  const needed = Math.max(...sizes.map((chunks) => chunks * DISK_BYTES_PER_CHUNK + ledgerBytes(chunks)));
  const { bavail, bsize } = await statfs(values.dir);
  const words = `${(needed / GIB).toFixed(1)} GiB in ${values.dir}, where ${
    (bavail * bsize / GIB).toFixed(1)
  } are free`;
  if (needed > bavail * bsize) throw new Error(`This needs ${words}. Name another folder with --dir`);
  say(`The largest catalogue needs ${words}.`);
}

async function backup(what: string, size: number, from: Pick<Task, "input" | "producer">): Promise<BackupResult> {
  say(`Backup of ${what} …`);
  return await inPlace(async (place) => {
    const program = tarzan(undefined);
    await measure(program.init!(place));
    const { argv, env } = program.task("first", place, "")!;
    return { what, size, create: await measure({ argv, ...(env && { env }), ...from }) };
  });
}

function catalogTable(results: (CatalogResult & Partial<LedgerResult>)[]): string {
  const rate = (perSecond: number | undefined) => perSecond === undefined ? "" : count(perSecond);
  const memory = (bytes: number | undefined) => bytes === undefined ? "" : mebibytes(bytes);
  const rows: [string, (result: CatalogResult & Partial<LedgerResult>) => string][] = [
    ["bytes a chunk on disk", ({ bytesPerChunk }) => bytesPerChunk.toFixed(1)],
    ["inserts/s, a million at a time", ({ insertsPerSecond }) => rate(insertsPerSecond)],
    ["inserts/s, a ledger object at a time", ({ ledgerInsertsPerSecond }) => rate(ledgerInsertsPerSecond)],
    ["learn: chunks/s through a whole ledger", ({ learnsPerSecond }) => rate(learnsPerSecond)],
    ["peak memory of that", ({ learnPeakBytes }) => memory(learnPeakBytes)],
    ["lookups/s, unknown ids", ({ unknown }) => rate(unknown.perSecond)],
    ["lookups/s, in stored order", ({ inOrder }) => rate(inOrder.perSecond)],
    ["lookups/s, scattered", ({ scattered }) => rate(scattered.perSecond)],
    ["statements a lookup, unknown", ({ unknown }) => unknown.statements.toFixed(3)],
    ["statements a lookup, in order", ({ inOrder }) => inOrder.statements.toFixed(3)],
    ["lookups/s, unknown, filter in front", ({ filtered }) => rate(filtered?.perSecond)],
    ["memory of that filter", ({ filtered }) => memory(filtered?.filterBytes)],
    ["peak memory of the questions", ({ peakBytes }) => memory(peakBytes)],
    ["open and first lookup", ({ startMs }) => `${startMs.toFixed(0)} ms`],
  ];
  const head = ["chunks", ...results.map(({ chunks }) => `${chunks / 1e6} M`)];
  return table([head, ...rows.map(([name, cell]) => [name, ...results.map(cell)])]);
}

function snapshotTable(results: SnapshotResult[]): string {
  const cells = ({ ms, cpuMs, peakBytes }: Measured) => [
    seconds(ms),
    cpuMs === undefined ? "" : seconds(cpuMs),
    peakBytes === undefined ? "" : mebibytes(peakBytes),
  ];
  const head = ["snapshots", "what", "time", "CPU", "memory"];
  const rows = results.flatMap(({ snapshots, first, again, plan }) => [
    [count(snapshots), "list, first time", ...cells(first)],
    [count(snapshots), "list again", ...cells(again)],
    [count(snapshots), "all brick lists", ...cells(plan)],
  ]);
  return table([head, ...rows]);
}

function backupTable(results: BackupResult[]): string {
  const rows = results.map(({ what, create: { ms, cpuMs, peakBytes } }) => [
    what,
    seconds(ms),
    cpuMs === undefined ? "" : seconds(cpuMs),
    peakBytes === undefined ? "" : mebibytes(peakBytes),
  ]);
  return table([["first backup", "time", "CPU", "memory"], ...rows]);
}

function charts(): Record<string, LineChart> {
  const made: Record<string, LineChart> = {};
  const curve = <T>(name: string, results: T[], x: (result: T) => number, y: (result: T) => number) => ({
    name,
    points: results.map((result) => ({ x: x(result), y: y(result) })),
  });
  const chunks = ({ chunks }: CatalogResult) => chunks;
  if (catalogs.length > 1) {
    const curveOf = (name: string, y: (result: CatalogResult) => number) => curve(name, catalogs, chunks, y);
    made["scale-catalogue"] = {
      title: "The catalogue: how many a second",
      x: "chunks",
      format: count,
      series: [
        curveOf("lookups in order", ({ inOrder }) => inOrder.perSecond),
        curveOf("lookups, unknown", ({ unknown }) => unknown.perSecond),
        curveOf("lookups, scattered", ({ scattered }) => scattered.perSecond),
        curveOf("inserts, by million", ({ insertsPerSecond }) => insertsPerSecond),
        curveOf("inserts, by ledger", ({ ledgerInsertsPerSecond }) => ledgerInsertsPerSecond),
      ],
    };
    made["scale-catalogue-size"] = {
      title: "The catalogue: MiB on disk and in memory",
      x: "chunks",
      format: count,
      series: [
        curveOf("on disk", ({ bytesPerChunk, chunks }) => bytesPerChunk * chunks / 2 ** 20),
        curveOf("memory, all questions", ({ peakBytes }) => peakBytes / 2 ** 20),
      ],
    };
  }
  if (snapshots.length > 1) {
    const curveOf = (name: string, y: (result: SnapshotResult) => number) =>
      curve(name, snapshots, ({ snapshots }) => snapshots, y);
    made["scale-snapshots"] = {
      title: "Many snapshots: seconds",
      x: "snapshots",
      format: (value) => `${Number(value.toPrecision(2))} s`,
      series: [
        curveOf("list, first time", ({ first }) => first.ms / 1000),
        curveOf("list again", ({ again }) => again.ms / 1000),
        curveOf("all brick lists", ({ plan }) => plan.ms / 1000),
      ],
    };
  }
  return made;
}

/** `1.2 M`, `243 k`: two or three digits are all that such figures are worth. */
function count(value: number): string {
  for (const [unit, size] of [["M", 1e6], ["k", 1e3]] as const) {
    if (value >= size) return `${Number((value / size).toPrecision(3))} ${unit}`;
  }
  return String(Number(value.toPrecision(3)));
}
