// Thaws in waves, and a thaw that is stopped and run again, against a store that is played through.

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type AwaitedObject,
  type ColdClass,
  copyExpiry,
  nextThawStep,
  type Thaw,
  type ThawOptions,
  thawTime,
  waves,
} from "../../lib/glacier/mod.ts";

const hour = 3_600_000;
const day = 24 * hour;
const start = new Date("2026-11-20T08:00:00Z");
const at = (ms: number) => new Date(start.getTime() + ms);
const options: ThawOptions = { now: start, tier: "bulk", days: 3, marginMs: 6 * hour };

const cold: Thaw = { state: "cold" };
const direct: Thaw = { state: "direct" };
const thawing = (ms?: number): Thaw => ({
  state: "thawing",
  tier: "bulk",
  readyAt: ms === undefined ? undefined : at(ms),
});
const ready = (ms?: number): Thaw => ({ state: "ready", until: ms === undefined ? undefined : at(ms) });

interface Named extends AwaitedObject {
  readonly name: string;
}

function wanted(states: Record<string, Thaw>, { class: name = "DEEP_ARCHIVE" as ColdClass, bytes = 10 } = {}): Named[] {
  return Object.entries(states).map(([each, thaw]) => ({ name: each, class: name, bytes, thaw }));
}

/** The lists of a step as words: `ask: a b`. */
function told(objects: readonly Named[], changed: Partial<ThawOptions> = {}): string[] {
  const step = nextThawStep(objects, { ...options, ...changed });
  return (["ask", "renew", "readable", "thawing", "later"] as const)
    .filter((list) => step[list].length > 0)
    .map((list) => `${list}: ${step[list].map(({ name }) => name).join(" ")}`);
}

Deno.test("waves are consecutive, complete, as full as they can be, and larger than the window only for one large object", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 60 });
  fc.assert(fc.property(sizes, fc.integer({ min: 1, max: 100 }), (sizes, windowBytes) => {
    const objects = sizes.map((bytes, number) => ({ bytes, number }));
    const groups = waves(objects, { windowBytes });
    const sum = (group: { bytes: number }[]) => group.reduce((total, { bytes }) => total + bytes, 0);
    assert.deepEqual(groups.flat(), objects);
    for (const [index, group] of groups.entries()) {
      assert.ok(group.length === 1 || (group.length > 1 && sum(group) <= windowBytes));
      const next = groups[index + 1]?.[0];
      if (next && sum(group) <= windowBytes) assert.ok(sum(group) + next.bytes > windowBytes);
    }
  }));
});

Deno.test("waves of 500 GB of 10 TB in bricks of 128 MiB are 21, the last one not full", () => {
  const objects = Array.from({ length: 10e12 / 128 / 1024 ** 2 }, () => ({ bytes: 128 * 1024 ** 2 }));
  const groups = waves(objects, { windowBytes: 500e9 });
  assert.equal(groups.length, 21);
  assert.deepEqual([...new Set(groups.slice(0, -1).map((group) => group.length))], [3725]);
});

Deno.test("a window that lets nothing through is refused", () => {
  for (const windowBytes of [0, -1, NaN]) {
    assert.throws(() => waves([], { windowBytes }), RangeError);
    assert.throws(() => nextThawStep([], { ...options, windowBytes }), RangeError);
  }
});

Deno.test("without a window all that is cold is asked for, and nothing that is thawing, ready or needs no thaw", () => {
  const objects = wanted({ a: cold, b: thawing(), c: ready(2 * day), d: direct, e: ready(), f: ready(0), g: cold });
  assert.deepEqual(told(objects), ["ask: a f g", "readable: c d e", "thawing: b"]);
});

Deno.test("the window is the beginning of what is wanted: what is ready or thawing fills it, what needs no thaw does not", () => {
  const objects = wanted({ a: ready(2 * day), b: direct, c: thawing(), d: cold, e: cold, f: cold });
  assert.deepEqual(told(objects, { windowBytes: 30 }), ["ask: d", "readable: a b", "thawing: c", "later: e f"]);
  assert.deepEqual(told(objects.slice(1), { windowBytes: 30 }), ["ask: d e", "readable: b", "thawing: c", "later: f"]);
});

Deno.test("the object that is needed next is asked for, even if others that are ready would fill the window", () => {
  const objects = wanted({ a: cold, b: ready(day), c: ready(day), d: ready(day) });
  assert.deepEqual(told(objects, { windowBytes: 20 }), ["ask: a", "readable: b c d"]);
});

Deno.test("an object larger than the window is asked for alone, when its turn comes", () => {
  const [small, large] = [wanted({ a: cold, c: cold }), wanted({ b: cold }, { bytes: 50 })];
  assert.deepEqual(told([small[0]!, large[0]!, small[1]!], { windowBytes: 20 }), ["ask: a", "later: b c"]);
  assert.deepEqual(told([large[0]!, small[1]!], { windowBytes: 20 }), ["ask: b", "later: c"]);
});

Deno.test("copies that expire within the margin are asked for again, those beyond the window and those of vaults not", () => {
  const states = { a: ready(6 * hour), b: ready(6 * hour + 1), c: ready(hour) };
  assert.deepEqual(told(wanted(states)), ["renew: a c", "readable: a b c"]);
  assert.deepEqual(told(wanted(states), { windowBytes: 20 }), ["renew: a", "readable: a b c"]);
  assert.deepEqual(told(wanted(states, { class: "VAULT" })), ["readable: a b c"]);
});

Deno.test("a margin as long as the copies are kept is refused, since they would be asked for again and again", () => {
  assert.throws(() => nextThawStep([], { ...options, days: 1, marginMs: day }), RangeError);
  assert.throws(() => nextThawStep([], { ...options, marginMs: -1 }), RangeError);
  nextThawStep([], { ...options, days: 1, marginMs: day - 1 });
});

Deno.test("the next look is when something changes: ready, due again, gone, or after a while when nobody knows", () => {
  const minutes = (states: Record<string, Thaw>, changed: Partial<ThawOptions> & { class?: ColdClass } = {}) => {
    const objects = wanted(states, changed.class ? { class: changed.class } : {});
    const until = nextThawStep(objects, { ...options, ...changed }).waitUntil;
    return until && (until.getTime() - start.getTime()) / 60_000;
  };
  assert.equal(minutes({ a: direct }), undefined);
  assert.equal(minutes({ a: ready() }), undefined);
  assert.equal(minutes({ a: thawing(2 * hour), b: thawing(hour) }), 60);
  // It should have been ready: look again after a while, not at once.
  assert.equal(minutes({ a: thawing(-hour) }), 15);
  assert.equal(minutes({ a: thawing(), b: thawing(hour) }, { pollMs: 60_000 }), 1);
  assert.equal(minutes({ a: ready(8 * hour) }), 120);
  assert.equal(minutes({ a: ready(8 * hour) }, { class: "VAULT" }), 480);
  assert.equal(minutes({ a: cold }, { class: "GLACIER" }), 300);
  assert.equal(minutes({ a: cold }, { class: "GLACIER", tier: "expedited" }), 15);
  assert.equal(minutes({ a: cold }), 15);
});

/** What the played store knows of an object; times in ms since the start. */
interface Stored {
  readonly name: number;
  readonly class: ColdClass;
  readonly bytes: number;
  askedByUs: boolean;
  restored: boolean;
  readyMs: number;
  untilMs: number;
  /** Whether the store says when something will be ready. */
  readonly tells: boolean;
}

function stateOf(object: Stored, now: number): Thaw {
  if (now >= object.untilMs) return cold;
  return now >= object.readyMs ? ready(object.untilMs) : thawing(object.tells ? object.readyMs : undefined);
}

Deno.test("a thaw that is stopped at any time asks for everything in the end, never past the window and never twice", () => {
  const object = fc.record({
    class: fc.constantFrom<ColdClass>("DEEP_ARCHIVE", "GLACIER", "VAULT"),
    bytes: fc.integer({ min: 1, max: 50 }),
    // Some were asked for before, by somebody else.
    readyMs: fc.integer({ min: -day, max: 2 * day }),
    untilMs: fc.integer({ min: -2 * day, max: 4 * day }),
    tells: fc.boolean(),
  });
  const plan = fc.record({
    objects: fc.array(object, { maxLength: 25 }),
    tier: fc.constantFrom("bulk", "standard"),
    days: fc.integer({ min: 3, max: 7 }),
    windowBytes: fc.option(fc.integer({ min: 1, max: 200 }), { nil: Infinity }),
    marginMs: fc.integer({ min: 0, max: 2 * day }),
    // How long a thaw takes of what is allowed, how long a restore takes, how long nobody runs the program.
    waits: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
    restores: fc.infiniteStream(fc.integer({ min: 0, max: 10 * hour })),
    pauses: fc.array(fc.integer({ min: 0, max: 12 * day }), { maxLength: 5 }),
  });
  fc.assert(
    fc.property(plan, ({ objects, tier, days, windowBytes, marginMs, waits, restores, pauses }) => {
      const all = objects.map((object, name): Stored => ({ ...object, name, askedByUs: false, restored: false }));
      const next = <T>(stream: Iterator<T>) => stream.next().value as T;
      let now = 0;
      let steps = 0;
      while (all.some(({ restored }) => !restored)) {
        if (++steps > 3000) assert.fail("it does not come to an end");
        const left = all.filter(({ restored }) => !restored);
        const seen = left.map((stored) => ({
          stored,
          class: stored.class,
          bytes: stored.bytes,
          thaw: stateOf(stored, now),
        }));
        const step = nextThawStep(seen, { now: at(now), tier, days, windowBytes, marginMs });
        const sorted = [...step.ask, ...step.readable, ...step.thawing, ...step.later].map(({ stored }) => stored.name);
        assert.deepEqual(sorted.sort((a, b) => a - b), left.map(({ name }) => name));
        for (const { stored, thaw } of step.ask) {
          assert.equal(thaw.state, "cold");
          stored.askedByUs = true;
          stored.readyMs = now + 1 + Math.floor(thawTime(stored.class, tier)!.mostMs * next(waits));
          stored.untilMs = stored.class === "VAULT"
            ? stored.readyMs + day
            : copyExpiry(at(now), days).getTime() - start.getTime();
        }
        for (const { stored, thaw } of step.renew) {
          assert.ok(thaw.state === "ready" && stored.class !== "VAULT" && stored.untilMs - now <= marginMs);
          stored.untilMs = copyExpiry(at(now), days).getTime() - start.getTime();
          assert.ok(stored.untilMs - now > marginMs);
        }
        const ours = left.filter((stored) => stored.askedByUs && stateOf(stored, now).state !== "cold");
        assert.ok(ours.length <= 1 || ours.reduce((sum, { bytes }) => sum + bytes, 0) <= windowBytes);
        const [first] = left;
        if (stateOf(first!, now).state === "ready") {
          assert.ok(step.readable.some(({ stored }) => stored === first));
          first!.restored = true;
          now += next(restores);
        } else {
          assert.ok(step.waitUntil !== undefined && step.waitUntil > at(now));
          now = step.waitUntil.getTime() - start.getTime();
        }
        now += pauses.pop() ?? 0;
      }
    }),
    { numRuns: 300 },
  );
});
