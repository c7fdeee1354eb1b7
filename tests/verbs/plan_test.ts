// `plan`: what a restore would take, without asking any cold store anything.

import assert from "node:assert/strict";
import { create, plan, type PlanOptions, type VerbSession } from "../../lib/verbs/mod.ts";
import { ColdPlaceInMemory, openMemoryCold } from "../glacier/memory_cold.ts";
import { noise } from "../repository/machine.ts";
import { inRepository, streamed, tarOf, withFile } from "./session.ts";
import { putAllToSleep } from "./sleepers.ts";

const mib = 1024 * 1024;
const UNIT = mib / 2;
/** Three bricks of 8 MiB. */
const TAR = tarOf(["a", noise(15 * UNIT, 1)], ["b/d", noise(3 * UNIT, 3)], ["b/c", noise(15 * UNIT, 2)], [
  "e",
  "small",
]);
const BRICKS = { brickBytes: 16 * UNIT };

const everything: PlanOptions = { snapshot: undefined, paths: [], days: 7, sameRegion: false, offline: false };

/** A session that fails if any cold store is opened. */
function withoutCold(session: VerbSession): VerbSession {
  return { ...session, openCold: () => Promise.reject(new Error("A plan opened a cold store")) };
}

Deno.test("a plan says which bricks of a restore sleep, what waking them costs, and asks no cold store", async () => {
  await inRepository(async (machine) => {
    await machine.create(TAR, BRICKS);
    const place = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" });
    const names = await putAllToSleep(machine.session, openMemoryCold(place));
    const calls = place.calls.length;
    const session = withoutCold(machine.session);
    const whole = await plan(session, everything);
    assert.equal(place.calls.length, calls);
    assert.equal(whole.hot.bricks, 0);
    assert.deepEqual(whole.cold.map(({ location, objects, bricks }) => ({ location, objects, bricks })), [
      { location: "s3://memory", objects: names.length, bricks: names.length },
    ]);
    assert.deepEqual(whole.lost, []);
    assert.deepEqual(whole.restore.choices.map(({ tier }) => tier), ["standard", "bulk"]);
    const { ratio, restoredBytes, cold } = whole.restore;
    assert.ok(ratio > 1 && ratio < 1.2, `${ratio}`);
    assert.ok(restoredBytes > 33 * UNIT && restoredBytes <= cold.bytes);

    const some = await plan(session, { ...everything, paths: ["b/d"] });
    assert.equal(some.entries, 1);
    assert.ok(some.cold[0]!.objects < names.length);
    assert.ok(some.restore.restoredBytes < restoredBytes);
    // Of a part, more is thawed than is read.
    assert.ok(some.restore.ratio > 1.5, `${some.restore.ratio}`);
    assert.deepEqual((await plan(session, { ...everything, paths: ["e", "nothing"] })).missing, ["nothing"]);
  });
});

Deno.test("what the hot store still has is not taken from a cold one, and costs nothing on a disk", async () => {
  await inRepository(async (machine) => {
    await machine.create(TAR, BRICKS);
    const place = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" });
    await putAllToSleep(machine.session, openMemoryCold(place), { drop: false });
    const { hot, cold, restore } = await plan(withoutCold(machine.session), everything);
    assert.ok(hot.bricks >= 3);
    assert.deepEqual(cold, []);
    assert.deepEqual(restore.choices.map(({ tier, cost }) => [tier, cost.total]), [[undefined, 0]]);
  });
});

Deno.test("bricks that are nowhere are named", async () => {
  await inRepository(async (machine, { location }) => {
    await machine.create(TAR, BRICKS);
    await Deno.remove(`${location}/bricks`, { recursive: true });
    const { lost, hot } = await plan(machine.session, everything);
    assert.ok(lost.length >= 3);
    assert.equal(hot.bricks, 0);
  });
});

Deno.test("offline, a plan stands on what this machine read before, and says how old that is", async () => {
  await inRepository(async (machine, { location, fullKey, machine: another }) => {
    await machine.create(TAR, BRICKS);
    const place = new ColdPlaceInMemory({ class: "GLACIER" });
    await putAllToSleep(machine.session, openMemoryCold(place));
    const at = (time: string) => ({ ...withoutCold(machine.session), now: () => new Date(time) });
    const online = await plan(at("2030-01-01T10:00:00Z"), everything);
    assert.deepEqual(online.knowledge.bricksListedAt, new Date("2030-01-01T10:00:00Z"));
    // Not even the place is there any more.
    await Deno.rename(location, `${location}-elsewhere`);
    const offline = await plan(at("2030-01-05T10:00:00Z"), { ...everything, offline: true });
    assert.deepEqual(offline.restore.cold, online.restore.cold);
    assert.deepEqual(offline.knowledge, online.knowledge);
    await assert.rejects(
      plan(another(fullKey).session, { ...everything, offline: true }),
      /keeps nothing of .*--offline/,
    );
  });
});

Deno.test("offline, a recipe that was never read here is no guess but an error that says what to do", async () => {
  await inRepository(async (machine) => {
    await machine.create(tarOf(["first", noise(50_000, 1)]));
    await plan(machine.session, everything);
    await withFile("", async (out) => {
      await Deno.remove(out);
      await create(machine.session, streamed(tarOf(["second", noise(50_000, 2)]), { out }));
      const planned = plan(machine.session, { ...everything, snapshot: out, offline: true });
      await assert.rejects(planned, /is not on this machine.*once without --offline/);
    });
  });
});

Deno.test("what this machine keeps is sealed as in the store, and a spoiled copy is fetched again", async () => {
  await inRepository(async (machine) => {
    await machine.create(tarOf(["a-telling-name", noise(50_000, 1)]));
    await plan({ ...machine.session, keepsEntries: false }, everything);
    const [folder] = [...Deno.readDirSync(`${machine.state}/kept`)];
    const kept = `${machine.state}/kept/${folder!.name}`;
    let files = 0;
    for (const { name } of Deno.readDirSync(kept)) {
      const bytes = await Deno.readFile(`${kept}/${name}`);
      assert.ok(!new TextDecoder("latin1").decode(bytes).includes("a-telling-name"));
      if (!/^[0-9a-f]{64}$/.test(name)) continue;
      bytes[bytes.length >> 1]! ^= 1;
      await Deno.writeFile(`${kept}/${name}`, bytes);
      files++;
    }
    assert.ok(files >= 5, `${files}`);
    assert.equal((await plan(machine.session, everything)).hot.bricks, 1);
  });
});
