// A stream to batches: the same on one thread and on several, in order, no faster than they are taken, and never a hang.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createIdHasher } from "../../lib/crypto/mod.ts";
import { SLOT_BYTES } from "../../lib/pipeline/arena.ts";
import { type Batch, type ReadEnd, type SourceSpec, startWriter, type WriterEngine } from "../../lib/pipeline/mod.ts";
import { randomBytes, TABLE } from "../chunker/generated.ts";
import { END, member } from "../tar/archives.ts";
import { concat } from "./plans.ts";
import { outcome, watchWorkers } from "./workers.ts";

const MIB = 1 << 20;
const SLOTS = 4;
const DATA_ID = randomBytes(32, 1);

/** Three slots and a bit: small bodies, large ones, and bodies across the bounds of slots. */
const TAR = concat([
  ...Array.from({ length: 3000 }, (_, i) => member({ name: `dir/${i}` }, randomBytes(i % 700, i + 1))),
  member({ name: "large" }, randomBytes(2 * SLOT_BYTES, 2)),
  member({ name: "last" }, randomBytes(300_000, 3)),
  END,
]);

async function withEngine(
  threads: number,
  use: (engine: WriterEngine) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const engine = await startWriter({
    sizes: { min: 4096, average: 16_384, max: 65_536 },
    smallBodyBytes: 512,
    threads,
    level: 3,
    keys: { gear: TABLE, dataId: DATA_ID, pages: randomBytes(32, 4) },
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    await use(engine);
  } finally {
    engine.close();
  }
}

async function withFile(content: Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".tar" });
  try {
    await Deno.writeFile(path, content);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

/** Bytes in pieces of very different length; tells how many were asked for. */
function pieces(data: Uint8Array, taken: { bytes: number } = { bytes: 0 }): SourceSpec {
  function* all(): Generator<Uint8Array> {
    let turn = 0;
    for (let at = 0; at < data.length;) {
      const piece = data.subarray(at, at + 1 + (turn++ * 7919) % 300_000);
      at += piece.length;
      taken.bytes += piece.length;
      yield piece;
    }
  }
  return { kind: "bytes", pieces: all() };
}

/** What came in a batch, copied, for comparing. */
function facts(batch: Batch): unknown[] {
  const parts: unknown[] = [];
  const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  batch.give({
    raw: (bytes, begins) => parts.push(["raw", begins, bytes.length, digest(bytes)]),
    entry: (hash) => parts.push(["entry", hash]),
    small: (bytes) => parts.push(["small", digest(bytes)]),
    chunk: (id, bytes) => parts.push(["chunk", id.toHex(), bytes.length, digest(bytes)]),
    bodyEnd: () => parts.push(["end"]),
  });
  const leaves = batch.leaves.map((leaf) => leaf.toHex());
  return [batch.length, batch.entries, batch.ids.toHex(), leaves, batch.brickNames, parts];
}

async function readAll(engine: WriterEngine, source: SourceSpec): Promise<{ batches: unknown[][]; end: ReadEnd }> {
  const batches = engine.batches(source);
  const found: unknown[][] = [];
  for (;;) {
    const next = await batches.next();
    if (next.done) return { batches: found, end: next.value };
    found.push(facts(next.value));
    next.value.release();
  }
}

Deno.test("one thread and several, bytes, a file and a program: all give the same batches", async () => {
  await withFile(TAR, async (path) => {
    const env = { PATH: Deno.env.get("PATH") ?? "" };
    const sources: [threads: number, source: SourceSpec][] = [
      [1, pieces(TAR)],
      [2, pieces(TAR)],
      [1, { kind: "file", path }],
      [2, { kind: "file", path }],
      [2, { kind: "command", argv: ["cat", path], env }],
    ];
    let first: unknown[][] | undefined;
    for (const [threads, source] of sources) {
      await withEngine(threads, async (engine) => {
        const { batches, end } = await readAll(engine, source);
        assert.equal(end.bytes, TAR.length);
        assert.equal(end.status.incomplete, undefined);
        assert.equal(end.status.entries, 3002);
        assert.equal(end.exitCode, source.kind === "command" ? 0 : undefined);
        first ??= batches;
        assert.deepEqual(batches, first, `${source.kind}, ${threads} threads`);
      });
    }
  });
});

Deno.test("the ids of a batch are those of its chunks, its leaves those of its MiBs, and all bytes are there in order", async () => {
  await withEngine(1, async (engine) => {
    const hasher = await createIdHasher(DATA_ID);
    const stream: Uint8Array[] = [];
    const batches = engine.batches(pieces(TAR));
    let at = 0;
    for (let next = await batches.next(); !next.done; next = await batches.next()) {
      const batch = next.value;
      let chunks = 0;
      batch.give({
        raw: (bytes) => stream.push(bytes.slice()),
        entry() {},
        small: (bytes) => stream.push(bytes.slice()),
        chunk(id, bytes) {
          stream.push(bytes.slice());
          assert.deepEqual(id, hasher.id(bytes));
          assert.deepEqual(batch.ids.subarray(chunks * 32, ++chunks * 32), id);
        },
        bodyEnd() {},
      });
      assert.equal(batch.ids.length, chunks * 32);
      const piece = TAR.subarray(at, at += batch.length);
      const leaves = Array.from(
        { length: Math.ceil(piece.length / MIB) },
        (_, i) => createHash("sha256").update(piece.subarray(i * MIB, i * MIB + MIB)).digest("hex"),
      );
      assert.deepEqual(batch.leaves.map((leaf) => leaf.toHex()), leaves);
      batch.release();
    }
    assert.ok(Buffer.compare(concat(stream), TAR) === 0);
  });
});

Deno.test("nothing more is read than slots are given back for", async () => {
  await withEngine(1, async (engine) => {
    const long = new Uint8Array(12 * SLOT_BYTES);
    const taken = { bytes: 0 };
    const batches = engine.batches(pieces(long, taken));
    const held: Batch[] = [];
    for (let i = 0; i < SLOTS; i++) held.push((await batches.next()).value as Batch);
    const next = batches.next();
    await new Promise((resolve) => setTimeout(resolve));
    // What was read stands in slots, but for the rest of a piece.
    assert.ok(taken.bytes <= SLOTS * SLOT_BYTES + 300_000, `${taken.bytes} bytes were read`);
    held[0]!.release();
    const { value } = await next;
    assert.equal((value as Batch).length, SLOT_BYTES);
    await batches.return(undefined as unknown as ReadEnd);
  });
});

Deno.test("an empty source is an end of no bytes, incomplete", async () => {
  await withEngine(1, async (engine) => {
    const { batches, end } = await readAll(engine, { kind: "bytes", pieces: [] });
    assert.ok(batches.every(([length]) => length === 0));
    assert.equal(end.bytes, 0);
    assert.equal(end.status.incomplete, "it is empty");
  });
});

Deno.test("the exit code of a program is told, whatever it wrote", async () => {
  for (
    const [script, code, bytes] of [["exit 3", 3, 0], ["printf abc; exit 2", 2, 3], ["kill -9 $$", 137, 0]] as const
  ) {
    await withEngine(2, async (engine) => {
      const { end } = await readAll(engine, { kind: "command", argv: ["/bin/sh", "-c", script], env: {} });
      assert.deepEqual([end.exitCode, end.bytes], [code, bytes], script);
    });
  }
});

Deno.test("a program gets the environment that it is given, and no other", async () => {
  await withEngine(2, async (engine) => {
    const source: SourceSpec = { kind: "command", argv: ["/usr/bin/env"], env: { ONLY: "this" } };
    const { end } = await readAll(engine, source);
    assert.equal(end.bytes, "ONLY=this\n".length);
  });
});

Deno.test("a source that is not there is an error that says so", async () => {
  const sources: SourceSpec[] = [
    { kind: "file", path: "/nowhere/no.tar" },
    { kind: "command", argv: ["/nowhere/no-program"], env: {} },
  ];
  for (const source of sources) {
    await withEngine(1, async (engine) => {
      assert.match(await outcome(readAll(engine, source)), /nowhere|No such file|not found/);
    });
  }
});

Deno.test("a source that breaks in the middle is an error, not an end", async () => {
  await withEngine(1, async (engine) => {
    function* breaks(): Generator<Uint8Array> {
      yield TAR.subarray(0, 2 * SLOT_BYTES);
      throw new Error("the cable was pulled");
    }
    assert.equal(await outcome(readAll(engine, { kind: "bytes", pieces: breaks() })), "the cable was pulled");
  });
});

Deno.test("whoever stops in the middle leaves no thread behind", async () => {
  await withFile(TAR, async (path) => {
    await withEngine(2, async (engine) => {
      const batches = engine.batches({ kind: "file", path });
      assert.equal((await batches.next()).done, false);
    });
  });
});

Deno.test("an abort ends the reading with its reason", async () => {
  await withFile(TAR, async (path) => {
    for (const source of [pieces(TAR), { kind: "file", path } as const]) {
      const controller = new AbortController();
      await withEngine(2, async (engine) => {
        const batches = engine.batches(source);
        await batches.next();
        controller.abort(new Error("interrupted by the test"));
        const rest = async () => {
          while (!(await batches.next()).done);
        };
        assert.equal(await outcome(rest()), "interrupted by the test");
      }, controller.signal);
    }
  });
});

Deno.test("a signal that came before the reading ends it with its reason, and nothing is read", async () => {
  for (const threads of [1, 2]) {
    const taken = { bytes: 0 };
    const controller = new AbortController();
    await withEngine(threads, async (engine) => {
      controller.abort(new Error("interrupted by the test"));
      assert.equal(await outcome(engine.batches(pieces(TAR, taken)).next()), "interrupted by the test");
    }, controller.signal);
    assert.equal(taken.bytes, 0);
  }
});

Deno.test("when the reading thread dies, whoever waits for a batch is told", async () => {
  await withFile(TAR, async (path) => {
    await withEngine(1, async (engine) => {
      using watch = watchWorkers();
      const batches = engine.batches({ kind: "file", path });
      const first = batches.next();
      const [reader] = watch.workers;
      reader!.dispatchEvent(new ErrorEvent("error", { message: "out of memory", cancelable: true }));
      const rest = async () => {
        await first;
        while (!(await batches.next()).done);
      };
      assert.match(await outcome(rest()), /reading thread died: out of memory/);
    });
  });
});

Deno.test("when the reading thread meets what it cannot handle, whoever waits for a batch is told", async () => {
  await withFile(TAR, async (path) => {
    await Deno.truncate(path, 8 * SLOT_BYTES);
    await withEngine(1, async (engine) => {
      using watch = watchWorkers();
      const reading = readAll(engine, { kind: "file", path });
      // A slot that does not exist; it is its turn after all the others.
      watch.workers[0]!.postMessage(99);
      assert.match(await outcome(reading), /undefined/);
    });
  });
});

Deno.test("when a hashing thread dies, whoever waits for its batch is told", async () => {
  await withFile(TAR, async (path) => {
    using watch = watchWorkers();
    await withEngine(2, async (engine) => {
      const died = watch.workers.map((worker) => new Promise((resolve) => worker.addEventListener("error", resolve)));
      for (const worker of watch.workers.slice(0, 2)) worker.postMessage(null);
      await Promise.all(died);
      assert.match(await outcome(readAll(engine, { kind: "file", path })), /working thread died/);
    });
  });
});
