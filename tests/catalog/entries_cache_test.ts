import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { EntriesCache } from "../../lib/catalog/mod.ts";
import { idOf } from "./bricks.ts";
import { withPath } from "./files.ts";

const options = { repository: "test", form: "1" };

function content(length: number): Uint8Array {
  return new Uint8Array(length).map((_, i) => i * 7 + length);
}

function kept(cache: EntriesCache, count: number): number[] {
  return Array.from({ length: count }, (_, i) => i).filter((i) => cache.get(idOf(`${i}`)) !== undefined);
}

Deno.test("a page is kept under its id, in bytes or in hex, and stays as it was first put", () => {
  const cache = EntriesCache.open(":memory:", options);
  cache.put(idOf("a"), content(100));
  cache.put(Buffer.from(idOf("b")).toString("hex"), content(0));
  cache.put(idOf("a"), content(5));
  assert.deepEqual(cache.get(Buffer.from(idOf("a")).toString("hex")), content(100));
  assert.deepEqual(cache.get(idOf("b")), content(0));
  assert.equal(cache.get(idOf("c")), undefined);
  assert.equal(cache.bytes, 100);
  for (const id of ["", "zz".repeat(32), "ab"]) assert.throws(() => cache.get(id), TypeError);
  assert.throws(() => cache.put(new Uint8Array(31), content(1)), TypeError);
  cache.close();
});

Deno.test("the oldest pages make room for new ones", () => {
  const cache = EntriesCache.open(":memory:", { ...options, maximumBytes: 1000 });
  for (let i = 0; i < 25; i++) cache.put(idOf(`${i}`), content(100));
  assert.deepEqual(kept(cache, 25), [15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
  cache.put(idOf("25"), content(550));
  assert.deepEqual(kept(cache, 26), [21, 22, 23, 24, 25]);
  assert.equal(cache.bytes, 950);
  cache.close();
});

Deno.test("many pages at once keep to the bound too, and a page that is larger than all room is left out", () => {
  const cache = EntriesCache.open(":memory:", { ...options, maximumBytes: 5000 });
  cache.putAll(Array.from({ length: 300 }, (_, i) => [idOf(`${i}`), content(i === 299 ? 5001 : 100)] as const));
  assert.deepEqual(kept(cache, 300), Array.from({ length: 50 }, (_, i) => i + 249));
  assert.equal(cache.bytes, 5000);
  cache.close();
});

Deno.test("pages of another form or repository are forgotten, and a file can be dropped", () =>
  withPath((path) => {
    const put = (what: { repository: string; form: string }) => {
      const cache = EntriesCache.open(path, what);
      const before = cache.get(idOf("a")) !== undefined;
      cache.put(idOf("a"), content(10));
      cache.close();
      return before;
    };
    assert.equal(put(options), false);
    assert.equal(put(options), true);
    assert.equal(put({ ...options, form: "2" }), false);
    assert.equal(put({ ...options, repository: "other" }), false);
    EntriesCache.drop(path);
    assert.deepEqual(Array.from(Deno.readDirSync(path.slice(0, path.lastIndexOf("/")))), []);
    assert.equal(put(options), false);
    Deno.writeTextFileSync(path, "garbage".repeat(1000));
    assert.equal(put(options), false);
    EntriesCache.drop(path);
    EntriesCache.drop(path);
  }));
