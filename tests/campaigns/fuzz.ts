/**
 * Strange tars, and damaged repositories, in this process. Of a tar every byte comes back. Of a damaged repository no wrong
 * byte ever comes back without an error, every error is one that is meant for people, and nothing hangs.
 *
 *   deno run -A tests/campaigns/fuzz.ts [--seconds 60] [--seed N] [--only tar|damage]
 */
import assert from "node:assert/strict";
import { damageRound, prepareVictim } from "./fuzz_damage.ts";
import { tarRound } from "./fuzz_tar.ts";
import { type Numbers, numbers } from "./numbers.ts";
import { readOptions } from "./options.ts";
import { Site } from "./site.ts";
import { say, Tally } from "./tally.ts";

/** Nothing that is tried here takes this long unless it hangs. */
const MOST_MS = 60_000;
/** A repository takes so many tars. */
const TARS = 12;

const { seed, amount: seconds, only } = readOptions({ name: "seconds", usual: 60 });
say(`seed ${seed}, ${seconds} s`);
const tally = new Tally();
const untilMs = performance.now() + seconds * 1000;
const counts = new Map<string, number>();

// A round depends on the seed and its number alone, so that a failure can be had again.
for (let round = 0; performance.now() < untilMs; round++) {
  const folder = await Deno.makeTempDir({ prefix: "tarzan-fuzz-" });
  try {
    if (round % 2 === 0 && "tar".includes(only)) {
      const site = await Site.found(folder);
      const next = numbers(seed + round * 7919);
      for (let i = 0; i < TARS && performance.now() < untilMs; i++) {
        await one(`tar ${i} of round ${round}`, () => tarRound(site, next));
      }
    } else if (round % 2 === 1 && "damage".includes(only)) {
      const next: Numbers = numbers(seed + round * 7919);
      const victim = await prepareVictim(folder, next);
      for (let i = 0; i < TARS && performance.now() < untilMs; i++) {
        await one(`damage ${i} of round ${round}`, () => damageRound(victim, next));
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
for (const [what, count] of [...counts].sort(([a], [b]) => a < b ? -1 : 1)) say(`${count} times ${what}`);
tally.end();

/** Tries one case; only failures are told one by one. */
async function one(name: string, test: () => Promise<string[]>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`it hangs: not over after ${MOST_MS / 1000} s`)), MOST_MS);
  try {
    for (const what of await Promise.race([test(), late.promise])) counts.set(what, (counts.get(what) ?? 0) + 1);
    tally.add({ passed: 1 });
  } catch (error) {
    assert.ok(error instanceof Error);
    await tally.attempt(`${name} of seed ${seed}`, () => Promise.reject(error));
  } finally {
    clearTimeout(timer);
  }
}
