/** Uploads by processes of their own, which are killed at random moments. */
import assert from "node:assert/strict";
import { join } from "node:path/posix";
import { openColdStore } from "../../lib/glacier/mod.ts";
import { type Emulator, type LoggedRequest, startEmulator } from "../emulator/mod.ts";
import { root } from "../project/sources.ts";
import { extractedBytes, objectsIn, streamed, tarOf } from "../verbs/session.ts";
import { create, type VerbSession } from "../../lib/verbs/mod.ts";
import { rememberSettings } from "../../lib/verbs/settings.ts";
import { BRICK_BYTES } from "./cold_scene.ts";
import { found, inFolder, type Machine, noise } from "./machine.ts";

const HOUR_MS = 3_600_000;

interface Scene {
  emulator: Emulator;
  machine: Machine;
  session: VerbSession;
  place: string;
  location: string;
  run(): Deno.ChildProcess;
}

async function inScene(kind: "bucket" | "vault", test: (scene: Scene) => Promise<void>): Promise<void> {
  const emulator = await startEmulator();
  emulator.createBucket("cold");
  emulator.createVault("vault");
  const cold = kind === "bucket" ? "s3://cold/backup?class=DEEP_ARCHIVE&" : "glacier://us-east-1/vault?";
  const place = `${cold}endpoint=${emulator.endpoint}`;
  try {
    await inFolder(async (folder) => {
      const founded = await found(folder);
      const machine = founded.machine(founded.fullKey);
      const { accessKeyId, secretAccessKey, region } = emulator;
      const limits = { credentials: () => Promise.resolve({ accessKeyId, secretAccessKey }) };
      const session = { ...machine.session, bucket: { region, limits }, now: () => emulator.clock.now() };
      const settings = { level: undefined, brickSizeBytes: BRICK_BYTES };
      await rememberSettings(machine.config, founded.full.repository, settings);
      await Deno.writeTextFile(`${folder}/key`, founded.fullKey);
      const run = () =>
        new Deno.Command(Deno.execPath(), {
          args: [
            ...["run", "-A", "--no-check", join(root, "main.ts"), "glacier-upload", "--to", place, "--drop-local"],
            ...["-d", founded.location, "--identity", `${folder}/key`],
          ],
          env: { ...emulator.environment(), TARZAN_STATE_DIR: machine.state, TARZAN_CONFIG_DIR: machine.config },
          stdout: "null",
          stderr: "piped",
        }).spawn();
      await test({ emulator, machine, session, place, location: founded.location, run });
    });
  } finally {
    await emulator.close();
  }
}

/** Runs until so many requests were made, and not a moment longer; whether it was killed before it was done. */
async function killedAfter({ emulator, run }: Scene, requests: number): Promise<boolean> {
  const last = emulator.requests.length + requests;
  const child = run();
  let killed = false;
  const watching = setInterval(() => {
    if (emulator.requests.length < last || killed) return;
    killed = true;
    child.kill("SIGKILL");
  }, 1);
  const { success, stderr } = await child.output();
  clearInterval(watching);
  if (!killed) assert.ok(success, new TextDecoder().decode(stderr));
  return killed;
}

function sent({ requests }: Emulator): LoggedRequest[] {
  return requests.filter(({ operation, status, confirmed }) =>
    ["PutObject", "UploadMultipartPart"].includes(operation) && status < 300 && confirmed
  );
}

const tar = tarOf(["a", noise(40_000_000, 5)], ["b", noise(400, 1)]);

for (const kind of ["bucket", "vault"] as const) {
  Deno.test(`killed with -9 on its way to a ${kind} again and again, an upload sends nothing twice that was confirmed`, () =>
    inScene(kind, async (scene) => {
      const { emulator, session, location } = scene;
      await create(session, streamed(tar));
      await create(session, streamed(tarOf(["new", noise(3000, 2)])));
      const bricks = await objectsIn(location, "bricks");
      const sizes = await Promise.all(bricks.map(async (name) => (await Deno.stat(`${location}/${name}`)).size));
      const large = sizes.filter((size) => size >= BRICK_BYTES / 4).length;
      emulator.requests.length = 0;
      const seed = Math.floor(Math.random() * 2 ** 31);
      const again = `seed ${seed}`;
      const moments = noise(6, seed).map((byte) => 1 + byte % 9);
      let kills = 0;
      for (const requests of moments) if (await killedAfter(scene, requests)) kills++;
      while (await killedAfter(scene, Infinity));
      assert.ok(kills > 0, again);
      const objects = sent(emulator).map(({ key, id, range }) => `${key ?? id} ${range ?? ""}`);
      assert.deepEqual(objects, [...new Set(objects)], again);
      // Nothing is left to be sent.
      const before = sent(emulator).length;
      await killedAfter(scene, Infinity);
      assert.equal(sent(emulator).length, before, again);
      if (kind === "vault") {
        const completed = emulator.requests.filter(({ operation, status }) =>
          operation === "CompleteMultipartUpload" && status < 300
        );
        assert.equal(new Set(completed.map(({ id }) => id)).size, large + 1, again);
        return;
      }
      assert.equal(before, large + 1, again);
      assert.deepEqual(await objectsIn(location, "bricks"), []);
      const { endpoint, accessKeyId, secretAccessKey } = emulator;
      const credentials = () => Promise.resolve({ accessKeyId, secretAccessKey });
      const cold = await openColdStore(`s3://cold/backup?class=DEEP_ARCHIVE&endpoint=${endpoint}&region=us-east-1`, {
        limits: { credentials },
        now: () => emulator.clock.now(),
      });
      const { signal } = new AbortController();
      const listing = await cold.list({ signal });
      assert.ok(listing.ready);
      for await (const object of listing.listing.objects) {
        await cold.thaw(object, { tier: "standard", days: 2, signal });
      }
      await cold.close();
      emulator.clock.advance(13 * HOUR_MS);
      const [oldest] = (await objectsIn(location, "index")).filter((name) => name.endsWith(".json")).sort();
      assert.deepEqual(await extractedBytes(session, [], oldest!.split("/").at(-1)!.slice(0, -5)), tar, again);
    }));
}
