// Working threads: tasks come back, errors keep what they mean, and a thread that dies takes nobody with it in silence.

import assert from "node:assert/strict";
import { DamageError } from "../../lib/crypto/mod.ts";
import { startPool } from "../../lib/pipeline/pool.ts";
import { startReaders } from "../../lib/pipeline/mod.ts";
import { smallArena } from "./plans.ts";
import { outcome, watchWorkers } from "./workers.ts";

const revive = ({ name, message }: { name: string; message: string }) => new Error(`${name}: ${message}`);

async function withFile(content: Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, content);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

for (const threads of [1, 2]) {
  Deno.test(`tasks come back from ${threads} threads, and a failed one does not spoil the next`, async () => {
    const pool = startReaders(threads);
    try {
      assert.equal(pool.threads, threads);
      await withFile(new TextEncoder().encode("abc"), async (path) => {
        const sums = await Promise.all(Array.from({ length: 5 }, () => pool.run({ type: "checksum", path })));
        assert.deepEqual(new Set(sums.map(({ length }) => length)), new Set([3]));
        assert.equal(sums[0]!.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        await assert.rejects(pool.run({ type: "checksum", path: `${path}.none` }), Error);
        assert.equal((await pool.run({ type: "checksum", path })).length, 3);
      });
    } finally {
      pool.close();
    }
  });

  Deno.test(`damage found by one of ${threads} threads is a DamageError here`, async () => {
    const pool = startReaders(threads);
    try {
      const task = {
        type: "open",
        key: { serial: 1, key: new Uint8Array(32), hm: new Uint8Array(32) },
        number: 0,
        frame: new Uint8Array(100),
        rawLength: 10,
        records: new Uint8Array(36),
        idKey: new Uint8Array(32),
        what: "the block of the test",
      } as const;
      await assert.rejects(pool.run(task), (error: Error) => {
        assert.ok(error instanceof DamageError);
        assert.match(error.message, /the block of the test/);
        return true;
      });
    } finally {
      pool.close();
    }
  });
}

/** Makes a thread die: what it is sent is no task, its handler throws, and nothing in it catches that. */
function kill(worker: Worker): Promise<unknown> {
  const died = new Promise((resolve) => worker.addEventListener("error", resolve));
  worker.postMessage(null);
  return died;
}

Deno.test("when a thread has died, the others go on", async () => {
  using watch = watchWorkers();
  const pool = startPool(2, undefined, revive);
  try {
    await kill(watch.workers[0]!);
    await withFile(new Uint8Array(5), async (path) => {
      const sums = await Promise.all([1, 2, 3].map(() => pool.run({ type: "checksum", path })));
      assert.deepEqual(sums.map(({ length }) => length), [5, 5, 5]);
    });
  } finally {
    pool.close();
  }
});

Deno.test("when every thread has died, what waits is refused, and what comes later too", async () => {
  using watch = watchWorkers();
  const pool = startPool(2, smallArena(), revive);
  try {
    const task = { type: "hash", slot: 0, length: 0, chunks: 0 } as const;
    const died = watch.workers.map(kill);
    const waiting = outcome(pool.run(task));
    await Promise.all(died);
    assert.match(await waiting, /working thread died/);
    assert.match(await outcome(pool.run(task)), /working thread died/);
  } finally {
    pool.close();
  }
});

Deno.test("closing the pool fails what is still waiting", async () => {
  const pool = startReaders(2);
  const waiting = outcome(pool.run({ type: "checksum", path: "/dev/null" }));
  pool.close();
  assert.match(await waiting, /were stopped/);
});

Deno.test("a task that throws where it is not expected is an error, not a hang", async () => {
  for (const threads of [1, 2]) {
    const pool = startPool(threads, smallArena(), revive);
    // There is no such slot.
    assert.match(await outcome(pool.run({ type: "hash", slot: 99, length: 5, chunks: 1 })), /TypeError|undefined/);
    pool.close();
  }
});
