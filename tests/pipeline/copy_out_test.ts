// Segments to bytes: in order whatever comes first, a bounded way ahead, and nothing silently of another length.

import assert from "node:assert/strict";
import fc from "fast-check";
import { DamageError } from "../../lib/crypto/mod.ts";
import { BlockReader, copyOut, type OutSegment, startReaders } from "../../lib/pipeline/mod.ts";
import { noise } from "../brick/bricks.ts";
import { idOf, MemorySource } from "./brick_source.ts";
import { concat } from "./plans.ts";
import { outcome } from "./workers.ts";

const MIB = 1 << 20;
/** What copyOut keeps in memory at most, and the block that goes over it. */
const AHEAD = 16 * MIB;

async function withSource(
  use: (source: MemorySource, reader: BlockReader) => Promise<void>,
  threads = 1,
): Promise<void> {
  const pool = startReaders(threads);
  const source = new MemorySource();
  try {
    await use(source, new BlockReader(source, { pool }));
  } finally {
    pool.close();
  }
}

/** All of a chunk. */
function whole(chunk: Uint8Array): OutSegment {
  return { id: idOf(chunk), from: 0, length: chunk.length, whole: true };
}

/** Segments in runs of ever other lengths. */
async function* later(segments: Iterable<OutSegment>): AsyncGenerator<OutSegment[]> {
  let run: OutSegment[] = [];
  let length = 0;
  for (const segment of segments) {
    run.push(segment);
    if (run.length <= length % 5) continue;
    yield run;
    run = [];
    length++;
  }
  yield run;
}

/** Waits for the blocks of a brick that are still being opened when a copy has ended before its time. */
async function settle(reader: BlockReader, brick: string): Promise<void> {
  await Promise.allSettled(blocks.map((_, block) => reader.lease(brick, block).opened));
}

/** Collects what is written; every call must have ended before the next begins. */
function collector() {
  const written: Uint8Array[] = [];
  let busy = false;
  const output = async (bytes: Uint8Array) => {
    assert.ok(!busy, "two writes at once");
    busy = true;
    written.push(bytes.slice());
    await Promise.resolve();
    busy = false;
  };
  return { written, output };
}

const chunks = Array.from({ length: 30 }, (_, i) => noise(500 + 97 * i, i + 1));
const blocks = Array.from({ length: 10 }, (_, i) => chunks.slice(3 * i, 3 * i + 3));

Deno.test("any segments come out in order: bytes, chunks, parts of chunks, the same ones again", async () => {
  const segment = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }).map((bytes) => ({ segment: { bytes } as OutSegment, bytes })),
    fc.constantFrom(...chunks).map((chunk) => ({ segment: whole(chunk), bytes: chunk })),
    fc.tuple(fc.constantFrom(...chunks), fc.nat(400), fc.integer({ min: 1, max: 100 })).map((
      [chunk, from, length],
    ) => ({
      segment: { id: idOf(chunk), from, length, whole: false },
      bytes: chunk.subarray(from, from + length),
    })),
  );
  await withSource(async (source, reader) => {
    await source.add(blocks);
    await fc.assert(
      fc.asyncProperty(fc.array(segment), async (items) => {
        const { written, output } = collector();
        const expected = concat(items.map(({ bytes }) => bytes));
        const total = await copyOut(later(items.map(({ segment }) => segment)), { reader, output });
        assert.equal(total, expected.length);
        assert.ok(Buffer.compare(concat(written), expected) === 0);
      }),
      { numRuns: 50 },
    );
  }, 2);
});

Deno.test("blocks that come in the opposite order are written in the right one", async () => {
  await withSource(async (source, reader) => {
    await source.add(blocks);
    const gates = blocks.slice(0, 3).map(() => Promise.withResolvers<void>());
    source.onFrame = (_, block) => {
      // Three may be under way: the last one first.
      if (block === 2) gates[2]!.resolve();
      return gates[block]?.promise.then(() => gates[block - 1]?.resolve());
    };
    const { written, output } = collector();
    await copyOut(later(chunks.map(whole)), { reader, output });
    assert.ok(Buffer.compare(concat(written), concat(chunks)) === 0);
  });
});

Deno.test("pieces of any size are written a MiB at a time", async () => {
  await withSource(async (_, reader) => {
    const { written, output } = collector();
    const pieces = Array.from({ length: 5000 }, (_, i) => ({ bytes: new Uint8Array(512).fill(i) }));
    await copyOut(later([...pieces, { bytes: new Uint8Array(3 * MIB) }, { bytes: new Uint8Array(1) }]), {
      reader,
      output,
    });
    assert.ok(written.slice(0, -1).every(({ length }) => length === MIB));
    assert.ok(written.length <= 8, `${written.length} writes`);
    assert.equal(concat(written).length, 5000 * 512 + 3 * MIB + 1);
  });
});

Deno.test("when nobody takes the output, no more than so many bytes are read ahead", async () => {
  const many = Array.from({ length: 60 }, (_, i) => noise(MIB, i + 1));
  await withSource(async (source, reader) => {
    await source.add(many.map((chunk) => [chunk]));
    const gate = Promise.withResolvers<void>();
    const { promise: reached, resolve } = Promise.withResolvers<void>();
    let pulled = 0;
    async function* counted(): AsyncGenerator<OutSegment[]> {
      for (const chunk of many) {
        pulled++;
        yield [whole(chunk)];
      }
    }
    const output = () => {
      resolve();
      return gate.promise;
    };
    const copied = copyOut(counted(), { reader, output });
    await reached;
    await new Promise((resolve) => setTimeout(resolve));
    // One MiB is being written, the next one is gathered.
    assert.ok(pulled <= AHEAD / MIB + 3, `${pulled} chunks of a MiB were asked for`);
    gate.resolve();
    assert.equal(await copied, 60 * MIB);
  });
});

Deno.test("two blocks that take turns, as small bodies and large ones do, keep no third one from being read ahead", async () => {
  const [first, second, third] = [noise(MIB, 1), noise(MIB, 2), noise(MIB, 3)];
  await withSource(async (source, reader) => {
    await source.add([[first], [second], [third]]);
    let pulledThird = false;
    async function* turns(): AsyncGenerator<OutSegment[]> {
      for (let i = 0; i < 40; i++) yield [whole(first), whole(second)];
      pulledThird = true;
      yield [whole(third)];
    }
    let wroteBefore = false;
    await copyOut(turns(), { reader, output: () => void (wroteBefore ||= !pulledThird) });
    assert.ok(!wroteBefore, "80 chunks of two blocks filled what there is for reading ahead");
  });
});

Deno.test("a long run of chunks of one block does not wait in memory until its end", async () => {
  // An empty disk: one chunk again and again, more often than anything could hold.
  await withSource(async (source, reader) => {
    await source.add([[chunks[0]!]]);
    const segment = whole(chunks[0]!);
    let pulled = 0;
    let firstWriteAt: number | undefined;
    async function* endless(): AsyncGenerator<OutSegment[]> {
      for (; pulled < 100_000; pulled++) yield [segment];
    }
    await copyOut(endless(), { reader, output: () => void (firstWriteAt ??= pulled) });
    assert.ok(firstWriteAt! < 50_000, `the first write came after ${firstWriteAt} chunks`);
  });
});

Deno.test("a chunk whose first copy is damaged is written from the second", async () => {
  await withSource(async (source, reader) => {
    await source.add(blocks, (bytes, { blocks }) => void (bytes[blocks[1]!.from]! ^= 1));
    await source.add([blocks[1]!]);
    const { written, output } = collector();
    await copyOut(later(chunks.map(whole)), { reader, output });
    assert.ok(Buffer.compare(concat(written), concat(chunks)) === 0);
  });
});

Deno.test("a chunk that cannot be read ends the copy; what stands before it was written, nothing behind it", async () => {
  await withSource(async (source, reader) => {
    const brick = await source.add(blocks, (bytes, { blocks }) => void (bytes[blocks[5]!.from]! ^= 1));
    const { written, output } = collector();
    await assert.rejects(copyOut(later(chunks.map(whole)), { reader, output }), DamageError);
    assert.ok(Buffer.compare(concat(written), concat(chunks.slice(0, 15))) === 0);
    await settle(reader, brick);
  });
});

Deno.test("what stands before a chunk that is nowhere is written, and what stands before a recipe that breaks off", async () => {
  const nowhere: OutSegment = { id: noise(32, 98), from: 0, length: 1, whole: true };
  async function* broken(): AsyncGenerator<OutSegment[]> {
    yield* later(chunks.slice(0, 7).map(whole));
    throw new DamageError("a page is damaged");
  }
  const segments = [...chunks.slice(0, 7).map(whole), nowhere, whole(chunks[8]!)];
  for (const [runs, why] of [[later(segments), /in none of the bricks/], [broken(), /a page is damaged/]] as const) {
    await withSource(async (source, reader) => {
      const brick = await source.add(blocks);
      const { written, output } = collector();
      await assert.rejects(copyOut(runs, { reader, output }), why);
      assert.ok(Buffer.compare(concat(written), concat(chunks.slice(0, 7))) === 0);
      await settle(reader, brick);
    });
  }
});

Deno.test("a recipe that asks for other bytes than a chunk has is damage", async () => {
  await withSource(async (source, reader) => {
    const brick = await source.add(blocks);
    const [chunk] = chunks;
    const id = idOf(chunk!);
    const wrong: OutSegment[] = [
      { id, from: 0, length: 499, whole: true },
      { id, from: 0, length: 501, whole: true },
      { id, from: 0, length: 501, whole: false },
      { id, from: 500, length: 1, whole: false },
      { id, from: 2 ** 40, length: 1, whole: false },
      { id: noise(32, 99), from: 0, length: 1, whole: true },
    ];
    for (const segment of wrong) {
      await assert.rejects(copyOut(later([segment]), { reader, output: () => {} }), DamageError);
    }
    await settle(reader, brick);
  });
});

Deno.test("an output that fails ends the copy with its reason", async () => {
  await withSource(async (source, reader) => {
    const brick = await source.add(blocks);
    const output = () => Promise.reject(new Error("broken pipe"));
    await assert.rejects(copyOut(later(chunks.map(whole)), { reader, output }), /broken pipe/);
    await settle(reader, brick);
  });
});

Deno.test("an abort ends the copy with its reason", async () => {
  await withSource(async (source, reader) => {
    const brick = await source.add(blocks);
    const controller = new AbortController();
    async function* aborting(): AsyncGenerator<OutSegment[]> {
      yield [whole(chunks[0]!)];
      controller.abort(new Error("interrupted by the test"));
      yield [whole(chunks[1]!)];
    }
    const options = { reader, output: () => {}, signal: controller.signal };
    await assert.rejects(copyOut(aborting(), options), /interrupted by the test/);
    await settle(reader, brick);
  });
});

Deno.test("an abort ends the copy with its reason while nobody takes the output", async () => {
  await withSource(async (source, reader) => {
    const brick = await source.add(blocks);
    const controller = new AbortController();
    const { promise: stalled, resolve } = Promise.withResolvers<void>();
    let writes = 0;
    const output = () => {
      writes++;
      resolve();
      return new Promise<void>(() => {});
    };
    const copied = copyOut(later(chunks.map(whole)), { reader, output, signal: controller.signal });
    await stalled;
    controller.abort(new Error("interrupted by the test"));
    assert.equal(await outcome(copied), "interrupted by the test");
    assert.equal(writes, 1);
    await settle(reader, brick);
  });
});

Deno.test("an abort is heard also where all is in memory and the output never waits", async () => {
  const chunk = noise(MIB, 1);
  const segment = whole(chunk);
  await withSource(async (source, reader) => {
    await source.add([[chunk]]);
    let pulled = 0;
    async function* many(): AsyncGenerator<OutSegment[]> {
      for (; pulled < 40_000; pulled++) yield [segment];
    }
    const controller = new AbortController();
    let writes = 0;
    const output = () => {
      if (writes++ === 0) setTimeout(() => controller.abort(new Error("enough")));
    };
    await assert.rejects(copyOut(many(), { reader, output, signal: controller.signal }), /enough/);
    assert.ok(pulled < 40_000, "it went on to the end");
  });
});
