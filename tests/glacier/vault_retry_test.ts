// Patience, and how much may be in memory meanwhile.

import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteBudget } from "../../lib/glacier/vault/byte_budget.ts";
import { type Pace, persistently, waitMs } from "../../lib/glacier/vault/retry.ts";
import { SharedQuestion } from "../../lib/glacier/vault/shared_question.ts";

const never = new AbortController().signal;

/** Time that passes only by sleeping. */
function dream(patienceMs: number) {
  const waits: number[] = [];
  const warnings: string[] = [];
  let nowMs = 0;
  const pace: Pace = {
    now: () => new Date(nowMs),
    nowMs: () => nowMs,
    sleep: (ms, signal) => {
      signal.throwIfAborted();
      waits.push(ms);
      nowMs += ms;
      return Promise.resolve();
    },
    random: () => 0.999,
    patienceMs,
    firstContactMs: patienceMs,
    warn: (message) => void warnings.push(message),
  };
  const options = { pace, signal: never, judge: () => "patient" as const, patienceMs: () => patienceMs };
  return { options, waits, warnings, nowMs: () => nowMs };
}

Deno.test("an outage of hours is waited out with a few hundred requests at most, and told", async () => {
  const { options, waits, warnings, nowMs } = dream(24 * 3_600_000);
  const result = await persistently(() => {
    if (nowMs() < 8 * 3_600_000) return Promise.reject(new Error("Cannot reach the service"));
    return Promise.resolve("done");
  }, options);
  assert.equal(result, "done");
  assert.ok(waits.length < 120, `${waits.length} requests`);
  assert.ok(warnings.length > 0 && warnings.every((each) => each.startsWith("Cannot reach the service")));
});

Deno.test("patience ends, and the error says what failed and what to do", async () => {
  const { options } = dream(3_600_000);
  await assert.rejects(
    persistently(() => Promise.reject(new Error("Cannot do it")), options),
    /^Error: Cannot do it; given up after \d+ minutes\. Run it again/,
  );
});

Deno.test("what waiting does not change is tried a few times, or once", async () => {
  for (const [verdict, times] of [["few", 5], ["never", 1]] as const) {
    let count = 0;
    const attempt = () => {
      count++;
      return Promise.reject(new Error("no"));
    };
    await assert.rejects(persistently(attempt, { ...dream(1e9).options, judge: () => verdict }), /no/);
    assert.equal(count, times);
  }
});

Deno.test("waits are never nothing, never more than five minutes, and double in between", () => {
  fc.assert(fc.property(fc.nat({ max: 2000 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, random) => {
    const wait = waitMs(failures, random);
    assert.ok(wait >= 100 && wait <= 300_000);
  }));
  assert.deepEqual([0, 1, 2, 3, 20].map((failures) => waitMs(failures, 0.5)), [250, 500, 1000, 2000, 150_000]);
});

Deno.test("before another attempt it is asked whether an earlier one took effect", async () => {
  let attempts = 0;
  const attempt = () => {
    attempts++;
    return Promise.reject(new Error("the answer is lost"));
  };
  const recheck = () => Promise.resolve(attempts === 3 ? "found" : undefined);
  assert.equal(await persistently(attempt, { ...dream(1e9).options, recheck }), "found");
  assert.equal(attempts, 3);
});

Deno.test("whoever is stopped stops at once, with the reason that was given", async () => {
  const stop = new AbortController();
  const { options } = dream(1e9);
  const attempt = () => {
    stop.abort(new Error("enough"));
    return Promise.reject(new Error("no"));
  };
  await assert.rejects(persistently(attempt, { ...options, signal: stop.signal }), /enough/);
});

Deno.test("no more bytes are let in than there is room, in the order of coming; too much is let in alone", async () => {
  const visit = fc.record({ bytes: fc.integer({ min: 1, max: 130 }), turns: fc.nat({ max: 5 }) });
  await fc.assert(fc.asyncProperty(fc.array(visit, { maxLength: 50 }), async (visits) => {
    const budget = new ByteBudget(100);
    const order: number[] = [];
    let inside = 0;
    await Promise.all(visits.map(async ({ bytes, turns }, i) => {
      const release = await budget.take(bytes, never);
      order.push(i);
      inside += Math.min(bytes, 100);
      assert.ok(inside <= 100);
      for (; turns > 0; turns--) await Promise.resolve();
      inside -= Math.min(bytes, 100);
      release();
      release();
    }));
    assert.deepEqual(order, visits.map((_, i) => i));
  }));
});

Deno.test("whoever stops waiting for room does not hold up the others", async () => {
  const budget = new ByteBudget(10);
  const release = await budget.take(10, never);
  const stop = new AbortController();
  const stopped = budget.take(10, stop.signal);
  const next = budget.take(5, never);
  stop.abort(new Error("enough"));
  await assert.rejects(stopped, /enough/);
  release();
  (await next)();
  (await budget.take(10, never))();
});

Deno.test("a question is asked once for all, and one asker's end is not the others'", async () => {
  let asked = 0;
  const { promise, resolve } = Promise.withResolvers<string>();
  const question = new SharedQuestion(() => {
    asked++;
    return promise;
  });
  const stop = new AbortController();
  const first = question.get(stop.signal);
  const second = question.get(never);
  stop.abort(new Error("enough"));
  await assert.rejects(first, /enough/);
  resolve("answer");
  assert.equal(await second, "answer");
  assert.equal(await question.get(never), "answer");
  assert.equal(asked, 1);
});

Deno.test("a question that failed is asked anew", async () => {
  let asked = 0;
  const question = new SharedQuestion(() => ++asked === 1 ? Promise.reject(new Error("no")) : Promise.resolve(asked));
  await assert.rejects(question.get(never), /no/);
  assert.equal(await question.get(never), 2);
});
