// What a restore costs and how long it takes.

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  checkCeiling,
  copyExpiry,
  CostCeilingError,
  egressCost,
  estimateRestore,
  formatUsd,
  type NeededObject,
  priceClasses,
  type RestoreOptions,
  shippedPrices,
  type Tier,
  tiersOf,
} from "../../lib/glacier/mod.ts";

const prices = shippedPrices();
const midnight = new Date("2026-11-20T00:00:00Z");
const hour = 3_600_000;
const [MiB, GiB, TiB] = [1024 ** 2, 1024 ** 3, 1024 ** 4];
const options: RestoreOptions = { days: 3, prices, now: midnight };

function bricks(count: number, object: Partial<NeededObject> = {}): NeededObject[] {
  const bytes = object.bytes ?? 64 * MiB;
  return Array.from({ length: count }, () => ({ class: "DEEP_ARCHIVE", bytes, neededBytes: bytes, ...object }));
}

function choice(objects: NeededObject[], tier: Tier | undefined, changed: Partial<RestoreOptions> = {}) {
  const { choices } = estimateRestore(objects, { ...options, ...changed });
  const found = choices.find((choice) => choice.tier === tier);
  assert.ok(found, `no choice ${tier} among ${choices.map(({ tier }) => tier)}`);
  return found;
}

function about(actual: number, expected: number, share = 0.001): void {
  assert.ok(Math.abs(actual - expected) <= expected * share, `${actual} is not about ${expected}`);
}

Deno.test("1 TiB of DEEP_ARCHIVE in bulk costs what it takes by hand: bytes, requests, copies for 3 days, egress", () => {
  const { cost } = choice(bricks(16_384), "bulk");
  about(cost.retrieval, 1024 * 0.0025); // 2.56
  about(cost.requests, 16_384 / 1000 * 0.025); // 0.41
  about(cost.copies, 1024 * 0.023 * 3 / 30); // 2.36
  about(cost.egress, (1024 - 100) * 0.09); // 83.16
  about(cost.reads, 16_384 / 1000 * 0.0004); // 0.007
  about(cost.total, cost.retrieval + cost.requests + cost.copies + cost.egress + cost.reads);
  assert.ok(cost.egress / cost.total > 0.93);
});

Deno.test("the restore requests of 1 TiB cost the less the larger the bricks", () => {
  const costs = [16, 64, 128, 256, 512].map((size) =>
    choice(bricks(TiB / (size * MiB), { bytes: size * MiB }), "bulk").cost.requests
  );
  assert.deepEqual(costs.map((usd) => usd.toFixed(2)), ["1.64", "0.41", "0.20", "0.10", "0.05"]);
});

// https://repost.aws/knowledge-center/s3-manage-data-retrieval: 15,000,000 objects, 100 TB (102,400 GB).
Deno.test("Amazon's own example, 15 million objects in GLACIER, costs 750 + 1,024 USD standard, 150,000 + 3,072 expedited", () => {
  // A hundredth of the objects, and of the money.
  const objects = bricks(150_000, { class: "GLACIER", bytes: 1024 * GiB / 150_000 });
  const sums = (["standard", "expedited", "bulk"] as const).map((tier) => {
    const { retrieval, requests } = choice(objects, tier).cost;
    return [requests, retrieval].map((usd) => (usd * 100).toFixed(0));
  });
  assert.deepEqual(sums, [["750", "1024"], ["150000", "3072"], ["0", "0"]]);
});

Deno.test("thawing 4,580 bricks for 10 GiB of changed files is 57 times what is restored", () => {
  const objects = bricks(4580, { bytes: 128 * MiB, neededBytes: 10 * GiB / 4580 });
  const plan = estimateRestore(objects, { ...options, days: 7 });
  assert.equal(plan.cold.bytes, 4580 * 128 * MiB);
  about(plan.restoredBytes, 10 * GiB);
  about(plan.ratio, 57.25);
  const [standard, bulk] = plan.choices;
  assert.deepEqual([standard?.tier, bulk?.tier], ["standard", "bulk"]);
  about(bulk!.cost.retrieval, 572.5 * 0.0025); // 1.43
  about(standard!.cost.retrieval, 572.5 * 0.02); // 11.45
  about(bulk!.cost.copies, 572.5 * 0.023 * 7 / 30); // 3.07
  assert.equal(bulk!.cost.egress, 0);
  assert.deepEqual([standard!.readable.mostMs, bulk!.readable.mostMs], [12 * hour, 48 * hour]);
});

Deno.test("10 TB in decimal units cost a full restore of 23 + 2 + 50 + 829 USD", () => {
  const { cost } = choice(bricks(80_000, { bytes: 125_000_000 }), "bulk", { days: 7 });
  assert.deepEqual(
    [cost.retrieval, cost.requests, cost.copies, cost.egress].map((usd) => usd.toFixed(0)),
    ["23", "2", "50", "829"],
  );
});

Deno.test("the tiers offered are those that every cold object has; why the others are not is said", () => {
  const offered = (...objects: NeededObject[]) => {
    const { choices, unavailable } = estimateRestore(objects, options);
    return [choices.map(({ tier }) => tier), unavailable.map(({ tier, why }) => `${tier}: ${why}`)];
  };
  const [deep, flexible, vault] = (["DEEP_ARCHIVE", "GLACIER", "VAULT"] as const).map((name) =>
    bricks(1, { class: name })[0]!
  );
  const large = { ...flexible!, bytes: 250_000_000 };
  assert.deepEqual(offered(flexible!, vault!), [["expedited", "standard", "bulk"], []]);
  assert.deepEqual(offered(flexible!, deep!), [["standard", "bulk"], [
    "expedited: DEEP_ARCHIVE has no expedited retrieval",
  ]]);
  assert.deepEqual(offered(flexible!, large), [
    ["standard", "bulk"],
    ["expedited: expedited retrieval is for objects under 250 MB"],
  ]);
  assert.deepEqual(offered({ ...large, bytes: 249_999_999 })[0], ["expedited", "standard", "bulk"]);
  // What can be read already holds nothing up.
  assert.deepEqual(offered(flexible!, { ...deep!, thaw: { state: "ready", until: undefined } })[0]?.length, 3);
});

Deno.test("what can be read, or was asked for already, costs no retrieval, no request and no copy", () => {
  const objects = [
    ...bricks(3, { thaw: { state: "ready", until: new Date("2026-11-25T00:00:00Z") } }),
    ...bricks(2, { thaw: { state: "thawing", tier: "bulk", readyAt: undefined } }),
    ...bricks(1, { class: "GLACIER_IR" }),
    ...bricks(1, { class: "STANDARD" }),
  ];
  const { cold, thawing, ready, choices, ratio } = estimateRestore(objects, options);
  assert.deepEqual([cold.objects, thawing.objects, ready.objects, ratio], [0, 2, 5, 0]);
  const expired = estimateRestore(bricks(1, { thaw: { state: "ready", until: midnight } }), options);
  assert.equal(expired.cold.objects, 1);
  const [only, ...others] = choices;
  assert.deepEqual([only?.tier, only?.copiesUntil, others.length], [undefined, undefined, 0]);
  const { retrieval, requests, copies, reads } = only!.cost;
  assert.deepEqual([retrieval, requests, copies], [0, 0, 0]);
  // Reading from GLACIER_IR has its own fee.
  about(reads, 64 / 1024 * 0.03 + (6 * 0.0004 + 0.01) / 1000);
});

Deno.test("all is readable when the slowest is, and what is thawing already counts from when it was said to be ready", () => {
  const thawing = (readyAt: Date | undefined, tier: Tier | undefined) =>
    bricks(1, { class: "GLACIER", thaw: { state: "thawing", tier, readyAt } });
  const cold = bricks(1, { class: "GLACIER" });
  assert.deepEqual(choice(cold, "expedited").readable, { leastMs: 60_000, mostMs: 300_000 });
  const late = new Date(midnight.getTime() + 9 * hour);
  assert.deepEqual(choice([...cold, ...thawing(late, "bulk")], "expedited").readable, {
    leastMs: 9 * hour,
    mostMs: 9 * hour,
  });
  const gone = new Date(midnight.getTime() - hour);
  assert.deepEqual(choice(thawing(gone, "bulk"), undefined).readable, { leastMs: 0, mostMs: 0 });
  assert.deepEqual(choice(thawing(undefined, "standard"), undefined).readable, { leastMs: 0, mostMs: 5 * hour });
  assert.deepEqual(choice(thawing(undefined, undefined), undefined).readable, { leastMs: 0, mostMs: 12 * hour });
});

Deno.test("a vault thaws only the range that is asked for, and keeps no copy that costs", () => {
  const objects = bricks(8, { class: "VAULT", bytes: 128 * MiB, thawBytes: 16 * MiB, neededBytes: 5 * MiB });
  const plan = estimateRestore(objects, options);
  assert.equal(plan.cold.bytes, 128 * MiB);
  assert.equal(plan.ratio, 3.2);
  const { cost, copiesUntil } = plan.choices.at(-1)!;
  about(cost.retrieval, 0.125 * 0.0025);
  assert.deepEqual([cost.copies, cost.reads, copiesUntil], [0, 0, undefined]);
});

Deno.test("copies are kept, and paid for, up to the midnight UTC that ends the last day", () => {
  assert.equal(copyExpiry(new Date("2012-12-18T10:30:00Z"), 2).toISOString(), "2012-12-21T00:00:00.000Z");
  assert.equal(copyExpiry(midnight, 1).toISOString(), "2026-11-21T00:00:00.000Z");
  const { copiesUntil, cost } = choice(bricks(16), "bulk", { now: new Date(midnight.getTime() + 1), days: 1 });
  assert.equal(copiesUntil?.toISOString(), "2026-11-22T00:00:00.000Z");
  about(cost.copies, 0.023 * 2 / 30, 1e-6);
  for (const days of [0, -1, 1.5, NaN]) assert.throws(() => copyExpiry(midnight, days), RangeError);
});

Deno.test("egress is free up to the free amount and rises step by step, the first steps at the first prices", () => {
  const usd = (gb: number) => egressCost(gb * GiB, prices.egress);
  assert.deepEqual([usd(0), usd(100)], [0, 0]);
  about(usd(101), 0.09);
  about(usd(10_240), 10_140 * 0.09);
  about(usd(51_201), 10_140 * 0.09 + 40_960 * 0.085 + 0.07);
  about(usd(200_000), 10_140 * 0.09 + 40_960 * 0.085 + 102_400 * 0.07 + 46_400 * 0.05);
  // More may be free than the first steps have.
  const steps = [{ upToGb: 10, perGb: 9 }, { upToGb: 50, perGb: 5 }, { upToGb: Infinity, perGb: 1 }];
  assert.equal(egressCost(60 * GiB, { ...prices.egress, freeGb: 20, steps }), 30 * 5 + 10);
  // Nothing leaves where the restore runs in the same region.
  assert.equal(choice(bricks(9000), "bulk", { egressBytes: 0 }).cost.egress, 0);
});

Deno.test("every choice adds up, none is cheaper with more objects, and the slower tier never costs more", () => {
  const object = fc.record({
    class: fc.constantFrom(...priceClasses),
    bytes: fc.integer({ min: 1, max: 2 ** 30 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    state: fc.constantFrom("cold", "ready"),
  }).map(({ class: name, bytes, share, state }): NeededObject => ({
    ...{ class: name, bytes, neededBytes: Math.floor(bytes * share) },
    ...(state === "ready" && tiersOf(name).length > 0 ? { thaw: { state: "ready", until: undefined } } : {}),
  }));
  fc.assert(fc.property(fc.array(object, { maxLength: 30 }), object, (objects, another) => {
    const plan = estimateRestore(objects, options);
    for (const [at, { cost }] of plan.choices.entries()) {
      about(cost.total, cost.retrieval + cost.requests + cost.copies + cost.reads + cost.egress, 1e-9);
      if (at > 0) assert.ok(cost.total <= plan.choices[at - 1]!.cost.total);
    }
    const more = estimateRestore([...objects, another], options);
    for (const { tier, cost } of more.choices) {
      const before = plan.choices.find((choice) => choice.tier === tier);
      if (before !== undefined) assert.ok(before.cost.total <= cost.total);
    }
    assert.equal(plan.cold.objects + plan.thawing.objects + plan.ready.objects, objects.length);
  }));
});

Deno.test("an estimate above the ceiling is refused with what it would cost and what was allowed", () => {
  const estimate = choice(bricks(16_384), "bulk", { egressBytes: 0 });
  assert.throws(() => checkCeiling(estimate, 5), (error: Error) => {
    assert.ok(error instanceof CostCeilingError);
    assert.equal(error.name, "CostCeilingError");
    assert.match(
      error.message,
      /about 5\.34 USD \(retrieval 2\.56, requests 0\.41, copies 2\.36, reads 0\.0066\), and 5\.00 USD are allowed/,
    );
    assert.match(error.message, /--max-cost/);
    return true;
  });
  checkCeiling(estimate, estimate.cost.total);
  checkCeiling(estimate, undefined);
  assert.throws(() => checkCeiling(estimate, NaN), RangeError);
});

Deno.test("money is rounded up to what people read, and small amounts keep their digits", () => {
  const shown = [0, 0.00005, 0.0034, 0.03, 0.09999, 0.1, 0.504, 2.56, 10.001, 891].map(formatUsd);
  assert.deepEqual(shown, [
    "0.00",
    "under 0.0001",
    "0.0034",
    "0.03",
    "0.10",
    "0.10",
    "0.51",
    "2.56",
    "10.01",
    "891.00",
  ]);
});
