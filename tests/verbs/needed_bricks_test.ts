// What a plan reckons that a restore reads, beside what it really reads.

import assert from "node:assert/strict";
import type { ColdStore } from "../../lib/glacier/mod.ts";
import { plan, thaw } from "../../lib/verbs/mod.ts";
import { ColdPlaceInMemory, openMemoryCold } from "../glacier/memory_cold.ts";
import { noise } from "../repository/machine.ts";
import { extractedBytes, inRepository, tarOf } from "./session.ts";
import { putAllToSleep } from "./sleepers.ts";

const kib = 1024;
const FILES = Array.from({ length: 60 }, (_, i): [string, Uint8Array] => [`f${i}`, noise(300 * kib, i + 1)]);

Deno.test("as many bytes are read as a plan says, in about as many requests", async () => {
  await inRepository(async (machine) => {
    await machine.create(tarOf(...FILES), { brickBytes: 8 * kib * kib });
    const place = new ColdPlaceInMemory({ class: "GLACIER", startAt: new Date() });
    let [bytes, requests] = [0, 0];
    const cold: ColdStore = openMemoryCold(place);
    const counting: ColdStore = {
      ...cold,
      read: (object, options) => {
        bytes += options.range.length;
        requests++;
        return cold.read(object, options);
      },
    };
    const session = { ...machine.session, now: () => place.now(), openCold: () => Promise.resolve(counting) };
    await putAllToSleep(session, cold);
    const selections = [[], ["f3"], ["f10", "f11", "f40"], ["f?"]];
    for (const paths of selections) {
      const planned = await plan(session, { snapshot: undefined, paths, days: 3, sameRegion: false, offline: false });
      const choice = { tier: "bulk", days: 3, windowBytes: undefined, maxCost: 1, sameRegion: false } as const;
      const sleep = (ms: number) => Promise.resolve(place.advance(ms));
      await thaw(session, { ...choice, snapshot: undefined, paths, wait: true, sleep });
      [bytes, requests] = [0, 0];
      await extractedBytes(session, paths);
      const expected = planned.cold.reduce((sum, { neededBytes }) => sum + neededBytes, 0);
      const expectedRequests = planned.restore.choices[0]!.cost.reads / 0.0004 * 1000;
      const off = `${paths}: ${bytes} of ${expected} bytes, ${requests} of ${expectedRequests} requests`;
      assert.ok(Math.abs(bytes - expected) <= expected / 5, off);
      assert.ok(Math.abs(requests - expectedRequests) <= 3 + expectedRequests / 4, off);
    }
  });
});
