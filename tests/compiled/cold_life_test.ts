/** The whole program with buckets and vaults: what packages do on the Deno that is inside an executable may differ. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { startEmulator } from "../emulator/mod.ts";
import { type Given, Machine } from "./program.ts";

const day = 24 * 3600 * 1000;
const MIB = 1024 * 1024;

async function inCloud(
  test: (cloud: {
    endpoint: string;
    pass(ms: number): void;
    run(args: string[], given?: Given): Promise<Uint8Array>;
    ended(args: string[]): Promise<number>;
    machine: Machine;
  }) => Promise<void>,
): Promise<void> {
  const machine = new Machine();
  const emulator = await startEmulator({ startAt: new Date() });
  emulator.createBucket("backups");
  emulator.createVault("sleepers");
  const env = {
    HOME: machine.home,
    TMPDIR: machine.temporary,
    TARZAN_PASSPHRASE: "three blind mice",
    ...emulator.environment(),
  };
  try {
    await test({
      endpoint: emulator.endpoint,
      pass: (ms) => emulator.clock.advance(ms),
      machine,
      async run(args, given = {}) {
        const { code, bytes, stderr } = await machine.tarzan(args, { env, ...given });
        assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
        return bytes;
      },
      ended: async (args) => (await machine.tarzan(args, { env })).code,
    });
  } finally {
    await emulator.close();
    machine.remove();
  }
}

Deno.test("a backup into a bucket comes back on another machine", async () => {
  await inCloud(async ({ endpoint, run, machine }) => {
    const place = ["-d", "s3://backups/mine"];
    const stream = randomBytes(24 * MIB);
    await run(["init", ...place, "--endpoint", endpoint, "--brick-size", "16M"]);
    await run(["create", ...place], { stdin: stream });
    for (const folder of [".local", ".config"]) Deno.removeSync(join(machine.home, folder), { recursive: true });
    const restored = await run(["extract", "latest", ...place, "--endpoint", endpoint]);
    assert.ok(Buffer.compare(restored, stream) === 0);
    await run(["verify", "--bricks", ...place]);
  });
});

for (
  const [name, to] of Object.entries({
    vault: "glacier://us-east-1/sleepers?",
    bucket: "s3://backups/cold?class=DEEP_ARCHIVE&",
  })
) {
  Deno.test(`what sleeps in a ${name} is thawed and comes back`, async () => {
    await inCloud(async ({ endpoint, pass, run, ended }) => {
      const stream = randomBytes(24 * MIB);
      await run(["init", "--brick-size", "16M"]);
      await run(["create"], { stdin: stream });
      await run(["glacier-upload", "--to", `${to}endpoint=${endpoint}`]);
      pass(3 * day);
      if (name === "vault") assert.equal(await ended(["verify", "--inventory"]), 7);
      pass(day / 2);
      await run(["verify"]);
      await run(["glacier-upload", "--to", `${to}endpoint=${endpoint}`, "--drop-local"]);
      assert.equal(await ended(["extract", "latest"]), 7);
      assert.equal(await ended(["thaw", "--tier", "bulk", "--days", "3", "--max-cost", "1"]), 7);
      pass(3 * day / (name === "vault" ? 4 : 1));
      const restored = await run(["extract", "latest"]);
      assert.ok(Buffer.compare(restored, stream) === 0);
    });
  });
}
