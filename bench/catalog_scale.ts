/**
 * One size of a catalogue, each step in a process of its own, so that its memory is its own:
 *
 *   deno run -A bench/catalog_scale.ts fill|start|ask FILE CHUNKS
 *
 * `fill` makes the catalogue, `start` opens it and asks one question, `ask` asks very many. Results are a line of JSON.
 */
import { StatementSync } from "node:sqlite";
import { type BrickRow, Catalog } from "../lib/catalog/mod.ts";
import { IdFilter } from "./id_filter.ts";
import { peakBytes } from "./measure.ts";
import { ownProcess } from "./own_process.ts";
import { brickRow, DOMAIN, idsOf, scattered, syntheticBricks, UNKNOWN } from "./synthetic_bricks.ts";
import { median } from "./words.ts";

const REPOSITORY = "b0".repeat(16);
/** Most of a catalogue is filled with so many chunks at a time; its end as a backup does it, a ledger object at a time. */
const FILL_CHUNKS = 1_000_000;
const LEDGER_BRICKS = 16;
const LEDGER_CHUNKS = 150_000;
/** A question is about the chunks of a piece of input. */
const AT_ONCE = 64;
/** So long is each kind of question asked at most. */
const MOST_MS = 5000;
/** A filter is tried as far as anybody would give it memory. */
const MOST_FILTER_CHUNKS = 100e6;

/** How fast questions of one kind are answered, and how many statements of SQLite each takes. */
export interface Lookups {
  perSecond: number;
  statements: number;
}

interface Filled {
  insertsPerSecond: number;
  /** Of the end, a ledger object at a time. */
  ledgerInsertsPerSecond: number;
  bytesPerChunk: number;
  fillPeakBytes: number;
}

interface Asked {
  unknown: Lookups;
  inOrder: Lookups;
  scattered: Lookups;
  peakBytes: number;
  /** Unknown ids again, with a filter in front; missing where it would be too large. */
  filtered?: Lookups & { filterBytes: number };
}

export type CatalogResult = { chunks: number; startMs: number } & Filled & Asked;

/** Fills a catalogue of so many chunks at `file`, which must not be there, and asks it. */
export async function catalogScale(file: string, chunks: number): Promise<CatalogResult> {
  const filled = await child<Filled>("fill", file, chunks);
  const starts: number[] = [];
  for (let i = 0; i < 5; i++) starts.push((await child<{ startMs: number }>("start", file, chunks)).startMs);
  return { chunks, startMs: median(starts), ...filled, ...await child<Asked>("ask", file, chunks) };
}

async function child<T>(what: string, file: string, chunks: number): Promise<T> {
  return JSON.parse(
    await ownProcess(import.meta.url, [what, file, String(chunks)], `${what} of ${chunks} chunks`),
  ) as T;
}

function fill(file: string, chunks: number): Filled {
  const catalog = Catalog.open(file, { repository: REPOSITORY });
  const spent = { many: { chunks: 0, ms: 0 }, few: { chunks: 0, ms: 0 } };
  for (const { size, rows, count } of batches(chunks)) {
    spent[size].ms += timed(() => catalog.addBricks(rows));
    spent[size].chunks += count;
  }
  catalog.close();
  return {
    insertsPerSecond: spent.many.chunks / spent.many.ms * 1000,
    ledgerInsertsPerSecond: spent.few.chunks / spent.few.ms * 1000,
    bytesPerChunk: Deno.statSync(file).size / chunks,
    fillPeakBytes: peakBytes(),
  };
}

function* batches(chunks: number): Generator<{ size: "many" | "few"; rows: BrickRow[]; count: number }> {
  const lastMany = chunks - Math.min(LEDGER_CHUNKS, chunks / 2);
  let rows: BrickRow[] = [];
  let count = 0;
  for (const brick of syntheticBricks(chunks)) {
    rows.push(brickRow(brick));
    count += brick.count;
    const end = brick.first + brick.count;
    const size = end - count < lastMany ? "many" : "few";
    const isWhole = size === "few" ? rows.length === LEDGER_BRICKS : count >= FILL_CHUNKS || end >= lastMany;
    if (!isWhole) continue;
    yield { size, rows, count };
    rows = [];
    count = 0;
  }
  if (rows.length > 0) yield { size: "few", rows, count };
}

function start(file: string): { startMs: number } {
  const startMs = timed(() => {
    const catalog = Catalog.open(file, { repository: REPOSITORY });
    if (catalog.lookup("D", DOMAIN, idsOf([0]))[0]! < 0) throw new Error("The first chunk is not known");
  });
  return { startMs };
}

function ask(file: string, chunks: number): Asked {
  const catalog = Catalog.open(file, { repository: REPOSITORY });
  const counter = countStatements();
  const rate = (
    most: number,
    number: (i: number) => number,
    options: { known: boolean; filter?: IdFilter },
  ): Lookups => {
    const { known, filter } = options;
    const statementsBefore = counter.count;
    let asked = 0;
    let ms = 0;
    while (asked < most && ms < MOST_MS) {
      const ids = idsOf(Array.from({ length: AT_ONCE }, (_, i) => number(asked + i)));
      ms += timed(() => {
        const kept = filter === undefined ? ids : filter.maybe(ids);
        const answers = catalog.lookup("D", DOMAIN, kept);
        if (answers.some((brick) => brick >= 0 !== known)) throw new Error("The catalogue answers wrongly");
      });
      asked += AT_ONCE;
    }
    return { perSecond: asked / ms * 1000, statements: (counter.count - statementsBefore) / asked };
  };
  const asked = {
    unknown: rate(2e6, (i) => UNKNOWN + i, { known: false }),
    inOrder: rate(chunks, (i) => i % chunks, { known: true }),
    scattered: rate(2e6, (i) => scattered(i, chunks), { known: true }),
    peakBytes: peakBytes(),
  };
  if (chunks > MOST_FILTER_CHUNKS) return asked;
  const filter = new IdFilter(chunks);
  for (let from = 0; from < chunks; from += 65_536) {
    filter.add(idsOf(Array.from({ length: Math.min(65_536, chunks - from) }, (_, i) => from + i)));
  }
  const filtered = rate(2e6, (i) => UNKNOWN + i, { known: false, filter });
  return { ...asked, filtered: { ...filtered, filterBytes: filter.bytes } };
}

/** Counts what is asked of the large tables; the question whether somebody else wrote is no such thing. */
function countStatements(): { count: number } {
  const counter = { count: 0 };
  for (const method of ["get", "all"] as const) {
    const original = StatementSync.prototype[method] as (this: StatementSync, ...values: never[]) => never;
    StatementSync.prototype[method] = function (this: StatementSync, ...values: never[]) {
      if (/FROM (?:chunks|also|segments)/.test(this.sourceSQL)) counter.count++;
      return original.apply(this, values);
    };
  }
  return counter;
}

function timed(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

if (import.meta.main) {
  const [what, file, chunks] = Deno.args;
  const steps = { fill, start, ask };
  const step = steps[what as keyof typeof steps];
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(step(file!, Number(chunks)))));
}
