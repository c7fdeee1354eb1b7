// What a machine keeps of a store that it has read.

import assert from "node:assert/strict";
import { createMemoryStore } from "../../lib/store/mod.ts";
import { KeptFiles } from "../../lib/verbs/kept_files.ts";
import { type KeptStoreOptions, openKeptStore } from "../../lib/verbs/kept_store.ts";
import { inFolder, noise } from "../repository/machine.ts";

const at = (hour: number) => new Date(Date.UTC(2026, 0, 1, hour));

Deno.test("when there is too much, the oldest goes first", () =>
  inFolder(async (folder) => {
    const kept = new KeptFiles(`${folder}/kept`, { mostBytes: 25_000 });
    for (const hour of [2, 1, 3]) await kept.put(`piece ${hour}`, noise(10_000, hour), at(hour));
    await kept.put("small", new Uint8Array(10), at(0));
    await kept.makeRoom();
    const there = async (key: string) => (await kept.get(key))?.keptAt.getUTCHours();
    assert.deepEqual([await there("piece 1"), await there("piece 2"), await there("piece 3")], [undefined, 2, 3]);
    assert.equal(await there("small"), 0);
  }));

Deno.test("a file that was spoiled or cut short counts as not kept", () =>
  inFolder(async (folder) => {
    const kept = new KeptFiles(`${folder}/kept`, { mostBytes: 1e6 });
    await kept.put("key", noise(5000, 1), at(1));
    const [path] = [...Deno.readDirSync(`${folder}/kept`)].filter(({ name }) => /^[0-9a-f]{64}$/.test(name))
      .map(({ name }) => `${folder}/kept/${name}`);
    const good = await Deno.readFile(path!);
    for (const length of [0, 31, 32, 2000, good.length - 1]) {
      await Deno.writeFile(path!, good.subarray(0, length));
      assert.equal(await kept.get("key"), undefined, `${length}`);
    }
    await Deno.writeFile(path!, good);
    assert.equal((await kept.get("key"))!.bytes.length, 5000);
  }));

Deno.test("through the memory everything reads as in the store itself, and again without it", () =>
  inFolder(async (folder) => {
    const store = createMemoryStore();
    const meta = `meta/ab/${"ab".repeat(32)}`;
    const content = noise(2_500_000, 7);
    await store.put(meta, content);
    await store.put("index/d/1.json", noise(300, 1));
    await store.put("index/d/2.json", noise(300, 2));
    const options: KeptStoreOptions = {
      ...{ folder: `${folder}/kept`, place: "the store", offline: false, steady: true, now: () => at(5) },
      open: () => Promise.resolve(store),
    };
    const ranges = [[0, 4096], [1_000_000, 200_000], [2_400_000, 500_000], [1 << 20, 1 << 20], [
      2_600_000,
      10,
    ]] as const;
    const online = await openKeptStore(options);
    const offline = async () => await openKeptStore({ ...options, offline: true, open: () => assert.fail("asked") });
    for (const memory of [online, await offline()]) {
      for (const [from, length] of ranges) {
        const bytes = await memory.get(meta, { from, length });
        assert.deepEqual(bytes, await store.get(meta, { from, length }), `${from} ${length}`);
      }
      const listed = (await Array.fromAsync(memory.list("index/"))).map(({ name, size }) => [name, size]);
      assert.deepEqual(listed, [["index/d/1.json", 300], ["index/d/2.json", 300]]);
      assert.deepEqual(await memory.get("index/d/1.json", { from: 0, length: 1000 }), noise(300, 1));
    }
    // Below and above what was listed, too.
    const without = await offline();
    assert.equal((await Array.fromAsync(without.list("index/d/", { after: "index/d/1.json" }))).length, 1);
    assert.deepEqual((await without.listedBefore("index/"))?.at, at(5));
    await assert.rejects(without.get("index/d/2.json"), { name: "OfflineError" });
    await assert.rejects(async () => await Array.fromAsync(without.list("bricks/")), { name: "OfflineError" });
    await assert.rejects(without.put(), /Nothing may be written/);
  }));
