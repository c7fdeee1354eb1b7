// The commands about cold storage as people run them, against the emulator: from the first backup to a restore and a drill.

import assert from "node:assert/strict";
import { type Emulator, startEmulator } from "../../emulator/mod.ts";
import { checkAgainstDocs } from "./documented_json.ts";
import { inWorkshop, makeTar, type Outcome } from "./workshop.ts";

const hourMs = 3_600_000;

interface Scene {
  emulator: Emulator;
  tar: string;
  index: string;
  /** Runs a command line with the key; by the emulator's clock. */
  tarzan(...args: string[]): Promise<Outcome>;
}

/** A machine with a repository whose data goes to DEEP_ARCHIVE, and a tar that was backed up. */
async function withBackup(test: (scene: Scene) => Promise<void>): Promise<void> {
  const emulator = await startEmulator();
  emulator.createBucket("cold");
  // The chain of credentials looks at the process.
  const variables = Object.entries(emulator.environment());
  const before = variables.map(([name]) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of variables) Deno.env.set(name, value);
  try {
    await inWorkshop(async ({ folder, founding, tarzanIn }) => {
      const now = () => emulator.clock.now();
      const tarzan: Scene["tarzan"] = (...args) =>
        tarzanIn({ environment: (usual) => ({ ...usual, now }) }, "--identity", `${folder}/ann.key`, ...args);
      const place = `s3://cold/tarzan?class=DEEP_ARCHIVE&endpoint=${emulator.endpoint}`;
      const made = await tarzan("init", ...founding, "--cold", place);
      assert.equal(made.code, 0, made.stderr);
      const tar = await makeTar(folder);
      const index = `${folder}/backup.idx`;
      const created = await tarzan("create", "--out", index, "--", "cat", tar);
      assert.equal(created.code, 0, created.stderr);
      await test({ emulator, tar, index, tarzan });
    });
  } finally {
    for (const [name, value] of before) value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    await emulator.close();
  }
}

Deno.test("plan, thaw, extract, cost and drill, by their exit codes and what they print", () =>
  withBackup(async ({ emulator, tar, index, tarzan }) => {
    const run = async (code: number, ...args: string[]): Promise<Outcome> => {
      const ran = await tarzan(...args);
      assert.equal(ran.code, code, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`);
      return ran;
    };
    const jsonOf = ({ stdout }: Outcome) => checkAgainstDocs(stdout.trimEnd());

    const planned = await run(0, "plan", index);
    assert.match(planned.stdout, /in cold storage +1 brick in s3:\/\/cold\/tarzan \(DEEP_ARCHIVE\)/);
    assert.match(planned.stdout, /\nstandard +within 12 h 00 min .*\nbulk +within 2 d 00 h .*\nNo expedited/);
    assert.match(planned.stdout, /prices +2026-06-18/);
    assert.equal(jsonOf(await run(0, "plan", index, "--offline", "--json"))["schema"], "tarzan.plan/1");
    assert.match((await run(1, "plan", index, "nothing")).stderr, /Not in snapshot .*: nothing/);

    const refused = await run(7, "extract", index);
    assert.equal(refused.stdoutBytes.length, 0);
    assert.match(refused.stderr, /^tarzan: 1 brick of this restore .*\n.*--thaw --wait/);

    // Nobody can be asked, and nothing was said of money.
    assert.match((await run(2, "thaw", index)).stderr, /is estimated at .* USD.*--max-cost USD/);
    assert.match((await run(9, "thaw", index, "--max-cost", "0")).stderr, /0\.00 USD are allowed/);
    const asked = await run(7, "thaw", index, "--max-cost", "1", "--tier", "standard");
    assert.match(asked.stdout, /asked for now +1\n.*on the way +1\n.*readable by +20/s);
    const again = jsonOf(await run(7, "thaw", index, "--max-cost", "1", "--json"));
    assert.deepEqual([again["asked"], again["thawing"], again["ready"]], [0, 1, false]);

    emulator.clock.advance(13 * hourMs);
    assert.match((await run(0, "thaw", index, "--max-cost", "1")).stdout, /next +tarzan extract/);
    assert.deepEqual((await run(0, "extract", index)).stdoutBytes, await Deno.readFile(tar));
    // The drill finds it thawed.
    const drilled = jsonOf(await run(0, "drill", "--files", "2", "--json"));
    assert.equal((drilled["files"] as string[]).length, 2);
    assert.match((await run(0, "drill", "--files", "1")).stdout, /restored +\S.*\nas they were +1 file/);

    const cost = await run(0, "cost");
    assert.match(cost.stdout, /your own disk.*\ns3:\/\/cold\/tarzan +DEEP_ARCHIVE/);
    assert.match(cost.stdout, /Estimate for all of it: .* USD a month; removing it now would cost .* USD more\./);
    assert.equal((jsonOf(await run(0, "cost", "--json"))["hot"] as unknown[]).length, 1);
  }));
