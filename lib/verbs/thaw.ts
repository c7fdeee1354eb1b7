/**
 * `thaw`: asks cold storage for readable copies of what a restore needs. It may be stopped and run again for days: what was
 * asked for, and what can be read, the stores themselves know.
 */
import type { RestoreEstimate } from "../glacier/mod.ts";
import { counted, utc } from "./amounts.ts";
import { coldNeeds } from "./cold_needs.ts";
import { catchUp } from "./open.ts";
import { readPrices } from "./price_file.ts";
import { select } from "./selection.ts";
import { findIndex, locationFor, openToRead, readIndexFile } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";
import { noteReadyTimes, readMark, readReadyTimes, restoreName } from "./thaw_notes.ts";
import { type Sleep, sleepForReal, type Step, type ThawChoice, Thawing, type WantedObject } from "./thawing.ts";

export interface ThawOptions extends ThawChoice {
  /** An index file, a snapshot's name, or undefined for the newest complete one. */
  snapshot: string | undefined;
  /** Paths or globs; empty: everything. */
  paths: readonly string[];
  /** Come back only when all of it can be read. */
  wait: boolean;
  sleep?: Sleep;
}

/** How far a thaw is. */
export interface ThawResult {
  snapshot: string;
  /** Objects of cold stores that the restore reads from, and their bytes. */
  objects: number;
  bytes: number;
  /** Copies asked for by this run; those of them that were there, but not for long. */
  asked: number;
  renewed: number;
  /** Objects that can be read now, that are on their way, and that wait until others are restored (`--window`). */
  readable: number;
  thawing: number;
  later: number;
  /** All that may be asked for now can be read. */
  ready: boolean;
  /** When what is on its way can be read, at the latest. */
  readyAt?: Date;
  /** When the first of the copies ends. */
  readableUntil?: Date;
  /** What asking and restoring cost, estimated when this run began. */
  cost: RestoreEstimate["cost"];
}

const nothing = { retrieval: 0, requests: 0, copies: 0, reads: 0, egress: 0, total: 0 };

/** Asks for what a restore needs and, with `wait`, waits for it. */
export async function thaw(session: VerbSession, options: ThawOptions): Promise<ThawResult> {
  const file = await readIndexFile(options.snapshot);
  const { opened, readers, close } = await openToRead(session, {
    location: await locationFor(session, file),
    need: "list",
  });
  try {
    const index = await findIndex(opened.repository, options.snapshot, file);
    await catchUp(session, opened.repository, [index.domain]);
    const snapshot = await readers.open(index);
    const selection = await select(session, { opened, snapshot }, options.paths);
    refuseMissing(selection.missing, index.snapshot);
    const needs = await coldNeeds(session, { opened, snapshot, selection });
    if (needs === undefined) return { ...result(index.snapshot, undefined, { asked: 0, renewed: 0 }), cost: nothing };
    const thawing = new Thawing(session, {
      cold: opened.repository.cold!,
      ...{ needs: needs.objects, others: needs.others, choice: options },
      prices: await readPrices(session.places.config()),
      sleep: options.sleep ?? sleepForReal,
    });
    await thawing.look();
    const estimate = thawing.estimate();
    await thawing.confirm(estimate);
    thawing.begin(estimate);
    const name = restoreName(index.snapshot, options.paths);
    const done = await follow(session, { thawing, state: opened.state, name, wait: options.wait });
    return { ...result(index.snapshot, thawing, done), cost: estimate.cost };
  } finally {
    await close();
  }
}

/** What is asked for by a wrong name must not be paid for in part. */
export function refuseMissing(missing: readonly string[], snapshot: string): void {
  if (missing.length === 0) return;
  throw new Error(
    `Not in snapshot ${snapshot}: ${
      missing.join(", ")
    }. Nothing was asked for; "tarzan list" shows the names as they are`,
  );
}

interface Done {
  asked: number;
  renewed: number;
  step?: Step;
  readyAt?: Date;
}

async function follow(
  session: VerbSession,
  { thawing, state, name, wait }: { thawing: Thawing; state: string; name: string; wait: boolean },
): Promise<Done> {
  let [asked, renewed] = [0, 0];
  let told = false;
  for (;;) {
    // Beside a restore, only what that has not read yet is asked for.
    const mark = await readMark(state, { name, now: session.now() });
    if (mark !== undefined) thawing.passed(mark.done ? Infinity : mark.passed);
    const before = thawing.step();
    await thawing.ask(before);
    asked += before.ask.length;
    renewed += before.renew.length;
    const step = thawing.step();
    const readyAt = await remember(state, thawing, { step, asked: before.ask });
    const isReady = step.thawing.length + step.ask.length === 0;
    if (!wait || (isReady && step.later.length === 0)) {
      return { asked, renewed, step, ...(readyAt === undefined ? {} : { readyAt }) };
    }
    if (!told) session.note(waitNote(step, readyAt));
    told = true;
    await thawing.wait(step);
  }
}

function waitNote({ thawing, later }: Step, readyAt: Date | undefined): string {
  const when = readyAt === undefined ? "" : `, at the latest until ${utc(readyAt)}`;
  const rest = later.length === 0 ? "" : `. ${counted(later.length, "object")} are asked for when others are restored`;
  return `Waiting for ${counted(thawing.length, "object")} of cold storage${when}${rest}.`;
}

/** Notes when what was asked for should be there; when all of it is, at the latest. */
export async function remember(
  state: string,
  thawing: Thawing,
  { step, asked }: { step: Step; asked: readonly WantedObject[] },
): Promise<Date | undefined> {
  const promised = new Map<string, Date>();
  for (const { location, thaw } of asked) {
    const at = thaw.state === "thawing" ? thaw.readyAt : undefined;
    if (at !== undefined && at > (promised.get(location) ?? 0)) promised.set(location, at);
  }
  await noteReadyTimes(state, promised);
  return thawing.readyAt(step, await readReadyTimes(state));
}

function result(snapshot: string, thawing: Thawing | undefined, { asked, renewed, step, readyAt }: Done) {
  const objects = thawing?.objects ?? [];
  const ends = (step?.readable ?? []).flatMap(({ thaw }) => thaw.state === "ready" && thaw.until ? [+thaw.until] : []);
  const counts = {
    readable: step?.readable.length ?? 0,
    thawing: (step?.thawing.length ?? 0) + (step?.ask.length ?? 0),
    later: step?.later.length ?? 0,
  };
  return {
    snapshot,
    objects: objects.length,
    bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    ...{ asked, renewed, ...counts },
    ready: counts.thawing + counts.later === 0,
    ...(readyAt === undefined ? {} : { readyAt }),
    ...(ends.length === 0 ? {} : { readableUntil: new Date(ends.reduce((a, b) => Math.min(a, b))) }),
  };
}
