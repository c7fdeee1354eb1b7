import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { ExistsError, NotFoundError, type Store, type StoredObject } from "../../lib/store/mod.ts";

/** A fresh, empty store and what a test needs around it. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Another way into the same objects, as another process would have it. */
  reopen(): Promise<Store>;
  /** Closes what is open and removes everything. */
  dispose(): Promise<void>;
}

/** Registers the tests that hold a store to its contract. Every store passes all of them. */
export function storeConformance(title: string, make: () => Promise<StoreUnderTest>): void {
  const check = (behaviour: string, test: (store: Store, around: StoreUnderTest) => Promise<void>) =>
    Deno.test(`${title}: ${behaviour}`, async () => {
      const around = await make();
      try {
        await test(around.store, around);
      } finally {
        await around.dispose();
      }
    });

  check("what was put is read back, whole and in ranges", async (store) => {
    const bytes = pattern(1000);
    await store.put("bricks/ab/cd", bytes);
    assert.deepEqual(await store.get("bricks/ab/cd"), bytes);
    const ranges = [[0, 0], [0, 1], [0, 1000], [999, 1], [500, 250], [900, 500], [1000, 1], [5000, 10], [0, 2 ** 40]];
    for (const [from = 0, length = 0] of ranges) {
      assert.deepEqual(await store.get("bricks/ab/cd", { from, length }), bytes.slice(from, from + length));
    }
    for (const range of [{ from: -1, length: 1 }, { from: 0, length: -1 }, { from: 0.5, length: 1 }]) {
      await assert.rejects(store.get("bricks/ab/cd", range), RangeError);
    }
  });

  check("an empty object is an object", async (store) => {
    await store.put("keys/empty", new Uint8Array());
    assert.deepEqual(await store.get("keys/empty"), new Uint8Array());
    assert.equal((await store.head("keys/empty"))?.size, 0);
  });

  check("what is absent has no head, and reading it is a NotFoundError that names it", async (store) => {
    assert.equal(await store.head("keys/none"), undefined);
    await assert.rejects(store.get("keys/none"), (error: Error) => {
      assert.ok(error instanceof NotFoundError);
      assert.match(error.message, /keys\/none/);
      return true;
    });
    await assert.rejects(store.get("keys/none", { from: 0, length: 1 }), NotFoundError);
  });

  check("a put replaces what was there, longer or shorter", async (store) => {
    for (const size of [10, 100, 5, 0, 50]) {
      await store.put("index/x.open", pattern(size));
      assert.deepEqual(await store.get("index/x.open"), pattern(size));
      assert.equal((await store.head("index/x.open"))?.size, size);
    }
  });

  check("a put with once keeps what was there and throws ExistsError", async (store) => {
    await store.put("tarzan.json", pattern(3), { once: true });
    await assert.rejects(store.put("tarzan.json", pattern(4), { once: true }), ExistsError);
    assert.deepEqual(await store.get("tarzan.json"), pattern(3));
  });

  check("of many puts with once at the same time exactly one wins, and its bytes stay", async (store, around) => {
    const other = await around.reopen();
    const tries = Array.from({ length: 12 }, (_, i) => i);
    const outcomes = await Promise.allSettled(
      tries.map((i) => (i % 2 ? store : other).put("keys/slot.age", pattern(100 + i), { once: true })),
    );
    const winners = tries.filter((i) => outcomes[i]?.status === "fulfilled");
    assert.equal(winners.length, 1);
    for (const outcome of outcomes) assert.ok(outcome.status === "fulfilled" || outcome.reason instanceof ExistsError);
    assert.deepEqual(await store.get("keys/slot.age"), pattern(100 + (winners[0] ?? 0)));
  });

  check("the caller's buffers stay the caller's, and views of larger buffers count only themselves", async (store) => {
    const buffer = pattern(100);
    await store.put("a", buffer.subarray(10, 20));
    buffer.fill(0);
    const read = await store.get("a");
    assert.deepEqual(read, pattern(100).slice(10, 20));
    read.fill(7);
    assert.deepEqual(await store.get("a"), pattern(100).slice(10, 20));
  });

  check("a listing is in byte order, takes the prefix as plain text, and begins after a text", async (store) => {
    const names = ["a-b", "a.b", "a/c", "a/c-d/e", "a/c.d", "a0", "ab/1/2", "ab/1-2", "B", "_x", "z"];
    for (const name of names) await store.put(name, pattern(name.length));
    const sorted = names.toSorted();
    assert.deepEqual(await namesOf(store.list("")), sorted);
    for (const prefix of ["a", "a/", "a/c", "a/c-", "ab", "ab/1", "ab/1/", "q", "z", "zz", "a/c-d/e", "a/c-d/ef"]) {
      assert.deepEqual(await namesOf(store.list(prefix)), sorted.filter((name) => name.startsWith(prefix)), prefix);
      for (const after of [...names, "", "a", "a/", "a/c-d/", "a/d", "ab/1/0", "zzz", "a/c\uffff"]) {
        const expected = sorted.filter((name) => name.startsWith(prefix) && name > after);
        assert.deepEqual(await namesOf(store.list(prefix, { after })), expected, `${prefix} after ${after}`);
      }
    }
  });

  check("a listing says size and time, and its times fit the store's clock", async (store) => {
    const before = await store.now();
    await store.put("ledger/x/1", pattern(77));
    const [object] = await all(store.list("ledger/"));
    const after = await store.now();
    assert.ok(object);
    assert.equal(object.size, 77);
    assert.deepEqual(object, await store.head("ledger/x/1"));
    const wholeSecond = (time: Date) => Math.floor(time.getTime() / 1000);
    assert.ok(wholeSecond(before) <= wholeSecond(object.modifiedAt), "stamped before it was put");
    assert.ok(wholeSecond(object.modifiedAt) <= wholeSecond(after), "stamped in the future");
  });

  check("a listing of more than 2,500 objects brings each once, in order, from any place", async (store) => {
    const names = Array.from({ length: 2503 }, (_, i) => `ledger/${i % 2 ? "aa" : "bb"}/${hex(i * 7919 % 2503)}`);
    await inParallel(names, (name) => store.put(name, pattern(1)));
    const sorted = names.toSorted();
    assert.deepEqual(await namesOf(store.list("ledger/")), sorted);
    assert.deepEqual(await namesOf(store.list("ledger/aa/")), sorted.filter((name) => name.startsWith("ledger/aa/")));
    for (const place of [0, 999, 1000, 1001, 2000, 2501, 2502]) {
      assert.deepEqual(await namesOf(store.list("ledger/", { after: sorted[place] ?? "" })), sorted.slice(place + 1));
    }
  });

  check("a listing that is left early leaves nothing open", async (store) => {
    await inParallel(["a/1", "a/2", "b/1"], (name) => store.put(name, pattern(1)));
    for await (const object of store.list("")) {
      assert.equal(object.name, "a/1");
      break;
    }
  });

  check("a put, a commit and a delete show at once, also to somebody else", async (store, around) => {
    const other = await around.reopen();
    for (let i = 0; i < 5; i++) {
      const name = `index/dd/${i}.open`;
      await store.put(name, pattern(i));
      assert.ok((await namesOf(other.list("index/"))).includes(name));
      assert.deepEqual(await other.get(name), pattern(i));
      await other.delete(name);
      assert.deepEqual(await namesOf(store.list("index/")), []);
      assert.equal(await store.head(name), undefined);
    }
    const staged = await store.stage();
    await staged.write(pattern(9));
    await staged.commit("bricks/aa/bb");
    assert.deepEqual(await namesOf(other.list("")), ["bricks/aa/bb"]);
  });

  check("deleting what is absent succeeds", async (store) => {
    await store.put("a/b", pattern(1));
    for (let i = 0; i < 2; i++) await store.delete("a/b");
    await store.delete("never/was/there");
    assert.deepEqual(await namesOf(store.list("")), []);
  });

  check("what is no name is refused before anything happens", async (store) => {
    for (const name of badNames) {
      const staged = await store.stage();
      await staged.write(pattern(1));
      for (
        const call of [
          () => store.head(name),
          () => store.get(name),
          () => store.put(name, pattern(1)),
          () => store.put(name, pattern(1), { once: true }),
          () => store.delete(name),
          () => staged.commit(name),
        ]
      ) await assert.rejects(call, TypeError, JSON.stringify(name));
      await staged.abort();
    }
    for (const prefix of ["/", "../", "a/../", "a//", "./", ".", "a/.", "a b", "a\\", "ä", "a/..", "\0"]) {
      await assert.rejects(all(store.list(prefix)), TypeError, JSON.stringify(prefix));
    }
    assert.deepEqual(await namesOf(store.list("")), []);
  });

  check("a staged object is there after its commit, not before", async (store) => {
    const staged = await store.stage();
    const whole = pattern(300_000);
    for (const [from, to] of [[0, 1], [1, 1], [1, 70_000], [70_000, 300_000]]) {
      await staged.write(whole.subarray(from, to));
      assert.equal(staged.written, to);
    }
    assert.deepEqual(await namesOf(store.list("")), []);
    await staged.commit("bricks/ab/cdef");
    assert.deepEqual(await store.get("bricks/ab/cdef"), whole);
    assert.deepEqual(await namesOf(store.list("")), ["bricks/ab/cdef"]);
  });

  check("one write of 20 MiB arrives whole", async (store) => {
    const staged = await store.stage();
    const whole = pattern(20 << 20);
    await staged.write(whole);
    await staged.commit("bricks/large");
    const read = await store.get("bricks/large");
    assert.equal(Buffer.compare(read, whole), 0);
  });

  check("an abort leaves nothing, may come twice, and ends the staging", async (store) => {
    const staged = await store.stage();
    await staged.write(pattern(10));
    await staged.abort();
    await staged.abort();
    await assert.rejects(staged.write(pattern(1)), /committed or aborted/);
    await assert.rejects(staged.commit("a"), /committed or aborted/);
    assert.deepEqual(await namesOf(store.list("")), []);
  });

  check("an abort after the commit takes nothing back", async (store) => {
    const staged = await store.stage();
    await staged.write(pattern(10));
    await staged.commit("a");
    await staged.abort();
    await assert.rejects(staged.write(pattern(1)), /committed or aborted/);
    assert.deepEqual(await store.get("a"), pattern(10));
  });

  check("a commit that finds its name taken keeps the old object and succeeds", async (store) => {
    await store.put("meta/aa/bb", pattern(10));
    const staged = await store.stage();
    await staged.write(pattern(11));
    await staged.commit("meta/aa/bb");
    assert.deepEqual(await store.get("meta/aa/bb"), pattern(10));
  });

  check("a commit may be repeated under its name, and under no other", async (store) => {
    const staged = await store.stage();
    await staged.write(pattern(10));
    for (let i = 0; i < 2; i++) await staged.commit("meta/aa/bb");
    await assert.rejects(staged.commit("meta/aa/cc"), /committed or aborted/);
    assert.deepEqual(await namesOf(store.list("")), ["meta/aa/bb"]);
  });

  check("many stagings at once, two of each name, all succeed and leave one object each", async (store, around) => {
    const other = await around.reopen();
    const staged = await Promise.all(Array.from({ length: 16 }, (_, i) => (i % 3 ? store : other).stage()));
    for (const half of [0, 1]) {
      await Promise.all(
        staged.map((one, i) => one.write(pattern(2000 + (i >> 1)).subarray(half * 1000, half ? undefined : 1000))),
      );
    }
    await Promise.all(staged.map((one, i) => one.commit(`bricks/${hex(i >> 1)}`)));
    const names = await namesOf(store.list(""));
    assert.equal(names.length, 8);
    for (const [i, name] of names.entries()) assert.deepEqual(await store.get(name), pattern(2000 + i));
  });

  check("closing gives up what was not committed, and nothing works afterwards", async (store, around) => {
    const staged = await store.stage();
    await staged.write(pattern(10));
    await store.close();
    await store.close();
    await assert.rejects(staged.commit("a"));
    await assert.rejects(store.put("a", pattern(1)), /closed/);
    await assert.rejects(store.get("a"), /closed/);
    await assert.rejects(all(store.list("")), /closed/);
    await assert.rejects(store.stage(), /closed/);
    const other = await around.reopen();
    if (other !== store) assert.deepEqual(await namesOf(other.list("")), []);
  });

  check("a store is a map from names to bytes, whatever is done in whatever order", async (store) => {
    const name = fc.constantFrom("a/1", "a/2", "a-1", "b", "c/d/e");
    const command = fc.oneof(
      fc.record({ do: fc.constant("put" as const), name, bytes: fc.uint8Array({ maxLength: 20 }) }),
      fc.record({ do: fc.constant("once" as const), name, bytes: fc.uint8Array({ maxLength: 20 }) }),
      fc.record({ do: fc.constant("stage" as const), name, bytes: fc.uint8Array({ maxLength: 20 }) }),
      fc.record({ do: fc.constant("delete" as const), name, bytes: fc.constant(new Uint8Array()) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 12 }), async (commands) => {
        for (const name of await namesOf(store.list(""))) await store.delete(name);
        const model = new Map<string, Uint8Array>();
        for (const { do: what, name, bytes } of commands) {
          if (what === "put") await store.put(name, bytes);
          if (what === "delete") await store.delete(name);
          if (what === "once" && model.has(name)) {
            await assert.rejects(store.put(name, bytes, { once: true }), ExistsError);
          } else if (what === "once") await store.put(name, bytes, { once: true });
          if (what === "stage") {
            const staged = await store.stage();
            await staged.write(bytes);
            await staged.commit(name);
          }
          if (what === "delete") model.delete(name);
          else if (what === "put" || !model.has(name)) model.set(name, bytes);
        }
        assert.deepEqual(await namesOf(store.list("")), [...model.keys()].sort());
        for (const [name, bytes] of model) {
          assert.deepEqual(new Uint8Array(await store.get(name)), new Uint8Array(bytes));
        }
      }),
      { numRuns: 25 },
    );
  });
}

/** Texts that are no names of objects, each for another reason. */
export const badNames = [
  "",
  "/",
  "/a",
  "a/",
  "a//b",
  ".",
  "..",
  "../a",
  "a/../b",
  "a/..",
  "a..b",
  ".hidden",
  "a/.hidden",
  "a.",
  "a b",
  "a\\b",
  "a:b",
  "a\0b",
  "ä",
  "a%2e",
  "a\n",
  "tmp/a",
  "TMP/a",
  "tmp",
  "CACHEDIR.TAG",
  "x".repeat(256),
  "x/".repeat(600) + "x",
];

/** Recognisable bytes of any length. */
export function pattern(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 31 + (i >> 8) * 17 + length;
  return bytes;
}

/** Everything that a listing brings. */
export async function all(listing: AsyncIterable<StoredObject>): Promise<StoredObject[]> {
  return await Array.fromAsync(listing);
}

/** The names that a listing brings, in its order. */
export async function namesOf(listing: AsyncIterable<StoredObject>): Promise<string[]> {
  return (await all(listing)).map((object) => object.name);
}

function hex(number: number): string {
  return number.toString(16).padStart(8, "0");
}

async function inParallel(names: string[], work: (name: string) => Promise<void>): Promise<void> {
  const queue = names.values();
  await Promise.all(Array.from({ length: 32 }, async () => {
    for (const name of queue) await work(name);
  }));
}
