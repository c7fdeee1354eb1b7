/**
 * Storage that lies: it swaps objects, hands out those of another repository, older ones or forged ones, or none. Each lie
 * is noticed when the repository is checked, or does no harm; which of the two is written here for every kind.
 */
import assert from "node:assert/strict";
import { identityToRecipient } from "age-encryption";
import {
  bundleHash,
  createFullBundle,
  DamageError,
  formatBundle,
  Keyring,
  pinCode,
  sealSlot,
  sha256,
  slotName,
  UnsupportedError,
  WrongKeyError,
} from "../../lib/crypto/mod.ts";
import {
  CONFIG_NAME,
  NoRepositoryError,
  openRepository,
  parseBrickObject,
  recordDamage,
} from "../../lib/repository/mod.ts";
import { Catalog } from "../../lib/catalog/mod.ts";
import { openDirectoryStore, type Store } from "../../lib/store/mod.ts";
import { TreeHasher } from "../../lib/glacier/mod.ts";
import { rebuild } from "../../lib/verbs/mod.ts";
import { LARGE } from "../repository/streams.ts";
import { END, member } from "../tar/archives.ts";
import { found, type Founded, inFolder, joined, type Machine, machineOf, noise } from "../repository/machine.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Outcome = "noticed" | "survived";

const KINDS = ["data brick", "meta brick", "ledger object", "index", "slot", "config", "damage record"] as const;
type Kind = typeof KINDS[number];

function kindOf(name: string): Kind | undefined {
  const brick = parseBrickObject(name);
  if (brick !== undefined) return brick.kind === "D" ? "data brick" : "meta brick";
  if (name === CONFIG_NAME) return "config";
  const folders: Record<string, Kind> = {
    ledger: "ledger object",
    index: "index",
    keys: "slot",
    records: "damage record",
  };
  return folders[name.split("/")[0]!];
}

/** Bodies that differ from backup to backup, so that each has bricks of its own, and one that all share. */
function backupOf(number: number): Bytes {
  return joined([
    member({ name: "shared" }, noise(30_000, 7)),
    member({ name: `own ${number}` }, noise(30_000, 100 + number)),
    member({ name: "tiny" }, `tiny ${number}`),
    END,
  ]);
}
const BACKUPS = [backupOf(1), backupOf(2), backupOf(3)];

/** A repository with three backups, all its kinds of objects at least twice, and machines that know it. */
interface Scene {
  founded: Founded;
  store: Store;
  objects: Map<string, Bytes>;
  ofKind(kind: Kind): string[];
  snapshots: string[];
  /** Has a key file, and has seen everything. */
  old: Machine;
  /** Opens a slot with the age identity, and has seen this repository before. */
  pinned: Machine;
}

async function sceneIn(folder: string, options: { identity?: string; name?: string } = {}): Promise<Scene> {
  const founded = await found(folder, options);
  const old = founded.machine(founded.fullKey);
  const snapshots: string[] = [];
  for (const tar of BACKUPS) snapshots.push((await old.create(tar)).snapshot);
  await putDamage(founded, old);
  const store = await openDirectoryStore(founded.location);
  const recipient = await identityToRecipient(founded.identity);
  const second = await sealSlot(founded.fullKey, { recipients: [recipient] });
  await store.put(slotName("second", second), second);
  const objects = new Map<string, Bytes>();
  for await (const { name } of store.list("")) objects.set(name, await store.get(name));
  const pinned = machineOf({
    location: founded.location,
    state: `${folder}/${options.name ?? ""}pinned/state`,
    config: `${folder}/founding/config`,
    key: founded.identity,
  });
  const ofKind = (kind: Kind) => [...objects.keys()].filter((name) => kindOf(name) === kind);
  return { founded, store, objects, ofKind, snapshots, old, pinned };
}

/** Two records of damage about bricks that never were, so that they touch nothing. */
async function putDamage({ location, full }: Founded, machine: Machine): Promise<void> {
  const store = await openDirectoryStore(location);
  const catalog = Catalog.open(":memory:", { repository: full.repository });
  const repository = await openRepository({ store, keyring: new Keyring(full), catalog });
  for (const digit of ["a", "b"]) await recordDamage(repository, [{ brick: digit.repeat(64), blocks: "all" }]);
  catalog.close();
  await store.close();
  await machine.verify();
}

/** What storage does: other bytes under these names, or nothing (null). */
type Lie = Map<string, Bytes | null>;

/** Lets storage lie while somebody looks. */
async function under<T>({ store, objects }: Scene, lie: Lie, look: () => Promise<T>): Promise<T> {
  for (const [name, bytes] of lie) bytes === null ? await store.delete(name) : await store.put(name, bytes);
  try {
    return await look();
  } finally {
    for (const name of lie.keys()) {
      const bytes = objects.get(name);
      bytes === undefined ? await store.delete(name) : await store.put(name, bytes);
    }
    // What checks put on record while storage lied must not last.
    for (const { name } of await Array.fromAsync(store.list("records/"))) {
      if (!objects.has(name)) await store.delete(name);
    }
  }
}

/** Whether a full check notices anything; if not, everything must come back as it was. */
async function outcomeOf(machine: Machine, snapshots: string[]): Promise<Outcome> {
  const problems = await machine.verify({ bricks: true, data: true }).then(({ problems }) => problems.length, refusal);
  if (problems > 0) return "noticed";
  for (const [number, snapshot] of snapshots.entries()) {
    assert.deepEqual(await machine.extract(snapshot), BACKUPS[number], `backup ${number + 1} under an unnoticed lie`);
  }
  return "survived";
}

function refusal(error: unknown): number {
  const known = [DamageError, UnsupportedError, WrongKeyError, NoRepositoryError];
  if (known.some((known) => error instanceof known)) return 1;
  throw error;
}

/** What each machine must make of a lie. */
async function expect(scene: Scene, lie: Lie, expected: { by: Machine; is: Outcome; left?: string[] }[], what: string) {
  for (const { by, is, left = scene.snapshots } of expected) {
    assert.equal(await under(scene, lie, () => outcomeOf(by, left)), is, what);
  }
}

const fresh = ({ founded }: Scene) => founded.machine(founded.fullKey);

Deno.test("two objects of a kind, swapped, are noticed by who has seen them and by who has not", () =>
  inFolder(async (folder) => {
    const scene = await sceneIn(folder);
    const { old, pinned } = scene;
    let swaps = 0;
    for (const kind of KINDS) {
      const names = scene.ofKind(kind);
      assert.ok(names.length > 1 || kind === "config", `${names.length} of ${kind}`);
      for (const [i, a] of names.entries()) {
        for (const b of names.slice(i + 1)) {
          const lie = new Map([[a, scene.objects.get(b)!], [b, scene.objects.get(a)!]]);
          await expect(scene, lie, [old, fresh(scene)].map((by) => ({ by, is: "noticed" })), `${a} and ${b} swapped`);
          swaps++;
        }
      }
    }
    assert.ok(swaps >= 12, `${swaps} swaps`);
    assert.equal(await outcomeOf(old, scene.snapshots), "survived", "without a lie nothing is noticed");
    assert.equal(await outcomeOf(pinned, scene.snapshots), "survived");
    await scene.store.close();
  }));

Deno.test("objects of another repository, of the same owner, with the same bodies, are noticed", () =>
  inFolder(async (folder) => {
    const scene = await sceneIn(folder);
    const other = await sceneIn(folder, { identity: scene.founded.identity, name: "other" });
    for (const kind of KINDS) {
      const ours = scene.ofKind(kind)[0]!;
      const theirs = other.objects.get(other.ofKind(kind)[0]!)!;
      await expect(
        scene,
        new Map([[ours, theirs]]),
        [scene.old, fresh(scene)].map((by) => ({ by, is: "noticed" })),
        `${ours} replaced by one of another repository`,
      );
    }
    await scene.store.close();
    await other.store.close();
  }));

Deno.test("a whole other repository of the same owner in the same place is refused by who knows the first one", () =>
  inFolder(async (folder) => {
    const scene = await sceneIn(folder);
    const other = await sceneIn(folder, { identity: scene.founded.identity, name: "other" });
    const lie: Lie = new Map([...scene.objects.keys()].map((name) => [name, null]));
    for (const [name, bytes] of other.objects) lie.set(name, bytes);
    await expect(scene, lie, [scene.old, fresh(scene), scene.pinned].map((by) => ({ by, is: "noticed" })), "all of it");
    await under(scene, lie, async () => {
      await assert.rejects(scene.pinned.create(BACKUPS[0]!), WrongKeyError);
      await assert.rejects(scene.old.create(BACKUPS[0]!), DamageError);
    });
    await scene.store.close();
    await other.store.close();
  }));

Deno.test("a slot that a stranger sealed to the owner's public recipient, with keys of the stranger's, is of no use", () =>
  inFolder(async (folder) => {
    const scene = await sceneIn(folder);
    const { full, identity, location, fullKey } = scene.founded;
    const recipient = await identityToRecipient(identity);
    const { repository, config, domain } = full;
    const forged = formatBundle(await createFullBundle({ repository, config, domainName: domain.name }));
    const slot = await sealSlot(forged, { recipients: [recipient] });
    // Beside the others, before and behind them in every order, and instead of them.
    const beside: Lie = new Map([[slotName("a", slot), slot], [slotName("zz", slot), slot]]);
    await expect(scene, beside, [scene.pinned, scene.old].map((by) => ({ by, is: "survived" })), "a slot more");
    const instead: Lie = new Map<string, Bytes | null>(scene.ofKind("slot").map((name) => [name, null]));
    for (const [name, bytes] of beside) instead.set(name, bytes);
    await expect(scene, instead, [{ by: scene.pinned, is: "noticed" }], "no other slot");
    const before = await Array.fromAsync(scene.store.list(""));
    await under(scene, instead, () => assert.rejects(scene.pinned.create(BACKUPS[0]!), WrongKeyError));
    assert.deepEqual(
      (await Array.fromAsync(scene.store.list(""))).map(({ name }) => name),
      before.map(({ name }) => name),
    );
    // Who comes for the first time has the code, and compares.
    const newcomer = (pin: string) => {
      const home = `${folder}/newcomer-${pin}`;
      const machine = machineOf({ location, state: `${home}/state`, config: `${home}/config`, key: identity });
      Object.assign(machine.session, { secrets: { ...machine.session.secrets, pin } });
      return machine;
    };
    await under(scene, beside, async () => {
      const { problems } = await newcomer(pinCode(bundleHash(fullKey))).verify();
      assert.deepEqual(problems, []);
    });
    await under(
      scene,
      instead,
      () => assert.rejects(newcomer(pinCode(bundleHash(fullKey))).verify(), WrongKeyError),
    );
    await scene.store.close();
  }));

Deno.test("an object that is withheld is missed, as far as anybody can know that it was there", () =>
  inFolder(async (folder) => {
    const scene = await sceneIn(folder);
    const { old, snapshots } = scene;
    const withheld = (names: string[]): Lie => new Map(names.map((name) => [name, null]));
    for (const kind of ["data brick", "meta brick", "ledger object"] as const) {
      for (const name of scene.ofKind(kind)) {
        await expect(scene, withheld([name]), [old, fresh(scene)].map((by) => ({ by, is: "noticed" })), `no ${name}`);
      }
    }
    const indexes = scene.ofKind("index").sort();
    const names = indexes.map((name) => /([^/]+)\.json$/.exec(name)![1]!);
    assert.deepEqual(new Set(names), new Set(snapshots));
    for (const [number, name] of indexes.entries()) {
      const isNewest = names[number] === snapshots.at(-1);
      await expect(scene, withheld([name]), [
        { by: old, is: "noticed" },
        isNewest
          ? { by: fresh(scene), is: "survived", left: snapshots.slice(0, -1) }
          : { by: fresh(scene), is: "noticed" },
      ], `no ${name}`);
    }
    // A key knows what tarzan.json said; one slot is as good as another; damage that nobody remembers is found again.
    for (const lie of [scene.ofKind("config"), scene.ofKind("slot").slice(1), scene.ofKind("damage record")]) {
      await expect(
        scene,
        withheld(lie),
        [old, fresh(scene), scene.pinned].map((by) => ({ by, is: "survived" })),
        `${lie}`,
      );
    }
    await expect(scene, withheld(scene.ofKind("slot")), [
      { by: scene.pinned, is: "noticed" },
      { by: old, is: "survived" },
    ], "no slot");
    await scene.store.close();
  }));

Deno.test("what an unfinished run announced does not pass for its end", () =>
  inFolder(async (folder) => {
    const scene = await sceneIn(folder);
    const { old, store, founded } = scene;
    // The third piece of the input is the last that this run sees.
    const update = ({ bytesDone = 0 }) => {
      if (bytesDone >= 12 * 2 ** 20) throw new Error("the run ended here");
    };
    Object.assign(old.session, { progress: { update, done() {} } });
    await assert.rejects(old.create(LARGE, { brickBytes: 2 ** 21, level: 0 }), /the run ended here/);
    Object.assign(old.session, { progress: { update() {}, done() {} } });
    const objects = (await Array.fromAsync(store.list(`index/${founded.full.domain.id}/`))).map(({ name }) => name);
    const open = objects.find((name) => name.endsWith(".open"))!;
    const lie: Lie = new Map([[open.replace(/open$/, "json"), await store.get(open)]]);
    for (const by of [old, fresh(scene)]) {
      const { problems } = await under(scene, lie, () => by.verify());
      assert.ok(problems.some(({ kind, message }) => kind === "index" && /checkpoint/.test(message)));
    }
    await scene.store.close();
  }));

Deno.test("a slot that was replaced by passwd opens again when storage brings it back: that does not revoke", () =>
  inFolder(async (folder) => {
    const scene = await sceneIn(folder);
    const [first, second] = scene.ofKind("slot") as [string, string];
    await scene.store.delete(first);
    assert.equal(await outcomeOf(scene.pinned, scene.snapshots), "survived");
    await scene.store.put(first, scene.objects.get(first)!);
    await scene.store.delete(second);
    assert.equal(await outcomeOf(scene.pinned, scene.snapshots), "survived");
    await scene.store.close();
  }));

Deno.test("a file of another length with the same tree hash does not pass for a brick", () =>
  inFolder(async (folder) => {
    const founded = await found(folder);
    const old = founded.machine(founded.fullKey);
    const tar = joined([member({ name: "body" }, noise(1_300_000, 5)), END]);
    const { snapshot } = await old.create(tar, { level: 0 });
    const store = await openDirectoryStore(founded.location);
    const name = (await Array.fromAsync(store.list("bricks/")))[0]!.name;
    const brick = await store.get(name);
    assert.ok(brick.length > 2 ** 20 && brick.length <= 2 ** 21, "two leaves");
    const twin = joined([sha256(brick.subarray(0, 2 ** 20)), sha256(brick.subarray(2 ** 20))]);
    const treeHash = (bytes: Uint8Array) => {
      const hasher = new TreeHasher();
      hasher.update(bytes);
      return hasher.digest();
    };
    assert.deepEqual(treeHash(twin), treeHash(brick));
    await store.put(name, twin);
    for (const machine of [old, founded.machine(founded.fullKey)]) {
      for (const mode of [{}, { bricks: true }, { data: true }]) {
        assert.ok((await machine.verify(mode)).problems.length > 0);
      }
      await assert.rejects(machine.extract(snapshot), DamageError);
      assert.deepEqual((await rebuild(machine.session)).adopted, []);
    }
    assert.equal((await old.create(tar, { level: 0 })).newBytes, 1_300_000, "nothing new leans on it");
    await store.close();
  }));
