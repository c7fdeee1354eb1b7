/**
 * `drill`: restores a few files for real, from wherever they sleep, and looks whether they are what the backup says. Whoever
 * does that now and then knows that there is a backup. Files in cold storage take hours: the choice is remembered, so that
 * the next run goes on with it.
 */
import { DamageError } from "../crypto/mod.ts";
import { CostCeilingError, type Tier } from "../glacier/mod.ts";
import { listIndexes } from "../repository/mod.ts";
import { copyOut, type Output } from "../pipeline/mod.ts";
import { beginColdRestore, type ColdChoice, StillColdError } from "./cold_restore.ts";
import { copyAsThawed } from "./copy_as_thawed.ts";
import {
  type DrillEntry,
  drillLog,
  endDrill,
  keepDrill,
  logDrill,
  readDrill,
  type RunningDrill,
} from "./drill_notes.ts";
import { listedPages } from "./entries.ts";
import { catchUp, type Opened } from "./open.ts";
import { select } from "./selection.ts";
import { plainName } from "./selector.ts";
import { findIndex, type OpenSnapshot, openToRead } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";
import { TarCheck } from "./tar_check.ts";
import type { Sleep } from "./thawing.ts";
import { estimateNeeds } from "./estimate_needs.ts";

export interface DrillOptions {
  /** What it may cost, in USD. */
  maxCost: number;
  /** How many files. */
  files: number;
  tier: Tier;
  days: number;
  sameRegion: boolean;
  /** Wait for cold storage instead of ending with "come back later". */
  wait: boolean;
  sleep?: Sleep;
  /** From 0 to 1. */
  random?: () => number;
}

export interface DrillResult {
  snapshot: string;
  /** Names as a user would write them. */
  files: readonly string[];
  /** Bytes of these files. */
  bytes: number;
  /** What it was estimated to cost, in USD. */
  cost: number;
  startedAt: Date;
  /** Whether an earlier run had begun it. */
  continued: boolean;
  /** The file with a line for each drill. */
  log: string;
}

/** Restores a few files of the newest snapshot and compares. Throws StillColdError while they cannot be read. */
export async function drill(session: VerbSession, options: DrillOptions): Promise<DrillResult> {
  const { opened, readers, close } = await openToRead(session, {
    location: session.places.repository(),
    need: "extract",
  });
  const { state, repository } = opened;
  try {
    const waiting = await waitingDrill(opened);
    const index = await findIndex(repository, waiting?.snapshot, undefined);
    await catchUp(session, repository, [index.domain]);
    const snapshot = await readers.open(index);
    const running = waiting ?? await choose(session, { opened, snapshot }, options);
    const about = { startedAt: running.startedAt, snapshot: index.snapshot, files: running.files, cost: running.cost };
    const log = (entry: Pick<DrillEntry, "bytes" | "result">) =>
      logDrill(state, { at: session.now(), ...about, ...entry });
    try {
      await keepDrill(state, running);
      const bytes = await restore(session, { opened, snapshot, files: running.files }, options);
      await log({ bytes, result: "ok" });
      await endDrill(state);
      return { ...about, bytes, continued: waiting !== undefined, log: drillLog(state) };
    } catch (error) {
      const isNews = !(error instanceof StillColdError || session.signal.aborted);
      if (isNews) await log({ bytes: 0, result: (error as Error).message });
      // What a network or a server did is no reason to forget what was asked for.
      if (error instanceof DamageError || error instanceof CostCeilingError) await endDrill(state);
      throw error;
    }
  } finally {
    await close();
  }
}

/** The drill that waits, unless its snapshot is gone. */
async function waitingDrill({ state, repository }: Opened): Promise<RunningDrill | undefined> {
  const drill = await readDrill(state);
  if (drill === undefined) return undefined;
  const isThere = (await listIndexes(repository)).some(({ snapshot }) => snapshot === drill.snapshot);
  if (!isThere) await endDrill(state);
  return isThere ? drill : undefined;
}

interface Place {
  opened: Opened;
  snapshot: OpenSnapshot;
}

/** A random choice that keeps to the ceiling: what is largest is left out until it does. */
async function choose(session: VerbSession, place: Place, options: DrillOptions): Promise<RunningDrill> {
  const { maxCost, days, tier, sameRegion } = options;
  const found = await sample(session, place, options);
  if (found.length === 0) {
    throw new Error(`There is no file with contents in snapshot ${place.snapshot.index.snapshot}: nothing to restore`);
  }
  const files = found.sort((a, b) => a.bytes - b.bytes);
  let least = Infinity;
  while (files.length > 0) {
    const paths = files.map(({ name }) => name);
    const selection = await select(session, place, paths);
    const cost = await estimateNeeds(session, { ...place, selection }, { days, tier, sameRegion });
    if (cost <= maxCost) {
      return { snapshot: place.snapshot.index.snapshot, files: paths, startedAt: session.now(), cost };
    }
    least = Math.min(least, cost);
    files.pop();
  }
  throw new CostCeilingError(
    `Restoring even the smallest of the chosen files would cost about ${
      least.toFixed(2)
    } USD, and ${maxCost} USD are ` +
      "allowed. Nothing was asked for. Allow more with --max-cost, or run again: the choice is random",
  );
}

/** Some files of a snapshot, each as likely as any other. Only such as can be named by a path. */
async function sample(
  session: VerbSession,
  { opened, snapshot }: Place,
  { files, random = Math.random }: DrillOptions,
): Promise<{ name: string; bytes: number }[]> {
  const chosen: { name: string; bytes: number }[] = [];
  let seen = 0;
  for await (const { entries } of listedPages(session, opened, snapshot)) {
    for (const { name, type, size } of entries) {
      if (type !== "-" || size === 0) continue;
      const path = pathOf(name);
      if (path === undefined) continue;
      const place = seen++ < files ? chosen.length : Math.floor(random() * seen);
      if (place < files) chosen[place] = { name: path, bytes: size };
    }
  }
  return chosen;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A name as a path that means this entry alone. */
function pathOf(name: Uint8Array): string | undefined {
  const plain = plainName(name);
  if (plain === "" || plain === "." || /[*?[]/.test(plain)) return undefined;
  try {
    return decoder.decode(name);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Restores the files into nothing; every chunk's id is compared on the way. The bytes of the files. */
async function restore(
  session: VerbSession,
  { opened, snapshot, files }: Place & { files: readonly string[] },
  options: DrillOptions,
): Promise<number> {
  const { reader } = snapshot;
  const selection = await select(session, { opened, snapshot }, files);
  const expected = await sizesOf(session, { opened, snapshot }, files);
  const choice: ColdChoice = { ...options, thaw: true, windowBytes: undefined };
  const cold = await beginColdRestore(session, { opened, snapshot, selection, paths: files }, choice);
  const check = new TarCheck();
  const output: Output = (bytes) => check.take(bytes);
  if (cold === undefined) await copyOut(selection.segments(), { reader, output, signal: session.signal });
  else await copyAsThawed(session, selection, { cold, reader, output });
  const wrong = check.end() ??
    [...expected].map(([name, bytes]) => difference(name, bytes, check.files.get(name))).find((why) =>
      why !== undefined
    );
  if (wrong !== undefined) {
    throw new DamageError(
      `The drill of snapshot ${snapshot.index.snapshot} failed: ${wrong}. Run "tarzan verify --data" to see what is damaged`,
    );
  }
  return [...expected.values()].reduce((sum, bytes) => sum + bytes, 0);
}

function difference(name: string, expected: number, found: number | undefined): string | undefined {
  if (found === expected) return undefined;
  return `${JSON.stringify(name)} has ${found ?? "no"} bytes instead of ${expected}`;
}

/** The lengths of these files as the listing has them; of several of one name, the last one's. */
async function sizesOf(session: VerbSession, { opened, snapshot }: Place, files: readonly string[]) {
  const names = new Set(files.map((file) => plainName(new TextEncoder().encode(file))));
  const sizes = new Map<string, number>();
  for await (const { entries } of listedPages(session, opened, snapshot)) {
    for (const { name, size } of entries) {
      const plain = plainName(name);
      if (names.has(plain)) sizes.set(plain, size);
    }
  }
  return sizes;
}
