/**
 * Kills backups with SIGKILL at random moments, and looks what they leave: everything that is announced can be read, the
 * next run finishes the work without storing again what finished bricks hold, and nothing else is left behind.
 *
 *   deno run -A tests/campaigns/kill.ts [--rounds 32] [--seed N]
 */
import assert from "node:assert/strict";
import { assertMoments, momentOf, type Pace, startAndKill, usualPace } from "./moments.ts";
import { type Numbers, numbers, oneOf } from "./numbers.ts";
import { readOptions } from "./options.ts";
import { assertEnded, feedWhole } from "./running.ts";
import { Site } from "./site.ts";
import { assertRestores, sampleTar } from "./stream.ts";
import { say, Tally } from "./tally.ts";

const MIB = 1024 * 1024;
/** With bricks of at most 16 MiB: several bricks, and a checkpoint behind the first. */
const TAR_BYTES = 44 * MIB;
/** A repository is used for so many rounds at most; each has a tar that shares nothing with the others. */
const MOST_ROUNDS = 4;
/** Where bricks end is chance, and each is filled up to a rounded length. */
const ALLOWANCE_BYTES = 3 * MIB;

/** What is backed up, and what that costs a run that nobody disturbs. */
interface Work {
  readonly tar: Uint8Array<ArrayBuffer>;
  readonly pace: Pace;
}

/** What rounds met, to see that they were all over the run. */
const met = { bricks: 0, open: 0, nothing: 0, committed: 0, twice: 0 };

const { seed, amount: rounds } = readOptions({ name: "rounds", usual: 32 });
say(`seed ${seed}, ${rounds} rounds`);
const next = numbers(seed);
const tally = new Tally();
const works = await inSite(async (site) => {
  const works: Work[] = [];
  for (let i = 0; i < MOST_ROUNDS; i++) {
    const tar = sampleTar(seed + i, TAR_BYTES);
    works.push({ tar, pace: await usualPace(site, tar) });
  }
  return works;
});
say(`undisturbed: ${works.map(({ pace }) => `${pace.totalMs.toFixed(0)} ms, ${pace.events} events`).join("; ")}`);
for (let done = 0; done < rounds;) {
  const inThis = Math.min(rounds - done, 1 + next(MOST_ROUNDS));
  await inSite(async (site) => {
    for (const work of works.slice(0, inThis)) {
      const moment = momentOf(done, work.pace, next);
      await tally.attempt(`round ${++done} of seed ${seed}: ${moment.name}`, () => disturb(site, work, moment, next));
    }
  });
}
say(`met: ${JSON.stringify(met)}`);
if (rounds >= 30) await tally.attempt("the moments were all over the run", () => assertMoments(met));
tally.end();

/** A round: kills a backup (or two), looks, and finishes it. */
async function disturb(
  site: Site,
  { tar, pace }: Work,
  moment: ReturnType<typeof momentOf>,
  next: Numbers,
): Promise<string> {
  const before = { json: site.indexes(".json"), open: site.indexes(".open"), brickBytes: site.brickBytes() };
  await startAndKill(site, tar, moment);
  if (next(4) === 0) {
    met.twice++;
    await startAndKill(site, tar, momentOf(next(1000), pace, next));
  }
  const finishedBytes = site.brickBytes() - before.brickBytes;
  const committed = site.indexes(".json").filter((name) => !before.json.includes(name));
  const open = site.indexes(".open").filter((name) => !before.open.includes(name) && !committed.includes(name));
  const reader = oneOf(next, [site.machine, site.stranger()]);

  const { problems } = await reader.verify({ data: true, bricks: true });
  assert.deepEqual(problems, [], "verify after the kill");
  for (const snapshot of committed) await assertRestores(reader, { snapshot, expected: tar });
  let openBytes = 0;
  for (const snapshot of open) openBytes = await assertRestores(reader, { snapshot, expected: tar, isPrefix: true });
  const remark = `${(finishedBytes / MIB).toFixed(1)} MiB of bricks finished, ${committed.length} indexes, ` +
    `${open.length} open (${(openBytes / MIB).toFixed(1)} MiB)`;

  const ended = await feedWhole(site.startCreate(), tar);
  assertEnded(ended, { code: 0 });
  const { storedBytes } = JSON.parse(ended.stdout) as { storedBytes: number };
  const mostBytes = Math.max(0, pace.storedBytes - finishedBytes) + ALLOWANCE_BYTES;
  assert.ok(storedBytes <= mostBytes, `${storedBytes} bytes were stored, not ${mostBytes} at most; ${remark}`);
  await assertRestores(oneOf(next, [site.machine, site.stranger()]), { expected: tar });
  await site.assertTidy();

  if (committed.length > 0) met.committed++;
  if (open.length > 0) met.open++;
  if (finishedBytes > 0) met.bricks++;
  else met.nothing++;
  return `${remark}; then ${(storedBytes / MIB).toFixed(1)} MiB`;
}

/** Uses a new repository and removes it. */
async function inSite<T>(use: (site: Site) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "tarzan-kill-" });
  try {
    return await use(await Site.found(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
