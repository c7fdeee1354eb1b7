// `cost`: what a repository costs a month, from the ledger and a listing alone.

import assert from "node:assert/strict";
import { cost } from "../../lib/verbs/mod.ts";
import { ColdPlaceInMemory, openMemoryCold } from "../glacier/memory_cold.ts";
import { noise } from "../repository/machine.ts";
import { inRepository, tarOf } from "./session.ts";
import { putAllToSleep } from "./sleepers.ts";

const mib = 1024 * 1024;
const dayMs = 86_400_000;

Deno.test("a month of what sleeps and what is on a disk, and the fee for removing it too early", async () => {
  await inRepository(async (machine) => {
    const deep = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE", location: "s3://deep" });
    const session = {
      ...machine.session,
      now: () => deep.now(),
      openCold: () => Promise.reject(new Error("cost opened a cold store")),
    };
    await machine.create(tarOf(["a", noise(3 * mib, 1)]));
    await putAllToSleep(session, openMemoryCold(deep));
    await machine.create(tarOf(["b", noise(3 * mib, 2)]));
    const calls = deep.calls.length;
    const { hot, cold, month, earlyDeletion, prices } = await cost(session);
    assert.equal(deep.calls.length, calls);
    assert.deepEqual(hot.map((place) => [place.class, place.month.total]), [[undefined, 0]]);
    assert.ok(hot[0]!.bytes > 3 * mib && hot[0]!.bytes < 4 * mib, "only what is still on the disk");
    const [place] = cold;
    const { length } = deep.objects;
    assert.deepEqual([cold.length, place!.location, place!.class], [1, "s3://deep", "DEEP_ARCHIVE"]);
    assert.equal(place!.objects, length);
    // With what each object takes beside its bytes.
    const bytes = deep.objects.reduce((sum, object) => sum + object.bytes + 32768, 0);
    const expected = (bytes * 0.00099 + length * 8192 * 0.023) / 1024 ** 3;
    assert.ok(Math.abs(month - expected) < 1e-9, `${month} ${expected}`);
    // Six months at the price of the class.
    assert.ok(Math.abs(earlyDeletion - 6 * bytes / 1024 ** 3 * 0.00099) < 1e-9);
    assert.deepEqual(place!.freeAt, new Date(deep.now().getTime() + 180 * dayMs));
    assert.equal(prices.length, 1);
    deep.advance(181 * dayMs);
    const later = await cost(session);
    assert.deepEqual([later.earlyDeletion, later.cold[0]!.freeAt], [0, undefined]);
  });
});

Deno.test("the user's own prices count, and a price table that cannot be used is told with its name", async () => {
  await inRepository(async (machine) => {
    await machine.create(tarOf(["a", noise(mib, 1)]));
    const place = new ColdPlaceInMemory({ class: "STANDARD_IA" });
    await putAllToSleep(machine.session, openMemoryCold(place));
    const before = await cost(machine.session);
    const table = {
      ...{ format: "tarzan prices", version: 1, asOf: "2026-11-02", region: "here", currency: "USD", source: "me" },
      classes: {
        STANDARD_IA: {
          ...{ storageGbMonth: 1.25, putPer1000: 0, getPer1000: 0, listPer1000: 0, readPerGb: 0, minimumDays: 0 },
          ...{ minimumBillableBytes: 0, overheadBytes: 0, overheadStandardBytes: 0, copyGbMonth: 0 },
        },
      },
    };
    await Deno.mkdir(machine.config, { recursive: true });
    await Deno.writeTextFile(`${machine.config}/prices.json`, JSON.stringify(table));
    const after = await cost(machine.session);
    assert.ok(Math.abs(after.month - 100 * before.month) < 1e-9);
    assert.ok(after.prices.some(({ source }) => source === "me"));
    await Deno.writeTextFile(`${machine.config}/prices.json`, "{");
    await assert.rejects(cost(machine.session), /Cannot use the price table .*prices\.json/);
  });
});
