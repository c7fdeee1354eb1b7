import assert from "node:assert/strict";
import {
  brickObject,
  ColdJournal,
  ColdUploader,
  planUpload,
  publish,
  type Repository,
} from "../../lib/repository/mod.ts";
import type { Store } from "../../lib/store/mod.ts";
import { type ColdStore, TreeHasher } from "../../lib/glacier/mod.ts";
import { catchUp, open } from "../../lib/verbs/open.ts";
import { glacierUpload } from "../../lib/verbs/mod.ts";
import { openMemoryCold } from "../glacier/memory_cold.ts";
import { bricksIn, change, extractedBytes, objectsIn, tarOf } from "../verbs/session.ts";
import { coldBricks, type ColdScene, hex, inColdScene, namesInTar, thawAll, uploadOnce } from "./cold_scene.ts";
import { inFolder, noise } from "./machine.ts";

const LOCATION = "s3://memory?class=DEEP_ARCHIVE";
const upload = { to: LOCATION, dryRun: false, dropLocal: false };

/** A large brick with its recipe. */
const tar = tarOf(["large", noise(5_000_000, 7)], ["small", "of the page"]);
/** A small one. */
const smallTar = tarOf(["little", noise(3000, 8)]);

function objectsOf({ place }: ColdScene, folder: string) {
  return place.objects.filter(({ name }) => name?.startsWith(folder)).map((object) => ({
    ...object,
    name: object.name!,
  }));
}

Deno.test("large bricks go alone, everything else in one tar that any tar opens, and a second run has nothing to do", async () => {
  await inColdScene({}, async (scene) => {
    const { founded, place } = scene;
    const machine = await scene.machine();
    await machine.create(tar);
    await machine.create(smallTar);
    const before = await objectsIn(founded.location);
    const planned = await glacierUpload(machine.session, { ...upload, dryRun: true });
    assert.deepEqual(place.objects, []);
    const result = await glacierUpload(machine.session, upload);
    assert.deepEqual([planned.objects, planned.bytes, planned.bundles], [result.objects, result.bytes, 1]);
    assert.ok(result.estimate.cost.total > 0);
    const bricks = await bricksIn(founded.location);
    assert.deepEqual(await coldBricks(place), bricks);
    const alone = objectsOf(scene, "bricks/");
    assert.equal(alone.length, 1);
    const [bundle] = objectsOf(scene, "bundles/");
    const inside = await namesInTar(bundle!.content);
    const outside = new Set<string>(alone.map(({ name }) => name));
    const ours = before.filter((name) => /^(bricks|meta|keys|index|ledger)\/|^tarzan\.json$/.test(name));
    assert.deepEqual(inside, ours.filter((name) => !outside.has(name)));
    await inFolder(async (folder) => {
      await Deno.writeFile(`${folder}/it.tar`, bundle!.content);
      await new Deno.Command("tar", { args: ["xf", `${folder}/it.tar`, "-C", folder] }).output();
      for (const name of inside) {
        assert.deepEqual(await Deno.readFile(`${folder}/${name}`), await Deno.readFile(`${founded.location}/${name}`));
      }
    });
    const again = await glacierUpload(machine.session, upload);
    assert.deepEqual([again.objects, place.objects.length], [0, result.objects]);
    // Nobody has taken anything from the repository.
    assert.deepEqual(await bricksIn(founded.location), bricks);
  });
});

Deno.test("another machine learns from the ledger what is in cold storage, and sends no brick again", async () => {
  await inColdScene({}, async (scene) => {
    const machine = await scene.machine();
    await machine.create(tar);
    await glacierUpload(machine.session, upload);
    const count = (await coldBricks(scene.place)).length;
    const other = await scene.machine();
    await glacierUpload(other.session, upload);
    assert.equal((await coldBricks(scene.place)).length, count);
    await machine.create(tarOf(["new", noise(5000, 1)]));
    await glacierUpload(other.session, upload);
    assert.deepEqual(await coldBricks(scene.place), await bricksIn(scene.founded.location));
  });
});

Deno.test("--drop-local lets go of data bricks only, and the backup comes back from cold storage to the byte", async () => {
  await inColdScene({}, async (scene) => {
    const { founded, place } = scene;
    const machine = await scene.machine();
    await machine.create(smallTar);
    await machine.create(tar);
    const meta = await objectsIn(founded.location, "meta");
    const { dropped } = await glacierUpload(machine.session, { ...upload, dropLocal: true });
    assert.equal(dropped!.bricks, 2);
    assert.deepEqual(await bricksIn(founded.location), meta);
    await assert.rejects(extractedBytes(machine.session), /cold storage/);
    await thawAll(place);
    assert.deepEqual(await extractedBytes(machine.session), tar);
    // The same again: nothing is missing, so nothing is stored.
    const again = await machine.create(tar);
    assert.deepEqual([again.newBytes, machine.warnings], [0, []]);
  });
});

Deno.test("what cold storage does not confirm stays, and so does what the ledger does not tell of", async () => {
  await inColdScene({}, async (scene) => {
    const { founded, place } = scene;
    const machine = await scene.machine();
    await machine.create(tar);
    await glacierUpload(machine.session, upload);
    const bricks = await bricksIn(founded.location);
    const large = place.objects.find(({ name }) => name!.startsWith("bricks/"))!;
    assert.equal(objectsOf(scene, "bricks/").length, 1);
    large.sha256 = "0".repeat(64);
    const first = await glacierUpload(machine.session, { ...upload, dropLocal: true });
    assert.equal(first.dropped!.unconfirmed, 1);
    assert.ok((await bricksIn(founded.location)).includes(large.name!));
    assert.equal((await bricksIn(founded.location)).length, bricks.length - first.dropped!.bricks);
    large.sha256 = large.name!.slice(-64);
    // A catalogue that remembers placements that no ledger tells of: the repository was rolled back.
    for (const name of await objectsIn(founded.location, "ledger")) await Deno.remove(`${founded.location}/${name}`);
    const second = await glacierUpload(machine.session, { ...upload, dropLocal: true });
    assert.equal(second.dropped!.bricks, 0);
    assert.ok((await bricksIn(founded.location)).includes(large.name!));
  });
});

Deno.test("a damaged brick is not sent and does not hold up the others", async () => {
  await inColdScene({}, async (scene) => {
    const { founded, place } = scene;
    const machine = await scene.machine();
    await machine.create(tar);
    const [large] = await Promise.all(
      (await objectsIn(founded.location, "bricks")).map(async (name) => ({
        name,
        size: (await Deno.stat(`${founded.location}/${name}`)).size,
      })),
    ).then((all) => all.toSorted((a, b) => b.size - a.size));
    await change(`${founded.location}/${large!.name}`, (bytes) => void (bytes[1_000_000]! ^= 1));
    await assert.rejects(glacierUpload(machine.session, upload), { name: "DamageError" });
    const rest = (await bricksIn(founded.location)).filter((name) => name !== large!.name);
    assert.deepEqual(await coldBricks(place), rest);
  });
});

Deno.test("a place for cold storage is refused where the repository itself is, and needed where none was given", async () => {
  await inColdScene({}, async (scene) => {
    const machine = await scene.machine();
    await machine.create(tarOf(["a", "b"]));
    await assert.rejects(
      glacierUpload(machine.session, { dryRun: true, dropLocal: false }),
      /made without cold storage/,
    );
    await assert.rejects(glacierUpload(machine.session, { ...upload, to: "s3://memory" }), /it has no class/);
  });
});

Deno.test("where small bricks gather, they wait until they are many or old", async () => {
  await inColdScene({}, async (scene) => {
    const machine = await scene.machine();
    await machine.create(tarOf(["a", noise(100_000, 1)]));
    const cold = openMemoryCold(scene.place);
    const { opened, close } = await planner(scene);
    const options = { domain: opened.keyring.defaultDomain.id, cold, targetBytes: 16 << 20, gather: true };
    const young = await planUpload(opened, options);
    assert.equal(young.unplaced.waiting.bricks, 1);
    assert.ok(young.unplaced.bundled.every(({ name }) => !name.startsWith("bricks/")));
    const inDays = (days: number) => () => Promise.resolve(new Date(Date.now() + days * 24 * 3_600_000));
    const store = (days: number) => changed(opened.store, "now", inDays(days));
    const stale = await planUpload({ ...opened, store: store(15) }, options);
    assert.equal(stale.unplaced.waiting.bricks, 0);
    const many = await planUpload(opened, { ...options, targetBytes: 4 * young.unplaced.waiting.bytes / 8 });
    assert.equal(many.unplaced.waiting.bricks, 0);
    await close();
  });
});

async function planner(scene: ColdScene) {
  const { session } = await scene.machine();
  const { repository, close } = await open(session);
  await catchUp(session, repository);
  return { opened: repository, close };
}

/** A store with another method in the place of one. */
function changed<Name extends keyof Store>(store: Store, name: Name, method: Store[Name]): Store {
  return new Proxy(store, {
    get(_store, asked) {
      if (asked === name) return method;
      const value = Reflect.get(store, asked);
      return typeof value === "function" ? value.bind(store) : value;
    },
  });
}

/** Fails for good from the n-th step on, as a process does that is killed: some steps take effect before. */
function dying(cold: ColdStore, moment: { left: number; after: boolean }): ColdStore {
  const die = () => {
    throw new Error("killed");
  };
  return {
    ...cold,
    async upload(object, options) {
      if (moment.left-- > 0) return await cold.upload(object, options);
      // A bucket may have stored it without anybody's hearing of that.
      if (moment.after) await cold.upload(object, options);
      return die();
    },
  };
}

Deno.test("killed at any moment and begun again, every brick is in cold storage exactly once", async () => {
  for (const step of [0, 1, 2, 3, 5]) {
    await inColdScene({}, async (scene) => {
      const { founded, place } = scene;
      const machine = await scene.machine();
      const { snapshot } = await machine.create(tar);
      await machine.create(tarOf(["more", noise(5_000_000, 3)]));
      const moment = { left: Math.floor(step / 2), after: step % 2 === 1 };
      // Nothing is written to the hot store any more once the run is dead.
      const wrap = (repository: Repository) => {
        const { store } = repository;
        const put: Store["put"] = (...args) =>
          moment.left < 0 ? Promise.reject(new Error("killed")) : store.put(...args);
        return { ...repository, store: changed(store, "put", put) };
      };
      const cold = openMemoryCold(place);
      await uploadOnce(machine.session, { cold: dying(cold, moment), wrap, parallel: 1 }).catch(() => {});
      // New things come before the next run: what was begun is not made anew with them.
      await machine.create(tarOf(["later", noise(4000, 4)]));
      await uploadOnce(machine.session, { cold, dropLocal: true });
      assert.deepEqual(await coldBricks(place), [...new Set(await coldBricks(place))], `moment ${step}`);
      await uploadOnce(machine.session, { cold, dropLocal: true });
      await thawAll(place);
      assert.deepEqual(await extractedBytes(machine.session, [], snapshot), tar);
      assert.deepEqual(await objectsIn(founded.location, "bricks"), []);
    });
  }
});

Deno.test("in a vault, what was stored and not told of is told of by the next run and not stored twice", async () => {
  await inColdScene({ class: "VAULT" }, async (scene) => {
    const { place } = scene;
    const machine = await scene.machine();
    await machine.create(tar);
    const cold = openMemoryCold(place);
    const wrap = (repository: Repository) => {
      const put = () => Promise.reject(new Error("killed"));
      return { ...repository, store: changed(repository.store, "put", put) };
    };
    await assert.rejects(uploadOnce(machine.session, { cold, wrap }), /killed/);
    assert.equal(place.objects.length, 2);
    const { counts, dropped } = await uploadOnce(machine.session, { cold, dropLocal: true });
    assert.equal(counts.objects, 2);
    assert.equal(place.objects.length, 2);
    // A vault cannot say so soon what it holds.
    assert.deepEqual([dropped!.bricks, dropped!.unconfirmed], [0, 1]);
    place.advance(4 * 24 * 3_600_000);
    await cold.list({ signal: new AbortController().signal });
    place.advance(6 * 3_600_000);
    const later = await uploadOnce(machine.session, { cold, dropLocal: true });
    assert.equal(later.dropped!.bricks, 1);
    await thawAll(place);
    assert.deepEqual(await extractedBytes(machine.session), tar);
  });
});

Deno.test("the ledger is told of placements every 16 objects, every 10 minutes, and at the end", async () => {
  await inColdScene({}, async ({ place, ...scene }) => {
    const { session, state } = await scene.machine();
    const { repository, close } = await open(session);
    const domain = repository.keyring.defaultDomain.id;
    const { ledger } = await repository.keyring.shapeKeys(domain);
    await Deno.mkdir(`${state}/journal`);
    const journal = await ColdJournal.begin(`${state}/journal`, { ledger, domain });
    const told: number[] = [];
    const uploader = await ColdUploader.begin({
      ...{ repository, domain, cold: openMemoryCold(place), journal, parallel: 1, signal: session.signal },
      now: () => place.now(),
      onPlaced: (placed) => Promise.resolve(void told.push(placed.length)),
    });
    const add = async (number: number) => {
      const content = noise(100 + number, number);
      const tree = new TreeHasher();
      tree.update(content);
      const hashes = { sha256: hex(content), treeHash: tree.digest().toHex() };
      const read = ({ from, length }: { from: number; length: number }) =>
        Promise.resolve(content.slice(from, from + length));
      await uploader.add({ name: `bundles/${hashes.sha256}.tar`, bytes: content.length, ...hashes, bricks: [], read });
    };
    for (let number = 0; number < 20; number++) await add(number);
    assert.deepEqual(told, [16]);
    place.advance(10 * 60_000);
    await add(20);
    assert.deepEqual(told, [16, 5]);
    await add(21);
    await uploader.idle();
    assert.deepEqual(told, [16, 5, 1]);
    assert.equal((await objectsIn(scene.founded.location, "ledger")).length, 3);
    await journal.end();
    await close();
  });
});

Deno.test("two machines that upload at once both succeed, and a bucket has every object once", async () => {
  await inColdScene({}, async (scene) => {
    const machine = await scene.machine();
    const other = await scene.machine();
    const { snapshot } = await machine.create(tar);
    await machine.create(tarOf(["more", noise(5_000_000, 3)]));
    const cold = openMemoryCold(scene.place);
    await Promise.all([machine, other].map(({ session }) => uploadOnce(session, { cold, dropLocal: true })));
    const names = scene.place.objects.map(({ name }) => name);
    assert.deepEqual(names, [...new Set(names)]);
    // What is small may be in the bundles of both: neither knows of the other's before it is there.
    assert.equal(new Set(await coldBricks(scene.place)).size, 4);
    assert.deepEqual(await objectsIn(scene.founded.location, "bricks"), []);
    await thawAll(scene.place);
    assert.deepEqual(await extractedBytes(other.session, [], snapshot), tar);
  });
});

Deno.test("a write-only key uploads, and its placements are for all to read", async () => {
  await inColdScene({}, async (scene) => {
    const { founded, place } = scene;
    const server = await scene.machine(await founded.writeKey("server"));
    await server.create(tar);
    await glacierUpload(server.session, { ...upload, dropLocal: true });
    assert.deepEqual(await objectsIn(founded.location, "bricks"), []);
    const owner = await scene.machine();
    await thawAll(place);
    assert.deepEqual(await extractedBytes(owner.session), tar);
    const { opened, close } = await planner(scene);
    const [brick] = [...opened.catalog.bricks({ kind: "D" })];
    assert.equal(opened.catalog.placementsOf(brick!.name).length, 1);
    assert.equal(await opened.store.head(brickObject("D", brick!.name)), undefined);
    await close();
  });
});

Deno.test("a machine that was taken over cannot talk bricks out of the repository, nor hide where they are", async () => {
  await inColdScene({}, async (scene) => {
    const { founded, place } = scene;
    const machine = await scene.machine();
    await machine.create(tar);
    await machine.create(smallTar);
    const liar = await scene.machine();
    const { opened: repository, close } = await planner(scene);
    const domain = repository.keyring.defaultDomain.id;
    const bait = noise(20_000_000, 99);
    const about = { bytes: bait.length, sha256: hex(bait), treeHash: "0".repeat(64) };
    const tree = new TreeHasher();
    tree.update(bait);
    about.treeHash = tree.digest().toHex();
    const cold = openMemoryCold(place);
    const handle = await cold.upload({
      ...{ name: `bundles/${about.sha256}.tar`, repository: repository.config.repository, ...about },
      read: ({ from, length }) => Promise.resolve(bait.slice(from, from + length)),
    }, { signal: liar.session.signal });
    const lie = async (placedAt: Date) => {
      const bricks = [...repository.catalog.bricks({ kind: "D" })].map(({ name, kind, bytes }) => ({
        ...{ name, kind, bytes },
        offset: 0,
      }));
      const placed = { location: place.location, handle, class: "DEEP_ARCHIVE" as const, ...about, placedAt, bricks };
      await publish(repository, domain, [{ type: "placed", placed }]);
    };
    // First true words, then lies that look newer: of a bundle that is there, and holds something else.
    await glacierUpload(machine.session, upload);
    await lie(new Date(+place.now() + 1000));
    const other = await scene.machine();
    const { dropped } = await glacierUpload(other.session, { ...upload, dropLocal: true });
    // What is in a bundle only its maker knows: the other machine says so of the brick that stays.
    assert.equal(dropped!.bricks, 1);
    assert.equal(dropped!.unconfirmed, 1);
    assert.match(dropped!.why!, /another machine made/);
    assert.equal((await objectsIn(founded.location, "bricks")).length, 1);
    await glacierUpload(machine.session, { ...upload, dropLocal: true });
    assert.deepEqual(await objectsIn(founded.location, "bricks"), []);
    await close();
    await thawAll(place);
    assert.deepEqual(await extractedBytes(other.session), smallTar);
  });
});
