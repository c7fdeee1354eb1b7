import assert from "node:assert/strict";
import {
  learn,
  missingBricks,
  noteCondemned,
  noteDamage,
  notePresence,
  publish,
  recordDamage,
  type Repository,
} from "../../lib/repository/mod.ts";
import { DamageError, signJson, UnsupportedError } from "../../lib/crypto/mod.ts";
import type { BrickRecord } from "../../lib/brick/mod.ts";
import { type Bench, knows, onBench, paperBrick, putPaperBrick, snapshotOf } from "./bench.ts";

/** Three bricks on record, one of recipes among them, all there. */
async function threeBricks({ repository, domain, store }: Bench): Promise<[BrickRecord, BrickRecord, BrickRecord]> {
  const bricks = [paperBrick("a"), paperBrick("b"), paperBrick("m", "M")] as [BrickRecord, BrickRecord, BrickRecord];
  for (const brick of bricks) await putPaperBrick(store, brick);
  await publish(repository, domain, bricks.map((brick) => ({ type: "brick", brick })));
  return bricks;
}

const mark = ({ name }: BrickRecord, ending = "") => `condemned/${name}${ending}`;

Deno.test(
  "bricks that are absent or have another length are not leaned on, until they are back",
  onBench(async (bench) => {
    const { repository, store, domain } = bench;
    const [a, b, m] = await threeBricks(bench);
    assert.deepEqual(await notePresence(repository, domain), []);
    await store.delete(`bricks/${a.name.slice(0, 2)}/${a.name}`);
    await putPaperBrick(store, b, b.bytes - 1);
    await store.put(`bricks/${m.name.slice(0, 2)}/${m.name}`, await store.get(`meta/${m.name.slice(0, 2)}/${m.name}`));
    assert.deepEqual((await notePresence(repository, domain)).sort(), [a.name, b.name].sort());
    assert.ok(!knows(repository, "a 0") && !knows(repository, "b 0") && knows(repository, "m 0", "M"));
    await putPaperBrick(store, a);
    await putPaperBrick(store, b);
    assert.deepEqual(await notePresence(repository, domain), []);
    assert.ok(knows(repository, "a 0") && knows(repository, "b 0"));
  }),
);

Deno.test(
  "condemned bricks count as unknown while the mark is there, and only a sentence says so",
  onBench(async (bench) => {
    const { repository, store } = bench;
    const [a, b] = await threeBricks(bench);
    for (const name of [mark(a), mark(b), mark(b, ".sentence"), "condemned/README"]) {
      await store.put(name, new Uint8Array());
    }
    const { sentenced } = await noteCondemned(repository);
    assert.deepEqual([...sentenced], [b.name]);
    assert.ok(!knows(repository, "a 0") && !knows(repository, "b 0"));
    for (const name of [mark(a), mark(b), mark(b, ".sentence")]) await store.delete(name);
    assert.equal((await noteCondemned(repository)).sentenced.size, 0);
    assert.ok(knows(repository, "a 0") && knows(repository, "b 0"));
  }),
);

Deno.test(
  "which bricks are missing is found by asking for each, and by listing when there are many",
  onBench(async (bench) => {
    const { repository, store } = bench;
    const [a] = await threeBricks(bench);
    const short = paperBrick("short");
    await putPaperBrick(store, short, 5);
    const never = paperBrick("never");
    const many = Array.from({ length: 70 }, (_, i) => paperBrick(`many ${i}`, i % 2 === 0 ? "D" : "M"));
    for (const brick of many) await putPaperBrick(store, brick);
    assert.deepEqual(await missingBricks(repository, [a, short, never]), [short.name, never.name]);
    assert.deepEqual(await missingBricks(repository, [...many, a, short, never]), [short.name, never.name]);
    assert.deepEqual(await missingBricks(repository, []), []);
  }),
);

Deno.test(
  "damage that one machine puts on record, another one no longer leans on; only the damaged blocks count",
  onBench(async (bench) => {
    const { repository, domain, open, writeKey } = bench;
    const [a, b] = await threeBricks(bench);
    const name = await recordDamage(repository, [{ brick: a.name, blocks: [1] }, { brick: b.name, blocks: "all" }]);
    assert.match(name!, /^records\/damage-20260504T030201Z-[0-9a-f]{8}\.json$/);
    const other = await open();
    await learn(other, domain);
    assert.deepEqual(await noteDamage(other), { records: 1, problems: [] });
    for (const who of [repository, other]) {
      assert.deepEqual(["a 0", "a 4", "a 7", "a 8", "b 0"].map((chunk) => knows(who, chunk)), [
        true,
        false,
        false,
        true,
        false,
      ]);
    }
    const writer = await open({ key: await writeKey("default") });
    assert.deepEqual((await noteDamage(writer)).problems, [], "a key that cannot check a record believes it");
  }),
);

Deno.test(
  "damage is put on record once",
  onBench(async (bench) => {
    const { repository, store } = bench;
    const [a] = await threeBricks(bench);
    assert.ok(await recordDamage(repository, [{ brick: a.name, blocks: [1] }]));
    const before = await snapshotOf(store);
    assert.equal(await recordDamage(repository, [{ brick: a.name, blocks: [1] }]), undefined);
    assert.equal(await recordDamage(repository, []), undefined);
    assert.deepEqual(await snapshotOf(store), before);
    assert.ok(await recordDamage(repository, [{ brick: a.name, blocks: [1, 2] }]));
  }),
);

Deno.test(
  "a key that may not sign keeps what it found to itself",
  onBench(async (bench) => {
    const { store, open, listKey } = bench;
    const [a] = await threeBricks(bench);
    const before = await snapshotOf(store);
    const reader = await open({ key: await listKey() });
    assert.equal(await recordDamage(reader, [{ brick: a.name, blocks: "all" }]), undefined);
    assert.deepEqual(reader.catalog.excluded("damaged"), [a.name]);
    assert.deepEqual(await snapshotOf(store), before);
  }),
);

/** A record of damage as another tarzan might sign it. */
async function signed({ keyring, config }: Repository, changes: Record<string, unknown>): Promise<Uint8Array> {
  const record = {
    format: "tarzan damage",
    version: 1,
    requires: [],
    repository: config.repository,
    record: "damage-20260504T000000Z-00000000",
    created: "2026-05-04T00:00:00.000Z",
    bricks: [{ brick: "ab".repeat(32), blocks: "all" }],
    ...changes,
  };
  return new TextEncoder().encode(signJson(record, await keyring.controlKey()));
}

Deno.test(
  "a record that is forged, renamed or no record is told of and ignored; the others count",
  onBench(async (bench) => {
    const { repository, store, open } = bench;
    const place = (digit: number) => `records/damage-20260504T000000Z-0000000${digit}.json`;
    await store.put(place(0), await signed(repository, {}));
    await store.put(place(1), await signed(repository, {}));
    await store.put(place(2), new TextEncoder().encode("{}"));
    await store.put(place(3), await signed(repository, { record: "damage-20260504T000000Z-00000003", bricks: [{}] }));
    const forged = await signed(repository, { record: "damage-20260504T000000Z-00000004" });
    forged[forged.indexOf(0x61)]! ^= 1;
    await store.put(place(4), forged);
    await store.put("records/forget-something.json", new TextEncoder().encode("{}"));
    const other = await open();
    const { records, problems } = await noteDamage(other);
    assert.equal(records, 5);
    assert.deepEqual(problems.map((error) => error instanceof DamageError && /0000000[0-9]/.exec(error.message)?.[0]), [
      "00000001",
      "00000002",
      "00000003",
      "00000004",
    ]);
    assert.deepEqual(other.catalog.excluded("damaged"), ["ab".repeat(32)]);
    assert.equal((await noteDamage(other)).problems.length, 4, "what is wrong stays wrong");
    assert.equal((await noteDamage(other, { again: true })).problems.length, 4);
  }),
);

Deno.test(
  "a newer record is unsupported for who can prove it, and ignored by who cannot",
  onBench(async (bench) => {
    const { repository, store, open, writeKey } = bench;
    const name = "records/damage-20260504T000000Z-00000000.json";
    for (const changes of [{ version: 2 }, { requires: ["ice"] }]) {
      await store.put(name, await signed(repository, changes));
      await assert.rejects(noteDamage(await open()), UnsupportedError);
      const writer = await open({ key: await writeKey("default") });
      assert.equal((await noteDamage(writer)).problems.length, 1);
      assert.deepEqual(writer.catalog.excluded("damaged"), []);
    }
  }),
);
