// New chunks to sealed blocks: in order whatever finishes first, no faster than they are taken, and no hang when something fails.

import assert from "node:assert/strict";
import { unpackBlock } from "../../lib/brick/mod.ts";
import { Opener } from "../../lib/crypto/mod.ts";
import { type Arena, makeArena } from "../../lib/pipeline/arena.ts";
import { BlockPacker, type BlockSink } from "../../lib/pipeline/blocks.ts";
import { type Pool, startPool } from "../../lib/pipeline/pool.ts";
import { randomBytes } from "../chunker/generated.ts";
import { concat } from "./plans.ts";
import { outcome } from "./workers.ts";

const BLOCK = 10 * 1024;
const BUFFERS = 3;
const HM = new Uint8Array(32).fill(9);

interface Appended {
  sealed: Uint8Array;
  rawLength: number;
  records: Uint8Array;
}

let serials = 0;

/** Takes blocks for one brick, and does in between what a test asks for. */
class Sink implements BlockSink {
  readonly key = { serial: serials++, key: randomBytes(32, serials), hm: HM };
  readonly placed: number[] = [];
  readonly appended: Appended[] = [];
  readonly failures: Error[] = [];
  onPlace: (number: number) => Promise<void> | void = () => {};
  onAppend: (number: number) => Promise<void> | void = () => {};

  async place(rawLength: number) {
    const number = this.placed.push(rawLength) - 1;
    await this.onPlace(number);
    return { key: this.key, number };
  }

  async append(block: Appended) {
    await this.onAppend(this.appended.length);
    this.appended.push({ ...block, sealed: new Uint8Array(block.sealed) });
  }

  fail(error: Error) {
    this.failures.push(error);
  }
}

async function withPacker(
  threads: number,
  use: (packer: BlockPacker, sink: Sink, pool: Pool) => Promise<void>,
): Promise<void> {
  const arena = blockArena(threads);
  const pool = startPool(threads, arena, ({ message }) => new Error(message));
  try {
    const sink = new Sink();
    const { memory, dataBuffers: buffers } = arena;
    await use(new BlockPacker({ pool, memory, buffers, blockBytes: BLOCK, level: 3, sink }), sink, pool);
  } finally {
    pool.close();
  }
}

function blockArena(threads: number): Arena {
  return makeArena({
    maxChunk: 4096,
    threads,
    scratchBytes: 4096,
    slots: 0,
    dataBuffers: { count: BUFFERS, capacity: 2 * BLOCK },
    metaBuffers: { count: 0, capacity: 0 },
  });
}

async function add(packer: BlockPacker, bytes: Uint8Array): Promise<void> {
  await packer.room();
  const record = new Uint8Array(36);
  record.set(bytes.subarray(0, 32));
  new DataView(record.buffer).setUint32(32, bytes.length, true);
  packer.add(bytes, record);
}

/** The raw bytes of all blocks that were appended, opened. */
async function opened({ key, appended }: Sink): Promise<Uint8Array> {
  const opener = new Opener(key.key, key.hm);
  const raws = appended.map(async ({ sealed, rawLength }, number) =>
    unpackBlock(await opener.open("B", number, sealed), rawLength, "the block")
  );
  return concat(await Promise.all(raws));
}

for (const threads of [1, 2]) {
  Deno.test(`chunks come back from their blocks in order, sealed by ${threads} threads`, async () => {
    await withPacker(threads, async (packer, sink) => {
      // Blocks of very different cost: noise and zeros take turns.
      const chunks = Array.from(
        { length: 300 },
        (_, i) => i % 40 < 20 ? randomBytes(100 + i * 7 % 1900, i + 1) : new Uint8Array(2000).fill(i),
      );
      for (const chunk of chunks) await add(packer, chunk);
      await packer.flush();
      assert.ok(await opened(sink).then((raw) => Buffer.compare(raw, concat(chunks)) === 0));
      assert.deepEqual(sink.placed, sink.appended.map(({ rawLength }) => rawLength));
      const records = concat(sink.appended.map(({ records }) => records));
      assert.equal(records.length, chunks.length * 36);
      for (const { rawLength } of sink.appended.slice(0, -1)) assert.ok(rawLength >= BLOCK && rawLength < BLOCK + 2000);
    });
  });
}

Deno.test("a block that is sealed first still comes in its order", async () => {
  await withPacker(2, async (packer, sink) => {
    // Much work, little work.
    await add(packer, randomBytes(2 * BLOCK, 1));
    await add(packer, new Uint8Array(BLOCK));
    await packer.flush();
    assert.deepEqual(sink.appended.map(({ rawLength }) => rawLength), [2 * BLOCK, BLOCK]);
  });
});

Deno.test("a flush closes the block under way, and a second one has nothing to do", async () => {
  await withPacker(1, async (packer, sink) => {
    await add(packer, randomBytes(10, 1));
    assert.equal(sink.placed.length, 0);
    await packer.flush();
    await packer.flush();
    assert.deepEqual(sink.placed, [10]);
  });
});

Deno.test("when blocks are not taken, there is no room after a few, and room again when they are", async () => {
  await withPacker(1, async (packer, sink) => {
    const gate = Promise.withResolvers<void>();
    sink.onAppend = () => gate.promise;
    let added = 0;
    while (packer.ready) {
      await add(packer, randomBytes(BLOCK, ++added));
      assert.ok(added <= BUFFERS, "more was taken than there are buffers");
    }
    assert.equal(added, BUFFERS);
    let room = false;
    const waiting = packer.room().then(() => room = true);
    await new Promise((resolve) => setTimeout(resolve));
    assert.equal(room, false);
    gate.resolve();
    await waiting;
    await add(packer, randomBytes(5, 99));
    await packer.flush();
    assert.equal(sink.appended.length, BUFFERS + 1);
  });
});

Deno.test("a full block that does not get smaller overwrites no other one when it is sealed", async () => {
  const { memory, dataBuffers } = blockArena(1);
  const [one, two] = dataBuffers;
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(randomBytes(one!.capacity, 1), one!.offset);
  bytes.fill(0xee, two!.offset, two!.offset + two!.capacity);
  const pool = startPool(1, { ...blockArena(1), memory }, ({ message }) => new Error(message));
  const task = {
    type: "seal",
    key: new Sink().key,
    number: 0,
    offset: one!.offset,
    length: one!.capacity,
    level: 0,
  } as const;
  assert.equal(await pool.run(task), one!.capacity + 17);
  assert.ok(bytes.subarray(two!.offset, two!.offset + two!.capacity).every((byte) => byte === 0xee));
});

Deno.test("a chunk that fits no block is refused before it is copied", async () => {
  await withPacker(1, async (packer) => {
    await add(packer, randomBytes(BLOCK - 1, 1));
    await assert.rejects(add(packer, randomBytes(BLOCK + 2, 2)), /does not fit a block/);
  });
});

const places: [what: string, fail: (sink: Sink) => void][] = [
  [
    "placing a block",
    (sink) => sink.onPlace = (number) => number === 1 ? Promise.reject(new Error("broken")) : undefined,
  ],
  ["appending a block", (sink) => sink.onAppend = (n) => n === 1 ? Promise.reject(new Error("broken")) : undefined],
];

for (const [what, breakIt] of places) {
  for (const threads of [1, 2]) {
    Deno.test(`when ${what} fails, adding and flushing fail with its reason (${threads} threads)`, async () => {
      await withPacker(threads, async (packer, sink) => {
        breakIt(sink);
        const adding = async () => {
          for (let i = 0; i < 20; i++) await add(packer, randomBytes(BLOCK, i + 1));
        };
        assert.equal(await outcome(adding()), "broken");
        assert.equal(await outcome(packer.flush()), "broken");
        assert.ok(sink.appended.length <= 1);
        assert.ok(sink.failures.every(({ message }) => message === "broken") && sink.failures.length > 0);
      });
    });
  }
}

Deno.test("when a thread fails to seal, the sink hears of it, and no later block is appended", async () => {
  for (const threads of [1, 2]) {
    await withPacker(threads, async (packer, sink) => {
      // No key of 5 bytes seals anything.
      sink.key.key = randomBytes(5, 1);
      const adding = async () => {
        for (let i = 0; i < 20; i++) await add(packer, randomBytes(BLOCK, i + 1));
      };
      assert.match(await outcome(adding()), /key has 32 bytes/);
      assert.match(await outcome(packer.flush()), /key has 32 bytes/);
      assert.equal(sink.appended.length, 0);
      assert.ok(sink.failures.length > 0);
    });
  }
});

Deno.test("a place that waits for blocks which never come is released by the failure", async () => {
  // As a brick does that is full: it is closed once all its blocks were appended.
  await withPacker(1, async (packer, sink) => {
    const released = Promise.withResolvers<void>();
    sink.onPlace = (number) => number === 1 ? released.promise : undefined;
    sink.onAppend = () => Promise.reject(new Error("disk full"));
    sink.fail = (error) => released.reject(error);
    await add(packer, randomBytes(BLOCK, 1));
    await add(packer, randomBytes(BLOCK, 2));
    assert.equal(await outcome(packer.flush()), "disk full");
  });
});

Deno.test("when the threads were stopped, whoever flushes is told", async () => {
  await withPacker(2, async (packer, _, pool) => {
    await add(packer, randomBytes(BLOCK, 1));
    pool.close();
    assert.match(await outcome(packer.flush()), /were stopped/);
  });
});
