import assert from "node:assert/strict";
import { type BrickRecord, encodeLedger, LEDGER_OBJECT_LIMIT, type WrittenRecord } from "../../lib/brick/mod.ts";
import { DamageError, fromHex, UnsupportedError } from "../../lib/crypto/mod.ts";
import { brickObject, learn, ledgerFolder, publish, type Repository } from "../../lib/repository/mod.ts";
import { failing, hiding } from "../store/faults.ts";
import { backUp } from "./backup.ts";
import { SMALL } from "./streams.ts";
import { type Bench, knows, onBench, paperBrick, putLedger, snapshotOf, stampAt } from "./bench.ts";

const records = (...bricks: BrickRecord[]): WrittenRecord[] => bricks.map((brick) => ({ type: "brick", brick }));

/** The repository through a store that counts what is read. */
async function counting(bench: Bench): Promise<{ repository: Repository; read: string[] }> {
  const read: string[] = [];
  const { store } = bench;
  const repository = await bench.open({
    store: {
      location: store.location,
      list: (prefix, options) => store.list(prefix, options),
      head: (name) => store.head(name),
      get(name, range) {
        read.push(name);
        return store.get(name, range);
      },
      put: (name, bytes, options) => store.put(name, bytes, options),
      delete: (name) => store.delete(name),
      stage: () => store.stage(),
      now: () => store.now(),
      close: () => store.close(),
    },
  });
  read.length = 0;
  return { repository, read };
}

Deno.test(
  "what one machine publishes, it knows at once, and another one learns",
  onBench(async ({ repository, domain, open }) => {
    const [data, meta] = [paperBrick("a"), paperBrick("b", "M")];
    await publish(repository, domain, records(data, meta));
    const other = await open();
    assert.ok(!knows(other, "a 0"));
    assert.deepEqual(await learn(other, domain), []);
    for (const who of [repository, other]) {
      assert.ok(knows(who, "a 0") && knows(who, "a 11") && knows(who, "b 3", "M"));
      assert.ok(!knows(who, "b 3", "D") && !knows(who, "a 12"));
    }
  }),
);

Deno.test(
  "a ledger object is read once, and all of them again when everything is to be read",
  onBench(async (bench) => {
    const { domain, repository: writer } = bench;
    await publish(writer, domain, records(paperBrick("a")));
    const { repository, read } = await counting(bench);
    await learn(repository, domain);
    await learn(repository, domain);
    assert.equal(read.length, 1);
    await publish(writer, domain, records(paperBrick("b")));
    await learn(repository, domain);
    assert.equal(read.length, 2);
    const told: string[] = [];
    await learn(repository, domain, { whole: true, told: (record) => void told.push(record.type) });
    assert.equal(read.length, 4);
    assert.deepEqual(told, ["brick", "brick"]);
  }),
);

Deno.test(
  "an object of a clock that was two days behind is not missed, whatever came before it",
  onBench(async (bench) => {
    const { domain, repository } = bench;
    await putLedger(bench, stampAt("2026-05-04T00:00:00Z"), records(paperBrick("first")));
    await learn(repository, domain);
    await putLedger(bench, stampAt("2026-05-02T00:00:01Z"), records(paperBrick("late")));
    await learn(repository, domain);
    assert.ok(knows(repository, "late 0"));
  }),
);

Deno.test(
  "no name, no garbage and no object from the future makes a machine deaf to what comes next",
  onBench(async (bench) => {
    const { store, domain, repository, setTime } = bench;
    await store.put(`${ledgerFolder(domain)}99999999T999999Z-00000000`, new Uint8Array(100));
    await store.put(`${ledgerFolder(domain)}99991231T235959Z-00000000`, new Uint8Array(100));
    await store.put(`${ledgerFolder(domain)}README`, new Uint8Array(100));
    await putLedger(bench, stampAt("9998-12-31T23:59:59Z"), records(paperBrick("future")));
    assert.equal((await learn(repository, domain)).length, 1, "the garbage under a good name is told of");
    assert.ok(knows(repository, "future 0"));
    setTime("2026-06-01T00:00:00Z");
    await publish(await bench.open(), domain, records(paperBrick("next")));
    await learn(repository, domain);
    assert.ok(knows(repository, "next 0"));
  }),
);

Deno.test(
  "a damaged object is told of and does not hide the others, and is read again when it is whole",
  onBench(async (bench) => {
    const { store, domain, open } = bench;
    const name = await putLedger(bench, stampAt("2026-05-01T00:00:00Z"), records(paperBrick("a")));
    await putLedger(bench, stampAt("2026-05-01T00:00:01Z"), records(paperBrick("b")));
    const whole = await store.get(name);
    await store.put(name, whole.map((byte, at) => at === 1000 ? byte ^ 4 : byte));
    const repository = await open();
    const problems = await learn(repository, domain);
    assert.equal(problems.length, 1);
    assert.ok(problems[0] instanceof DamageError && problems[0].message.includes(name));
    assert.ok(!knows(repository, "a 0") && knows(repository, "b 0"));
    await store.put(name, whole);
    assert.deepEqual(await learn(repository, domain), []);
    assert.ok(knows(repository, "a 0"));
  }),
);

Deno.test(
  "of an object that is too large to be one no more is read than shows that",
  onBench(async (bench) => {
    const { store, domain, open } = bench;
    const name = await putLedger(bench, stampAt("2026-05-01T00:00:00Z"), records(paperBrick("a")));
    let asked = Infinity;
    const repository = await open({
      store: {
        ...hiding(store, "nothing"),
        get(wanted, range) {
          if (wanted !== name) return store.get(wanted, range);
          asked = range?.length ?? Infinity;
          return Promise.resolve(new Uint8Array(Math.min(asked, 2 ** 30)));
        },
      },
    });
    const [problem] = await learn(repository, domain);
    assert.ok(problem?.message.includes(name), problem?.message);
    assert.equal(asked, LEDGER_OBJECT_LIMIT + 1);
  }),
);

Deno.test(
  "an object under another name, or of another domain, does not count",
  onBench(async (bench) => {
    const { store, domain, open, writeKey } = bench;
    const name = await putLedger(bench, stampAt("2026-05-01T00:00:00Z"), records(paperBrick("a")));
    await store.put(ledgerFolder(domain) + stampAt("2026-05-01T00:00:01Z"), await store.get(name));
    const web = await open({ key: await writeKey("web") });
    await publish(web, web.keyring.defaultDomain.id, records(paperBrick("poison")));
    for await (const object of store.list(ledgerFolder(web.keyring.defaultDomain.id))) {
      await store.put(ledgerFolder(domain) + object.name.split("/").at(-1)!, await store.get(object.name));
    }
    await store.delete(name);
    const repository = await open();
    assert.equal((await learn(repository, domain)).length, 2);
    assert.ok(!knows(repository, "a 0") && !knows(repository, "poison 0"));
  }),
);

Deno.test(
  "what a newer tarzan wrote is unsupported: nothing is stored, and nothing counts as damaged",
  onBench(async (bench) => {
    const { store, domain, repository, open } = bench;
    const { ledger } = await repository.keyring.shapeKeys(domain);
    const name = ledgerFolder(domain) + stampAt("2026-05-01T00:00:00Z");
    const object = await encodeLedger(records(paperBrick("a")), { key: ledger, domain: fromHex(domain), name });
    object[7] = "2".charCodeAt(0);
    await store.put(name, object);
    const before = await snapshotOf(store);
    await assert.rejects(learn(await open(), domain), UnsupportedError);
    assert.deepEqual(await snapshotOf(store), before);
  }),
);

Deno.test(
  "an object that vanishes between listing and reading was merged into another, and is no problem",
  onBench(async (bench) => {
    const { store, domain, open } = bench;
    const name = await putLedger(bench, stampAt("2026-05-01T00:00:00Z"), records(paperBrick("a")));
    const repository = await open({
      store: { ...hiding(store, name), list: (prefix, options) => store.list(prefix, options) },
    });
    assert.deepEqual(await learn(repository, domain), []);
  }),
);

Deno.test(
  "nothing is taken in of a publication that the store refused",
  onBench(async ({ store, domain, open }) => {
    const repository = await open({ store: failing(store, { call: "put", prefix: "ledger/" }) });
    await assert.rejects(publish(repository, domain, records(paperBrick("a"))));
    assert.ok(!knows(repository, "a 0"));
  }),
);

Deno.test(
  "bricks that are gone are not leaned on, but a reader may still try them",
  onBench(async ({ repository, domain }) => {
    const brick = paperBrick("a");
    await publish(repository, domain, records(brick));
    await publish(repository, domain, [{ type: "gone", name: brick.name }]);
    assert.ok(!knows(repository, "a 0"));
    const [{ number } = { number: -1 }] = [...repository.catalog.bricks()];
    const { catalog } = repository;
    assert.deepEqual(catalog.candidates("D", domain, catalog.brick(number)!.chunks.slice(0, 32)), [number]);
  }),
);

/** A repository with a backup, and what its ledger says of one brick. */
async function withBrick(bench: Bench): Promise<{ brick: BrickRecord; object: string }> {
  const repository = await bench.open();
  await backUp(repository, SMALL);
  const { name, kind, bytes, treeHash, blocks, chunks, number } = [...repository.catalog.bricks({ kind: "D" })]
    .map(({ number }) => repository.catalog.brick(number)!)[0]!;
  assert.ok(number >= 0);
  const toc = { blocks: new Uint8Array(blocks), chunks: new Uint8Array(chunks) };
  return { brick: { name, kind, bytes, treeHash, toc }, object: brickObject(kind, name) };
}

const holds = ({ catalog }: Repository, { name, toc }: BrickRecord) =>
  catalog.brick(catalog.brickByName(name)!.number)!.chunks.every((byte, at) => byte === toc.chunks[at]);

for (const [when, stamp] of [["older", "2000-01-01T00:00:00Z"], ["newer", "2026-05-05T00:00:00Z"]] as const) {
  Deno.test(
    `of two records that contradict each other, the ${when} one being false, the one that the brick agrees with counts`,
    onBench(async (bench) => {
      const { domain, open } = bench;
      const { brick } = await withBrick(bench);
      const before = await open();
      await learn(before, domain);
      const chunks = brick.toc.chunks.map((byte, at) => at % 36 === 0 ? byte ^ 1 : byte);
      const lie = { ...brick, toc: { ...brick.toc, chunks } };
      const name = await putLedger(bench, stampAt(stamp), records(lie));
      for (const repository of [before, await open()]) {
        const problems = await learn(repository, domain, { whole: true });
        assert.ok(problems.some(({ message }) => message.includes(name) && message.includes(brick.name.slice(0, 16))));
        assert.ok(holds(repository, brick) && !holds(repository, lie));
        await learn(repository, domain, { whole: true });
        assert.ok(holds(repository, brick), "and it stays so");
      }
    }),
  );
}

Deno.test(
  "of two records that contradict each other about a brick that is not there, the older one counts",
  onBench(async (bench) => {
    const { domain, open, store } = bench;
    const { brick, object } = await withBrick(bench);
    await store.delete(object);
    const lie = { ...brick, bytes: brick.bytes + 1 };
    await putLedger(bench, stampAt("2026-05-05T00:00:00Z"), records(lie));
    const repository = await open();
    assert.equal((await learn(repository, domain)).length, 1);
    assert.equal(repository.catalog.brickByName(brick.name)?.bytes, brick.bytes);
  }),
);
