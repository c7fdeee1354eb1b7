import assert from "node:assert/strict";
import { identityToRecipient } from "age-encryption";
import { armorSlot } from "../../lib/crypto/mod.ts";
import { makeSlot, publish } from "../../lib/repository/mod.ts";
import { glacierUpload, listSnapshots, rebuild, verify } from "../../lib/verbs/mod.ts";
import { type FromColdOptions, rebuildFromCold } from "../../lib/verbs/rebuild_from_cold.ts";
import { open } from "../../lib/verbs/open.ts";
import { rememberSettings } from "../../lib/verbs/settings.ts";
import { thaw } from "../../lib/verbs/thaw.ts";
import { ColdPlaceInMemory, openMemoryCold } from "../glacier/memory_cold.ts";
import { found, type Founded, type Machine, machineOf, noise } from "../repository/machine.ts";
import { DAY_MS, HOUR_MS, placeText, putBundle, putCold, reaching, readsOf } from "./cold_session.ts";
import { extractedBytes, inRepository, objectsIn, tarOf } from "./session.ts";

const BIG = tarOf(["dir/a", noise(9_000_000, 1)], ["dir/b", "small"]);
const LATER = tarOf(["dir/a", noise(9_000_000, 1)], ["dir/b", "small"], ["dir/c", noise(200_000, 2)]);

/** A repository with two backups, all of which is in cold storage; and a machine that knows nothing yet. */
async function inDisaster(
  place: ColdPlaceInMemory,
  test: (fresh: Machine, founded: Founded & { snapshots: string[] }) => Promise<void>,
): Promise<void> {
  await inRepository(async (machine, founded) => {
    const session = reaching(machine.session, place);
    const snapshots: string[] = [];
    // Bricks from 4 MiB on go alone.
    await rememberSettings(machine.config, founded.full.repository, { level: undefined, brickSizeBytes: 16 << 20 });
    for (const tar of [BIG, LATER]) {
      snapshots.push((await machine.create(tar)).snapshot);
      await glacierUpload(session, { to: placeText(place), dryRun: false, dropLocal: true });
      place.advance(3 * DAY_MS);
    }
    await Deno.remove(founded.location, { recursive: true });
    await Deno.remove(machine.state, { recursive: true });
    const home = `${founded.folder}/fresh`;
    const fresh = machineOf({
      location: `${founded.folder}/new`,
      ...{ state: `${home}/state`, config: `${home}/config`, key: founded.fullKey },
    });
    await test({ ...fresh, session: reaching(fresh.session, place) }, { ...founded, snapshots });
  });
}

const everything = { snapshot: undefined, paths: [], windowBytes: undefined, sameRegion: true, maxCost: 1 };

function options(place: ColdPlaceInMemory, more: Partial<FromColdOptions> = {}): FromColdOptions {
  return { from: placeText(place), tier: "bulk", days: 5, maxCost: 1, wait: false, ...more };
}

Deno.test("a cold bucket and a key give a hot store back, over days, and then every byte", async () => {
  const place = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" });
  await inDisaster(place, async ({ session }, { snapshots, location, folder }) => {
    place.calls.length = 0;
    const first = await rebuildFromCold(session, options(place));
    assert.equal(first.waiting?.what, "copies");
    assert.deepEqual(first.waiting.readyAt, new Date(place.now().getTime() + 48 * HOUR_MS));
    assert.ok(first.cost!.total > 0);
    assert.deepEqual(readsOf(place), []);
    const thawed = place.calls.filter((call) => call.startsWith("thaw "));
    assert.equal(thawed.length, first.bundles);
    assert.ok(thawed.every((call) => call.startsWith("thaw bundles/")));

    // Asked again too early, nothing is paid a second time.
    place.advance(HOUR_MS);
    assert.equal((await rebuildFromCold(session, options(place))).waiting?.what, "copies");
    assert.equal(place.calls.filter((call) => call.startsWith("thaw ")).length, thawed.length);

    place.advance(48 * HOUR_MS);
    const done = await rebuildFromCold(session, options(place));
    assert.equal(done.waiting, undefined);
    assert.deepEqual([done.problems, done.orphans, done.doubtfulSlots], [[], [], []]);
    assert.equal(done.unpacked, done.bundles);
    assert.deepEqual(done.rebuilt!.problems, []);
    assert.deepEqual((await listSnapshots(session)).map(({ snapshot }) => snapshot), snapshots);
    assert.ok(!(await objectsIn(`${folder}/new`)).includes("bundles"));
    await assert.rejects(extractedBytes(session), /tarzan thaw/);

    const { objects } = await thaw(session, { ...options(place), ...everything });
    assert.equal(objects, 1);
    place.advance(48 * HOUR_MS);
    assert.deepEqual(await extractedBytes(session, [], snapshots[0]), BIG);
    assert.deepEqual(await extractedBytes(session, [], snapshots[1]), LATER);
    await assert.rejects(Deno.stat(location));
  });
});

Deno.test("a vault and a key give a hot store back, waiting by themselves for the inventory and the copies", async () => {
  const place = new ColdPlaceInMemory({ class: "VAULT" });
  await inDisaster(place, async ({ session }, { snapshots }) => {
    const first = await rebuildFromCold(session, options(place));
    assert.equal(first.waiting?.what, "inventory");
    assert.deepEqual(first.waiting.readyAt, new Date(place.now().getTime() + 5 * HOUR_MS));
    let slept = 0;
    const sleep = (ms: number) => {
      slept += ms;
      place.advance(ms);
      return Promise.resolve();
    };
    const done = await rebuildFromCold(session, options(place, { wait: true, sleep }));
    assert.ok(slept >= 10 * HOUR_MS && slept < 24 * HOUR_MS, `${slept}`);
    assert.deepEqual([done.waiting, done.problems, done.orphans], [undefined, [], []]);
    assert.deepEqual((await listSnapshots(session)).map(({ snapshot }) => snapshot), snapshots);
  });
});

Deno.test("nothing is asked for above the ceiling, and nothing without a yes where there is none", async () => {
  const place = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" });
  await inDisaster(place, async ({ session }) => {
    place.calls.length = 0;
    await assert.rejects(rebuildFromCold(session, options(place, { maxCost: 0.000_01 })), { name: "CostCeilingError" });
    const asked: string[] = [];
    const doubting = {
      ...session,
      askYes: (text: string) => {
        asked.push(text);
        return Promise.resolve(false);
      },
    };
    await assert.rejects(rebuildFromCold(doubting, options(place, { maxCost: undefined })), /Nothing was asked for/);
    assert.match(asked[0]!, / tier bulk .* USD/);
    assert.ok(place.calls.every((call) => !/^(thaw|read) /.test(call)), place.calls.join());
  });
});

Deno.test("every step works with all local state deleted before it, and the ledger keeps what was found", async () => {
  const place = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" });
  await inDisaster(place, async ({ session, state }, { snapshots }) => {
    const forget = () => Deno.remove(state, { recursive: true });
    await rebuildFromCold(session, options(place));
    await forget();
    place.advance(48 * HOUR_MS);
    const done = await rebuildFromCold(session, options(place));
    assert.equal(done.waiting, undefined);
    await forget();
    assert.deepEqual((await rebuild(session)).problems, []);
    await forget();
    const { objects } = await thaw(session, { ...options(place), ...everything });
    assert.equal(objects, 1);
    await forget();
    place.advance(48 * HOUR_MS);
    assert.deepEqual(await extractedBytes(session, [], snapshots[1]), LATER);
    await forget();
    const { problems, coldBricks } = await verify(session, { backups: [], bricks: false, dataPercent: 0 });
    assert.deepEqual(problems, []);
    assert.ok(coldBricks >= 4);
    // Nothing is left to be sent but what tells of where things are.
    const again = await glacierUpload(session, { to: placeText(place), dryRun: true, dropLocal: false });
    assert.ok(again.bundles <= 1 && again.objects === again.bundles);
    // Run once more, it finds nothing to do, and pays for nothing where it remembers.
    await rebuildFromCold(session, options(place));
    place.calls.length = 0;
    const idle = await rebuildFromCold(session, options(place));
    assert.deepEqual([idle.placed, idle.problems, idle.cost], [0, [], undefined]);
    assert.ok(place.calls.every((call) => !/^(thaw|read) /.test(call)), place.calls.join());
  });
});

Deno.test("what was unpacked before a failure is not paid for again", async () => {
  const place = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" });
  await inDisaster(place, async ({ session, state }, { snapshots }) => {
    await rebuildFromCold(session, options(place));
    place.advance(48 * HOUR_MS);
    place.calls.length = 0;
    let reads = 0;
    const cold = openMemoryCold(place);
    const read: typeof cold.read = (...args) =>
      ++reads === 2 ? Promise.reject(new Error("the line is dead")) : cold.read(...args);
    const failing = { ...session, openCold: () => Promise.resolve({ ...cold, read }) };
    await assert.rejects(rebuildFromCold(failing, options(place)), /the line is dead/);
    const [first] = readsOf(place);
    const left = [...Deno.readDirSync(`${state}/from-cold/run`)].map(({ name }) => name);
    assert.deepEqual(left, ["CACHEDIR.TAG"]);
    const done = await rebuildFromCold(session, options(place));
    assert.deepEqual([done.waiting, done.problems, done.unpacked], [undefined, [], done.bundles]);
    assert.equal(readsOf(place).filter((call) => call === first).length, 1);
    assert.equal((await listSnapshots(session)).length, snapshots.length);
  });
});

Deno.test("the hot store alone tells where everything sleeps, whenever local state is lost", async () => {
  await inRepository(async (machine, { full }) => {
    const place = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" });
    const session = reaching(machine.session, place);
    await rememberSettings(machine.config, full.repository, { level: undefined, brickSizeBytes: 16 << 20 });
    const steps = [
      () => machine.create(BIG),
      () => glacierUpload(session, { to: placeText(place), dryRun: false, dropLocal: true }),
      async () => assert.deepEqual((await rebuild(session)).strangers, []),
      async () =>
        assert.deepEqual((await verify(session, { backups: [], bricks: false, dataPercent: 0 })).problems, []),
      async () => assert.equal((await machine.create(LATER)).newBytes < 1_000_000, true),
      () => glacierUpload(session, { to: placeText(place), dryRun: false, dropLocal: true }),
      // The large brick alone, and the bundle of the small one.
      async () => assert.equal((await thaw(session, { ...options(place), ...everything })).objects, 2),
      () => Promise.resolve(place.advance(48 * HOUR_MS)),
      async () => assert.deepEqual(await extractedBytes(session), LATER),
    ];
    for (const step of steps) {
      await step();
      await Deno.remove(machine.state, { recursive: true }).catch(() => {});
    }
    const uploads = place.calls.filter((call) => call.startsWith("upload bricks/"));
    assert.equal(uploads.length, 1);
    assert.deepEqual((await rebuild(session)).problems, []);
    assert.ok((await listSnapshots(session)).every(({ bricks, coldBricks }) => coldBricks === bricks));
  });
});

Deno.test("what a stranger puts into the bucket displaces nothing and comes out nowhere else", async () => {
  const place = new ColdPlaceInMemory({ class: "STANDARD_IA" });
  await inDisaster(place, async ({ session }, { snapshots, folder, full }) => {
    const brick = "ab".repeat(32);
    const ledger = `ledger/${full.domain.id}/20260101T000000Z-00000000`;
    const index = /index\/[0-9a-f]{32}\/[0-9TZ]+-[0-9a-f]{8}\.json/.exec(
      place.objects.map(({ content }) => new TextDecoder("latin1").decode(content)).join(""),
    )![0];
    await putBundle(place, [
      ["../../evil", "x"],
      ["/etc/evil", "x"],
      ["bricks/ab/../../evil", "x"],
      ["bundles/evil", "x"],
      [`condemned/${brick}`, "x"],
      [{ name: `keys/link-0123456789abcdef.age`, type: "2", link: "/etc/passwd" }, ""],
      ["keys/stranger-0123456789abcdef.age", "not these bytes"],
      [`bricks/ab/${brick}`, "not these bytes"],
      [index, "another index"],
      [ledger, noise(8256, 4)],
      ["tarzan.json", "x".repeat(100_000)],
    ]);
    await putBundle(place, [["a", "x"]], { name: `bundles/${brick}.tar` });
    await putBundle(place, [[{ name: ledger, size: 1e9 }, "short"]]);
    const done = await rebuildFromCold(session, options(place));
    const told = done.problems.join("\n");
    assert.match(told, new RegExp(`Bundle ${brick} in s3://memory was altered`));
    assert.match(told, new RegExp(`${index} in .* was left as it is`));
    assert.match(told, /Brick bricks\/ab\/.* was not unpacked: its SHA-256 is/);
    assert.match(told, /key slot keys\/stranger-/);
    assert.match(told, /a member reaches past its end/);
    assert.match(told, /7 members of bundle .* are no objects of a repository/);
    assert.equal(done.problems.length, 6);
    assert.deepEqual((await objectsIn(folder)).filter((name) => /evil|condemned|stranger|link-/.test(name)), []);
    assert.deepEqual((await listSnapshots(session)).map(({ snapshot, problem }) => [snapshot, problem]), [
      [snapshots[0], undefined],
      [snapshots[1], undefined],
    ]);
    assert.equal(done.rebuilt!.problems.length, 1);
    assert.deepEqual(await extractedBytes(session, [], snapshots[1]), LATER);
  });
});

Deno.test("slots come back too, and an age identity opens them; those that were removed since are told", async () => {
  const place = new ColdPlaceInMemory({ class: "GLACIER_IR" });
  await inDisaster(place, async ({ session }, { identity, snapshots }) => {
    const removed = await makeSlot({ bundle: "an old bundle", label: "old", to: { passphrase: "correct horse" } });
    await putBundle(place, [[removed.name, removed.bytes]]);
    place.objects.at(-1)!.storedAt = new Date("2020-01-01");
    const withIdentity = {
      ...session,
      secrets: { ...session.secrets, identities: [identity] },
      askYes: () => Promise.resolve(true),
    };
    const done = await rebuildFromCold(withIdentity, options(place));
    assert.deepEqual([done.problems, done.doubtfulSlots], [[], [removed.name]]);
    assert.deepEqual((await listSnapshots(withIdentity)).map(({ snapshot }) => snapshot), snapshots);
  });
});

Deno.test("a slot from paper that does not open stops before anything is asked", async () => {
  const place = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" });
  await inDisaster(place, async ({ session }, { fullKey, identity }) => {
    const { bytes } = await makeSlot({
      bundle: fullKey,
      label: "paper",
      to: { recipients: [await identityToRecipient(identity)] },
    });
    const paper = await armorSlot(bytes);
    place.calls.length = 0;
    const lines = paper.split("\n");
    lines[3] = lines[4]!;
    const misread = { ...session, secrets: { ...session.secrets, identities: [identity, lines.join("\n")] } };
    await assert.rejects(rebuildFromCold(misread, options(place)), /key slot given with --identity/);
    assert.deepEqual(place.calls, []);
    const right = { ...session, secrets: { ...session.secrets, identities: [identity, paper] } };
    assert.equal((await rebuildFromCold(right, options(place))).waiting?.what, "copies");
  });
});

for (const name of ["GLACIER_IR", "VAULT"] as const) {
  Deno.test(`of two repositories in one place (${name}) the one is taken that is asked for`, async () => {
    const place = new ColdPlaceInMemory({ class: name });
    await inDisaster(place, async ({ session }, { full, identity, folder, snapshots }) => {
      const sleep = (ms: number) => Promise.resolve(place.advance(ms));
      const other = await found(folder, { identity, name: "other" });
      const machine = other.machine(other.fullKey);
      await machine.create(LATER);
      await glacierUpload(reaching(machine.session, place), { to: placeText(place), dryRun: false, dropLocal: false });
      place.advance(3 * DAY_MS);
      const keyless = { ...session, secrets: { ...session.secrets, identities: [identity] } };
      const both = [full.repository, other.full.repository].sort().join(", ");
      await assert.rejects(
        rebuildFromCold(keyless, options(place, { wait: true, sleep })),
        new RegExp(`holds several repositories: ${both}.*--repository-id`),
      );
      await Deno.remove(`${folder}/new`, { recursive: true }).catch(() => {});
      // A key says by itself whose it is.
      const done = await rebuildFromCold(session, options(place, { wait: true, sleep }));
      assert.deepEqual([done.waiting, done.problems], [undefined, []]);
      assert.deepEqual((await listSnapshots(session)).map(({ snapshot }) => snapshot), snapshots);
      assert.ok((await objectsIn(`${folder}/new`, "index")).every((name) => name.includes(full.domain.id)));
    });
  });
}

Deno.test("bricks that no ledger tells of are told, and those that were said to be lost count again", async () => {
  const place = new ColdPlaceInMemory({ class: "STANDARD_IA" });
  await inDisaster(place, async ({ session }, { snapshots }) => {
    const orphan = "cd".repeat(32);
    await putCold(place, { name: `bricks/cd/${orphan}`, bytes: noise(70_000, 5) });
    assert.deepEqual((await rebuildFromCold(session, options(place))).orphans, [orphan]);
    const { repository, close } = await open(session);
    const [placement] = [...repository.catalog.placements()].filter(({ object }) =>
      object.handle.startsWith("bricks/")
    );
    const { domain, location, handle } = placement!.object;
    const at = new Date(place.now().getTime() + 1000);
    await publish(repository, domain, [{ type: "lost", lost: { location, handle, at } }]);
    assert.deepEqual(repository.catalog.placementsOf(placement!.brick), []);
    await close();
    place.advance(DAY_MS);
    assert.equal((await rebuildFromCold(session, options(place))).placed, 1);
    assert.deepEqual(await extractedBytes(session, [], snapshots[0]), BIG);
  });
});

Deno.test("a bundle that was removed after the inventory keeps nobody from the others", async () => {
  const place = new ColdPlaceInMemory({ class: "VAULT" });
  await inDisaster(place, async ({ session }, { full }) => {
    const handle = await putBundle(place, [["a", "x"]], { repository: full.repository });
    place.advance(3 * DAY_MS);
    await rebuildFromCold(session, options(place));
    place.advance(6 * HOUR_MS);
    place.objects.find((object) => object.handle === handle)!.removedAt = place.now();
    const gone = openMemoryCold(place);
    // Real vaults say of archives in an old inventory only when they are asked for that they are not there.
    const states = (objects: Parameters<typeof gone.states>[0], { signal }: { signal: AbortSignal }) =>
      Promise.all(
        objects.map(async (object) =>
          object.handle === handle ? { state: "cold" } as const : (await gone.states([object], { signal }))[0]!
        ),
      );
    const asking = { ...session, openCold: () => Promise.resolve({ ...gone, states }) };
    const sleep = (ms: number) => Promise.resolve(place.advance(ms));
    const done = await rebuildFromCold(asking, options(place, { wait: true, sleep }));
    assert.deepEqual(done.problems, [`Cannot find ${handle} in ${place.location}: it is not there`]);
    assert.equal((await listSnapshots(session)).length, 2);
  });
});

Deno.test("a place without bundles, and a folder that holds something else, are refused", async () => {
  const place = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" });
  await inDisaster(place, async ({ session }, { folder }) => {
    const empty = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE", location: "s3://empty" });
    const both = reaching(session, place, empty);
    await assert.rejects(rebuildFromCold(both, options(empty)), { name: "NoRepositoryError" });
    await Deno.mkdir(`${folder}/new`);
    await Deno.writeTextFile(`${folder}/new/letter.txt`, "mine");
    await assert.rejects(rebuildFromCold(session, options(place)), /it is not empty \(it holds letter.txt\)/);
  });
});
