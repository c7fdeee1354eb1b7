/**
 * Cold storage as it is lived with: uploads that are killed at random moments, machines that forget everything between two
 * steps, thaws that take days, a hot store that is lost, weeks of outages, backups that go to cold storage at once. Against
 * a vault and a bucket of the emulator, moto (which keeps classes and copies) and versitygw (which knows no classes). A
 * server that is not installed is skipped, and said so.
 *
 *   deno run -A tests/campaigns/cold.ts [--kills N] [--full] [--seed N] [--only "NAME PART"]
 *
 * Parts are upload, forgetful, create and week. `--full` takes 2 GiB in bricks of 128 MiB, with 20 kills unless another number
 * is given. The executable in $TARZAN_EXECUTABLE is tried instead of the source.
 */
import { killedCreates } from "./cold_create.ts";
import { ColdSite } from "./cold_site.ts";
import { type ColdTarget, isEmulated, targets } from "./cold_targets.ts";
import {
  assertLooksReadNothing,
  assertPlanIsSilent,
  assertSaysCold,
  dropLocal,
  extractAll,
  passHours,
  rebuildFromCold,
  thawAll,
} from "./cold_thaw.ts";
import { type Amount, assertNothingLeft, assertSentOnce, killedUploads } from "./cold_upload.ts";
import { assertOutlastsWeek } from "./cold_week.ts";
import { numbers } from "./numbers.ts";
import { readOptions } from "./options.ts";
import { say, Tally } from "./tally.ts";

const MIB = 1024 * 1024;
const full = Deno.args.includes("--full");
const { seed, amount: kills, only } = readOptions({ name: "kills", usual: full ? 20 : 6 }, ["--full"]);
/** Several backups, since a thaw and a plan are of one of them. */
const size = full ? { backups: 4, bytes: 512 * MIB, brickMib: 128 } : { backups: 2, bytes: 48 * MIB };

say(`seed ${seed}, ${kills} kills at each target, ${size.backups} × ${size.bytes / MIB} MiB`);
const tally = new Tally();
for (const name of Object.keys(targets)) {
  const parts = isEmulated(name) ? ["upload", "forgetful", "create", "week"] : ["upload", "create"];
  const chosen = parts.filter((part) => `${name} ${part}`.includes(only));
  if (chosen.length > 0) await inFolder((folder) => tryTarget(name, { folder, chosen }));
}
tally.end();

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tarzan-cold-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function tryTarget(name: string, { folder, chosen }: { folder: string; chosen: string[] }): Promise<void> {
  let target: ColdTarget | undefined;
  try {
    await tally.attempt(`${name}: starts`, async () => {
      await Deno.mkdir(`${folder}/server`);
      target = await targets[name]!(`${folder}/server`);
    });
    if (target === undefined) return;
    if (chosen.includes("upload")) {
      await tryUpload(new ColdSite(target, { folder: `${folder}/uploaded`, name: "uploaded" }));
    }
    const site = new ColdSite(target, { folder: `${folder}/created`, name: "created" });
    const killing = { kills: Math.ceil(kills / 3), next: numbers(seed + 1), seed: seed + 50 };
    if (chosen.includes("create")) {
      await tally.attempt(
        `${name}: backups that go to cold storage at once, killed`,
        () => killedCreates(site, killing),
      );
    }
    if (chosen.includes("forgetful")) {
      await tryForgetful(new ColdSite(target, { folder: `${folder}/forgetful`, name: "forgetful" }));
    }
  } finally {
    await target?.stop();
  }
  if (!chosen.includes("week")) return;
  await tally.attempt(`${name}: a week of outages`, () => assertOutlastsWeek({ isVault: name === "vault", seed }));
}

/** What is tried, and whether it only looks. */
type Step = [what: string, step: () => Promise<string | void>, kind?: "look"];

/** One repository's life: uploaded, dropped, got back, lost, got back again. */
async function tryUpload(site: ColdSite): Promise<void> {
  const { name, isVault } = site.target;
  // Where archives go in parts, a brick is to be several of them.
  const { brickMib = isVault ? 24 : 16 } = size;
  let amount: Amount | undefined;
  await tally.attempt(`${name}: a repository`, async () => {
    await site.found(brickMib);
    for (let i = 0; i < size.backups; i++) await site.backUp(seed + i, size);
    amount = await lookAt(site);
    return `${amount.objects} objects, ${(amount.bytes / MIB).toFixed(0)} MiB to send`;
  });
  const next = numbers(seed);
  if (amount === undefined) return;
  const steps: Step[] = [
    ["an upload that is killed", async () => {
      const moments = await killedUploads(site, { kills, next, amount: amount! });
      const sent = await assertSentOnce(site, { objects: amount!.objects });
      await assertNothingLeft(site, { forgetful: false });
      await assertNothingLeft(site, { forgetful: true });
      return `${moments}; ${sent}`;
    }],
    ["local copies go", () => dropLocal(site)],
    ["list, verify and rebuild read nothing cold", () => assertLooksReadNothing(site), "look"],
    ["plan asks nothing", () => assertPlanIsSilent(site), "look"],
    ...(site.target.sleeps ? [["extract says what sleeps", () => assertSaysCold(site), "look"] satisfies Step] : []),
    ["thaw", () => thawAll(site)],
    ["extract", () => extractAll(site)],
    ["the hot store is lost: rebuild --from-cold", async () => {
      await site.loseAll();
      // Long after: the copies from before have ended.
      passHours(site, 9 * 24);
      return await rebuildFromCold(site);
    }],
    ["thaw after the loss", () => thawAll(site)],
    ["extract after the loss", () => extractAll(site)],
  ];
  for (const [what, step, kind] of steps) {
    const before = tally.failed;
    await tally.attempt(`${name}: ${what}`, step);
    // What follows stands on it, unless it only looked.
    if (tally.failed > before && kind !== "look") break;
    await site.forget();
  }
  say(`${name}: the largest process had ${(site.peakBytes / MIB).toFixed(0)} MiB`);
}

/** An upload that is killed on machines of which none knows what the one before had done. */
async function tryForgetful(site: ColdSite): Promise<void> {
  const { name, isVault } = site.target;
  await tally.attempt(`${name}: an upload that is killed on machines that forget`, async () => {
    await site.found(isVault ? 24 : 16);
    await site.backUp(seed + 90, { bytes: 48 * MIB });
    const forgets = Math.ceil(kills / 2);
    const amount = await lookAt(site);
    const moments = await killedUploads(site, { kills: forgets, next: numbers(seed + 2), amount, forgetful: true });
    const sent = await assertSentOnce(site, { forgets });
    await dropLocal(site);
    await thawAll(site);
    return `${moments}; ${amount.objects} objects to send, ${sent}; ${await extractAll(site)}`;
  });
}

/** What an upload would be. */
async function lookAt(site: ColdSite): Promise<Amount> {
  const beganMs = performance.now();
  const { answer } = await site.ask(["glacier-upload", "--to", site.place, "--dry-run"]);
  return {
    objects: Number(answer["objects"]),
    bytes: Number(answer["bytes"]),
    lookMs: performance.now() - beganMs,
  };
}
