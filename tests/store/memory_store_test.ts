import assert from "node:assert/strict";
import { createMemoryStore } from "../../lib/store/mod.ts";
import { storeConformance } from "./conformance.ts";

storeConformance("memory", () => {
  const store = createMemoryStore();
  return Promise.resolve({ store, reopen: () => Promise.resolve(store), dispose: () => store.close() });
});

Deno.test("a memory store stamps its objects with the clock that it was given", async () => {
  let time = new Date("2030-01-01T00:00:00Z");
  const store = createMemoryStore({ now: () => time });
  await store.put("a", new Uint8Array(1));
  time = new Date("2031-01-01T00:00:00Z");
  assert.equal((await store.head("a"))?.modifiedAt.toISOString(), "2030-01-01T00:00:00.000Z");
  assert.equal((await store.now()).toISOString(), "2031-01-01T00:00:00.000Z");
});
