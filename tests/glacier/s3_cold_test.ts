// Buckets as cold stores: what is asked, how often, and what is made of the answers.

import assert from "node:assert/strict";
import { type ColdClass, type ColdStore, LEAF_BYTES, NotThawedError } from "../../lib/glacier/mod.ts";
import type { Emulator } from "../emulator/mod.ts";
import { bucketWorld, upload } from "./cold_worlds.ts";

const MiB = LEAF_BYTES;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const signal = new AbortController().signal;

interface Place {
  store: ColdStore;
  emulator: Emulator;
  open(): Promise<ColdStore>;
  advance(ms: number): Promise<void>;
}

function test(sentence: string, body: (place: Place) => Promise<void>, name: ColdClass = "DEEP_ARCHIVE"): void {
  Deno.test(sentence, async () => {
    const world = await bucketWorld(name);
    const store = await world.open();
    try {
      await body({ store, emulator: world.emulator, open: world.open, advance: world.advance });
    } finally {
      await store.close();
      await world.close();
    }
  });
}

function operations(emulator: Emulator): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { operation } of emulator.requests) counts[operation] = (counts[operation] ?? 0) + 1;
  return counts;
}

test("an object is stored under its name, in the class that was asked for, and not sent twice", async (place) => {
  const { store, emulator } = place;
  const object = upload(1, MiB + 5);
  assert.equal(await store.upload(object, { signal }), object.name);
  const put = emulator.requests.find(({ operation }) => operation === "PutObject");
  assert.equal(put?.key, `backup/${object.name}`);
  emulator.requests.length = 0;
  const other = await place.open();
  let told = 0;
  assert.equal(await other.upload(object, { signal, sent: (bytes) => told += bytes }), object.name);
  await other.close();
  assert.equal(told, object.bytes);
  assert.deepEqual(operations(emulator), { HeadObject: 1 });
});

test("an upload whose answer is lost was one", async ({ store, emulator }) => {
  const object = upload(2, MiB + 5);
  emulator.faults.add({ operation: "PutObject", action: "drop-answer", nth: 1 });
  await store.upload(object, { signal });
  const puts = emulator.requests.filter(({ operation, status }) => operation === "PutObject" && status === 200);
  assert.equal(puts.length, 1);
  const [state] = await store.confirm([{ ...object, handle: object.name, storedAt: new Date() }], { signal });
  assert.equal(state?.found, "same");
});

test("another object under the name is an error, and stays", async ({ store }) => {
  const [first, second] = [upload(3, 100), { ...upload(4, 100), name: upload(3, 100).name }];
  await store.upload(first, { signal });
  await assert.rejects(store.upload(second, { signal }), /it is there, but its SHA-256 is/);
  const [state] = await store.confirm([{ ...first, handle: first.name, storedAt: new Date() }], { signal });
  assert.equal(state?.found, "same");
});

test("killed while it sends, the next process stores it whole", async ({ store, emulator, open }) => {
  const object = upload(5, 4 * MiB);
  const kill = new AbortController();
  const read = (range: { from: number; length: number }) => {
    if (range.from > MiB) kill.abort(new Error("killed"));
    return object.read(range);
  };
  await assert.rejects(store.upload({ ...object, read }, { signal: kill.signal }));
  const other = await open();
  await other.upload(object, { signal });
  const answer = await other.list({ signal });
  assert.ok(answer.ready);
  const listed = await Array.fromAsync(answer.listing.objects);
  assert.deepEqual(listed.map(({ name, bytes }) => [name, bytes]), [[object.name, object.bytes]]);
  await other.close();
  assert.equal(
    emulator.requests.filter(({ operation, status }) => operation === "PutObject" && status === 200).length,
    1,
  );
});

test("a server that loses checksums is noticed", async ({ store, emulator }) => {
  const object = upload(6, 10);
  emulator.hostile.add("loses-checksum");
  await assert.rejects(store.upload(object, { signal }), /SHA-256/);
  const asked = [{ ...object, handle: object.name, storedAt: new Date() }];
  assert.deepEqual(await store.confirm(asked, { signal }), [
    { found: "other", why: "the server knows no SHA-256 of it" },
  ]);
});

test("the states of many are asked for by listing", async ({ store, emulator, advance }) => {
  const objects = Array.from({ length: 100 }, (_, i) => upload(100 + i, 50));
  await Promise.all(objects.map((object) => store.upload(object, { signal })));
  const asked = objects.map(({ name, bytes }) => ({ handle: name, bytes }));
  emulator.requests.length = 0;
  assert.ok((await store.states(asked, { signal })).every(({ state }) => state === "cold"));
  // One is asked by itself, since not every server's listings tell.
  assert.deepEqual(operations(emulator), { ListObjectsV2: 1, HeadObject: 1 });
  for (const one of asked.slice(0, 3)) await store.thaw(one, { tier: "standard", days: 1, signal });
  emulator.requests.length = 0;
  const thawing = (await store.states(asked, { signal })).map(({ state }) => state);
  assert.deepEqual(thawing.slice(0, 4), ["thawing", "thawing", "thawing", "cold"]);
  assert.deepEqual(operations(emulator), { ListObjectsV2: 1 });
  await advance(12 * hourMs);
  assert.equal((await store.states(asked, { signal })).filter(({ state }) => state === "ready").length, 3);
  emulator.requests.length = 0;
  assert.equal((await store.states(asked.slice(0, 5), { signal })).filter(({ state }) => state === "ready").length, 3);
  assert.deepEqual(operations(emulator), { HeadObject: 5 });
});

test("a copy is asked for once while it lasts, and prolonged when it ends too soon", async (place) => {
  const { store, emulator, advance } = place;
  const object = upload(8, 10);
  const one = { handle: await store.upload(object, { signal }), bytes: 10 };
  const until = async () => {
    const [state] = await store.states([one], { signal });
    return state?.state === "ready" ? state.until : undefined;
  };
  await store.thaw(one, { tier: "bulk", days: 5, signal });
  assert.equal((await store.thaw(one, { tier: "bulk", days: 5, signal })).state, "thawing");
  assert.equal(operations(emulator).RestoreObject, 1);
  await advance(48 * hourMs);
  const first = await until();
  // Shorter than what is left: nothing is asked, or the copy's life would be cut.
  assert.deepEqual(await store.thaw(one, { tier: "bulk", days: 1, signal }), { state: "ready", until: first });
  assert.equal(operations(emulator).RestoreObject, 1);
  const prolonged = await store.thaw(one, { tier: "bulk", days: 10, signal });
  assert.equal(operations(emulator).RestoreObject, 2);
  const second = await until();
  assert.deepEqual(prolonged, { state: "ready", until: second });
  assert.ok(first !== undefined && second !== undefined && second.getTime() - first.getTime() >= 6 * dayMs);
});

test("a request for a copy whose answer is lost is a success", async ({ store, emulator }) => {
  const object = upload(9, 10);
  const one = { handle: await store.upload(object, { signal }), bytes: 10 };
  emulator.faults.add({ operation: "RestoreObject", action: "drop-answer", nth: 1 });
  assert.equal((await store.thaw(one, { tier: "bulk", days: 1, signal })).state, "thawing");
});

test("tiers that a class does not have are refused before anything is asked", async ({ store, emulator }) => {
  const object = upload(10, 10);
  const one = { handle: await store.upload(object, { signal }), bytes: 10 };
  await assert.rejects(
    store.thaw(one, { tier: "expedited", days: 1, signal }),
    /DEEP_ARCHIVE has no expedited retrieval/,
  );
  assert.equal(operations(emulator).RestoreObject, undefined);
});

test("what is not there is told, and so is a copy that ended while it was read", async ({ store, advance }) => {
  const one = { handle: "bricks/00/none", bytes: 10 };
  const range = { from: 0, length: 1 };
  await assert.rejects(store.states([one], { signal }), /it is not there/);
  await assert.rejects(store.thaw(one, { tier: "bulk", days: 1, signal }), /it is not there/);
  await assert.rejects(store.read(one, { range, signal }), { name: "NotFoundError" });
  const object = upload(11, 10);
  const there = { handle: await store.upload(object, { signal }), bytes: 10 };
  await store.thaw(there, { tier: "bulk", days: 1, signal });
  await advance(48 * hourMs);
  await store.read(there, { range, signal });
  await advance(2 * dayMs);
  await assert.rejects(store.read(there, { range, signal }), NotThawedError);
});

test("classes that need no thaw are read at once and never restored", async ({ store, emulator }) => {
  const object = upload(12, 100);
  const one = { handle: await store.upload(object, { signal }), bytes: 100 };
  assert.deepEqual(await store.thaw(one, { tier: "bulk", days: 1, signal }), { state: "direct" });
  assert.equal((await store.read(one, { range: { from: 3, length: 5 }, signal })).length, 5);
  assert.equal(operations(emulator).RestoreObject, undefined);
}, "GLACIER_IR");
