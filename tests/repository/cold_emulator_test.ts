/** Backups into the emulator's cold storage, through the real clients: a bucket of an archive class, and a vault. */
import assert from "node:assert/strict";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { openSlot } from "../../lib/crypto/mod.ts";
import { openColdStore } from "../../lib/glacier/mod.ts";
import { create, glacierUpload, init, type VerbSession } from "../../lib/verbs/mod.ts";
import { rememberSettings } from "../../lib/verbs/settings.ts";
import { type Emulator, type LoggedRequest, startEmulator } from "../emulator/mod.ts";
import { extractedBytes, objectsIn, streamed, tarOf } from "../verbs/session.ts";
import { inFolder, noise, sessionOf, SMALL_CHUNKS } from "./machine.ts";

const MIB = 1 << 20;
const HOUR_MS = 3_600_000;

interface Scene {
  emulator: Emulator;
  location: string;
  cold: string;
  /** A session of the same machine; of another one with a name. */
  session(options?: { signal?: AbortSignal; machine?: string }): VerbSession;
}

/** Runs a test with an emulator and a repository: in a directory, or in a bucket of the emulator. */
async function inScene(
  options: { kind: "bucket" | "vault"; hot?: "bucket" },
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  const emulator = await startEmulator();
  emulator.createBucket("cold");
  emulator.createBucket("hot");
  emulator.createVault("vault");
  try {
    await inFolder(async (folder) => {
      const place = options.kind === "bucket" ? "s3://cold/backup?class=DEEP_ARCHIVE" : "glacier://us-east-1/vault?";
      const cold = `${place}&endpoint=${emulator.endpoint}`.replace("?&", "?");
      const location = options.hot === undefined ? `${folder}/repository` : "s3://hot/repository";
      const identity = await generateHybridIdentity();
      const known: { key?: string } = {};
      const { accessKeyId, secretAccessKey, region } = emulator;
      const session: Scene["session"] = ({ signal, machine = "machine" } = {}) => {
        const home = `${folder}/${machine}`;
        const around = sessionOf({ location, state: `${home}/state`, config: `${home}/config`, ...known });
        const credentials = () => Promise.resolve({ accessKeyId, secretAccessKey });
        const bucket = {
          ...(options.hot && { endpoint: emulator.endpoint }),
          ...{ region, limits: { credentials } },
        };
        return { ...around, bucket, now: () => emulator.clock.now(), ...(signal && { signal }) };
      };
      const { slots, repository } = await init(session(), {
        chunkSizes: SMALL_CHUNKS,
        cold,
        recipients: [await identityToRecipient(identity)],
        recipientsFiles: [],
        passphraseChoice: "none",
      });
      await rememberSettings(session().places.config(), repository, { level: undefined, brickSizeBytes: 16 * MIB });
      known.key = await openSlot(await slotOf(location, slots[0]!, session()), { identities: [identity] });
      await test({ emulator, location, cold, session });
    });
  } finally {
    await emulator.close();
  }
}

async function slotOf(location: string, name: string, session: VerbSession): Promise<Uint8Array<ArrayBuffer>> {
  const { openStore } = await import("../../lib/verbs/open_store.ts");
  const store = await openStore(session, location);
  try {
    return await store.get(name);
  } finally {
    await store.close();
  }
}

const tar = tarOf(["large", noise(30 * MIB, 5)], ["small", "of the page"]);

/** Asks for all copies and lets the time pass. */
async function thawAll({ emulator, cold }: Scene): Promise<void> {
  const { accessKeyId, secretAccessKey } = emulator;
  const credentials = () => Promise.resolve({ accessKeyId, secretAccessKey });
  const store = await openColdStore(cold, { limits: { credentials }, now: () => emulator.clock.now() });
  const { signal } = new AbortController();
  for (const { handle, bytes } of placedIn(emulator)) {
    await store.thaw({ handle, bytes }, { tier: "standard", days: 2, signal });
  }
  await store.close();
  emulator.clock.advance(13 * HOUR_MS);
}

function isDone({ status, confirmed }: LoggedRequest): boolean {
  return status >= 200 && status < 300 && confirmed;
}

/** What was stored and confirmed, from the log of requests. */
function placedIn({ requests }: Emulator): { handle: string; bytes: number }[] {
  return requests.filter((request) => isDone(request) && request.bucket === "cold" && request.operation === "PutObject")
    .map(({ key, bytesIn }) => ({ handle: key!.replace("backup/", ""), bytes: bytesIn }));
}

Deno.test("a backup into an archive class: sent once, data removed here, back to the byte after a thaw", () =>
  inScene({ kind: "bucket" }, async (scene) => {
    const { emulator, location, session } = scene;
    const { bricks, cold } = await create(session(), streamed(tar));
    assert.deepEqual(await objectsIn(location, "bricks"), []);
    const puts = emulator.requests.filter(({ operation, bucket }) => operation === "PutObject" && bucket === "cold");
    assert.equal(puts.length, cold!.objects);
    assert.ok(bricks >= 3);
    const again = await glacierUpload(session(), { dryRun: false, dropLocal: true });
    assert.equal(again.objects, 0);
    await assert.rejects(extractedBytes(session()), /cold storage/);
    await thawAll(scene);
    assert.deepEqual(await extractedBytes(session({ machine: "another" })), tar);
  }));

Deno.test("a backup into a vault: every part is sent once, also when the run is stopped on the way and begun again", () =>
  inScene({ kind: "vault" }, async ({ emulator, location, session }) => {
    await create(session(), streamed(tar, { defer: true }));
    for (const nth of [1, 3]) {
      const stopped = new AbortController();
      const parts = () => emulator.requests.filter(({ operation }) => operation === "UploadMultipartPart").length;
      const before = parts();
      const watching = setInterval(() => parts() >= before + nth && stopped.abort(new Error("stopped")), 1);
      await glacierUpload(session({ signal: stopped.signal }), { dryRun: false, dropLocal: false }).catch(() => {});
      clearInterval(watching);
    }
    await glacierUpload(session(), { dryRun: false, dropLocal: false });
    const sent = emulator.requests.filter((request) => request.operation === "UploadMultipartPart" && isDone(request));
    const parts = sent.map(({ id, range }) => `${id} ${range}`);
    assert.deepEqual(parts, [...new Set(parts)]);
    const completed = emulator.requests.filter((request) =>
      request.operation === "CompleteMultipartUpload" && isDone(request)
    );
    const bricks = await objectsIn(location, "bricks");
    const sizes = await Promise.all(bricks.map(async (name) => (await Deno.stat(`${location}/${name}`)).size));
    // The large bricks, and one bundle.
    assert.equal(completed.length, sizes.filter((size) => size >= 4 * MIB).length + 1);
    assert.equal((await glacierUpload(session(), { dryRun: true, dropLocal: false })).objects, 0);
  }));

Deno.test("where the repository is in a bucket, data bricks go to cold storage past it", () =>
  inScene({ kind: "bucket", hot: "bucket" }, async (scene) => {
    const { emulator, session } = scene;
    const result = await create(session(), streamed(tar));
    const bricksIn = (bucket: string) =>
      emulator.requests.filter(({ operation, key = "", ...request }) =>
        operation === "PutObject" && request.bucket === bucket && key.includes("/bricks/")
      ).map(({ bytesIn }) => bytesIn);
    assert.ok(bricksIn("cold").length >= 2);
    assert.ok(bricksIn("cold").every((bytes) => bytes >= 4 * MIB), bricksIn("cold").join());
    // Small ones wait in the bucket for others.
    assert.ok(bricksIn("hot").every((bytes) => bytes < 4 * MIB), bricksIn("hot").join());
    const before = bricksIn("hot").length;
    await create(session(), streamed(tarOf(["new", noise(100_000, 9)])));
    assert.equal(bricksIn("hot").length, before + 1);
    await thawAll(scene);
    assert.deepEqual(await extractedBytes(session({ machine: "another" }), [], result.snapshot), tar);
  }));

Deno.test("a run past the bucket that is stopped leaves its bricks to the next one, which sends none twice", () =>
  inScene({ kind: "bucket", hot: "bucket" }, async (scene) => {
    const { emulator, session } = scene;
    const stopped = new AbortController();
    emulator.faults.add({ action: "stall", operation: "PutObject", key: "backup/bricks/", nth: 2 });
    const coldPuts = () =>
      emulator.requests.filter(({ operation, bucket }) => operation === "PutObject" && bucket === "cold");
    const watching = setInterval(() => coldPuts().length >= 2 && stopped.abort(new Error("stopped")), 5);
    await assert.rejects(create(session({ signal: stopped.signal }), streamed(tar)), /stopped/);
    clearInterval(watching);
    emulator.faults.clear();
    const { snapshot } = await create(session(), streamed(tar));
    const keys = coldPuts().filter(isDone).map(({ key }) => key);
    assert.deepEqual(keys, [...new Set(keys)]);
    await thawAll(scene);
    assert.deepEqual(await extractedBytes(session({ machine: "another" }), [], snapshot), tar);
  }));
