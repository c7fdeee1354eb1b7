import assert from "node:assert/strict";
import { DamageError } from "../../lib/crypto/mod.ts";
import { type IndexName, listIndexes, openIndex, readIndex } from "../../lib/repository/mod.ts";
import { InjectedError } from "../store/faults.ts";
import { backUp } from "./backup.ts";
import { type Bench, onBench } from "./bench.ts";
import { joined } from "./machine.ts";
import { hurriedClock, LARGE, LATE_PIECE, SMALL } from "./streams.ts";

const objectOf = ({ domain, snapshot, ending }: IndexName) => `index/${domain}/${snapshot}${ending}`;

/** Whoever opens an index reads it and its sealed part. */
async function openWhole(bench: Bench, index: IndexName) {
  const repository = await bench.open();
  return await openIndex(repository, await readIndex(repository, index));
}

/** A run that died behind its first checkpoint, and the same run finished: the bytes of both its indexes. */
async function checkpointAndEnd(bench: Bench): Promise<{ open: IndexName; json: IndexName; early: Uint8Array }> {
  let early: Uint8Array | undefined;
  const { repository, store } = bench;
  await backUp(repository, LARGE, {
    now: hurriedClock(),
    afterPiece: async (piece) => {
      const [index] = await listIndexes(repository);
      if (piece === LATE_PIECE) early = await store.get(objectOf(index!));
    },
  });
  const [json] = await listIndexes(repository);
  assert.ok(early !== undefined && json !== undefined);
  return { json, open: { ...json, ending: ".open" }, early };
}

Deno.test(
  "snapshots are listed oldest first, each once, those of all domains for who can see them",
  onBench(async (bench) => {
    const { open, setTime, writeKey } = bench;
    const names: string[] = [];
    for (const [day, key] of [[3, "web"], [1, ""], [2, "web"], [4, ""]] as const) {
      setTime(`2026-01-0${day}T00:00:00Z`);
      const repository = await open(key === "" ? {} : { key: await writeKey(key) });
      names[day] = (await backUp(repository, SMALL)).name;
    }
    const all = (await listIndexes(await open())).map(({ snapshot }) => snapshot);
    assert.deepEqual(all, names.slice(1));
    const own = (await listIndexes(await open({ key: await writeKey("web") }))).map(({ snapshot }) => snapshot);
    assert.deepEqual(own, [names[2], names[3]]);
  }),
);

Deno.test(
  "an unfinished one is listed until it is finished, and what has another name never",
  onBench(async (bench) => {
    const { repository, store, domain, open } = bench;
    await assert.rejects(
      backUp(repository, LARGE, {
        now: hurriedClock(),
        afterPiece: (piece) => {
          if (piece === LATE_PIECE) throw new InjectedError("died");
        },
      }),
      InjectedError,
    );
    for (const name of ["latest.json", "20260101T000000Z-00000000.json.tmp", "README"]) {
      await store.put(`index/${domain}/${name}`, new Uint8Array());
    }
    const [left, ...more] = await listIndexes(await open());
    assert.equal(more.length, 0);
    assert.equal(left?.ending, ".open");
    await store.put(objectOf({ ...left!, ending: ".json" }), new Uint8Array());
    assert.deepEqual(await listIndexes(await open()), [{ ...left, ending: ".json" }]);
  }),
);

Deno.test(
  "an index does not pass for another one, nor for one of another domain",
  onBench(async (bench) => {
    const { store, open, domain, writeKey, setTime } = bench;
    await backUp(await open(), SMALL);
    setTime("2026-06-01T00:00:00Z");
    await backUp(await open(), SMALL);
    const [first, second] = await listIndexes(await open()) as [IndexName, IndexName];
    const bytes = await store.get(objectOf(first));
    await store.put(objectOf(second), bytes);
    await assert.rejects(openWhole(bench, second), DamageError);
    const web = await open({ key: await writeKey("web") });
    await backUp(web, SMALL);
    const [webs] = await listIndexes(web) as [IndexName];
    const moved = { ...webs, domain };
    await store.put(objectOf(moved), await store.get(objectOf(webs)));
    await assert.rejects(openWhole(bench, moved), DamageError);
  }),
);

Deno.test(
  "a finished index does not pass for an unfinished one, nor a checkpoint for a finished one",
  onBench(async (bench) => {
    const { store } = bench;
    const { open, json, early } = await checkpointAndEnd(bench);
    await openWhole(bench, json);
    const finished = await store.get(objectOf(json));
    await store.put(objectOf(open), finished);
    await assert.rejects(openWhole(bench, open), DamageError);
    await store.put(objectOf(open), early);
    assert.ok((await openWhole(bench, open)).bytes < LARGE.length);
    await store.put(objectOf(json), early);
    await assert.rejects(openWhole(bench, json), (error: Error) => {
      assert.ok(error instanceof DamageError);
      assert.match(error.message, /checkpoint/);
      return true;
    });
  }),
);

Deno.test(
  "a flipped bit, a missing end or anything behind it is noticed",
  onBench(async (bench) => {
    const { repository, store } = bench;
    await backUp(repository, SMALL);
    const [index] = await listIndexes(repository) as [IndexName];
    const whole = await store.get(objectOf(index));
    const put = async (bytes: Uint8Array) => await store.put(objectOf(index), bytes);
    for (let at = 0; at < whole.length; at += 97) {
      await put(whole.map((byte, i) => i === at ? byte ^ (1 << at % 8) : byte));
      await assert.rejects(readIndex(repository, index), DamageError, `bit ${at % 8} of byte ${at}`);
    }
    for (const bytes of [whole.slice(0, -1), whole.slice(1), joined([whole, new Uint8Array([10])]), new Uint8Array()]) {
      await put(bytes);
      await assert.rejects(readIndex(repository, index), DamageError);
    }
    await put(whole);
    await readIndex(repository, index);
  }),
);
