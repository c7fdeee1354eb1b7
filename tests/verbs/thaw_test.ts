// `thaw`, and `extract` of what sleeps: nothing by surprise, nothing twice, and byte for byte in the end.

import assert from "node:assert/strict";
import {
  type ColdChoice,
  extract,
  thaw,
  type ThawOptions,
  type ThawResult,
  type VerbSession,
} from "../../lib/verbs/mod.ts";
import { type ColdClass, type ColdStore, NotThawedError } from "../../lib/glacier/mod.ts";
import { ColdPlaceInMemory, openMemoryCold } from "../glacier/memory_cold.ts";
import { joined, type Machine, noise } from "../repository/machine.ts";
import { extractedBytes, inRepository, tarOf } from "./session.ts";
import { putAllToSleep } from "./sleepers.ts";

const mib = 1024 * 1024;
const hourMs = 3_600_000;
/** What comes to three bricks of 16 units. */
const tarOfUnits = (unit: number) =>
  tarOf(["a", noise(15 * unit, 1)], ["b/d", noise(3 * unit, 3)], ["b/c", noise(15 * unit, 2)], ["e", "small"]);
const UNIT = mib / 16;
const TAR = tarOfUnits(UNIT);

interface Scene {
  machine: Machine;
  session: VerbSession;
  place: ColdPlaceInMemory;
  /** Bricks in the order in which they were uploaded. */
  bricks: string[];
  /** What was asked of the cold store since it was last asked. */
  calls(): string[];
  /** Hours that were slept. */
  slept: number[];
  thaw(options?: Partial<ThawOptions>): Promise<ThawResult>;
}

const choice = {
  ...{ tier: "bulk", days: 7, windowBytes: undefined, maxCost: 10, sameRegion: false } as const,
  wait: false,
};

/** A repository of three bricks that sleep; its clock is the cold store's. */
async function asleep(
  name: ColdClass,
  test: (scene: Scene) => Promise<void>,
  { tar = TAR, brickBytes = mib }: { tar?: Uint8Array<ArrayBuffer>; brickBytes?: number } = {},
): Promise<void> {
  await inRepository(async (machine) => {
    await machine.create(tar, { brickBytes });
    const place = new ColdPlaceInMemory({ class: name });
    const openCold = () => Promise.resolve(openMemoryCold(place));
    const session = { ...machine.session, openCold, now: () => place.now() };
    const bricks = await putAllToSleep(session, await openCold(), { between: () => place.advance(hourMs) });
    const scene: Scene = {
      ...{ machine, session, place, bricks },
      calls: () => place.calls.splice(0),
      slept: [],
      thaw: (options = {}) =>
        thaw(session, { ...choice, snapshot: undefined, paths: [], sleep: sleeper(scene), ...options }),
    };
    scene.calls();
    await test(scene);
  });
}

/** Sleeps by moving the cold store's clock. */
function sleeper({ place, slept }: Pick<Scene, "place" | "slept">) {
  return (ms: number) => {
    slept.push(ms / hourMs);
    place.advance(ms);
    return Promise.resolve();
  };
}

/** What extract writes with these choices. */
async function restored(scene: Scene, cold: Partial<ColdChoice>, paths: string[] = []) {
  const pieces: Uint8Array[] = [];
  const output = (bytes: Uint8Array) => void pieces.push(bytes.slice());
  const all = { ...choice, thaw: false, sleep: sleeper(scene), ...cold };
  await extract(scene.session, { snapshot: undefined, paths, output, cold: all });
  return joined(pieces);
}

const thaws = (calls: string[]) => calls.filter((call) => call.startsWith("thaw "));

Deno.test("copies are asked for once, in the order of their upload, and running again only looks", () =>
  asleep("DEEP_ARCHIVE", async ({ thaw, calls, bricks, place }) => {
    const first = await thaw();
    assert.deepEqual(thaws(calls()), bricks.map((name) => `thaw bricks/${name.slice(0, 2)}/${name}`));
    assert.deepEqual([first.objects, first.asked, first.thawing, first.ready], [3, 3, 3, false]);
    assert.deepEqual(first.readyAt, new Date(place.now().getTime() + 48 * hourMs));
    place.advance(10 * hourMs);
    const second = await thaw();
    assert.deepEqual(calls(), ["states 3"]);
    assert.deepEqual([second.asked, second.thawing, second.readyAt], [0, 3, first.readyAt]);
    place.advance(38 * hourMs);
    const third = await thaw();
    assert.deepEqual([third.ready, third.readable, third.readyAt], [true, 3, undefined]);
    assert.ok(third.readableUntil! > place.now());
  }));

Deno.test("copies that are about to end are asked for again, those that have ended as well", () =>
  asleep("DEEP_ARCHIVE", async ({ thaw, place, calls }) => {
    const { readyAt } = await thaw();
    place.advance(readyAt!.getTime() - place.now().getTime());
    const { readableUntil } = await thaw();
    place.advance(readableUntil!.getTime() - place.now().getTime() - 6 * hourMs);
    calls();
    const renewed = await thaw();
    assert.deepEqual([renewed.asked, renewed.renewed, thaws(calls()).length], [0, 3, 3]);
    place.advance(30 * 24 * hourMs);
    assert.equal((await thaw()).asked, 3);
  }));

Deno.test("only what the paths need is asked for, and a wrong name asks for nothing", () =>
  asleep("GLACIER", async ({ thaw, calls }) => {
    const { objects } = await thaw({ paths: ["b/d"] });
    assert.ok(objects === 1 || objects === 2, `${objects}`);
    assert.equal(thaws(calls()).length, objects);
    await assert.rejects(thaw({ paths: ["b/c", "b/x"] }), /Not in snapshot .*b\/x.*Nothing was asked for/);
    assert.deepEqual(thaws(calls()), []);
  }));

Deno.test("what would cost more than the ceiling is not begun", () =>
  asleep("DEEP_ARCHIVE", async ({ thaw, calls }) => {
    await assert.rejects(thaw({ maxCost: 0.00001 }), { name: "CostCeilingError" });
    assert.deepEqual(thaws(calls()), []);
    await thaw({ maxCost: 0.01 });
  }));

Deno.test("without a ceiling the user is asked, and a no asks for nothing", () =>
  asleep("DEEP_ARCHIVE", async (scene) => {
    const questions: string[] = [];
    const answering = (yes: boolean): VerbSession => ({
      ...scene.session,
      askYes: (text, instead) => Promise.resolve(void questions.push(text, instead)).then(() => yes),
    });
    const options = { ...choice, snapshot: undefined, paths: [], maxCost: undefined };
    await assert.rejects(thaw(answering(false), options), /Nothing was asked for/);
    assert.deepEqual(thaws(scene.calls()), []);
    assert.match(questions[0]!, /is estimated at .*0\.\d+ USD/);
    assert.match(questions[1]!, /--max-cost USD/);
    await thaw(answering(true), options);
    assert.equal(thaws(scene.calls()).length, 3);
    // There is nothing left to pay for, so nobody is asked.
    await thaw(answering(false), options);
  }));

Deno.test("copies that could end before they can be read are refused, and a tier that is not there says which are", () =>
  asleep("DEEP_ARCHIVE", async ({ thaw, calls }) => {
    await assert.rejects(thaw({ days: 1 }), /could be gone before.*--days 3/);
    await assert.rejects(thaw({ tier: "expedited" }), /DEEP_ARCHIVE has no expedited.*--tier standard or --tier bulk/);
    assert.deepEqual(thaws(calls()), []);
  }));

Deno.test("--wait looks now and then until all can be read", () =>
  asleep("DEEP_ARCHIVE", async (scene) => {
    const { ready, readable } = await scene.thaw({ tier: "standard", wait: true });
    assert.deepEqual([ready, readable], [true, 3]);
    assert.ok(scene.slept.length >= 12 && scene.slept.length <= 60, `${scene.slept.length}`);
    assert.equal(thaws(scene.calls()).length, 3);
  }));

Deno.test("classes that need no thaw are restored at once, and nothing is asked for", () =>
  asleep("GLACIER_IR", async (scene) => {
    const { ready, asked, objects } = await scene.thaw({ maxCost: undefined });
    assert.deepEqual([ready, asked, objects], [true, 0, 3]);
    assert.deepEqual(await restored(scene, {}), TAR);
    assert.deepEqual(thaws(scene.calls()), []);
  }));

Deno.test("a restore of what sleeps writes nothing, and says what it would take", () =>
  asleep("DEEP_ARCHIVE", async (scene) => {
    let written = 0;
    const output = (bytes: Uint8Array) => void (written += bytes.length);
    const failure = await extract(scene.session, { snapshot: undefined, paths: [], output })
      .then(() => undefined, (error: Error) => error);
    assert.equal(failure?.name, "StillColdError");
    assert.match(
      failure.message,
      /^3 bricks .*s3:\/\/memory, DEEP_ARCHIVE.*\n.*standard within 12 hours.*bulk within 48/,
    );
    assert.match(failure.message, /0\.\d+ USD.*tarzan thaw/);
    assert.equal(written, 0);
    assert.deepEqual(thaws(scene.calls()), []);
  }));

Deno.test("what is thawed is restored to the byte, also a part of it while the rest sleeps", () =>
  asleep("DEEP_ARCHIVE", async (scene) => {
    await scene.thaw({ paths: ["b/d"], wait: true });
    const part = await extractedBytes(scene.session, ["b/d"]);
    assert.ok(part.length > 3 * UNIT);
    await assert.rejects(extractedBytes(scene.session), { name: "StillColdError" });
    await scene.thaw({ wait: true });
    assert.deepEqual(await extractedBytes(scene.session), TAR);
  }));

Deno.test("--thaw asks and ends, --thaw --wait asks and restores", () =>
  asleep("GLACIER", async (scene) => {
    await assert.rejects(restored(scene, { thaw: true }), /were asked for.*Nothing was written/);
    assert.equal(thaws(scene.calls()).length, 3);
    assert.deepEqual(await restored(scene, { thaw: true, wait: true }), TAR);
    assert.deepEqual(thaws(scene.calls()), []);
    assert.ok(scene.slept.length > 0);
  }));

Deno.test("what is in front is written to the last byte while what follows is awaited", () =>
  asleep("GLACIER", async (scene) => {
    // The first file can be read long before the others are asked for.
    await scene.thaw({ paths: ["a"], wait: true });
    const pieces: number[] = [];
    const seen: number[] = [];
    await extract(scene.session, {
      ...{ snapshot: undefined, paths: [] },
      output: (bytes) => void pieces.push(bytes.length),
      cold: {
        ...{ ...choice, thaw: true, wait: true },
        sleep: (ms) => {
          seen.push(pieces.reduce((a, b) => a + b, 0));
          return sleeper(scene)(ms);
        },
      },
    });
    assert.ok(seen[0]! > 15 * UNIT && seen[0]! < 33 * UNIT, `${seen[0]}`);
    assert.equal(pieces.reduce((a, b) => a + b, 0), TAR.length);
  }));

Deno.test("with a window, copies are asked for as the restore comes to them", () =>
  asleep("GLACIER", async (scene) => {
    const askedFor: number[] = [];
    const sleep = (ms: number) => {
      askedFor.push(thaws(scene.place.calls).length);
      return sleeper(scene)(ms);
    };
    const bytes = await restored(scene, { thaw: true, wait: true, windowBytes: 17 * UNIT, sleep });
    assert.deepEqual(bytes, TAR);
    assert.deepEqual([...new Set(askedFor)], [1, 2, 3]);
  }));

Deno.test("a restore that comes back to bricks it has left behind gets through any window", () =>
  asleep("GLACIER", async (scene) => {
    // Old files and new ones in turn: each brick of the first backup is needed again and again.
    const old = (seed: number, length: number) => noise(15 * UNIT, seed).subarray(0, length * UNIT);
    const tar = tarOf(
      ...[1, 2, 3, 4, 5, 6].flatMap((i): [string, Uint8Array][] => [
        [`new-${i}`, noise(5 * UNIT, 10 + i)],
        [`a-${i}`, old(1, 2 * i)],
        [`c-${i}`, old(2, 2 * i + 1)],
      ]),
    );
    await scene.machine.create(tar, { brickBytes: mib });
    await putAllToSleep(scene.session, openMemoryCold(scene.place));
    scene.calls();
    assert.deepEqual(await restored(scene, { thaw: true, wait: true, windowBytes: UNIT }), tar);
    const asked = thaws(scene.calls());
    assert.equal(asked.length, new Set(asked).size, "nothing was asked for twice");
  }));

Deno.test("thaw --window asks for the first wave, and beside a restore for what that has not read yet", () =>
  asleep("GLACIER", async (scene) => {
    const windowed = { windowBytes: 17 * UNIT };
    const first = await scene.thaw(windowed);
    assert.deepEqual([first.asked, first.thawing, first.later, first.ready], [1, 1, 2, false]);
    await scene.thaw({ wait: true, paths: ["a"] });
    scene.calls();
    let beside: ThawResult | undefined;
    await restored(scene, {
      ...{ thaw: true, wait: true, ...windowed },
      sleep: async (ms) => {
        beside ??= await scene.thaw(windowed);
        await sleeper(scene)(ms);
      },
    });
    assert.equal(beside!.asked, 0, "the restore had asked for what it needs next");
    assert.ok(beside!.readable + beside!.thawing + beside!.later < 3, "what was read is not wanted any more");
    assert.equal((await scene.thaw(windowed)).asked, 0);
  }));

Deno.test("copies that end during a slow restore are asked for again, within the ceiling", () => {
  const large = tarOfUnits(mib);
  return asleep("GLACIER", async (scene) => {
    const slow = async (maxCost: number) => {
      let bytes = 0;
      await extract(scene.session, {
        ...{ snapshot: undefined, paths: [] },
        output: (piece) => {
          bytes += piece.length;
          // A line that takes days for a few MiB.
          scene.place.advance(2 * hourMs);
        },
        cold: { ...choice, days: 2, thaw: true, wait: true, maxCost, sleep: sleeper(scene) },
      });
      return bytes;
    };
    assert.equal(await slow(10), large.length);
    assert.ok(thaws(scene.calls()).length > 3);
    scene.place.advance(60 * 24 * hourMs);
    await assert.rejects(slow(0.0001), { name: "CostCeilingError" });
  }, { tar: large, brickBytes: 16 * mib });
});

Deno.test("a copy that ends while it is read is asked for again, and the stream goes on where it was", () =>
  asleep("GLACIER", async (scene) => {
    await scene.thaw({ wait: true, paths: ["a"] });
    const cold = openMemoryCold(scene.place);
    let reads = 0;
    const ending: ColdStore = {
      ...cold,
      read: (object, options) => {
        // In the middle of the second brick, from one request to the next.
        if (++reads === 4) scene.place.advance(30 * 24 * hourMs);
        return cold.read(object, options);
      },
    };
    const session = { ...scene.session, openCold: () => Promise.resolve(ending) };
    const inSteps = { ...scene, session };
    assert.deepEqual(await restored(inSteps, { thaw: true, wait: true }), TAR);
    const asked = thaws(scene.calls());
    assert.ok(asked.length > new Set(asked).size, "something was asked for again");
  }));

Deno.test("a store that says it has copies and does not give them ends the restore", () =>
  asleep("GLACIER", async (scene) => {
    await scene.thaw({ wait: true });
    const cold = openMemoryCold(scene.place);
    const read: ColdStore["read"] = () => Promise.reject(new NotThawedError("not yet, it says"));
    const session = { ...scene.session, openCold: () => Promise.resolve({ ...cold, read }) };
    await assert.rejects(restored({ ...scene, session }, { thaw: true, wait: true }), { name: "NeedsThawError" });
  }));

Deno.test("a stopped wait ends at once, and the copies stay asked for", () =>
  asleep("DEEP_ARCHIVE", async (scene) => {
    const controller = new AbortController();
    const session = { ...scene.session, signal: controller.signal };
    const waiting = thaw(session, {
      ...{ ...choice, snapshot: undefined, paths: [], wait: true },
      sleep: (_ms, signal) => {
        controller.abort(new Error("enough"));
        return Promise.reject(signal.reason);
      },
    });
    await assert.rejects(waiting, /enough/);
    assert.equal((await scene.thaw()).asked, 0);
  }));
