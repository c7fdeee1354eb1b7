import assert from "node:assert/strict";
import { IdCache } from "../../lib/catalog/id_cache.ts";
import { wordsOf } from "../../lib/catalog/ids.ts";
import { idOf } from "./bricks.ts";

const words = (text: string) => wordsOf(idOf(text));

Deno.test("an answer is remembered, replaced and forgotten", () => {
  const cache = new IdCache(1 << 20);
  assert.equal(cache.get(1, words("a"), 0), 0);
  cache.set(1, words("a"), 0, 7);
  assert.equal(cache.get(1, words("a"), 0), 7);
  assert.equal(cache.get(2, words("a"), 0), 0, "another scope");
  cache.set(1, words("a"), 0, -1);
  assert.equal(cache.get(1, words("a"), 0), -1);
  cache.clear();
  assert.equal(cache.get(1, words("a"), 0), 0);
});

Deno.test("however much is put in, what is still there is right, and what was used last is there", () => {
  const cache = new IdCache(1 << 16);
  cache.set(1, words("favourite"), 0, 42);
  for (let i = 1; i <= 20_000; i++) {
    cache.set(1, words(`${i}`), 0, i);
    if (i % 100 === 0) assert.equal(cache.get(1, words("favourite"), 0), 42);
    if (i > 100) assert.equal(cache.get(1, words(`${i - 100}`), 0), i - 100);
    const longAgo = cache.get(1, words(`${i - 500}`), 0);
    assert.ok(longAgo === 0 || longAgo === i - 500);
  }
  assert.equal(cache.get(1, words("1"), 0), 0, "the oldest are gone");
});

Deno.test("one id has an answer in each of many scopes, in a table that is half full of it", () => {
  const cache = new IdCache(1 << 16);
  for (let scope = 1; scope <= 500; scope++) cache.set(scope, words("a"), 0, 1000 + scope);
  for (let scope = 1; scope <= 500; scope++) assert.equal(cache.get(scope, words("a"), 0), 1000 + scope);
  assert.equal(cache.get(501, words("a"), 0), 0);
});

Deno.test("ids that differ in one bit only are different ids", () => {
  const cache = new IdCache(1 << 20);
  const id = idOf("a");
  for (let bit = 0; bit < 256; bit++) {
    const other = id.slice();
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ 1 << (bit & 7);
    cache.set(1, wordsOf(other), 0, bit + 1);
  }
  assert.equal(cache.get(1, wordsOf(id), 0), 0);
  for (let bit = 0; bit < 256; bit++) {
    const other = id.slice();
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ 1 << (bit & 7);
    assert.equal(cache.get(1, wordsOf(other), 0), bit + 1);
  }
});
