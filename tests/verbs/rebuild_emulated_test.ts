// The disaster path with the clients that speak to Amazon, against the emulator: only what is in there and a key are left.

import assert from "node:assert/strict";
import { glacierUpload, listSnapshots, rebuildFromCold, thaw, type VerbSession, verify } from "../../lib/verbs/mod.ts";
import { rememberSettings } from "../../lib/verbs/settings.ts";
import { bucketWorld, vaultWorld } from "../glacier/cold_worlds.ts";
import { machineOf, noise } from "../repository/machine.ts";
import { DAY_MS } from "./cold_session.ts";
import { extractedBytes, inRepository, tarOf } from "./session.ts";

const TAR = tarOf(["dir/a", noise(6_000_000, 1)], ["dir/b", noise(150_000, 2)], ["dir/c", "small"]);
const choice = { tier: "bulk", days: 4, maxCost: 1, windowBytes: undefined, sameRegion: true, wait: true } as const;

for (const world of [() => bucketWorld("DEEP_ARCHIVE"), vaultWorld]) {
  const { class: name, close } = await world();
  await close();
  Deno.test(`cold storage (${name}, emulated) and a key give every byte back`, async () => {
    const place = await world();
    const from = place.isVault ? "glacier://us-east-1/vault" : "s3://cold/backup";
    const to = place.isVault ? from : `${from}?class=${name}`;
    const reaching = (session: VerbSession) => ({ ...session, now: place.now, openCold: () => place.open() });
    const sleep = (ms: number) => place.advance(ms);
    const count = (operation: RegExp) => place.emulator.requests.filter((one) => operation.test(one.operation)).length;
    try {
      await inRepository(async (machine, { location, folder, full, fullKey }) => {
        await rememberSettings(machine.config, full.repository, { level: undefined, brickSizeBytes: 16 << 20 });
        const { snapshot } = await machine.create(TAR);
        await glacierUpload(reaching(machine.session), { to, dryRun: false, dropLocal: !place.isVault });
        await place.advance(4 * DAY_MS);
        await Deno.remove(location, { recursive: true });
        const at = {
          location: `${folder}/new`,
          state: `${folder}/n/state`,
          config: `${folder}/n/config`,
          key: fullKey,
        };
        const session = reaching(machineOf(at).session);
        const done = await rebuildFromCold(session, { ...choice, from, sleep });
        assert.deepEqual([done.waiting, done.problems, done.orphans], [undefined, [], []]);
        assert.deepEqual([done.unpacked, done.placed], [1, 2]);
        const reads = count(/^(GetObject|GetJobOutput)$/);
        assert.deepEqual((await listSnapshots(session)).map(({ coldBricks, bricks }) => [coldBricks, bricks]), [[
          2,
          2,
        ]]);
        const { problems } = await verify(session, { backups: [], bricks: false, dataPercent: 0, inventory: true });
        assert.deepEqual(problems, []);
        if (!place.isVault) assert.equal(count(/^(GetObject|GetJobOutput)$/), reads);
        const thawed = await thaw(session, { ...choice, snapshot, paths: [], sleep });
        assert.deepEqual([thawed.ready, thawed.objects], [true, 1]);
        assert.deepEqual(await extractedBytes(session, [], snapshot), TAR);
      });
    } finally {
      await place.close();
    }
  });
}
