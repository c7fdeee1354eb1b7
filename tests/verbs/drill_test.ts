// `drill`: a few files restored for real, in several runs where cold storage takes its time.

import assert from "node:assert/strict";
import { drill, type DrillOptions, type VerbSession } from "../../lib/verbs/mod.ts";
import type { ColdClass } from "../../lib/glacier/mod.ts";
import { ColdPlaceInMemory, openMemoryCold } from "../glacier/memory_cold.ts";
import { type Founded, type Machine, noise } from "../repository/machine.ts";
import { bricksIn, change, inRepository, tarOf } from "./session.ts";
import { putAllToSleep } from "./sleepers.ts";

const hourMs = 3_600_000;
const FILES = Array.from(
  { length: 40 },
  (_, i): [string, Uint8Array] => [`dir/file-${i}`, noise(3000 + 400 * i, i + 1)],
);
const TAR = tarOf([{ name: "dir/", type: "5" }], ...FILES, ["dir/empty"], ["dir/*", "a name that means many"]);

const usual: DrillOptions = { maxCost: 0.5, files: 3, tier: "bulk", days: 7, sameRegion: false, wait: false };

interface Scene {
  session: VerbSession;
  place: ColdPlaceInMemory;
  log(): Promise<{ result: string; files: string[]; bytes: number; cost: number }[]>;
}

async function asleep(name: ColdClass, test: (scene: Scene) => Promise<void>): Promise<void> {
  await inRepository(async (machine, founded) => {
    await machine.create(TAR);
    const place = new ColdPlaceInMemory({ class: name });
    const openCold = () => Promise.resolve(openMemoryCold(place));
    const session = { ...machine.session, openCold, now: () => place.now() };
    await putAllToSleep(session, await openCold());
    await test({ session, place, log: () => logOf(machine, founded) });
  });
}

async function logOf({ state }: Machine, { full }: Founded) {
  const text = await Deno.readTextFile(`${state}/${full.repository}/drills.log`);
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("a drill on a disk restores as many files as were asked for, and writes a line", async () => {
  await inRepository(async (machine, founded) => {
    await machine.create(TAR);
    const { files, bytes, cost, continued, log } = await drill(machine.session, usual);
    assert.equal(new Set(files).size, 3);
    assert.ok(files.every((name) => /^dir\/file-\d+$/.test(name)), files.join());
    const sizes = new Map(FILES.map(([name, content]) => [name, content.length]));
    assert.equal(bytes, files.reduce((sum, name) => sum + sizes.get(name)!, 0));
    assert.deepEqual([cost, continued], [0, false]);
    const [line] = await logOf(machine, founded);
    assert.deepEqual([line.result, line.files, line.bytes], ["ok", files, bytes]);
    assert.ok(log.endsWith("drills.log"));
  });
});

Deno.test("in cold storage the first run asks, a later one goes on with the same files", () =>
  asleep("DEEP_ARCHIVE", async ({ session, place, log }) => {
    const failure = await drill(session, usual).then(() => undefined, (error: Error) => error);
    assert.equal(failure?.name, "StillColdError");
    assert.match(failure.message, /Run the same again.*at the latest at 2026-01-12 09:30 UTC/);
    const asked = place.calls.filter((call) => call.startsWith("thaw ")).length;
    assert.ok(asked > 0);
    await assert.rejects(drill(session, usual), { name: "StillColdError" });
    place.advance(48 * hourMs);
    const { continued, files, cost } = await drill(session, { ...usual, files: 10 });
    assert.deepEqual([continued, files.length], [true, 3]);
    assert.ok(cost > 0 && cost < 0.5);
    assert.equal(place.calls.filter((call) => call.startsWith("thaw ")).length, asked);
    assert.deepEqual((await log()).map(({ result }) => result), ["ok"]);
    // The next one is another; its one brick is still in reach.
    assert.equal((await drill(session, usual)).continued, false);
  }));

Deno.test("--wait does it in one run, also from a vault", () =>
  asleep("VAULT", async ({ session, place, log }) => {
    const sleep = (ms: number) => Promise.resolve(place.advance(ms));
    const { files, continued } = await drill(session, { ...usual, tier: "expedited", wait: true, sleep });
    assert.deepEqual([files.length, continued], [3, false]);
    assert.equal((await log()).length, 1);
  }));

Deno.test("what is over the ceiling is not begun, and files are left out until the rest keeps to it", () =>
  asleep("DEEP_ARCHIVE", async ({ session, place }) => {
    await assert.rejects(drill(session, { ...usual, maxCost: 0.000001 }), { name: "CostCeilingError" });
    assert.ok(!place.calls.some((call) => call.startsWith("thaw ")));
  }));

Deno.test("a drill that finds damage fails as damage, tells so in its log, and the next one begins anew", async () => {
  await inRepository(async (machine, founded) => {
    const { location } = founded;
    await machine.create(TAR);
    for (const name of (await bricksIn(location)).filter((name) => name.startsWith("bricks/"))) {
      await change(`${location}/${name}`, (bytes) => void bytes.fill(7, 5000, bytes.length >> 1));
    }
    await assert.rejects(drill(machine.session, usual), { name: "DamageError" });
    const [line] = await logOf(machine, founded);
    assert.match(line.result, /block|brick/i);
    await assert.rejects(Deno.stat(`${machine.state}/${founded.full.repository}/drill.json`), Deno.errors.NotFound);
  });
});

Deno.test("a backup without any file has nothing to drill", async () => {
  await inRepository(async (machine) => {
    await machine.create(tarOf([{ name: "dir/", type: "5" }]));
    await assert.rejects(drill(machine.session, usual), /no file with contents/);
  });
});
