import assert from "node:assert/strict";
import { inParallel, Scales } from "../../lib/repository/parallel.ts";

/** Works on all weights at once as far as the scales let it; the most that was under way together, and how many. */
async function underWay(weights: number[], most: number): Promise<{ weight: number; count: number }> {
  const scales = new Scales(most);
  const now = { weight: 0, count: 0 };
  const peak = { weight: 0, count: 0 };
  let done = 0;
  await inParallel(weights, 8, (weight) =>
    scales.within(weight, async () => {
      now.weight += weight;
      now.count++;
      peak.weight = Math.max(peak.weight, now.weight);
      peak.count = Math.max(peak.count, now.count);
      for (let turn = 0; turn < 3; turn++) await Promise.resolve();
      now.weight -= weight;
      now.count--;
      done++;
    }));
  assert.equal(done, weights.length);
  return peak;
}

Deno.test("what is light goes side by side, and never weighs more than it may", async () => {
  assert.deepEqual(await underWay(Array(30).fill(1), 100), { weight: 8, count: 8 });
  assert.deepEqual(await underWay(Array(30).fill(3), 10), { weight: 9, count: 3 });
  assert.ok((await underWay([1, 9, 2, 8, 3, 7, 4, 6, 5, 5], 10)).weight <= 10);
});

Deno.test("what is heavier than all that may be under way goes alone", async () => {
  assert.equal((await underWay([50, 50, 50], 10)).count, 1);
  assert.equal((await underWay([1, 50, 1, 50, 1, 1], 10)).weight, 50);
});

Deno.test("work that fails makes room like any other", async () => {
  const scales = new Scales(1);
  await assert.rejects(scales.within(1, () => Promise.reject(new Error("no"))), /no/);
  assert.equal(await scales.within(1, () => Promise.resolve("yes")), "yes");
});
