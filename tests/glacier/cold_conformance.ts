/** What every cold store does, whatever it is: the contract of lib/glacier/cold.ts. */
import assert from "node:assert/strict";
import { type ColdObject, type ColdStore, type ColdUpload, NotThawedError, thawTime } from "../../lib/glacier/mod.ts";
import { upload, type World } from "./cold_worlds.ts";

const MiB = 1024 * 1024;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const signal = new AbortController().signal;

/** Runs the suite; `makeWorld` gives a new place each time. */
export function coldConformance(name: string, makeWorld: () => Promise<World>): void {
  const test = (sentence: string, body: (world: World, store: ColdStore) => Promise<void>) => {
    Deno.test(`${name}: ${sentence}`, async () => {
      const world = await makeWorld();
      const store = await world.open();
      try {
        await body(world, store);
      } finally {
        await store.close();
        await world.close();
      }
    });
  };

  const needsThaw = (world: World) => thawTime(world.class, "bulk") !== undefined;

  /** Everything in the place, from an inventory that was asked for now where there are inventories. */
  const all = async (world: World, store: ColdStore): Promise<ColdObject[]> => {
    const since = world.now();
    for (let rounds = 0; rounds < 10; rounds++) {
      const answer = await store.list({ signal, since });
      if (answer.ready) return await Array.fromAsync(answer.listing.objects);
      await world.advance(answer.readyAt === undefined ? dayMs : answer.readyAt.getTime() - world.now().getTime());
    }
    throw new Error("There is no inventory after days");
  };

  const handed = (object: ColdUpload, handle: string, storedAt: Date) => ({ ...object, handle, storedAt });

  test("what was stored can be thawed and read, in any range, by another process", async (world, store) => {
    const object = upload(1, 3 * MiB + 12_345);
    const handle = await store.upload(object, { signal });
    await store.thaw({ handle, bytes: object.bytes }, { tier: "standard", days: 1, signal });
    await world.advance(12 * hourMs);
    const other = await world.open();
    try {
      const ranges: [number, number][] = [
        ...[[0, object.bytes], [0, 1], [object.bytes - 1, 1], [MiB, MiB], [MiB - 1, 2 * MiB + 2]] as [number, number][],
        ...[[5, 0], [12_345, 2 * MiB], [2 * MiB, MiB + 12_345]] as [number, number][],
      ];
      for (const [from, length] of ranges) {
        const bytes = await other.read({ handle, bytes: object.bytes }, { range: { from, length }, signal });
        assert.equal(bytes.length, length);
        assert.ok(equal(bytes, object.content.subarray(from, from + length)));
      }
      const beyond = { range: { from: object.bytes - 1, length: 2 }, signal };
      await assert.rejects(other.read({ handle, bytes: object.bytes }, beyond), RangeError);
    } finally {
      await other.close();
    }
  });

  test("progress tells every byte once", async (_world, store) => {
    const object = upload(2, 2 * MiB + 1);
    let told = 0;
    await store.upload(object, { signal, sent: (bytes) => told += bytes });
    assert.equal(told, object.bytes);
  });

  test("bytes that are not what they should be are not stored", async (world, store) => {
    const object = upload(3, MiB + 1);
    const damaged = { ...object, read: (range: { from: number; length: number }) => object.read(range).then(flipped) };
    await assert.rejects(store.upload(damaged, { signal }));
    const short = { ...object, read: () => Promise.resolve(new Uint8Array(3)) };
    await assert.rejects(store.upload(short, { signal }));
    // Something must be there for an inventory to be made.
    const good = upload(4, 10);
    await store.upload(good, { signal });
    assert.deepEqual((await all(world, store)).map(({ name }) => name), [good.name]);
  });

  test("the store lists what was uploaded, as what it was uploaded, and confirms it", async (world, store) => {
    const objects = [upload(5, 1), upload(6, MiB), upload(7, MiB + 1), upload(8, 100)];
    const storedAt = world.now();
    const handles = await Promise.all(objects.map((object) => store.upload(object, { signal })));
    const listed = await all(world, store);
    const found = new Map(listed.map((object) => [object.handle, object]));
    assert.equal(found.size, objects.length);
    objects.forEach((object, i) => {
      const there = found.get(handles[i]!);
      assert.equal(there?.name, object.name);
      assert.equal(there?.bytes, object.bytes);
      assert.equal(there?.class, world.class);
      assert.ok(there?.storedAt && Math.abs(there.storedAt.getTime() - storedAt.getTime()) < hourMs);
      assert.ok(there?.sha256 === undefined || there.sha256 === object.sha256);
      if (world.isVault) assert.equal(there?.treeHash, object.treeHash);
    });
    const asked = objects.map((object, i) => handed(object, handles[i]!, storedAt));
    const same = await store.confirm(asked, { signal });
    assert.deepEqual(same.map(({ found }) => found), ["same", "same", "same", "same"]);
    const others = [
      { ...asked[0]!, bytes: 2 },
      { ...asked[1]!, sha256: "00".repeat(32), treeHash: "00".repeat(32) },
      { ...asked[2]!, handle: handles[3]! },
    ];
    const differ = await store.confirm(others, { signal });
    assert.deepEqual(differ.map(({ found }) => found), ["other", "other", "other"]);
  });

  test("absence is told only when it is sure", async (world, store) => {
    const stays = upload(9, 10);
    const goes = upload(10, 10);
    const storedAt = world.now();
    await store.upload(stays, { signal });
    const handle = await store.upload(goes, { signal });
    const asked = [handed(goes, handle, storedAt)];
    const stateNow = async () => (await store.confirm(asked, { signal })).map(({ found }) => found);
    if (world.isVault) assert.deepEqual(await stateNow(), ["unknown"]);
    await store.remove(handle, { signal });
    await store.remove(handle, { signal });
    if (world.isVault) {
      assert.deepEqual(await stateNow(), ["unknown"]);
      // The first inventory has no such archive: it may be too young for it.
      assert.equal((await all(world, store)).length, 1);
      assert.deepEqual(await stateNow(), ["unknown"]);
      await world.advance(2 * dayMs);
      await all(world, store);
    }
    assert.deepEqual(await stateNow(), ["absent"]);
    const later = [handed(goes, handle, new Date(world.now().getTime() + dayMs))];
    const [last] = await store.confirm(later, { signal });
    assert.equal(last?.found, world.isVault ? "unknown" : "absent");
  });

  test("what sleeps is not read before it has been thawed, nor after its copy has gone", async (world, store) => {
    const object = upload(11, 1000);
    const handle = await store.upload(object, { signal });
    const one = { handle, bytes: object.bytes };
    const state = async () => (await store.states([one], { signal }))[0]!;
    const read = () => store.read(one, { range: { from: 0, length: 10 }, signal });
    if (!needsThaw(world)) {
      assert.deepEqual(await state(), { state: "direct" });
      assert.deepEqual(await store.thaw(one, { tier: "bulk", days: 1, signal }), { state: "direct" });
      await read();
      return;
    }
    assert.deepEqual(await state(), { state: "cold" });
    await assert.rejects(read(), NotThawedError);
    const asked = await store.thaw(one, { tier: "bulk", days: 2, signal });
    assert.equal(asked.state, "thawing");
    const readyAt = asked.state === "thawing" ? asked.readyAt : undefined;
    assert.ok(readyAt !== undefined && readyAt > world.now());
    assert.equal((await state()).state, "thawing");
    await assert.rejects(read(), NotThawedError);
    assert.equal((await store.thaw(one, { tier: "bulk", days: 2, signal })).state, "thawing");
    await world.advance(readyAt.getTime() - world.now().getTime());
    const ready = await state();
    assert.equal(ready.state, "ready");
    assert.ok(equal(await read(), object.content.subarray(0, 10)));
    const until = ready.state === "ready" ? ready.until : undefined;
    assert.ok(
      until !== undefined && until.getTime() - world.now().getTime() >= (world.isVault ? dayMs - 2 * hourMs : 0),
    );
    await world.advance(until.getTime() - world.now().getTime() + 1000);
    assert.deepEqual(await state(), { state: "cold" });
    await assert.rejects(read(), NotThawedError);
    assert.equal((await store.thaw(one, { tier: "bulk", days: 1, signal })).state, "thawing");
  });

  test("the states of many objects come in the order of asking", async (world, store) => {
    const objects = Array.from({ length: 70 }, (_, i) => upload(100 + i, 1 + i));
    const handles = await Promise.all(objects.map((object) => store.upload(object, { signal })));
    const asked = objects.map(({ bytes }, i) => ({ handle: handles[i]!, bytes }));
    for (const i of [3, 42]) await store.thaw(asked[i]!, { tier: "standard", days: 1, signal });
    const states = await store.states(asked, { signal });
    const expected = (i: number) => !needsThaw(world) ? "direct" : i === 3 || i === 42 ? "thawing" : "cold";
    assert.deepEqual(states.map(({ state }) => state), asked.map((_, i) => expected(i)));
    assert.deepEqual(await store.states([], { signal }), []);
  });

  test("whoever is stopped beforehand does nothing", async (world, store) => {
    const object = upload(12, 10);
    const stopped = AbortSignal.abort(new Error("enough"));
    await assert.rejects(store.upload(object, { signal: stopped }), /enough/);
    const handle = await store.upload(object, { signal });
    await assert.rejects(
      Promise.resolve().then(() => store.thaw({ handle, bytes: 10 }, { tier: "bulk", days: 1, signal: stopped })),
      /enough/,
    );
    const [state] = await store.states([{ handle, bytes: 10 }], { signal });
    assert.equal(state?.state, needsThaw(world) ? "cold" : "direct");
  });
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function flipped(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  bytes[0] = bytes[0]! ^ 1;
  return bytes;
}
