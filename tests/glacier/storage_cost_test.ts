// What uploads, months of storage and early removals cost.

import assert from "node:assert/strict";
import {
  earlyDeletionFee,
  estimateMonthly,
  estimateUpload,
  type PricedObject,
  shippedPrices,
} from "../../lib/glacier/mod.ts";

const prices = shippedPrices();
const [KiB, MiB, GiB, TiB] = [1024, 1024 ** 2, 1024 ** 3, 1024 ** 4];
const day = 86_400_000;

function objects(count: number, bytes: number, name: PricedObject["class"] = "DEEP_ARCHIVE"): PricedObject[] {
  return Array.from({ length: count }, () => ({ class: name, bytes }));
}

Deno.test("1 TiB in DEEP_ARCHIVE costs 1.01 USD a month, and puts by the size of bricks", () => {
  const sizes = [16, 64, 128, 256, 512];
  const estimates = sizes.map((size) => estimateUpload(objects(TiB / (size * MiB), size * MiB), { prices }));
  assert.deepEqual(estimates.map(({ cost }) => cost.puts.toFixed(2)), ["3.28", "0.82", "0.41", "0.20", "0.10"]);
  for (const { monthly: { classes: [month] } } of estimates) {
    assert.equal(month!.cost.storage.toFixed(2), "1.01");
    assert.ok(month!.cost.overhead <= 0.014);
  }
  assert.equal(estimates[0]!.monthly.classes[0]!.cost.overhead.toFixed(4), "0.0135");
});

Deno.test("the overhead of objects of 10 KiB is four times their own bytes", () => {
  const [month] = estimateMonthly(objects(1000, 10 * KiB), { prices }).classes;
  assert.equal(month!.overheadBytes, 4 * month!.bytes);
});

Deno.test("10 TB in 80,000 bricks: 4 USD of puts, 0.61 GB of overhead at STANDARD, 9.22 USD a month", () => {
  const { requests, parts, cost, monthly } = estimateUpload(objects(80_000, 125_000_000), { prices });
  assert.deepEqual([requests, parts, cost.puts.toFixed(2), cost.checks.toFixed(3)], [80_000, 80_000, "4.00", "0.032"]);
  const [month] = monthly.classes;
  assert.equal(month!.cost.storage.toFixed(2), "9.22");
  // 8 KiB of each at STANDARD, 32 KiB at DEEP_ARCHIVE.
  assert.equal(month!.cost.overhead.toFixed(4), (0.6104 * 0.023 + 2.4414 * 0.00099).toFixed(4));
});

Deno.test("small objects are billed as 128 KiB where the class says so", () => {
  const months = (["STANDARD_IA", "GLACIER_IR", "GLACIER", "STANDARD"] as const).map((name) =>
    estimateMonthly(objects(3, 1000, name), { prices }).classes[0]!.billedBytes
  );
  assert.deepEqual(months, [3 * 131_072, 3 * 131_072, 3000, 3000]);
});

Deno.test("a month is told by class, only for classes with objects, and adds up", () => {
  const mixed = [...objects(2, GiB, "VAULT"), ...objects(1, GiB, "STANDARD"), ...objects(1, GiB)];
  const { classes, cost } = estimateMonthly(mixed, { prices });
  assert.deepEqual(classes.map((month) => [month.class, month.objects]), [["STANDARD", 1], ["DEEP_ARCHIVE", 1], [
    "VAULT",
    2,
  ]]);
  assert.equal(cost.total, classes.reduce((sum, month) => sum + month.cost.total, 0));
  assert.deepEqual(estimateMonthly([], { prices }), { classes: [], cost: { total: 0 } });
});

Deno.test("uploads to vaults are paid by the part, with a request to begin and one to end", () => {
  const upload = objects(8192, 128 * MiB, "VAULT");
  const estimate = estimateUpload(upload, { prices });
  assert.deepEqual([estimate.parts, estimate.requests], [8 * 8192, 10 * 8192]);
  assert.equal(estimate.cost.puts.toFixed(2), "2.46");
  const larger = estimateUpload([...upload.slice(1), { class: "VAULT", bytes: 1 }], { prices, partBytes: 64 * MiB });
  assert.equal(larger.parts, 2 * 8191 + 1);
});

Deno.test("removing early costs the storage of the days that are missing, and nothing once the minimum is over", () => {
  const storedAt = new Date("2026-01-01T00:00:00Z");
  const fee = (days: number, object: PricedObject) =>
    earlyDeletionFee({ ...object, storedAt }, { now: new Date(storedAt.getTime() + days * day), prices });
  const tebibyte = { class: "DEEP_ARCHIVE", bytes: TiB } as const;
  assert.equal(fee(0, tebibyte).usd.toFixed(2), (1.01376 * 6).toFixed(2));
  assert.equal(fee(150, tebibyte).usd.toFixed(4), "1.0138");
  assert.equal(fee(180, tebibyte).usd, 0);
  assert.equal(fee(400, tebibyte).usd, 0);
  assert.equal(fee(10, tebibyte).freeAt.toISOString(), "2026-06-30T00:00:00.000Z");
  assert.equal(fee(89, { class: "VAULT", bytes: GiB }).usd.toFixed(5), (0.004 / 30).toFixed(5));
  assert.equal(fee(0, { class: "STANDARD", bytes: TiB }).usd, 0);
  // 128 KiB are billed of it.
  assert.equal(fee(0, { class: "GLACIER_IR", bytes: 1 }).usd, 131_072 / GiB * 0.004 * 3);
  // The 32 KiB that each object takes beside its bytes stay as long.
  assert.equal(fee(0, { class: "DEEP_ARCHIVE", bytes: 0 }).usd, 32 * KiB / GiB * 0.00099 * 6);
  // A clock that is behind does not make it dearer.
  assert.equal(fee(-50, tebibyte).usd, fee(0, tebibyte).usd);
});

Deno.test("an upload says what its storage costs at least, however soon it is removed", () => {
  const { leastStorage } = estimateUpload(objects(8192, 128 * MiB), { prices });
  assert.equal(leastStorage.toFixed(2), (1.01376 * 6).toFixed(2));
});
