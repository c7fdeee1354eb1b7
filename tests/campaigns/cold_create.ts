/** Backups into a repository whose data goes to cold storage at once, killed on the way. */
import assert from "node:assert/strict";
import { killSomewhere } from "./cold_moments.ts";
import type { ColdSite } from "./cold_site.ts";
import { dropLocal, extractAll, thawAll } from "./cold_thaw.ts";
import { assertSentOnce } from "./cold_upload.ts";
import type { Numbers } from "./numbers.ts";
import { sampleTar } from "./stream.ts";

const MIB = 1024 * 1024;
const BYTES = 40 * MIB;

/** Kills, finishes, looks, thaws and gets everything back. */
export async function killedCreates(
  site: ColdSite,
  { kills, next, seed }: { kills: number; next: Numbers; seed: number },
): Promise<string> {
  const { isVault, sleeps } = site.target;
  await site.found(isVault ? 24 : 16, "--cold", site.place);
  await site.target.forgetCalls();
  const beganMs = performance.now();
  await site.backUp(seed, { bytes: BYTES });
  const usualMs = performance.now() - beganMs;
  const moments: string[] = [];
  for (let round = 1; round <= kills; round++) {
    const tar = sampleTar(seed + round, BYTES);
    const run = site.start(["create"]);
    const fed = run.feed(tar).then(() => run.endInput());
    moments.push(await killSomewhere(site, { run, next, mostMs: usualMs, most: 3 }));
    await Promise.all([fed, run.ended]);
    await site.backUp(seed + round, { bytes: BYTES });
    await site.run(["verify"]);
  }
  const sent = await assertSentOnce(site);
  await site.forget();
  // A bucket confirms each brick at once; a vault only with an inventory, until then the copies stay.
  if (isVault) await dropLocal(site);
  assert.deepEqual(site.hot("bricks"), [], "data bricks that cold storage has, in the hot store");
  await site.forget();
  const thawed = sleeps ? await thawAll(site) : "nothing to thaw";
  return `killed at ${moments.join(", ")}; ${sent}; ${thawed}; ${await extractAll(site)}`;
}
