import assert from "node:assert/strict";
import { createMemoryStore, ExistsError, NotFoundError } from "../../lib/store/mod.ts";
import { namesOf, pattern, storeConformance } from "./conformance.ts";
import { cutting, failing, failingAfter, flipping, hiding, InjectedError, repeating, stalling } from "./faults.ts";

// A wrapper whose moment never comes is a store like any other.
storeConformance("wrapped memory", () => {
  const never = { call: "put", nth: Infinity } as const;
  const store = failing(repeating(failingAfter(stalling(createMemoryStore(), never).store, never), never), never);
  return Promise.resolve({ store, reopen: () => Promise.resolve(store), dispose: () => store.close() });
});

Deno.test("a failing call has done nothing, and the next one of its kind works", async () => {
  const store = failing(createMemoryStore(), { call: "put", nth: 2 });
  await store.put("a", pattern(1));
  await assert.rejects(store.put("b", pattern(1)), InjectedError);
  assert.deepEqual(await namesOf(store.list("")), ["a"]);
  await store.put("b", pattern(1));
  assert.deepEqual(await namesOf(store.list("")), ["a", "b"]);
});

Deno.test("a fault can be kept to names that begin in one way", async () => {
  const store = failing(createMemoryStore(), { call: "put", prefix: "ledger/" });
  await store.put("bricks/a", pattern(1));
  await assert.rejects(store.put("ledger/a", pattern(1)), InjectedError);
});

Deno.test("a put with once whose answer is lost meets its own object on the second try", async () => {
  const store = failingAfter(createMemoryStore(), { call: "put" });
  await assert.rejects(store.put("a", pattern(3), { once: true }), InjectedError);
  await assert.rejects(store.put("a", pattern(3), { once: true }), ExistsError);
  assert.deepEqual(await store.get("a"), pattern(3));
  await assert.rejects(
    repeating(createMemoryStore(), { call: "put" }).put("a", pattern(3), { once: true }),
    ExistsError,
  );
});

Deno.test("a commit that failed before or after it did anything is repeated", async () => {
  for (const fault of [failing, failingAfter]) {
    const store = fault(createMemoryStore(), { call: "commit" });
    const staged = await store.stage();
    await staged.write(pattern(5));
    await assert.rejects(staged.commit("a"), InjectedError);
    await staged.commit("a");
    assert.deepEqual(await store.get("a"), pattern(5));
  }
});

Deno.test("a flipped bit shows in whole and ranged reads of that object only", async () => {
  const store = flipping(createMemoryStore(), "a", 10, 0x80);
  for (const name of ["a", "b"]) await store.put(name, pattern(20));
  const flipped = pattern(20);
  flipped[10] = (flipped[10] ?? 0) ^ 0x80;
  assert.deepEqual(await store.get("a"), flipped);
  assert.deepEqual(await store.get("a", { from: 8, length: 4 }), flipped.slice(8, 12));
  assert.deepEqual(await store.get("a", { from: 0, length: 10 }), pattern(20).slice(0, 10));
  assert.deepEqual(await store.get("b"), pattern(20));
});

Deno.test("a cut object is short wherever it is looked at", async () => {
  const store = cutting(createMemoryStore(), "a", 7);
  for (const name of ["a", "b"]) await store.put(name, pattern(20));
  assert.deepEqual(await store.get("a"), pattern(20).slice(0, 7));
  assert.deepEqual(await store.get("a", { from: 5, length: 10 }), pattern(20).slice(5, 7));
  assert.deepEqual(await store.get("a", { from: 9, length: 10 }), new Uint8Array());
  assert.equal((await store.head("a"))?.size, 7);
  assert.deepEqual((await Array.fromAsync(store.list(""))).map((object) => object.size), [7, 20]);
});

Deno.test("a hidden object is neither listed nor read", async () => {
  const store = hiding(createMemoryStore(), "a");
  for (const name of ["a", "b"]) await store.put(name, pattern(20));
  assert.deepEqual(await namesOf(store.list("")), ["b"]);
  assert.equal(await store.head("a"), undefined);
  await assert.rejects(store.get("a"), NotFoundError);
});

Deno.test("a stalled call goes on when it is released", async () => {
  const { store, reached, release } = stalling(createMemoryStore(), { call: "get" });
  await store.put("a", pattern(2));
  const read = store.get("a");
  await reached;
  assert.deepEqual(await store.get("a"), pattern(2));
  release();
  assert.deepEqual(await read, pattern(2));
});
