/**
 * Before a restore of what lies in cold storage writes its first byte, it is known whether all of it can be read. If not,
 * nothing is written and it is said what it would take, unless somebody is ready to wait (copy_as_thawed.ts).
 */
import { formatUsd } from "../glacier/mod.ts";
import { atMost, counted, inGib, utc } from "./amounts.ts";
import { coldNeeds } from "./cold_needs.ts";
import type { Opened } from "./open.ts";
import { readPrices } from "./price_file.ts";
import type { Selection } from "./selection.ts";
import type { OpenSnapshot } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";
import { restoreName } from "./thaw_notes.ts";
import { remember } from "./thaw.ts";
import { type Sleep, sleepForReal, type Step, type ThawChoice, Thawing, type WantedObject } from "./thawing.ts";

/** Bricks of a restore cannot be read yet. Exit code 7. */
export class StillColdError extends Error {
  override name = "StillColdError";
  /** When they can, at the latest, if they were asked for. */
  readonly readyAt: Date | undefined;

  constructor(message: string, readyAt?: Date) {
    super(message);
    this.readyAt = readyAt;
  }
}

/** What a restore may do about bricks that sleep. */
export interface ColdChoice extends ThawChoice {
  /** Ask for copies. */
  thaw: boolean;
  /** Wait for them. */
  wait: boolean;
  sleep?: Sleep;
}

/** A restore that needs cold storage: what it was for, and the thaw. */
export interface ColdRestore {
  readonly thawing: Thawing;
  /** Whether copies may be asked for. */
  readonly mayAsk: boolean;
  /** Where notes of the restore are kept, and its name there. */
  readonly state: string;
  readonly name: string;
}

interface Restore {
  opened: Opened;
  snapshot: OpenSnapshot;
  selection: Selection;
  paths: readonly string[];
}

/**
 * Gets a restore ready: undefined when it needs nothing from cold storage. Where something cannot be read yet, and the
 * choice is not to wait, a StillColdError says what, how much it costs and when it could be.
 */
export async function beginColdRestore(
  session: VerbSession,
  restore: Restore,
  choice: ColdChoice,
): Promise<ColdRestore | undefined> {
  const { opened, snapshot, paths } = restore;
  const needs = await coldNeeds(session, restore);
  if (needs === undefined) return undefined;
  const thawing = new Thawing(session, {
    cold: opened.repository.cold!,
    ...{ needs: needs.objects, others: needs.others, choice },
    prices: await readPrices(session.places.config()),
    sleep: choice.sleep ?? sleepForReal,
  });
  await thawing.look();
  const cold = { thawing, mayAsk: choice.thaw, state: opened.state, name: restoreName(snapshot.index.snapshot, paths) };
  const waiting = thawing.objects.filter((object) => !thawing.isReadable(object));
  if (waiting.length === 0) return cold;
  const nobodyAsked = waiting.some(({ thaw }) => thaw.state !== "thawing");
  if (!choice.thaw && (nobodyAsked || !choice.wait)) throw stillCold(cold, waiting);
  if (choice.thaw) {
    const estimate = thawing.estimate();
    await thawing.confirm(estimate);
    thawing.begin(estimate);
    const before = thawing.step(waiting[0]);
    await thawing.ask(before);
    const step = thawing.step(waiting[0]);
    const readyAt = await remember(opened.state, thawing, { step, asked: before.ask });
    if (choice.wait) session.note(waitNote(waiting, readyAt));
    else if (waiting.some((object) => !thawing.isReadable(object))) throw asked(step, readyAt);
  }
  return cold;
}

/** Says what waits, where, and the ways to get it. */
export function stillCold(
  { thawing }: ColdRestore,
  waiting: readonly WantedObject[],
  written = "Nothing was written.",
): StillColdError {
  const { choices, thawing: onTheirWay } = thawing.plan();
  const places = [...new Set(waiting.map(({ location, class: name }) => `${location}, ${name}`))].join("; ");
  const bricks = waiting.reduce((sum, object) => sum + object.bricks.length, 0);
  const ways = choices.map(({ tier, cost, readable }) =>
    `${tier ?? "all are asked for, ready"} ${atMost(readable.mostMs)}, with the restore ${formatUsd(cost.total)} USD`
  );
  const isAsked = onTheirWay.objects > 0 ? ` (${counted(onTheirWay.objects, "object")} on the way)` : "";
  return new StillColdError(
    `${counted(bricks, "brick")} of this restore (${inGib(sumBytes(waiting))}) in cold storage cannot be read yet: ` +
      `${places}. ${written}\nThe ways to thaw them${isAsked}: ${ways.join("; ")}. Ask with "tarzan thaw" and ` +
      "the same INDEX and PATHs and come back later, or add --thaw --wait here",
  );
}

function asked(step: Step, readyAt: Date | undefined): StillColdError {
  const when = readyAt === undefined ? "" : `, at the latest at ${utc(readyAt)}`;
  const what = `${counted(step.thawing.length, "object")} (${inGib(sumBytes(step.thawing))})`;
  return new StillColdError(
    `Copies of ${what} were asked for and are on their way. Nothing was written. Run the same again when they can be ` +
      `read${when}`,
    readyAt,
  );
}

function waitNote(waiting: readonly WantedObject[], readyAt: Date | undefined): string {
  const when = readyAt === undefined ? "" : `, all of them at the latest at ${utc(readyAt)}`;
  return `Waiting for ${counted(waiting.length, "object")} of cold storage (${inGib(sumBytes(waiting))})${when}.`;
}

function sumBytes(objects: readonly WantedObject[]): number {
  return objects.reduce((sum, { bytes }) => sum + bytes, 0);
}
