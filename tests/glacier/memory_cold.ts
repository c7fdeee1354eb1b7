/**
 * A cold store in memory, for tests of whatever stands on one: as a bucket of any class, or as a vault with opaque handles
 * and inventories that take hours. `cold_conformance.ts` holds it to what the real ones do. Its clock is moved by hand.
 */
import {
  type ColdClass,
  type ColdObject,
  type ColdStore,
  type ColdUpload,
  type Confirmation,
  copyExpiry,
  NotThawedError,
  type Thaw,
  thawTime,
  type Tier,
  TreeHasher,
} from "../../lib/glacier/mod.ts";
import { createHash } from "node:crypto";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

interface Held extends ColdObject {
  content: Uint8Array<ArrayBuffer>;
  removedAt: Date | undefined;
  copies: { askedAt: Date; tier: Tier; readyAt: Date; until: Date }[];
}

/** What is in a place; `openMemoryCold` opens it as often as there are processes. */
export class ColdPlaceInMemory {
  readonly objects: Held[] = [];
  readonly inventories: { askedAt: Date; readyAt: Date; at: Date }[] = [];
  /** Every call, such as "upload bricks/ab/…" or "read h1": what was asked, in order. */
  readonly calls: string[] = [];
  readonly class: ColdClass;
  readonly location: string;
  #nowMs: number;

  constructor(options: { class: ColdClass; location?: string; startAt?: Date }) {
    this.class = options.class;
    this.location = options.location ?? (this.class === "VAULT" ? "glacier://us-east-1/memory" : "s3://memory");
    this.#nowMs = (options.startAt ?? new Date("2026-01-10T09:30:00Z")).getTime();
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }

  get isVault(): boolean {
    return this.class === "VAULT";
  }

  /** An object that is there, or an error. */
  find(handle: string): Held {
    const held = this.objects.find((object) => object.handle === handle && object.removedAt === undefined);
    if (held === undefined) throw new Error(`Cannot find ${handle} in ${this.location}: it is not there`);
    return held;
  }
}

/** What every call begins with: others have their turn, and whoever is stopped does nothing. */
async function turn(signal: AbortSignal): Promise<void> {
  await Promise.resolve();
  signal.throwIfAborted();
}

/** Opens a place as one process would. */
export function openMemoryCold(place: ColdPlaceInMemory): ColdStore {
  const { location, isVault } = place;

  const stateOf = ({ copies }: Held): Thaw => {
    if (thawTime(place.class, "bulk") === undefined) return { state: "direct" };
    const now = place.now();
    const ready = copies.filter(({ readyAt, until }) => readyAt <= now && until > now);
    if (ready.length > 0) return { state: "ready", until: new Date(Math.max(...ready.map(({ until }) => +until))) };
    const running = copies.find(({ readyAt }) => readyAt > now);
    return running ? { state: "thawing", tier: running.tier, readyAt: running.readyAt } : { state: "cold" };
  };

  /** The newest inventory that is ready. */
  const inventory = (since?: Date) =>
    place.inventories.findLast(({ askedAt, readyAt }) =>
      readyAt <= place.now() && +readyAt + dayMs > +place.now() && (since === undefined || askedAt >= since)
    );

  /** When stock was last taken: daily, from a day after the first object. */
  const stockAt = () => {
    const [first] = place.objects;
    const days = first ? Math.floor((+place.now() - +first.storedAt) / dayMs) : 0;
    return first && days > 0 ? new Date(+first.storedAt + days * dayMs) : undefined;
  };

  const objectsAt = (at: Date): ColdObject[] =>
    place.objects.filter(({ storedAt, removedAt }) => storedAt <= at && !(removedAt !== undefined && removedAt <= at))
      .map(({ content: _content, removedAt: _removedAt, copies: _copies, ...object }) => object);

  async function* each(objects: ColdObject[]): AsyncGenerator<ColdObject> {
    for (const object of objects) yield await Promise.resolve(object);
  }

  return {
    location,
    class: place.class,

    async upload(object: ColdUpload, { signal, sent }) {
      await turn(signal);
      place.calls.push(`upload ${object.name}`);
      const there = isVault
        ? undefined
        : place.objects.find(({ name, removedAt }) => name === object.name && !removedAt);
      if (there !== undefined) {
        if (there.sha256 === object.sha256) return there.handle;
        throw new Error(`Cannot store ${object.name} in ${location}: it is there, but with other bytes`);
      }
      const content = await object.read({ from: 0, length: object.bytes });
      signal.throwIfAborted();
      const tree = new TreeHasher();
      tree.update(content);
      const sha256 = createHash("sha256").update(content).digest("hex");
      const treeHash = tree.digest().toHex();
      const isSame = content.length === object.bytes &&
        (isVault ? treeHash === object.treeHash : sha256 === object.sha256);
      if (!isSame) throw new Error(`Cannot store ${object.name} in ${location}: its bytes are not what they should be`);
      // As with If-None-Match: of two who come at once, one has stored it.
      const meanwhile = isVault
        ? undefined
        : place.objects.find(({ name, removedAt }) => name === object.name && !removedAt);
      sent?.(content.length);
      if (meanwhile !== undefined) return meanwhile.handle;
      const handle = isVault ? `archive-${place.objects.length + 1}` : object.name;
      place.objects.push({
        ...{ handle, name: object.name, repository: isVault ? object.repository : undefined, bytes: content.length },
        ...{ sha256, treeHash: isVault ? treeHash : undefined, class: place.class, storedAt: place.now() },
        ...{ content, removedAt: undefined, copies: [] },
      });
      return handle;
    },

    async confirm(objects, { signal }) {
      await turn(signal);
      place.calls.push(`confirm ${objects.length}`);
      const newest = inventory();
      const at = isVault ? newest?.at : place.now();
      const seen = new Map(at && objectsAt(at).map((object) => [object.handle, object]));
      return objects.map((object): Confirmation => {
        if (at === undefined) return { found: "unknown", why: "the vault has no inventory that can be read now" };
        const there = seen.get(object.handle);
        if (there !== undefined) {
          const same = there.bytes === object.bytes &&
            (isVault ? there.treeHash === object.treeHash : there.sha256 === object.sha256);
          return same ? { found: "same", class: there.class, at } : { found: "other", why: "its bytes are others" };
        }
        if (!newest) return { found: "absent" };
        if (at < object.storedAt) return { found: "unknown", why: "it was stored after the newest inventory" };
        return +newest.askedAt - +object.storedAt < 2 * dayMs
          ? { found: "unknown", why: "it was stored less than two days before the newest inventory" }
          : { found: "absent" };
      });
    },

    async list({ signal, since }) {
      await turn(signal);
      place.calls.push("list");
      const ready = (at: Date) => ({ ready: true as const, listing: { at, objects: each(objectsAt(at)) } });
      if (!isVault) return ready(place.now());
      const newest = inventory(since);
      if (newest !== undefined) return ready(newest.at);
      const running = place.inventories.find(({ askedAt, readyAt }) =>
        readyAt > place.now() && (since === undefined || askedAt >= since)
      );
      const at = stockAt();
      if (running === undefined && at !== undefined) {
        place.inventories.push({ askedAt: place.now(), readyAt: new Date(+place.now() + 5 * hourMs), at });
      }
      return { ready: false as const, readyAt: (running ?? place.inventories.at(-1))?.readyAt };
    },

    async states(objects, { signal }) {
      await turn(signal);
      place.calls.push(`states ${objects.length}`);
      return objects.map(({ handle }) => stateOf(place.find(handle)));
    },

    async thaw({ handle }, { tier, days, signal }) {
      await turn(signal);
      place.calls.push(`thaw ${handle}`);
      const held = place.find(handle);
      const state = stateOf(held);
      const now = place.now();
      if (state.state === "direct" || state.state === "thawing") return state;
      if (state.state === "ready" && (isVault || +(state.until ?? Infinity) >= +now + days * dayMs)) {
        return state;
      }
      const time = thawTime(place.class, tier);
      if (time === undefined) throw new Error(`Cannot thaw ${handle} in ${location}: there is no ${tier} retrieval`);
      const readyAt = state.state === "ready" ? now : new Date(+now + time.mostMs);
      const until = isVault ? new Date(+readyAt + dayMs) : copyExpiry(now, days);
      held.copies.push({ askedAt: now, tier, readyAt, until });
      return stateOf(held);
    },

    async read({ handle, bytes }, { range, signal }) {
      await turn(signal);
      place.calls.push(`read ${handle}`);
      if (!(range.from >= 0 && range.length >= 0 && range.from + range.length <= bytes)) {
        throw new RangeError("out of bounds");
      }
      const held = place.find(handle);
      const { state } = stateOf(held);
      if (state !== "direct" && state !== "ready") {
        throw new NotThawedError(`Cannot read ${handle} in ${location}: ask for a copy of it first`);
      }
      return held.content.slice(range.from, range.from + range.length);
    },

    async remove(handle, { signal }) {
      await turn(signal);
      place.calls.push(`remove ${handle}`);
      for (const object of place.objects) {
        if (object.handle === handle) object.removedAt ??= place.now();
      }
    },

    close: () => Promise.resolve(),
  };
}
