// Chunks out of bricks: each proved, the next copy where one is damaged, and no more in memory than was allowed.

import assert from "node:assert/strict";
import fc from "fast-check";
import { DamageError } from "../../lib/crypto/mod.ts";
import type { Lease } from "../../lib/pipeline/block_reader.ts";
import { BlockReader, type Pool, startReaders } from "../../lib/pipeline/mod.ts";
import { noise } from "../brick/bricks.ts";
import { idOf, MemorySource } from "./brick_source.ts";
import { outcome } from "./workers.ts";

const chunks = Array.from({ length: 6 }, (_, i) => noise(1000 + i, i + 1));
const blocks = [chunks.slice(0, 3), chunks.slice(3, 5), chunks.slice(5)];
/** Spoils the first block of a brick. */
const spoilFirst = (bytes: Uint8Array, { blocks }: { blocks: { from: number }[] }) =>
  void (bytes[blocks[0]!.from]! ^= 1);

async function withReader(
  use: (reader: BlockReader, source: MemorySource, pool: Pool) => Promise<void>,
  options: { threads?: number; cacheBytes?: number } = {},
): Promise<void> {
  const pool = startReaders(options.threads ?? 1);
  const source = new MemorySource();
  const { cacheBytes } = options;
  try {
    await use(new BlockReader(source, { pool, ...(cacheBytes === undefined ? {} : { cacheBytes }) }), source, pool);
  } finally {
    pool.close();
  }
}

/** Opens a block, and is done with it. */
async function opened(reader: BlockReader, brick: string, block: number): Promise<void> {
  const lease = reader.lease(brick, block);
  try {
    await lease.opened;
  } finally {
    lease.release();
  }
}

for (const threads of [1, 2]) {
  Deno.test(`every chunk comes back, opened by ${threads} threads, and each block is read once`, async () => {
    await withReader(async (reader, source) => {
      await source.add(blocks);
      const found = await Promise.all(chunks.map((chunk) => reader.chunk("D", idOf(chunk))));
      found.forEach((bytes, i) => assert.ok(Buffer.compare(bytes, chunks[i]!) === 0, `chunk ${i}`));
      assert.equal(source.asked.length, blocks.length);
    }, { threads });
  });
}

Deno.test("where the first copy of a chunk is damaged, the second is taken", async () => {
  await withReader(async (reader, source) => {
    const bad = await source.add(blocks, spoilFirst);
    const good = await source.add([[chunks[0]!]]);
    assert.equal(reader.place("D", idOf(chunks[0]!)).brick, bad);
    assert.deepEqual(new Uint8Array(await reader.chunk("D", idOf(chunks[0]!))), chunks[0]);
    assert.deepEqual(source.asked, [`${bad} 0`, `${good} 0`]);
    assert.ok(reader.foundIntact(good, 0));
    assert.ok(!reader.foundIntact(bad, 0));
  });
});

Deno.test("where the first copy is not what its id says, the second is taken", async () => {
  await withReader(async (reader, source) => {
    // A forged toc: the id is right in the second brick only, but both say that they hold it.
    const liar = await source.add([[noise(1000, 77), chunks[1]!]]);
    const { brick } = source.places("D", idOf(noise(1000, 77)))[0]!;
    assert.equal(brick, liar);
    source.lie(liar);
    const wrongId = idOf(noise(1000, 77));
    wrongId[0]! ^= 1;
    await assert.rejects(reader.chunk("D", wrongId), /not what was stored/);
    // Its neighbour in the same block is what it should be.
    assert.deepEqual(new Uint8Array(await reader.chunk("D", idOf(chunks[1]!))), chunks[1]);
    assert.ok(!reader.foundIntact(liar, 0));
  });
});

Deno.test("when every copy is damaged, the first one's failure is told", async () => {
  await withReader(async (reader, source) => {
    const first = await source.add(blocks, spoilFirst);
    await source.add([[chunks[0]!]], spoilFirst);
    await assert.rejects(reader.chunk("D", idOf(chunks[0]!)), (error: Error) => {
      assert.ok(error instanceof DamageError);
      assert.match(error.message, new RegExp(first));
      return true;
    });
  });
});

Deno.test("a chunk that no brick holds is damage, and the message says what to do", async () => {
  await withReader(async (reader) => {
    await assert.rejects(reader.chunk("D", noise(32, 1)), DamageError);
    assert.throws(() => reader.place("D", noise(32, 1)), /tarzan rebuild/);
  });
});

Deno.test("a brick whose frames are of another length, or swapped, is damage", async () => {
  await withReader(async (reader, source) => {
    const swapped = await source.add([[noise(500, 1)], [noise(500, 2)]], (bytes, { blocks: [one, two] }) => {
      const first = bytes.slice(one!.from, one!.to);
      bytes.copyWithin(one!.from, two!.from, two!.to);
      bytes.set(first, two!.from);
    });
    for (const block of [0, 1]) await assert.rejects(opened(reader, swapped, block), DamageError);
  });
});

Deno.test("what was opened is kept up to a bound, the least recently used goes first", async () => {
  // Each block has 3 KiB, so two fit.
  const many = Array.from({ length: 6 }, (_, i) => [noise(3072, i + 1)]);
  await withReader(async (reader, source) => {
    const brick = await source.add(many);
    for (const block of [0, 1, 0, 1]) await opened(reader, brick, block);
    assert.equal(source.asked.length, 2);
    await opened(reader, brick, 2);
    await opened(reader, brick, 1);
    assert.equal(source.asked.length, 3, "1 was used after 0, so 0 went");
    await opened(reader, brick, 0);
    assert.equal(source.asked.length, 4);
  }, { cacheBytes: 2 * 3072 });
});

Deno.test("a block larger than the whole cache is handed out all the same, and is not kept beside others", async () => {
  await withReader(async (reader, source) => {
    const brick = await source.add([[noise(5000, 1)], [noise(5000, 2)]]);
    for (const block of [0, 0, 1, 0]) await opened(reader, brick, block);
    assert.deepEqual(source.asked, [`${brick} 0`, `${brick} 1`, `${brick} 0`]);
  }, { cacheBytes: 1000 });
});

Deno.test("a few blocks are under way at a time, however many are asked for", async () => {
  await withReader(async (reader, source, pool) => {
    const brick = await source.add(Array.from({ length: 40 }, (_, i) => [noise(100, i + 1)]));
    let underWay = 0;
    let most = 0;
    source.onFrame = async () => {
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setTimeout(resolve));
      underWay--;
    };
    await Promise.all(Array.from({ length: 40 }, (_, block) => opened(reader, brick, block)));
    assert.ok(most > 1 && most <= pool.threads + 4, `${most} at a time`);
  });
});

Deno.test("a block that could not be read does not keep others waiting", async () => {
  await withReader(async (reader, source) => {
    const brick = await source.add(Array.from({ length: 20 }, (_, i) => [noise(100, i + 1)]));
    source.onFrame = (_, block) => block % 2 === 0 ? Promise.reject(new Error("no answer")) : undefined;
    const fates = await Promise.all(Array.from({ length: 20 }, (_, block) => outcome(opened(reader, brick, block))));
    assert.deepEqual(fates, Array.from({ length: 20 }, (_, block) => block % 2 === 0 ? "no answer" : "done"));
  });
});

// Only memory of more than 64 KiB is given back by hand.
const LARGE = 100_000;

Deno.test("a block that is leased stays whole although others have taken its place, and goes when it is released", async () => {
  for (const threads of [1, 2]) {
    await withReader(async (reader, source) => {
      const brick = await source.add([1, 2, 3].map((seed) => [noise(LARGE, seed)]));
      const [one, two] = [reader.lease(brick, 0), reader.lease(brick, 0)];
      const { raw } = await one.opened;
      await opened(reader, brick, 1);
      await opened(reader, brick, 2);
      one.release();
      await Promise.resolve();
      assert.deepEqual(raw, noise(LARGE, 1), "somebody else still has it");
      two.release();
      await Promise.resolve();
      assert.equal(raw.length, 0);
    }, { threads, cacheBytes: LARGE });
  }
});

Deno.test("a block that is in the cache stays whole when it is released", async () => {
  await withReader(async (reader, source) => {
    const brick = await source.add([[noise(LARGE, 1)]]);
    await opened(reader, brick, 0);
    const again = reader.lease(brick, 0);
    assert.deepEqual((await again.opened).raw, noise(LARGE, 1));
    again.release();
    assert.equal(source.asked.length, 1);
  });
});

Deno.test("a chunk that was handed out stays as it is, whatever becomes of its block", async () => {
  await withReader(async (reader, source) => {
    const brick = await source.add([1, 2, 3].map((seed) => [noise(LARGE, seed)]));
    const chunk = await reader.chunk("D", idOf(noise(LARGE, 1)));
    for (const block of [1, 2, 1, 2]) await opened(reader, brick, block);
    assert.deepEqual(new Uint8Array(chunk), noise(LARGE, 1));
  }, { cacheBytes: LARGE });
});

Deno.test("a block that is leased, lent and pushed out in any order never gives other bytes", async () => {
  const rnd = fc.array(fc.record({ block: fc.nat(3), what: fc.constantFrom("lease", "release", "chunk") }));
  await fc.assert(
    fc.asyncProperty(rnd, async (steps) => {
      await withReader(async (reader, source) => {
        const brick = await source.add([0, 1, 2, 3].map((seed) => [noise(LARGE, seed + 1)]));
        const leases: { block: number; lease: Lease }[] = [];
        for (const { block, what } of steps) {
          if (what === "lease") leases.push({ block, lease: reader.lease(brick, block) });
          else if (what === "release") leases.shift()?.lease.release();
          else assert.equal((await reader.chunk("D", idOf(noise(LARGE, block + 1)))).length, LARGE);
          for (const { block, lease } of leases) {
            assert.ok(Buffer.compare((await lease.opened).raw, noise(LARGE, block + 1)) === 0);
          }
        }
      }, { cacheBytes: 2 * LARGE });
    }),
    { numRuns: 25 },
  );
});
