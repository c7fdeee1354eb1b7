/** The way back: plan, thaw, extract, each on a machine that knows nothing; and what may be asked of cold storage meanwhile. */
import assert from "node:assert/strict";
import type { ColdSite } from "./cold_site.ts";

const HOUR_MS = 3_600_000;
/** How often a thaw, or what needs one, is run before it counts as one that never ends. */
const MOST_RUNS = 12;
const MAX_COST = ["--max-cost", "5"];
/** What costs more than a request, or hands out what is cold. A vault hands out only what a job was begun for. */
const READING = /^(GetObject|RestoreObject|InitiateJob)$/;

/** Takes away what cold storage has, as far as that is confirmed; a vault says so only in an inventory. */
export async function dropLocal(site: ColdSite): Promise<string> {
  if (site.target.isVault) {
    // The first inventory is made about a day after the first upload, and takes hours.
    passHours(site, 30);
    await site.run(["verify", "--inventory"], { code: 7 });
    passHours(site, 6);
  }
  const { answer } = await site.ask(["glacier-upload", "--to", site.place, "--drop-local"]);
  const left = site.hot("bricks");
  // A bundle is believed only by the machine that made it: on another one, small bricks stay until somebody takes them away.
  const large = left.filter((path) => Deno.statSync(path).size >= site.aloneBytes);
  assert.deepEqual(large, [], `data bricks stayed: ${JSON.stringify(answer["dropped"])}`);
  for (const path of left) await Deno.remove(path);
  return `${JSON.stringify(answer["dropped"])}, ${left.length} small ones by hand`;
}

/** That planning asks cold storage nothing, of any kind; with an empty memory and with a warm one. */
export async function assertPlanIsSilent(site: ColdSite): Promise<string> {
  await site.target.forgetCalls();
  let told = "";
  for (const { snapshot } of site.backups) {
    for (const words of [[], ["--offline"]]) {
      const { answer } = await site.ask(["plan", snapshot, ...words]);
      const cold = answer["cold"] as { objects?: number; bytes?: number }[];
      assert.ok(cold.length > 0, `the plan names nothing cold: ${JSON.stringify(answer).slice(0, 500)}`);
      told = JSON.stringify(cold).slice(0, 200);
    }
  }
  assert.deepEqual(await site.target.calls(site.name), []);
  return told;
}

/** That looking at the repository, and making the catalogue anew, reads nothing that is cold. */
export async function assertLooksReadNothing(site: ColdSite): Promise<string> {
  await site.target.forgetCalls();
  const counts: string[] = [];
  for (const words of [["list"], ["list", "latest"], ["verify"], ["rebuild"]]) {
    await site.forget();
    await site.run(words);
    const calls = await site.target.calls(site.name);
    assert.deepEqual(calls.filter(({ operation }) => READING.test(operation)), [], `of ${words.join(" ")}`);
    counts.push(`${words.join(" ")}: ${calls.length}`);
    await site.target.forgetCalls();
  }
  return `requests of ${counts.join(", ")}`;
}

/** Thaws everything, on another machine each time. */
export async function thawAll(site: ColdSite): Promise<string> {
  return await untilReady(site, async () => {
    let code = 0;
    for (const { snapshot } of site.backups) {
      await site.forget();
      code = Math.max(
        code,
        (await site.ask(["thaw", snapshot, "--tier", "bulk", "--days", "5", ...MAX_COST], [0, 7])).code,
      );
    }
    return code;
  });
}

/** That an extraction before the thaw says so and writes nothing. */
export async function assertSaysCold(site: ColdSite): Promise<void> {
  const { stdout } = await site.run(["extract", site.backups[0]!.snapshot], { code: 7, says: /thaw/ });
  assert.equal(stdout, "");
}

/** Gets all backups back, each on a machine that knows nothing. */
export async function extractAll(site: ColdSite): Promise<string> {
  for (const backup of site.backups) {
    await site.forget();
    await site.assertExtracts(backup);
  }
  return `${site.backups.length} backups, every byte`;
}

/** The hot store is made from the cold one alone, on a machine that is lost after each step. */
export async function rebuildFromCold(site: ColdSite): Promise<string> {
  return await untilReady(site, async () => {
    const { code } = await site.ask(["rebuild", "--from-cold", site.place, "--tier", "bulk", ...MAX_COST], [0, 7]);
    if (code !== 0) await site.forget();
    return code;
  });
}

/** Does it again and again, while time passes, until there is nothing to wait for. */
async function untilReady(site: ColdSite, attempt: () => Promise<number>): Promise<string> {
  for (let runs = 1; runs <= MOST_RUNS; runs++) {
    if (await attempt() === 0) {
      // On the first run nothing can be ready that sleeps; copies of other servers never end.
      assert.ok(runs > 1 || site.target.emulator === undefined, "ready before anything was asked for");
      return `ready at run ${runs}`;
    }
    assert.ok(site.target.sleeps, "nothing sleeps there, but it is to be awaited");
    passHours(site, site.target.isVault ? 13 : 49);
  }
  throw new Error(`not ready after ${MOST_RUNS} runs`);
}

/** Moves the emulator's clock; other servers have their own ways. */
export function passHours({ target }: ColdSite, hours: number): void {
  target.emulator?.clock.advance(hours * HOUR_MS);
}
