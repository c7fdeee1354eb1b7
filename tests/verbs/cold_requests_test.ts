// Plans, thaws, restores and drills against the emulator: what is asked of which service, by its own log.

import assert from "node:assert/strict";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { openSlot } from "../../lib/crypto/mod.ts";
import {
  create,
  drill,
  init,
  listEntries,
  listSnapshots,
  plan,
  type PlanOptions,
  thaw,
  type ThawOptions,
  type VerbSession,
  verify,
} from "../../lib/verbs/mod.ts";
import { openStore } from "../../lib/verbs/open_store.ts";
import { rememberSettings } from "../../lib/verbs/settings.ts";
import { type Emulator, startEmulator } from "../emulator/mod.ts";
import { inFolder, noise, sessionOf, SMALL_CHUNKS } from "../repository/machine.ts";
import { extractedBytes, streamed, tarOf } from "./session.ts";

const mib = 1024 * 1024;
const hourMs = 3_600_000;
const TAR = tarOf(["a", noise(20 * mib, 1)], ["b", noise(9 * mib, 2)], ["c", "small"]);

interface Scene {
  emulator: Emulator;
  /** The index of the one backup, as a file. */
  out: string;
  /** Of a machine with this name; a new name is a machine that was never here. */
  session(machine: string): VerbSession;
  /** What was asked since this was last asked. */
  asked(): { operation: string; bucket?: string; vault?: string }[];
}

/** A repository with one backup that sleeps. */
async function asleep(
  kinds: { hot: "directory" | "bucket"; cold: "bucket" | "vault" },
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  const emulator = await startEmulator();
  for (const name of ["hot", "cold"]) emulator.createBucket(name);
  emulator.createVault("vault");
  try {
    await inFolder(async (folder) => {
      const { endpoint, region, accessKeyId, secretAccessKey } = emulator;
      const place = kinds.cold === "bucket" ? "s3://cold/x?class=DEEP_ARCHIVE&" : "glacier://us-east-1/vault?";
      const location = kinds.hot === "bucket" ? "s3://hot/home" : `${folder}/repository`;
      const limits = { credentials: () => Promise.resolve({ accessKeyId, secretAccessKey }) };
      const own: { key?: string } = {};
      const session = (machine: string): VerbSession => ({
        ...sessionOf({
          location,
          state: `${folder}/${machine}/s`,
          config: `${folder}/${machine}/c`,
          ...own,
        }),
        bucket: { ...(kinds.hot === "bucket" ? { endpoint } : {}), region, limits },
        now: () => emulator.clock.now(),
      });
      const identity = await generateHybridIdentity();
      const writer = session("writer");
      const { slots, repository } = await init(writer, {
        ...{ chunkSizes: SMALL_CHUNKS, cold: `${place}endpoint=${endpoint}`, recipientsFiles: [] },
        recipients: [await identityToRecipient(identity)],
        passphraseChoice: "none",
      });
      await rememberSettings(writer.places.config(), repository, { level: undefined, brickSizeBytes: 16 * mib });
      const store = await openStore(writer, location);
      own.key = await openSlot(await store.get(slots[0]!), { identities: [identity] });
      await store.close();
      const out = `${folder}/backup.idx`;
      await create(session("writer"), streamed(TAR, { out }));
      // A vault confirms what it holds a day later at the earliest; until then nobody drops anything.
      if (kinds.cold === "vault") await Deno.remove(`${location}/bricks`, { recursive: true });
      emulator.clock.advance(hourMs);
      const asked = () => emulator.requests.splice(0);
      asked();
      await test({ emulator, out, session, asked });
    });
  } finally {
    await emulator.close();
  }
}

const planned: PlanOptions = { snapshot: undefined, paths: [], days: 3, sameRegion: false, offline: false };
const choice: Omit<ThawOptions, "snapshot" | "paths"> = {
  ...{ tier: "standard", days: 3, windowBytes: undefined, maxCost: 1, sameRegion: false, wait: false },
};
const cold = (requests: ReturnType<Scene["asked"]>) =>
  requests.filter(({ bucket, vault }) => bucket === "cold" || vault !== undefined).map(({ operation }) => operation);

Deno.test("a plan asks no cold store, and nobody at all once this machine has read the recipe", () =>
  asleep({ hot: "bucket", cold: "bucket" }, async ({ out, session, asked }) => {
    const first = await plan(session("reader"), { ...planned, snapshot: out });
    const requests = asked();
    assert.ok(requests.length > 0);
    assert.deepEqual(cold(requests), []);
    assert.ok(first.cold[0]!.objects >= 2);
    const again = await plan(session("reader"), { ...planned, snapshot: out });
    assert.deepEqual(asked(), []);
    assert.deepEqual([again.cold, again.restore.cold], [first.cold, first.restore.cold]);
    assert.deepEqual(again.knowledge, first.knowledge);
    await plan(session("reader"), { ...planned, snapshot: out, paths: ["b"], offline: true });
    assert.deepEqual(asked(), []);
    // Which backup is the latest only the repository knows; its index is read once.
    await plan(session("reader"), planned);
    asked();
    await plan(session("reader"), planned);
    assert.deepEqual(new Set(asked().map(({ operation }) => operation)), new Set(["ListObjectsV2"]));
  }));

Deno.test("a plan from a disk beside a vault asks nobody over the network", () =>
  asleep({ hot: "directory", cold: "vault" }, async ({ out, session, asked }) => {
    const { restore } = await plan(session("reader"), { ...planned, snapshot: out });
    assert.deepEqual(restore.choices.map(({ tier }) => tier), ["expedited", "standard", "bulk"]);
    assert.deepEqual(asked(), []);
  }));

Deno.test("listing and verifying read nothing of what sleeps", () =>
  asleep({ hot: "directory", cold: "bucket" }, async ({ session, asked }) => {
    await listSnapshots(session("reader"));
    await listEntries(session("reader"), { snapshot: "latest", paths: [], onEntries: () => {} });
    assert.deepEqual(asked(), []);
    await verify(session("reader"), { backups: [], bricks: false, dataPercent: 0 });
    assert.deepEqual(cold(asked()).filter((operation) => !/^(Head|List)/.test(operation)), []);
  }));

for (const kind of ["bucket", "vault"] as const) {
  const ask = kind === "bucket" ? "RestoreObject" : "InitiateJob";

  Deno.test(`what sleeps in a ${kind} is asked for once, by whichever machine, and restored to the byte`, () =>
    asleep({ hot: "directory", cold: kind }, async ({ emulator, out, session, asked }) => {
      await assert.rejects(extractedBytes(session("reader"), [], out), { name: "StillColdError" });
      assert.ok(!cold(asked()).includes(ask));
      const begun = await thaw(session("reader"), { ...choice, snapshot: out, paths: [] });
      assert.equal(cold(asked()).filter((operation) => operation === ask).length, begun.objects);
      assert.deepEqual([begun.ready, begun.asked], [false, begun.objects]);
      // Another machine, which was told nothing.
      const second = await thaw(session("another"), { ...choice, snapshot: out, paths: [] });
      assert.deepEqual([second.asked, second.thawing], [0, begun.objects]);
      emulator.clock.advance(13 * hourMs);
      assert.equal((await thaw(session("another"), { ...choice, snapshot: out, paths: [] })).ready, true);
      assert.deepEqual(await extractedBytes(session("another"), [], out), TAR);
      assert.ok(!cold(asked()).includes(ask));
    }));

  Deno.test(`a drill goes through a ${kind} in two runs`, () =>
    asleep({ hot: "directory", cold: kind }, async ({ emulator, session }) => {
      const options = { maxCost: 0.5, files: 2, tier: "standard", days: 3, sameRegion: false, wait: false } as const;
      await assert.rejects(drill(session("reader"), options), { name: "StillColdError" });
      emulator.clock.advance(13 * hourMs);
      const { files, continued } = await drill(session("reader"), options);
      assert.deepEqual([files.length, continued], [2, true]);
    }));
}

Deno.test("waiting costs a request now and then", () =>
  asleep({ hot: "directory", cold: "bucket" }, async ({ emulator, out, session, asked }) => {
    const sleep = (ms: number) => Promise.resolve(emulator.clock.advance(ms));
    const { ready, objects } = await thaw(session("reader"), {
      ...{ ...choice, snapshot: out, paths: [], wait: true, sleep },
    });
    assert.equal(ready, true);
    const requests = cold(asked());
    // Twelve hours, asked every quarter of an hour.
    assert.ok(requests.length <= 50 * objects + 10, `${requests.length} requests`);
  }));
