/** Many ledger objects that are taken in together must come to the same as one after the other, whatever goes wrong. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DatabaseSync, type SQLInputValue, StatementSync } from "node:sqlite";
import fc from "fast-check";
import type { LedgerRecord } from "../../lib/brick/mod.ts";
import { Catalog } from "../../lib/catalog/mod.ts";
import { learn, ledgerFolder, type Repository } from "../../lib/repository/mod.ts";
import { LedgerIntake, type ReadLedgerObject } from "../../lib/repository/ledger_intake.ts";
import type { Store } from "../../lib/store/mod.ts";
import { withPath } from "../catalog/files.ts";
import { failing, flipping, hiding, InjectedError } from "../store/faults.ts";
import { type Bench, idOf, knows, onBench, paperBrick, putLedger, REPOSITORY, stampAt } from "./bench.ts";

const MIB = 1024 * 1024;
const SEEDS = ["a", "b", "c", "d"];
const LOCATION = "s3://bucket";

/** A brick as one of a few machines tells of it: truly, with another length, or with a hash that nobody can check. */
const brick = fc.record({
  seed: fc.constantFrom(...SEEDS),
  lie: fc.constantFrom<"none" | "bytes" | "tree hash">("none", "none", "none", "bytes", "tree hash"),
}).map(({ seed, lie }): LedgerRecord => {
  const told = paperBrick(seed);
  if (lie === "bytes") told.bytes++;
  if (lie === "tree hash") told.treeHash = "0".repeat(64);
  return { type: "brick", brick: told };
});
const handle = fc.constantFrom("x", "y");
const date = fc.nat({ max: 3 }).map((day) => new Date(Date.UTC(2026, 0, 1 + day)));
const placed = fc.record({ handle, seed: fc.constantFrom(...SEEDS), placedAt: date })
  .map(({ handle, seed, placedAt }): LedgerRecord => {
    const { name, kind, bytes, treeHash } = paperBrick(seed);
    const object = { location: LOCATION, handle, class: "DEEP_ARCHIVE", bytes, sha256: name, treeHash } as const;
    return { type: "placed", placed: { ...object, placedAt, bricks: [{ name, kind, offset: 0, bytes }] } };
  });
const lost = fc.record({ handle, at: date })
  .map(({ handle, at }): LedgerRecord => ({ type: "lost", lost: { location: LOCATION, handle, at } }));
const gone = fc.constantFrom(...SEEDS)
  .map((seed): LedgerRecord => ({ type: "gone", name: paperBrick(seed).name }));
const record = fc.oneof({ weight: 6, arbitrary: brick }, placed, lost, gone);
const ledger = fc.array(fc.array(record, { maxLength: 4 }), { minLength: 1, maxLength: 10 });

/** Names for objects of a ledger, ascending. */
function nameAt(domain: string, number: number): string {
  return ledgerFolder(domain) + stampAt(new Date(Date.UTC(2026, 4, 1, 0, 0, number)).toISOString());
}

/** All that a catalogue can be asked, without what means nothing outside it. */
function everything({ catalog }: Repository, domain: string, objects: string[]): unknown {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const sorted = (values: Iterable<unknown>) => Array.from(values, (value) => JSON.stringify(value)).sort();
  const bricks = Array.from(catalog.bricks(), ({ number }) => {
    const { number: _, blocks, chunks, ...rest } = catalog.brick(number)!;
    return { ...rest, blocks: hex(blocks), chunks: hex(chunks) };
  });
  const names = (numbers: Iterable<number>) => Array.from(numbers, (number) => catalog.brick(number)?.name);
  const ids = SEEDS.flatMap((seed) => [0, 5, 11].map((chunk) => idOf(`${seed} ${chunk}`)));
  return {
    bricks,
    lookups: ids.map((id) => names(catalog.lookup("D", domain, id))),
    candidates: ids.map((id) => names(catalog.candidates("D", domain, id))),
    placements: sorted(catalog.placements()),
    evenLost: sorted(SEEDS.flatMap((seed) => catalog.placementsOf(paperBrick(seed).name, { evenLost: true }))),
    placedObjects: sorted(catalog.placedObjects()),
    gone: catalog.excluded("gone"),
    seen: objects.map((name) => catalog.hasSeenLedger(name)),
  };
}

/** Takes objects into an empty catalogue; what that says then, and the problems. */
async function taken(bench: Bench, objects: ReadLedgerObject[], heldBytes: number | "one at a time") {
  const catalog = Catalog.open(":memory:", { repository: REPOSITORY });
  try {
    const repository = { ...bench.repository, catalog };
    const intake = new LedgerIntake(repository, bench.domain, heldBytes === "one at a time" ? {} : { heldBytes });
    const problems: string[] = [];
    for (const object of objects) {
      problems.push(...(await intake.take(object)).map(({ message }) => message));
      if (heldBytes === "one at a time") intake.commit();
    }
    intake.commit();
    return { problems, says: everything(repository, bench.domain, objects.map(({ name }) => name).sort()) };
  } finally {
    catalog.close();
  }
}

Deno.test(
  "objects that are taken in together say the same as one at a time, in whatever order and portions they come",
  onBench(async (bench) => {
    const cases = ledger.chain((records) =>
      fc.record({
        objects: fc.constant(records.map((records, i) => ({ name: nameAt(bench.domain, i), records }))),
        order: fc.shuffledSubarray([...records.keys()], { minLength: records.length }),
        heldBytes: fc.constantFrom(0, 2000, 6000, 32 * MIB),
      })
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ objects, order, heldBytes }) => {
        const ordered = order.map((i) => objects[i]!);
        const together = await taken(bench, ordered, heldBytes);
        assert.deepEqual(together, await taken(bench, ordered, "one at a time"));
        assert.deepEqual(together.says, (await taken(bench, objects, "one at a time")).says);
      }),
      { numRuns: 150 },
    );
  }),
);

/** Puts so many ledger objects of a brick each; their names. */
async function putMany(bench: Bench, count: number): Promise<string[]> {
  const names: string[] = [];
  for (let i = 0; i < count; i++) {
    const stamp = nameAt(bench.domain, i).slice(ledgerFolder(bench.domain).length);
    names.push(await putLedger(bench, stamp, [{ type: "brick", brick: paperBrick(`${i}`) }]));
  }
  return names;
}

const known = (repository: Repository, count: number) =>
  Array.from({ length: count }, (_, i) => i).filter((i) => knows(repository, `${i} 0`));

const countTo = (count: number, without: number[] = []) =>
  Array.from({ length: count }, (_, i) => i).filter((i) => !without.includes(i));

/** A store in which the objects that are read are counted: how many there were, and how many at most at once. */
function watching(store: Store, size?: number): { store: Store; reads: { count: number; atOnce: number } } {
  const reads = { count: 0, atOnce: 0 };
  let now = 0;
  return {
    reads,
    store: {
      ...hiding(store, "nothing"),
      async *list(prefix, options) {
        for await (const object of store.list(prefix, options)) yield { ...object, size: size ?? object.size };
      },
      async get(name, range) {
        if (!name.startsWith("ledger/")) return await store.get(name, range);
        reads.count++;
        reads.atOnce = Math.max(reads.atOnce, ++now);
        try {
          return await store.get(name, range);
        } finally {
          now--;
        }
      },
    },
  };
}

Deno.test(
  "an object among many that cannot be read costs none of the others, and is read when it can be",
  onBench(async (bench) => {
    const names = await putMany(bench, 30);
    for (const heldBytes of [0, 8000, 32 * MIB]) {
      const catalog = Catalog.open(":memory:", { repository: REPOSITORY });
      const store = hiding(flipping(bench.store, names[13]!, 100), names[20]!);
      const vanishing = { ...store, list: bench.store.list.bind(bench.store) };
      const repository = await bench.open({ catalog, store: vanishing });
      const problems = await learn(repository, bench.domain, { heldBytes });
      assert.equal(problems.length, 1);
      assert.ok(problems[0]!.message.includes(names[13]!), problems[0]!.message);
      assert.deepEqual(known(repository, 30), countTo(30, [13, 20]));
      const watched = watching(bench.store);
      assert.deepEqual(await learn({ ...repository, store: watched.store }, bench.domain), []);
      assert.equal(watched.reads.count, 2);
      assert.deepEqual(known(repository, 30), countTo(30));
    }
  }),
);

/**
 * The `nth` statement from now on that changes something fails, until `work` is done, which must fail with it then; whether
 * it came to that.
 */
async function withFailingStatement(nth: number, work: () => Promise<void>): Promise<boolean> {
  const { run } = StatementSync.prototype;
  let count = 0;
  StatementSync.prototype.run = function (this: StatementSync, ...values: SQLInputValue[]) {
    if (++count === nth) throw new InjectedError("a crash");
    return run.apply(this, values as never);
  } as typeof run;
  try {
    const failure = await work().then(() => undefined, (error: unknown) => error);
    const died = count >= nth;
    if (died) assert.ok(failure instanceof InjectedError, `${failure}`);
    else assert.equal(failure, undefined);
    return died;
  } finally {
    StatementSync.prototype.run = run;
  }
}

Deno.test(
  "whichever statement a run dies at, what is noted as seen is known, and the next run learns the rest",
  onBench(async (bench) => {
    const names = await putMany(bench, 12);
    await putLedger(bench, stampAt("2026-05-02T00:00:00Z"), [
      { type: "gone", name: paperBrick("3").name },
      { type: "brick", brick: paperBrick("a") },
    ]);
    const whole = await bench.open();
    const heldBytes = 5000;
    await learn(whole, bench.domain, { heldBytes });
    const seenAtDeath = new Set<number>();
    let statements = 0;
    // Objects are read side by side, so what goes in together, and in how many statements, differs from run to run.
    for (;; statements++) {
      const repository = await bench.open();
      const { catalog } = repository;
      const dying = async () => {
        await learn(repository, bench.domain, { heldBytes });
      };
      if (!await withFailingStatement(statements + 1, dying)) break;
      const seen = countTo(12).filter((i) => catalog.hasSeenLedger(names[i]!));
      const found = countTo(12).filter((i) => catalog.candidates("D", bench.domain, idOf(`${i} 0`)).length > 0);
      assert.deepEqual(found, seen);
      assert.equal(catalog.cursor(bench.domain), undefined);
      seenAtDeath.add(seen.length);
      assert.deepEqual(await learn(repository, bench.domain, { heldBytes }), []);
      assert.deepEqual(everything(repository, bench.domain, names), everything(whole, bench.domain, names));
    }
    assert.ok(statements > 60, `${statements} statements`);
    assert.ok(seenAtDeath.size > 3, "some died early, some late");
  }),
);

Deno.test(
  "what was read before the store failed is not read again",
  onBench(async (bench) => {
    await putMany(bench, 30);
    const store = failing(bench.store, { call: "get", prefix: "ledger/", nth: 21 });
    const repository = await bench.open({ store });
    await assert.rejects(learn(repository, bench.domain), InjectedError);
    const before = known(repository, 30).length;
    assert.ok(before > 10 && before < 30, `${before} are known`);
    const watched = watching(bench.store);
    assert.deepEqual(await learn({ ...repository, store: watched.store }, bench.domain), []);
    assert.equal(watched.reads.count, 30 - before);
    assert.deepEqual(known(repository, 30), countTo(30));
  }),
);

Deno.test(
  "several objects are read at once, and large ones alone",
  onBench(async (bench) => {
    await putMany(bench, 30);
    for (const [size, atOnce] of [[undefined, 8], [4 * MIB, 2], [100 * MIB, 1]] as const) {
      const { store, reads } = watching(bench.store, size);
      const repository = await bench.open({ store });
      const progress: number[] = [];
      await learn(repository, bench.domain, { progress: (done) => void progress.push(done) });
      assert.deepEqual(reads, { count: 30, atOnce });
      assert.deepEqual(progress, countTo(31, [0]));
    }
  }),
);

Deno.test("who has learned everything writes nothing into the catalogue", async () => {
  await withPath((path) =>
    onBench(async (bench) => {
      await putMany(bench, 3);
      const repository = await bench.open({ catalog: Catalog.open(path, { repository: REPOSITORY }) });
      await learn(repository, bench.domain);
      const other = new DatabaseSync(path);
      try {
        const version = () => other.prepare("PRAGMA data_version").get()?.["data_version"];
        const before = version();
        await learn(repository, bench.domain);
        assert.equal(version(), before);
        await putLedger(bench, stampAt("2026-05-03T00:00:00Z"), [{ type: "brick", brick: paperBrick("new") }]);
        await learn(repository, bench.domain);
        assert.notEqual(version(), before);
      } finally {
        other.close();
      }
    })()
  );
});
