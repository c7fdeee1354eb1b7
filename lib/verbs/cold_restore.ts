/**
 * Restoring what lies in cold storage. Before the first byte is written it is known whether all of it can be read. If not,
 * nothing is written, unless somebody is ready to wait: then each stretch is written as soon as its bricks can be read, in
 * the order of the stream, while those behind it are still on their way.
 */
import { formatUsd } from "../glacier/mod.ts";
import { NeedsThawError } from "../repository/mod.ts";
import { copyOut, type Output, type OutSegment } from "../pipeline/mod.ts";
import { atMost, counted, inGib, utc } from "./amounts.ts";
import { coldNeeds } from "./cold_needs.ts";
import type { Opened } from "./open.ts";
import { readPrices } from "./price_file.ts";
import type { Selection } from "./selection.ts";
import type { OpenSnapshot } from "./snapshot.ts";
import type { VerbSession } from "./session.ts";
import { restoreName, writeMark } from "./thaw_notes.ts";
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

const MARK_EVERY_MS = 10_000;

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

/**
 * Writes what was selected in order, each stretch as soon as it can be read; the number of bytes. A copy that ends while it is
 * read, on a line that is slower than anybody thought, is asked for again, and the stream goes on where it was.
 */
export async function copyAsThawed(
  session: VerbSession,
  selection: Selection,
  options: { cold: ColdRestore; reader: OpenSnapshot["reader"]; output: Output },
): Promise<number> {
  const { cold, reader, output } = options;
  let written = 0;
  let failedAt: number | undefined;
  const counted: Output = async (bytes) => {
    await output(bytes);
    written += bytes.length;
  };
  for (;;) {
    try {
      const course = new Course(session, cold, (id) => reader.place("D", id).brick);
      await copyFrom(session, selection, { from: written, course, reader, output: counted });
      return written;
    } catch (error) {
      // Twice at the same byte: whatever the store says of its copies, it does not give them.
      if (!(error instanceof NeedsThawError) || !cold.mayAsk || failedAt === written) throw error;
      failedAt = written;
      await cold.thawing.look();
    }
  }
}

async function copyFrom(
  session: VerbSession,
  selection: Selection,
  { from, course, reader, output }: {
    from: number;
    course: Course;
    reader: OpenSnapshot["reader"];
    output: Output;
  },
): Promise<void> {
  const { signal } = session;
  const source = behind(selection.segments(), { bytes: from, onChunk: () => course.skip() });
  let next = await source.next();
  course.begin();
  async function* stretch(): AsyncGenerator<OutSegment> {
    while (!next.done && await course.isReadable(next.value)) {
      yield next.value;
      next = await source.next();
    }
  }
  try {
    while (!next.done) {
      await course.waitFor(next.value);
      // What can be read is written to the last byte before anybody waits.
      await copyOut(stretch(), { reader, output, signal });
    }
    await course.end();
  } finally {
    await source.return(undefined);
  }
}

/** The segments from some byte on; `onChunk` hears of every chunk that is passed over. */
async function* behind(
  segments: AsyncIterable<OutSegment>,
  { bytes, onChunk }: { bytes: number; onChunk: () => void },
): AsyncGenerator<OutSegment> {
  let left = bytes;
  for await (const segment of segments) {
    const length = "bytes" in segment ? segment.bytes.length : segment.length;
    if (left > 0 && left >= length) {
      left -= length;
      if (!("bytes" in segment)) onChunk();
    } else if (left > 0) {
      yield "bytes" in segment
        ? { bytes: segment.bytes.subarray(left) }
        : { ...segment, from: segment.from + left, length: length - left, whole: false };
      left = 0;
    } else {
      yield segment;
    }
  }
}

/** How far a restore is along its segments, and what that means for the thaw. */
class Course {
  readonly #session: VerbSession;
  readonly #cold: ColdRestore;
  readonly #brickOf: (id: Uint8Array) => string;
  readonly #objects: ReadonlyMap<string, WantedObject>;
  #chunks = 0;
  #current: string | undefined;
  #markedMs = -Infinity;

  constructor(session: VerbSession, cold: ColdRestore, brickOf: (id: Uint8Array) => string) {
    this.#session = session;
    this.#cold = cold;
    this.#brickOf = brickOf;
    const { objects } = cold.thawing;
    this.#objects = new Map(objects.flatMap((object) => object.bricks.map((brick) => [brick, object] as const)));
  }

  /** A chunk was written before. */
  skip(): void {
    this.#chunks++;
  }

  /** What is wanted begins here. */
  begin(): void {
    this.#cold.thawing.goOnFrom(this.#chunks);
  }

  /** Whether a segment can be read; if so, it counts as read. */
  async isReadable(segment: OutSegment): Promise<boolean> {
    if ("bytes" in segment) return true;
    const brick = this.#brickOf(segment.id);
    const object = this.#objects.get(brick);
    if (object !== undefined) {
      const { thawing, mayAsk } = this.#cold;
      const isAnother = brick !== this.#current;
      if (isAnother) {
        thawing.passed(this.#chunks);
        await this.#mark({ atOnce: false });
      }
      if (mayAsk && (isAnother || thawing.isDue)) await thawing.keepUp(object);
      if (!thawing.isReadable(object)) return false;
    }
    this.#current = brick;
    this.#chunks++;
    return true;
  }

  /** Returns when a segment can be read, asking for it as often as that takes. */
  async waitFor(segment: OutSegment): Promise<void> {
    if ("bytes" in segment) return;
    const { thawing } = this.#cold;
    const object = this.#objects.get(this.#brickOf(segment.id));
    this.#current = undefined;
    while (object !== undefined && !thawing.isReadable(object)) {
      thawing.passed(this.#chunks);
      await this.#mark({ atOnce: true });
      const step = thawing.step(object);
      if (this.#cold.mayAsk) await thawing.ask(step);
      else if (object.thaw.state !== "thawing") throw stillCold(this.#cold, [object], "What is in front was written.");
      if (!thawing.isReadable(object)) await thawing.wait(thawing.step(object));
    }
  }

  async end(): Promise<void> {
    await this.#mark({ atOnce: true, done: true });
  }

  async #mark({ atOnce, done = false }: { atOnce: boolean; done?: boolean }): Promise<void> {
    const at = this.#session.now();
    if (!atOnce && at.getTime() - this.#markedMs < MARK_EVERY_MS) return;
    this.#markedMs = at.getTime();
    await writeMark(this.#cold.state, this.#cold.name, { at, passed: this.#chunks, done });
  }
}

function stillCold(
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
