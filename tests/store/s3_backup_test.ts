/** Whole backups into a bucket, through the verbs. */
import assert from "node:assert/strict";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import {
  createListBundle,
  createWriteBundle,
  formatBundle,
  type FullBundle,
  openSlot,
  parseBundle,
} from "../../lib/crypto/mod.ts";
import { type BucketChoice, init, listSnapshots, verify } from "../../lib/verbs/mod.ts";
import type { Policy } from "../emulator/mod.ts";
import { type Machine, machineOf, noise, sessionOf } from "../repository/machine.ts";
import { tarOf } from "../verbs/session.ts";
import { BUCKET, countingClock, type S3Site, withSite } from "./s3_places.ts";

const mib = 1024 * 1024;
const LOCATION = `s3://${BUCKET}/home`;

Deno.test("a backup into a bucket comes back to the byte, and the place is remembered with its endpoint", () =>
  inBucket(async ({ machine }) => {
    const tar = tarOf(["a", noise(3 * mib, 1)], ["b", "small"]);
    await machine.create(tar);
    assert.deepEqual(await machine.extract(), tar);
    assert.deepEqual((await machine.verify({ bricks: true, data: true })).problems, []);
    // Nothing is said of the endpoint the second time.
    const { endpoint: _, ...said } = machine.session.bucket!;
    assert.equal((await listSnapshots({ ...machine.session, bucket: said })).length, 1);
  }));

Deno.test("the input is read on while bricks are on their way, and the ledger tells of none before it arrived", () =>
  inBucket(async ({ machine, site: { emulator } }) => {
    emulator.faults.add({ action: "delay", operation: "PutObject", key: "bricks/", delayMs: 400 });
    emulator.requests.length = 0;
    const stored = () =>
      emulator.requests.filter(({ key, confirmed }) => /bricks\//.test(key ?? "") && confirmed).length;
    const tar = tarOf(["a", noise(50 * mib, 2)]);
    let readBeforeFirst = 0;
    const pieces = function* () {
      for (let at = 0; at < tar.length; at += mib) {
        if (stored() === 0) readBeforeFirst = at;
        yield tar.subarray(at, at + mib);
      }
    };
    await machine.create(pieces() as unknown as Uint8Array[]);
    assert.ok(
      readBeforeFirst > 32 * mib,
      `only ${readBeforeFirst} bytes were read while the first brick was on its way`,
    );
    const bricks = new Set<string>();
    for (const { operation, key = "", status } of emulator.requests) {
      if (operation === "HeadObject" && status === 200) bricks.add(key);
      if (operation === "PutObject" && key.includes("ledger/")) assert.ok(bricks.size >= 1);
    }
    assert.deepEqual(await machine.extract(), tar);
  }));

Deno.test("a backup through a storm of faults is whole, and no brick that was confirmed was sent again", () =>
  inBucket(async ({ machine, site: { emulator } }) => {
    for (const [at, action] of (["drop-answer", "reset", "throttle", "server-error", "timeout"] as const).entries()) {
      emulator.faults.add({ action, operation: "PutObject", nth: 1 + at * 2 });
      emulator.faults.add({ action, operation: "HeadObject", nth: 2 + at });
      emulator.faults.add({ action, operation: "ListObjects*", nth: 1 + at * 2 });
    }
    const tar = tarOf(["a", noise(18 * mib, 3)]);
    await machine.create(tar);
    const confirmed = new Set<string>();
    for (const { operation, key = "", status } of emulator.requests) {
      if (operation !== "PutObject" || !/bricks\/|meta\//.test(key)) continue;
      assert.ok(!confirmed.has(key), `${key} was sent again`);
      if (status === 200) confirmed.add(key);
    }
    emulator.faults.clear();
    assert.deepEqual(await machine.extract(), tar);
  }));

Deno.test("an interrupted run leaves its finished bricks to the next one, which does not send their bytes twice", () =>
  inBucket(async ({ machine, site: { emulator } }) => {
    const tar = tarOf(["a", noise(36 * mib, 4)]);
    emulator.faults.add({ action: "access-denied", operation: "PutObject", key: "bricks/", nth: 2, times: 100 });
    await assert.rejects(machine.create(tar), /access denied/);
    emulator.faults.clear();
    emulator.requests.length = 0;
    await machine.create(tar);
    const sent = emulator.requests.filter(({ operation, key }) => operation === "PutObject" && /bricks\//.test(key!));
    assert.ok(sent.reduce((sum, { bytesIn }) => sum + bytesIn, 0) < 24 * mib);
    assert.deepEqual(await machine.extract(), tar);
    assert.deepEqual((await machine.verify({ bricks: true })).problems, []);
  }));

Deno.test("a backup prolongs the locks of all that it relies on, once a day", () =>
  inBucket(async ({ at, fullKey, site: { emulator } }) => {
    const tar = tarOf(["a", noise(3 * mib, 6)]);
    await at(undefined, fullKey, { lockDays: 2 }).create(tar);
    const machine = at(undefined, fullKey, { lockDays: 30 });
    const asked = async (operation: string) => {
      emulator.requests.length = 0;
      await machine.create(tar);
      return emulator.requests.filter((request) => request.operation === operation).length;
    };
    assert.equal(await asked("PutObjectRetention"), 2);
    assert.equal(await asked("PutObjectRetention"), 0);
    const later = new Date(Date.now() + 25 * 3600 * 1000);
    Object.assign(machine.session, { now: () => later });
    assert.equal(await asked("PutObjectRetention"), 0, "30 days are not half over after one");
    assert.deepEqual(machine.warnings, []);
  }, { objectLock: true }));

Deno.test("init tells of a server that overwrites", () =>
  inBucket(async ({ warnings }) => {
    await Promise.resolve();
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /overwrites what is there though it is asked not to/);
  }, { hostile: true }));

for (const objectLock of [false, true]) {
  Deno.test(`the policies in docs/iam let each role do its work and nothing else (${objectLock ? "" : "no "}lock)`, () =>
    inBucket(async ({ full, fullKey, site, at }) => {
      const lock: BucketChoice = objectLock ? { lockDays: 30, lockMode: "COMPLIANCE" } : {};
      const as = (user: string, key: string) => at(user, key, lock);
      const writer = as("writer", formatBundle(await createWriteBundle(full, "default")));
      const tar = tarOf(["a", noise(3 * mib, 5)]);
      await writer.create(tar);
      await writer.create(tarOf(["a", noise(3 * mib, 5)], ["b", "more"]));
      assert.deepEqual(writer.warnings, []);
      const lister = as("lister", formatBundle(await createListBundle(full)));
      assert.ok(await listSnapshots(lister.session));
      assert.deepEqual((await verify(lister.session, { backups: [], bricks: false, dataPercent: 0 })).problems, []);
      const keeper = as("keeper", fullKey);
      assert.equal((await keeper.extract()).length > 3 * mib, true);

      const objects = await Array.fromAsync((await site.bucket({}, "home/")).list(""));
      const brick = objects.find(({ key }) => key.startsWith("bricks/"))!.key;
      const key = objects.find(({ key }) => key.startsWith("keys/"))!.key;
      for (const [user, may] of [["writer", false], ["lister", false], ["keeper", true]] as const) {
        const bucket = await site.bucket({ credentials: () => Promise.resolve(credentials(site, user)) }, "home/");
        const body = { bytes: 0, sha256: EMPTY, read: () => Promise.resolve(new Uint8Array()) };
        const attempts = [() => bucket.put(key, body), () => bucket.remove(key), () => bucket.put(brick, body)];
        for (const attempt of attempts) {
          if (may) await attempt();
          else await assert.rejects(attempt, /access denied/, user);
        }
      }
    }, { objectLock }));
}

const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

interface Scene {
  site: S3Site;
  fullKey: string;
  full: FullBundle;
  machine: Machine;
  /** Warnings of `init`. */
  warnings: string[];
  /** A machine that has a key and signs as a user. */
  at(user: string | undefined, key: string, bucket?: BucketChoice): Machine;
}

/** Runs a test with a repository in a bucket, and a machine that has its full key. */
async function inBucket(
  test: (scene: Scene) => Promise<void>,
  { hostile = false, objectLock = false } = {},
): Promise<void> {
  const users = await Promise.all(["writer", "lister", "keeper"].map(async (name) => ({
    name,
    accessKeyId: `AKIA${name.toUpperCase()}`,
    secretAccessKey: `secret of the ${name}`,
    policy: await policyOf(name),
  })));
  await withSite(async (site) => {
    const { emulator, folder } = site;
    if (hostile) emulator.hostile.add("ignores-if-none-match");
    const identity = await generateHybridIdentity();
    const reached = (user?: string): BucketChoice => ({
      endpoint: emulator.endpoint,
      limits: { credentials: () => Promise.resolve(credentials(site, user)), clock: countingClock() },
    });
    const warnings: string[] = [];
    const founding = sessionOf({ location: LOCATION, state: `${folder}/s`, config: `${folder}/c` });
    const { slots } = await init({ ...founding, bucket: reached(), warn: (message) => void warnings.push(message) }, {
      chunkSizes: { min: 64 * 1024, average: 256 * 1024, max: mib },
      recipients: [await identityToRecipient(identity)],
      recipientsFiles: [],
      passphraseChoice: "none",
    });
    const slot = await (await site.bucket({}, "home/")).get(slots[0]!);
    const fullKey = await openSlot(slot, { identities: [identity] });
    let machines = 0;
    const at = (user: string | undefined, key: string, more: BucketChoice = {}) => {
      const home = `${folder}/machine-${++machines}`;
      const machine = machineOf({ location: LOCATION, state: `${home}/state`, config: `${home}/config`, key });
      return Object.assign(machine, {
        session: Object.assign(machine.session, { bucket: { ...reached(user), ...more } }),
      });
    };
    const full = parseBundle(fullKey) as FullBundle;
    const scene: Scene = { site, fullKey, full, machine: at(undefined, fullKey), warnings, at };
    await test(scene);
  }, { users, objectLock });
}

function credentials({ emulator }: S3Site, user?: string) {
  const environment = emulator.environment(user);
  return {
    accessKeyId: environment["AWS_ACCESS_KEY_ID"]!,
    secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"]!,
  };
}

async function policyOf(name: string): Promise<Policy> {
  const text = await Deno.readTextFile(new URL(`../../docs/iam/${name}.json`, import.meta.url));
  return JSON.parse(text.replaceAll("YOUR-BUCKET", BUCKET).replaceAll("YOUR-PREFIX", "home"));
}
