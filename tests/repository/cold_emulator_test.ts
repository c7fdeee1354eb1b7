/** Backups into the emulator's cold storage, through the real clients: a bucket of an archive class, and a vault. */
import assert from "node:assert/strict";
import { create, glacierUpload } from "../../lib/verbs/mod.ts";
import { extractedBytes, objectsIn, streamed, tarOf } from "../verbs/session.ts";
import { inEmulatedScene, isDone, thawEmulated } from "./emulated_scene.ts";
import { noise } from "./machine.ts";

const MIB = 1 << 20;

const tar = tarOf(["large", noise(30 * MIB, 5)], ["small", "of the page"]);

Deno.test("a backup into an archive class: sent once, data removed here, back to the byte after a thaw", () =>
  inEmulatedScene({ kind: "bucket" }, async (scene) => {
    const { emulator, location, session } = scene;
    const { bricks, cold } = await create(session(), streamed(tar));
    assert.deepEqual(await objectsIn(location, "bricks"), []);
    const puts = emulator.requests.filter(({ operation, bucket }) => operation === "PutObject" && bucket === "cold");
    assert.equal(puts.length, cold!.objects);
    assert.ok(bricks >= 3);
    const again = await glacierUpload(session(), { dryRun: false, dropLocal: true });
    assert.equal(again.objects, 0);
    await assert.rejects(extractedBytes(session()), /cold storage/);
    await thawEmulated(scene);
    assert.deepEqual(await extractedBytes(session({ machine: "another" })), tar);
  }));

Deno.test("a backup into a vault: every part is sent once, also when the run is stopped on the way and begun again", () =>
  inEmulatedScene({ kind: "vault" }, async ({ emulator, location, session }) => {
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
  inEmulatedScene({ kind: "bucket", hot: "bucket" }, async (scene) => {
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
    await thawEmulated(scene);
    assert.deepEqual(await extractedBytes(session({ machine: "another" }), [], result.snapshot), tar);
  }));

Deno.test("a run past the bucket that is stopped leaves its bricks to the next one, which sends none twice", () =>
  inEmulatedScene({ kind: "bucket", hot: "bucket" }, async (scene) => {
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
    await thawEmulated(scene);
    assert.deepEqual(await extractedBytes(session({ machine: "another" }), [], snapshot), tar);
  }));

Deno.test("how a place is reached is remembered once it has answered, for repositories made without cold storage", () =>
  inEmulatedScene({ kind: "vault", isPlain: true }, async (scene) => {
    const { cold, session } = scene;
    const small = tarOf(["a", noise(100_000, 4)]);
    await create(session(), streamed(small));
    const options = { dryRun: false, dropLocal: false };
    const nowhere = cold.replace(/endpoint=.*/, "endpoint=http://127.0.0.1:1");
    const { limits, ...bucket } = session().bucket!;
    const hasty = { ...session(), bucket: { ...bucket, limits: { ...limits, firstContactMs: 1 } } };
    await assert.rejects(glacierUpload(hasty, { ...options, to: nowhere }), /given up/);
    await glacierUpload(session(), { ...options, to: cold });
    // Nothing is said of the endpoint any more.
    const again = await glacierUpload(session(), { ...options, to: cold.split("?")[0] });
    assert.deepEqual([again.objects, again.location], [0, "glacier://us-east-1/vault"]);
    await create(session(), streamed(tarOf(["b", noise(100_000, 5)])));
    assert.equal((await glacierUpload(session(), { ...options, to: cold.split("?")[0] })).objects, 1);
  }));
