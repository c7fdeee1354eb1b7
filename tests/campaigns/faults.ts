/**
 * Everything around a run that can go wrong: the disk, the directory, the pipes, the signals, other runs. Each time: a
 * sentence that says what happened, the right exit code, nothing lost, nothing left behind, and the next run works.
 *
 *   deno run -A tests/campaigns/faults.ts [--only TEXT] [--rounds 1] [--seed N]
 */
import assert from "node:assert/strict";
import { diskFaults } from "./disk_faults.ts";
import { numbers } from "./numbers.ts";
import { readOptions } from "./options.ts";
import { pipeFaults } from "./pipe_faults.ts";
import { processesOf } from "./running.ts";
import { type Scene } from "./scene.ts";
import { sharingFaults } from "./sharing_faults.ts";
import { signalFaults } from "./signal_faults.ts";
import { say, Tally } from "./tally.ts";

const { seed, amount: rounds, only } = readOptions({ name: "rounds", usual: 1 });
say(`seed ${seed}`);
const tally = new Tally();
for (let round = 0; round < rounds; round++) {
  const next = numbers(seed + round);
  for (const [name, play] of Object.entries({ ...diskFaults, ...pipeFaults, ...signalFaults, ...sharingFaults })) {
    if (!name.includes(only)) continue;
    await tally.attempt(name, async () => {
      const folder = await Deno.makeTempDir({ prefix: "tarzan-faults-" });
      const scene: Scene = { folder, next, cleanUp: [] };
      try {
        await play(scene);
        assert.deepEqual(processesOf(folder), [], "processes left behind");
      } finally {
        for (const undo of scene.cleanUp.reverse()) await undo();
        await Deno.remove(folder, { recursive: true });
      }
    });
  }
}
tally.end();
