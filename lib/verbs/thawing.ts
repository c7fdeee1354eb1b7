/**
 * Objects on their way from cold storage into reach: asks the stores what can be read, asks for copies, waits. The state of
 * a thaw is in the stores, so that it can be stopped at any moment and gone on with by anybody; what each next step is,
 * lib/glacier decides. Money is looked at before anything is asked for, and again before anything is asked for twice.
 */
import {
  checkCeiling,
  CostCeilingError,
  estimateRestore,
  formatUsd,
  type NeededObject,
  nextThawStep,
  type Prices,
  type RestoreEstimate,
  type RestorePlan,
  type Thaw,
  type ThawStep,
  thawTime,
  type Tier,
} from "../glacier/mod.ts";
import { type ColdAccess, inParallel } from "../repository/mod.ts";
import type { VerbSession } from "./session.ts";
import { type ColdNeed, needsThaw } from "./whereabouts.ts";

/** How to thaw. */
export interface ThawChoice {
  readonly tier: Tier;
  /** For how many days copies are asked for. */
  readonly days: number;
  /** How much is thawed ahead of the restore; undefined: everything at once. */
  readonly windowBytes: number | undefined;
  /** What all of it may cost, in USD; undefined: the user is asked. */
  readonly maxCost: number | undefined;
  /** Nothing is paid for what leaves the provider's network. */
  readonly sameRegion: boolean;
}

/** Waits; rejects when the signal says so. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** An object, and what its store said of it last. */
export interface WantedObject extends ColdNeed {
  thaw: Thaw;
  /** Asking for it is in what was estimated, and it has not been asked for yet. */
  estimated: boolean;
}

export type Step = ThawStep<WantedObject>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** How often to look, unless a store says when something is ready. */
const pollMs: Record<Tier, number> = { expedited: MINUTE_MS, standard: 15 * MINUTE_MS, bulk: 30 * MINUTE_MS };
/** Copies that end sooner than this are asked for again. */
const MARGIN_MS = 12 * HOUR_MS;
/** What ends so soon is not begun to be read. */
const LAST_MOMENT_MS = 2 * MINUTE_MS;
/** Requests at once: a store that is asked faster only answers that it is too fast. */
const ASKS_AT_ONCE = 8;

export interface ThawingOptions {
  cold: ColdAccess;
  /** In the order of the restore. */
  needs: readonly ColdNeed[];
  /** What else the restore reads, for its price. */
  others: readonly NeededObject[];
  choice: ThawChoice;
  prices: Prices;
  sleep: Sleep;
}

/** The thaw of what one restore needs. */
export class Thawing {
  readonly objects: readonly WantedObject[];
  readonly #session: VerbSession;
  readonly #options: ThawingOptions;
  /** Chunks of the restore that have been read: what is needed for nothing behind them is not wanted any more. */
  #passed = 0;
  #spent = 0;
  #lookedMs = -Infinity;

  constructor(session: VerbSession, options: ThawingOptions) {
    this.#session = session;
    this.#options = options;
    this.objects = options.needs.map((need) => ({
      ...need,
      thaw: needsThaw(need.class) ? { state: "cold" } : { state: "direct" },
      estimated: false,
    }));
  }

  get choice(): ThawChoice {
    return this.#options.choice;
  }

  /** Asks the stores what can be read now. */
  async look(): Promise<void> {
    const { cold } = this.#options;
    const { signal } = this.#session;
    const places = Map.groupBy(this.#wanted().filter((object) => needsThaw(object.class)), ({ location }) => location);
    for (const [location, objects] of places) {
      const states = await (await cold.open(location)).states(objects, { signal });
      objects.forEach((object, i) => object.thaw = states[i]!);
    }
    this.#lookedMs = this.#nowMs();
  }

  /** What the restore costs as things are, with each tier. */
  plan(): RestorePlan {
    const { choice, prices, others } = this.#options;
    return estimateRestore([...others, ...this.objects], {
      days: choice.days,
      prices,
      now: this.#session.now(),
      ...(choice.sameRegion ? { egressBytes: 0 } : {}),
    });
  }

  /**
   * What the chosen way costs. Throws when there is no such way, when it is over the ceiling, and when copies would be gone
   * before the last of them can be read.
   */
  estimate(): RestoreEstimate {
    const { tier, days, maxCost } = this.choice;
    const estimate = wayOf(this.plan(), tier);
    checkCeiling(estimate, maxCost);
    const { copiesUntil, readable } = estimate;
    const now = this.#nowMs();
    const spare = (copiesUntil?.getTime() ?? Infinity) - now - readable.mostMs;
    if (spare <= 0) {
      const least = Math.ceil(readable.mostMs / (24 * HOUR_MS)) + 1;
      throw new Error(
        `Copies that are asked for with --days ${days} could be gone before the last of them can be read. ` +
          `Give at least --days ${least}. Nothing was asked for`,
      );
    }
    if (spare < 24 * HOUR_MS) {
      this.#session.warn(
        `With --days ${days} the last copies may be readable for only ${Math.floor(spare / HOUR_MS)} hours. ` +
          "Give more days if the restore takes longer",
      );
    }
    return estimate;
  }

  /** Asks the user whether it may cost this, unless a ceiling was given or nothing is paid. */
  async confirm({ cost, tier }: RestoreEstimate): Promise<void> {
    const asking = cost.retrieval + cost.requests + cost.copies;
    if (this.choice.maxCost !== undefined || asking === 0) return;
    const text = `Thawing with tier ${tier} is estimated at ${formatUsd(asking)} USD, the restore as a whole at ` +
      `${formatUsd(cost.total)} USD. Ask for the copies?`;
    if (await this.#session.askYes(text, "allow it with --max-cost USD")) return;
    throw new Error("Nothing was asked for");
  }

  /** What follows may cost what was estimated, as things are now. */
  begin({ cost }: RestoreEstimate): void {
    this.#spent = cost.total;
    for (const object of this.objects) object.estimated = !this.#isAsked(object);
  }

  /** The restore goes on from this chunk: earlier than it had come, perhaps. */
  goOnFrom(chunks: number): void {
    this.#passed = chunks;
  }

  /** The restore has read the chunks below this number. */
  passed(chunks: number): void {
    this.#passed = Math.max(this.#passed, chunks);
  }

  /** What is to be done now; `next` is what the restore waits for. */
  step(next?: WantedObject): Step {
    const { tier, days, windowBytes } = this.choice;
    const wanted = this.#wanted();
    // What is needed next comes first, so that the window always has room for it.
    if (next !== undefined) wanted.sort((a, b) => Number(b === next) - Number(a === next));
    return nextThawStep(wanted, {
      now: this.#session.now(),
      ...{ tier, days, pollMs: pollMs[tier], marginMs: Math.min(MARGIN_MS, days * MARGIN_MS) },
      ...(windowBytes === undefined ? {} : { windowBytes }),
    });
  }

  /** Asks for all that should be asked for now, in the order in which it was uploaded; what it has asked for. */
  async ask({ ask, renew }: Step): Promise<void> {
    const { cold, choice: { tier, days } } = this.#options;
    const { signal, progress } = this.#session;
    const inOrder = [...ask, ...renew].sort((a, b) => a.placedAt.getTime() - b.placedAt.getTime());
    this.#checkAgain(inOrder);
    let done = 0;
    await inParallel(inOrder, ASKS_AT_ONCE, async (object) => {
      signal.throwIfAborted();
      const store = await cold.open(object.location);
      object.thaw = await store.thaw(object, { tier, days, signal });
      object.estimated = false;
      progress.update({ phase: "asking for copies", itemsDone: ++done, itemsTotal: inOrder.length });
    });
  }

  #isAsked({ thaw }: WantedObject): boolean {
    if (thaw.state === "ready") return thaw.until === undefined || thaw.until.getTime() > this.#nowMs();
    return thaw.state !== "cold";
  }

  /** Whether an object can be read now, and for long enough. */
  isReadable({ thaw }: WantedObject): boolean {
    if (thaw.state === "direct") return true;
    if (thaw.state !== "ready") return false;
    return thaw.until === undefined || thaw.until.getTime() > this.#nowMs() + LAST_MOMENT_MS;
  }

  /** Whether it is time to look again. */
  get isDue(): boolean {
    return this.#nowMs() - this.#lookedMs >= pollMs[this.choice.tier];
  }

  /** Looks and asks again where it is time for that: copies end while others are read, and a window moves on. */
  async keepUp(next: WantedObject): Promise<void> {
    const { isDue } = this;
    if (isDue) await this.look();
    if (isDue || this.choice.windowBytes !== undefined) await this.ask(this.step(next));
  }

  /** Waits until it is time to look again, and looks. */
  async wait(step: Step): Promise<void> {
    const { tier } = this.choice;
    const most = this.#nowMs() + pollMs[tier];
    const until = Math.min(most, step.waitUntil?.getTime() ?? most);
    this.#session.progress.update({
      phase: "waiting for cold storage",
      itemsDone: step.readable.length,
      itemsTotal: step.readable.length + step.thawing.length + step.ask.length + step.later.length,
    });
    await this.#options.sleep(Math.max(1000, until - this.#nowMs()), this.#session.signal);
    await this.look();
  }

  /** When all that was asked for can be read, at the latest; `notes` are of earlier runs. */
  readyAt(step: Step, notes: ReadonlyMap<string, Date>): Date | undefined {
    const now = this.#nowMs();
    const times = [...step.thawing, ...step.ask].map(({ thaw, location, class: name }) => {
      const told = thaw.state === "thawing" ? thaw.readyAt ?? notes.get(location) : undefined;
      return told?.getTime() ?? now + (thawTime(name, this.choice.tier)?.mostMs ?? 0);
    });
    return times.length === 0 ? undefined : new Date(times.reduce((a, b) => Math.max(a, b)));
  }

  #wanted(): WantedObject[] {
    return this.objects.filter(({ last }) => last >= this.#passed);
  }

  /** What is asked for a second time, or asked to last longer, was in no estimate. */
  #checkAgain(objects: readonly WantedObject[]): void {
    const { choice: { days, maxCost }, prices } = this.#options;
    const again = objects.filter(({ estimated }) => !estimated).map((object) => ({
      ...object,
      thaw: { state: "cold" as const },
    }));
    if (again.length === 0 || maxCost === undefined) return;
    const { choices } = estimateRestore(again, { days, prices, now: this.#session.now(), egressBytes: 0 });
    const more = choices.find(({ tier }) => tier === this.choice.tier)?.cost.total ?? 0;
    if (this.#spent + more > maxCost) {
      throw new CostCeilingError(
        `Copies end before they were read, and asking for ${again.length} of them again would cost about ` +
          `${
            formatUsd(more)
          } USD more than was estimated, which --max-cost does not allow. What can be read now stays so`,
      );
    }
    this.#spent += more;
  }

  #nowMs(): number {
    return this.#session.now().getTime();
  }
}

/** The way to restore that uses this tier, where something has to be asked for; an error when it is not there for all. */
export function wayOf({ choices, unavailable }: RestorePlan, tier: Tier): RestoreEstimate {
  const way = choices.find((choice) => choice.tier === undefined || choice.tier === tier);
  if (way !== undefined) return way;
  const why = unavailable.find((other) => other.tier === tier)?.why ?? "nothing that is needed can be had so";
  const others = choices.map((choice) => `--tier ${choice.tier}`).join(" or ");
  throw new Error(`Cannot thaw with --tier ${tier}: ${why}. Choose ${others}. Nothing was asked for`);
}

/** Waits as long as it takes. */
export const sleepForReal: Sleep = (ms, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal.addEventListener("abort", stop, { once: true });
  });
