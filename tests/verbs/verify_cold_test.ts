import assert from "node:assert/strict";
import type { Placement } from "../../lib/catalog/mod.ts";
import { brickObject, learn, missingBricks, publish } from "../../lib/repository/mod.ts";
import { glacierUpload, listSnapshots, type VerbSession, verify, type VerifyOptions } from "../../lib/verbs/mod.ts";
import { open } from "../../lib/verbs/open.ts";
import { rememberSettings } from "../../lib/verbs/settings.ts";
import { ColdPlaceInMemory, openMemoryCold } from "../glacier/memory_cold.ts";
import { type Founded, type Machine, noise } from "../repository/machine.ts";
import { DAY_MS, HOUR_MS, placeText, reaching, readsOf } from "./cold_session.ts";
import { extractedBytes, inRepository, tarOf } from "./session.ts";

const TAR = tarOf(["a", noise(6_000_000, 1)], ["b", noise(100_000, 2)]);

interface World extends Founded {
  machine: (key: string) => Machine;
  session: VerbSession;
  snapshot: string;
  founder: Machine;
  place: ColdPlaceInMemory;
}

/** A backup whose data brick lies alone in cold storage, and in the hot store only where it is kept. */
async function inCold(
  place: ColdPlaceInMemory,
  { dropLocal }: { dropLocal: boolean },
  test: (world: World) => Promise<void>,
): Promise<void> {
  await inRepository(async (founder, founded) => {
    const session = reaching(founder.session, place);
    await rememberSettings(founder.config, founded.full.repository, { level: undefined, brickSizeBytes: 16 << 20 });
    const { snapshot } = await founder.create(TAR);
    await glacierUpload(session, { to: placeText(place), dryRun: false, dropLocal });
    place.calls.length = 0;
    await test({ ...founded, session, snapshot, founder, place });
  });
}

function check(session: VerbSession, options: Partial<VerifyOptions> = {}) {
  return verify(session, { backups: [], bricks: false, dataPercent: 0, ...options });
}

/** The object that holds a data brick alone. */
function alone({ objects }: ColdPlaceInMemory) {
  return objects.find(({ name, removedAt }) => name!.startsWith("bricks/") && removedAt === undefined)!;
}

const bucket = () => new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" });
const vault = () => new ColdPlaceInMemory({ class: "VAULT" });

Deno.test("a bucket confirms every brick, and no object is read for that", async () => {
  await inCold(bucket(), { dropLocal: true }, async ({ session, place }) => {
    const result = await check(session);
    assert.deepEqual([result.problems, result.unchecked, result.partlyOffSite], [[], [], []]);
    assert.equal(result.coldBricks, result.bricks);
    assert.deepEqual(place.calls, ["confirm 2"]);
  });
});

Deno.test("what is absent and still here is sent again; what is absent and was here is stored anew", async () => {
  for (const dropLocal of [false, true]) {
    await inCold(bucket(), { dropLocal }, async ({ session, founder, place, snapshot }) => {
      const object = alone(place);
      object.removedAt = place.now();
      const { problems, affected } = await check(session);
      const copy = problems.find(({ kind }) => kind === "cold copy");
      assert.match(copy!.message, /^s3:\/\/memory does not hold it any more \(bricks\/.*, 1 bricks\)/);
      assert.equal(copy!.message.includes("glacier-upload"), !dropLocal);
      assert.equal(problems.some(({ kind }) => kind === "missing brick"), dropLocal);
      assert.deepEqual(affected.map(({ entries }) => entries), dropLocal ? [["a", "b"]] : []);
      // Now it is on record: another check has nothing to find but what is really missing.
      const again = await check(session);
      assert.equal(again.problems.some(({ kind }) => kind === "cold copy"), false);
      assert.equal(again.problems.some(({ kind }) => kind === "missing brick"), dropLocal);
      assert.deepEqual(again.partlyOffSite, [{ snapshot, label: "", coldBricks: 1, bricks: 2 }]);

      assert.equal((await founder.create(TAR)).newBytes > 6_000_000, dropLocal);
      place.advance(365 * DAY_MS);
      await glacierUpload(session, { to: placeText(place), dryRun: false, dropLocal: false });
      assert.ok(alone(place));
      // The brick itself stays away, and nothing needs it any more.
      const healed = await check(session);
      assert.deepEqual(healed.problems.map(({ kind }) => kind), dropLocal ? ["missing brick"] : []);
      assert.deepEqual(healed.affected, []);
      assert.deepEqual(await extractedBytes(session), TAR);
      assert.deepEqual(readsOf(place), []);
    });
  }
});

Deno.test("another size or hash than the ledger's is a copy that is lost", async () => {
  await inCold(bucket(), { dropLocal: false }, async ({ session, place }) => {
    alone(place).sha256 = "00".repeat(32);
    const { problems } = await check(session);
    assert.deepEqual(problems.map(({ kind }) => kind), ["cold copy"]);
    assert.match(problems[0]!.message, /holds something else: its bytes are others/);
    assert.deepEqual(readsOf(place), []);
  });
});

Deno.test("a place that does not answer, or is not there at all, proves no loss", async () => {
  await inCold(bucket(), { dropLocal: true }, async ({ session, founder, place }) => {
    const silent = await check(founder.session);
    assert.equal(silent.problems.length, 0);
    assert.match(silent.unchecked.join("\n"), /objects in s3:\/\/memory: /);
    // A bucket that does not exist answers 404 to whoever asks after an object, and tells only a listing why.
    const elsewhere = {
      ...openMemoryCold(new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" })),
      list: () => Promise.reject(new Error("Cannot list s3://memory: there is no such bucket")),
    };
    const wrong = await check({ ...session, openCold: () => Promise.resolve(elsewhere) });
    assert.deepEqual(wrong.problems, []);
    assert.match(wrong.unchecked.join("\n"), /there is no such bucket/);
    assert.deepEqual((await check(session)).problems, []);
    assert.deepEqual(readsOf(place), []);
  });
});

Deno.test("a vault without an inventory knows nothing; with --inventory it is asked for, awaited, and then judged by", async () => {
  await inCold(vault(), { dropLocal: true }, async ({ session, place }) => {
    const unknown = await check(session);
    assert.deepEqual([unknown.problems, unknown.coldBricks, unknown.inventories], [[], 0, []]);
    assert.match(unknown.unchecked.join("\n"), /has no inventory.*tarzan verify --inventory/);

    place.advance(3 * DAY_MS);
    const asked = await check(session, { inventory: true });
    const readyAt = new Date(place.now().getTime() + 5 * HOUR_MS);
    assert.deepEqual(asked.inventories, [{ location: place.location, readyAt }]);
    place.advance(HOUR_MS);
    assert.deepEqual((await check(session, { inventory: true })).inventories, [{ location: place.location, readyAt }]);
    assert.equal(place.inventories.length, 1);

    place.advance(4 * HOUR_MS);
    const judged = await check(session, { inventory: true });
    assert.deepEqual([judged.problems, judged.inventories, judged.coldBricks], [[], [], judged.bricks]);
    assert.deepEqual(readsOf(place), []);
  });
});

Deno.test("absence from an inventory is a loss only if the archive is older than the inventory", async () => {
  await inCold(vault(), { dropLocal: true }, async ({ session, founder, place, snapshot }) => {
    place.advance(3 * DAY_MS);
    await check(session, { inventory: true });
    place.advance(5 * HOUR_MS);
    // Stored after the inventory was made.
    const later = await founder.create(tarOf(["later", noise(5_000_000, 7)]));
    await glacierUpload(session, { to: placeText(place), dryRun: false, dropLocal: true });
    const young = await check(session);
    assert.deepEqual(young.problems, []);
    assert.match(young.unchecked.join("\n"), /stored after the newest inventory/);
    assert.deepEqual(young.partlyOffSite, []);

    alone(place).removedAt = place.now();
    place.advance(5 * DAY_MS);
    await check(session, { inventory: true });
    place.advance(5 * HOUR_MS);
    const old = await check(session, { inventory: true });
    assert.deepEqual(old.problems.map(({ kind }) => kind).sort(), ["cold copy", "missing brick", "recipe"]);
    assert.deepEqual(old.affected.map((one) => one.snapshot), [snapshot]);
    assert.notEqual(later.snapshot, snapshot);
    assert.deepEqual(readsOf(place), []);
  });
});

Deno.test("a write key puts losses of its domain on record; a list key tells only its own machine", async () => {
  await inCold(bucket(), { dropLocal: false }, async ({ listKey, fullKey, machine, full, writeKey, place }) => {
    alone(place).removedAt = place.now();
    const lister = machine(listKey);
    const seen = await check(reaching(lister.session, place));
    assert.deepEqual(seen.problems.map(({ kind }) => kind), ["cold copy"]);
    assert.match(lister.warnings.join("\n"), /known to this machine only: a key of role "list" does not write/);
    assert.deepEqual((await check(reaching(lister.session, place))).problems, []);

    const writer = machine(await writeKey(full.domain.name));
    const found = await check(reaching(writer.session, place));
    assert.deepEqual(found.problems.map(({ kind }) => kind), ["cold copy"]);
    assert.deepEqual(writer.warnings, []);
    assert.deepEqual((await check(reaching(machine(fullKey).session, place))).problems, []);
    // A write key of another domain neither sees nor says anything.
    place.calls.length = 0;
    const stranger = await check(reaching(machine(await writeKey("other")).session, place));
    assert.deepEqual([stranger.bricks, stranger.problems, place.calls], [0, [], []]);
  });
});

Deno.test("what another domain's ledger says of a brick excuses nobody", async () => {
  await inCold(bucket(), { dropLocal: false }, async ({ session, machine, writeKey, location, place }) => {
    const { repository, close } = await open(session);
    const [{ brick, kind, bytes, object }] = [...repository.catalog.placements()] as [Placement];
    await publish(repository, object.domain, [{ type: "lost", lost: { ...object, at: place.now() } }]);
    const stranger = await open(reaching(machine(await writeKey("other")).session, place));
    const other = stranger.repository.keyring.defaultDomain.id;
    assert.notEqual(other, object.domain);
    const bricks = [{ name: brick, kind, offset: 0, bytes }];
    const placed = { ...object, class: "DEEP_ARCHIVE" as const, bricks };
    await publish(stranger.repository, other, [{ type: "placed", placed }]);
    await stranger.close();
    await Deno.remove(`${location}/${brickObject(kind, brick)}`);
    await learn(repository, other);
    assert.equal(repository.catalog.placementsOf(brick).length, 1);
    const row = repository.catalog.brickByName(brick)!;
    assert.deepEqual(await missingBricks(repository, [row]), [brick]);
    await close();
    assert.ok((await check(session)).problems.some(({ kind, name }) => kind === "missing brick" && name === brick));
  });
});

Deno.test("--data reads bricks that are thawed, and says which were not read", async () => {
  await inCold(bucket(), { dropLocal: true }, async ({ session, place }) => {
    const asleep = await check(session, { dataPercent: 100 });
    assert.deepEqual([asleep.problems, asleep.bytesReplayed], [[], 0]);
    assert.match(asleep.unchecked.join("\n"), /1 bricks are in cold storage: their data was not read/);
    assert.deepEqual(readsOf(place), []);

    const { handle, bytes } = alone(place);
    await openMemoryCold(place).thaw({ handle, bytes }, { tier: "bulk", days: 3, signal: session.signal });
    place.advance(48 * HOUR_MS);
    const awake = await check(session, { dataPercent: 100 });
    assert.deepEqual([awake.problems, awake.unchecked], [[], []]);
    assert.equal(awake.bytesReplayed, TAR.length);
    assert.ok(readsOf(place).every((read) => read === `read ${handle}`));
    // What was altered in cold storage shows then.
    alone(place).content[5_000_000]! ^= 1;
    const damaged = await check(session, { dataPercent: 100 });
    assert.deepEqual(damaged.affected.map(({ entries }) => entries), [["a"]]);
  });
});

Deno.test("recipes that are left in cold storage only are missed in the hot store, and nothing is thawed for them", async () => {
  await inCold(bucket(), { dropLocal: false }, async ({ session, location, place }) => {
    await Deno.remove(`${location}/meta`, { recursive: true });
    const { problems, unchecked } = await check(session);
    assert.deepEqual(problems.map(({ kind }) => kind), ["missing brick"]);
    assert.match(problems[0]!.message, /holds recipes .* "tarzan rebuild --from-cold" brings it back/);
    assert.match(unchecked.join("\n"), /recipe of snapshot .* was not read whole: it is in brick/);
    assert.ok(place.calls.every((call) => !call.startsWith("thaw ")));
  });
});

Deno.test("a listing counts what is off-site where there is cold storage, and says nothing of it elsewhere", async () => {
  await inRepository(async (machine, { full }) => {
    const place = bucket();
    const session = reaching(machine.session, place);
    await rememberSettings(machine.config, full.repository, { level: undefined, brickSizeBytes: 16 << 20 });
    await machine.create(TAR);
    assert.deepEqual((await listSnapshots(session)).map(({ coldBricks }) => coldBricks), [undefined]);
    assert.deepEqual((await check(session)).partlyOffSite, []);
    await glacierUpload(session, { to: placeText(place), dryRun: false, dropLocal: false });
    await machine.create(tarOf(["more", noise(50_000, 9)]));
    place.calls.length = 0;
    const lines = await listSnapshots(session);
    assert.deepEqual(lines.map(({ coldBricks, bricks }) => [coldBricks, bricks]), [[2, 2], [0, 2]]);
    assert.deepEqual(place.calls, []);
    assert.deepEqual((await check(session)).partlyOffSite.map(({ coldBricks, bricks }) => [coldBricks, bricks]), [[
      0,
      2,
    ]]);
  });
});

Deno.test("long lists of bricks are read once for all snapshots that share them", async () => {
  await inRepository(async (machine) => {
    const place = bucket();
    const session = reaching(machine.session, place);
    const bytes = noise(70_000_000, 3);
    for (const length of [69_000_000, 69_500_000, 70_000_000]) {
      await machine.create(tarOf(["a", bytes.subarray(0, length)]), { brickBytes: 100_000 });
    }
    const { repository, close } = await open(session);
    const rows = [...repository.catalog.bricks()];
    const records = rows.map(({ name, kind, bytes, treeHash }) => {
      const about = { location: place.location, handle: brickObject(kind, name), bytes, sha256: name, treeHash };
      const bricks = [{ name, kind, offset: 0, bytes }];
      return { type: "placed", placed: { ...about, class: "DEEP_ARCHIVE", placedAt: place.now(), bricks } } as const;
    });
    await publish(repository, rows[0]!.domain, records);
    await close();
    const lines = await listSnapshots(session);
    assert.equal(lines.length, 3);
    assert.ok(lines.every(({ coldBricks, bricks }) => coldBricks === bricks));
    assert.ok(lines[0]!.bricks! > 64, `${lines[0]!.bricks}`);
  });
});
