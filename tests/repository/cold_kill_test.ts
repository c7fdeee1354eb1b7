/** Uploads and backups by processes of their own, which are killed at random moments. */
import assert from "node:assert/strict";
import { join } from "node:path/posix";
import { create } from "../../lib/verbs/mod.ts";
import type { LoggedRequest } from "../emulator/mod.ts";
import { root } from "../project/sources.ts";
import { extractedBytes, objectsIn, streamed, tarOf } from "../verbs/session.ts";
import { BRICK_BYTES } from "./cold_scene.ts";
import { type EmulatedScene, inEmulatedScene, isDone, thawEmulated } from "./emulated_scene.ts";
import { noise } from "./machine.ts";

const tar = tarOf(["a", noise(34_000_000, 5)], ["b", noise(400, 1)]);

/** Starts the program with its own process, as a machine of the scene. */
async function start({ emulator, location, home, key }: EmulatedScene, words: string[], stdin?: string) {
  await Deno.writeTextFile(`${home}/key`, key);
  const endpoint = location.startsWith("s3:") ? ["--endpoint", emulator.endpoint] : [];
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", join(root, "main.ts"), ...words, "-d", location, "--identity", `${home}/key`],
      ...endpoint,
    ],
    env: { ...emulator.environment(), TARZAN_STATE_DIR: `${home}/state`, TARZAN_CONFIG_DIR: `${home}/config` },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    const file = await Deno.open(stdin);
    // Whoever is killed reads no further.
    file.readable.pipeTo(child.stdin).catch(() => {});
  }
  return child;
}

/** Runs until so many requests were made, and not a moment longer; whether it was killed before it was done. */
async function killedAfter(
  scene: EmulatedScene,
  { words, requests, stdin }: { words: string[]; requests: number; stdin?: string },
): Promise<boolean> {
  const last = scene.emulator.requests.length + requests;
  const child = await start(scene, words, stdin);
  let killed = false;
  const watching = setInterval(() => {
    if (scene.emulator.requests.length < last || killed) return;
    killed = true;
    child.kill("SIGKILL");
  }, 1);
  const { success, stderr } = await child.output();
  clearInterval(watching);
  if (!killed) assert.ok(success, new TextDecoder().decode(stderr));
  return killed;
}

/** Kills the same command some times, at moments that follow from a seed, then lets it end; the seed. */
async function killAgainAndAgain(
  scene: EmulatedScene,
  options: { words: string[]; stdin?: string; times: number; most: number },
): Promise<string> {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let kills = 0;
  for (const byte of noise(options.times, seed)) {
    const requests = 1 + byte % options.most;
    if (await killedAfter(scene, { ...options, requests })) kills++;
  }
  await killedAfter(scene, { ...options, requests: Infinity });
  assert.ok(kills > 0, `seed ${seed}`);
  return `seed ${seed}`;
}

/** What was stored in cold storage and confirmed: objects, or parts of archives. */
function sent({ emulator }: EmulatedScene): string[] {
  const isUpload = ({ operation, bucket }: LoggedRequest) =>
    operation === "UploadMultipartPart" || (operation === "PutObject" && bucket === "cold");
  return emulator.requests.filter((request) => isUpload(request) && isDone(request))
    .map(({ key, id, range }) => `${key ?? id} ${range ?? ""}`);
}

async function largeBricks(location: string): Promise<number> {
  const bricks = await objectsIn(location, "bricks");
  const sizes = await Promise.all(bricks.map(async (name) => (await Deno.stat(`${location}/${name}`)).size));
  return sizes.filter((size) => size >= BRICK_BYTES / 4).length;
}

for (const kind of ["bucket", "vault"] as const) {
  Deno.test(`killed with -9 on its way to a ${kind} again and again, an upload sends nothing twice that was confirmed`, () =>
    inEmulatedScene({ kind }, async (scene) => {
      const { emulator, session, location } = scene;
      const { snapshot } = await create(session(), streamed(tar, { defer: true }));
      await create(session(), streamed(tarOf(["new", noise(3000, 2)]), { defer: true }));
      const large = await largeBricks(location);
      emulator.requests.length = 0;
      const words = ["glacier-upload", "--drop-local"];
      const seed = await killAgainAndAgain(scene, { words, times: 4, most: 9 });
      const objects = sent(scene);
      assert.deepEqual(objects, [...new Set(objects)], seed);
      // Nothing is left to be sent.
      await killedAfter(scene, { words, requests: Infinity });
      assert.equal(sent(scene).length, objects.length, seed);
      if (kind === "bucket") {
        assert.equal(objects.length, large + 1, seed);
        assert.deepEqual(await objectsIn(location, "bricks"), [], seed);
        await thawEmulated(scene);
        assert.deepEqual(await extractedBytes(session(), [], snapshot), tar, seed);
        return;
      }
      const completed = emulator.requests.filter(({ operation, status }) =>
        operation === "CompleteMultipartUpload" && status < 300
      );
      assert.equal(new Set(completed.map(({ id }) => id)).size, large + 1, seed);
    }));
}

for (const hot of [undefined, "bucket"] as const) {
  Deno.test(`a backup into ${hot ?? "a directory"} with cold storage, killed with -9 again and again, comes back to the byte`, () =>
    inEmulatedScene({ kind: "bucket", ...(hot && { hot }) }, async (scene) => {
      const { emulator, home, session } = scene;
      const stdin = `${home}/input.tar`;
      await Deno.writeFile(stdin, tar);
      emulator.requests.length = 0;
      const options = { words: ["create"], stdin, times: 3, most: hot === undefined ? 9 : 60 };
      const seed = await killAgainAndAgain(scene, options);
      const objects = sent(scene);
      assert.deepEqual(objects, [...new Set(objects)], seed);
      await thawEmulated(scene);
      assert.deepEqual(await extractedBytes(session({ machine: "another" })), tar, seed);
    }));
}
