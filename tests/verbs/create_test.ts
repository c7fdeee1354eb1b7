// `create`: what it says, what it stores, what it does not store again, and what it stores anew.

import assert from "node:assert/strict";
import { create, listSnapshots, verify } from "../../lib/verbs/mod.ts";
import { noise } from "../repository/machine.ts";
import { header } from "../tar/archives.ts";
import { bricksIn, change, extractedBytes, inRepository, listed, objectsIn, streamed, tarOf } from "./session.ts";

const TAR = tarOf(
  ["dir/small", "a few bytes"],
  ["dir/large", noise(100_000, 1)],
  ["dir/empty"],
  ["dir/text", "line\n".repeat(5000)],
);

Deno.test("a backup says what it did, and what it did is there", async () => {
  await inRepository(async ({ create, session }, { location }) => {
    const result = await create(TAR, { label: "daily" });
    assert.equal(result.location, location);
    assert.match(result.snapshot, /^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$/);
    assert.deepEqual([result.complete, result.entries, result.bytes], [true, 4, TAR.length]);
    assert.equal(result.deduplicatedBytes, 0);
    assert.ok(result.newBytes >= 100_000 && result.newBytes <= TAR.length);
    assert.equal(result.bricks, (await bricksIn(location)).length);
    assert.equal(result.bricks, 2);
    const [line, ...others] = await listSnapshots(session);
    assert.deepEqual(others, []);
    assert.deepEqual([line!.label, line!.entries, line!.bytes, line!.bricks], ["daily", 4, TAR.length, 2]);
  });
});

Deno.test("the same stream again adds an index and nothing else", async () => {
  await inRepository(async ({ create, extract }, { location }) => {
    const first = await create(TAR);
    const before = await objectsIn(location);
    const second = await create(TAR);
    const added = (await objectsIn(location)).filter((name) => !before.includes(name));
    assert.equal(added.length, 1, added.join());
    assert.ok(added[0]!.startsWith("index/") && added[0]!.endsWith(`${second.snapshot}.json`));
    assert.deepEqual([second.newBytes, second.storedBytes, second.bricks], [0, 0, 0]);
    assert.equal(second.deduplicatedBytes, first.newBytes + first.deduplicatedBytes);
    assert.deepEqual(await extract(second.snapshot), TAR);
  });
});

Deno.test("what a stream has in common with another one is stored once", async () => {
  await inRepository(async ({ create, extract }) => {
    await create(TAR);
    const more = tarOf(["dir/large", noise(100_000, 1)], ["new", noise(20_000, 2)]);
    const second = await create(more);
    assert.ok(second.newBytes >= 20_000 && second.newBytes < 30_000, `${second.newBytes} new bytes`);
    assert.deepEqual(await extract(second.snapshot), more);
  });
});

Deno.test("each snapshot names the one before it, and no .open is left behind", async () => {
  await inRepository(async (machine, { location }) => {
    const snapshots: string[] = [];
    for (const name of ["a", "b", "c"]) snapshots.push((await machine.create(tarOf([name, name]))).snapshot);
    const indexes = await objectsIn(location, "index");
    assert.deepEqual(
      indexes.map((name) => name.split("/").at(-1)),
      [...snapshots].sort().map((name) => `${name}.json`),
    );
    const previous = await Promise.all(snapshots.map(async (snapshot) => {
      const name = indexes.find((name) => name.includes(snapshot))!;
      return JSON.parse(await Deno.readTextFile(`${location}/${name}`)).previous;
    }));
    // Within one second the order is that of their random parts, so "before" means: seen by the writer.
    assert.equal(previous[0], null);
    for (const one of previous.slice(1)) assert.ok(snapshots.includes(one));
    assert.deepEqual((await machine.verify({ data: true })).problems, []);
  });
});

Deno.test("a second copy of the index goes where it was asked for, byte for byte", async () => {
  await inRepository(async ({ session }, { folder, location }) => {
    const out = `${folder}/backup.idx`;
    await Deno.writeTextFile(out, "an older one");
    const result = await create(session, streamed(TAR, { out }));
    assert.equal(result.out, out);
    const [index] = await objectsIn(location, "index");
    assert.deepEqual(await Deno.readFile(out), await Deno.readFile(`${location}/${index}`));
    assert.deepEqual(
      (await Array.fromAsync(Deno.readDir(folder))).filter(({ name }) => name.startsWith("backup")).length,
      1,
    );
  });
});

Deno.test("where the index cannot go, nothing is stored", async () => {
  await inRepository(async ({ session }, { folder, location }) => {
    const before = await objectsIn(location);
    await assert.rejects(create(session, streamed(TAR, { out: `${folder}/none/backup.idx` })), /Nothing was stored/);
    assert.deepEqual(await objectsIn(location), before);
  });
});

Deno.test("a lost tarzan.json is written again, the same", async () => {
  await inRepository(async ({ create }, { location }) => {
    const text = await Deno.readTextFile(`${location}/tarzan.json`);
    await Deno.remove(`${location}/tarzan.json`);
    await create(TAR);
    assert.equal(await Deno.readTextFile(`${location}/tarzan.json`), text);
  });
});

for (
  const [what, spoil] of [
    ["missing", (path: string) => Deno.remove(path)],
    ["cut short", (path: string) => change(path, (bytes) => bytes.slice(0, -65_536))],
  ] as const
) {
  Deno.test(`what a ${what} brick held is stored anew, with a warning, and comes back`, async () => {
    await inRepository(async (machine, { location }) => {
      await machine.create(TAR);
      for (const brick of await bricksIn(location)) await spoil(`${location}/${brick}`);
      const second = await machine.create(TAR);
      assert.match(machine.warnings.join("\n"), /2 bricks that the ledger tells of are not there/);
      assert.equal(second.bricks, 2);
      assert.ok(second.newBytes > 100_000);
      assert.deepEqual(await machine.extract(second.snapshot), TAR);
      const { problems } = await verify(machine.session, {
        backups: [second.snapshot],
        bricks: false,
        dataPercent: 100,
      });
      assert.deepEqual(problems, []);
    });
  });
}

Deno.test("a damaged chunk that verify found is stored anew by the next backup, and both come back", async () => {
  await inRepository(async (machine, { location, fullKey, ...place }) => {
    const first = await machine.create(TAR);
    const [data] = await objectsIn(location, "bricks");
    // A bit in the middle of the first block: the brick keeps its length.
    await change(`${location}/${data}`, (bytes) => void (bytes[5000]! ^= 1));
    const found = await machine.verify({ data: true });
    assert.ok(found.problems.some(({ kind }) => kind === "damaged block"));
    assert.ok(found.affected[0]!.entries.includes("dir/large"));
    await assert.rejects(machine.extract(first.snapshot));

    // Another machine learns of it from the repository alone.
    const other = place.machine(fullKey);
    const second = await other.create(TAR);
    assert.ok(second.newBytes > 0, "nothing was stored anew");
    assert.deepEqual(await other.extract(second.snapshot), TAR);
    // The older snapshot finds the new copies too.
    assert.deepEqual(await machine.extract(first.snapshot), TAR);
    const third = await other.create(TAR);
    assert.equal(third.newBytes, 0);
  });
});

Deno.test("two backups at once into one repository both succeed and both come back", async () => {
  await inRepository(async (machine, { fullKey, ...place }) => {
    const shared = noise(60_000, 7);
    const tars = [1, 2].map((seed) => tarOf(["shared", shared], [`own ${seed}`, noise(60_000, seed + 10)]));
    // On two machines, and twice on one of them.
    const machines = [machine, place.machine(fullKey), machine];
    const results = await Promise.all(machines.map((machine, i) => machine.create(tars[i % 2]!)));
    assert.equal(new Set(results.map(({ snapshot }) => snapshot)).size, 3);
    for (const [i, { snapshot }] of results.entries()) {
      assert.deepEqual(await machine.extract(snapshot), tars[i % 2]);
    }
    assert.deepEqual((await machine.verify({ data: true })).problems, []);
    assert.equal((await machine.create(tars[0]!)).newBytes, 0);
  });
});

Deno.test("a stream with this repository's own bricks is stored, with a warning", async () => {
  await inRepository(async (machine, { location }) => {
    await machine.create(TAR);
    const [brick] = await bricksIn(location);
    const self = tarOf([`srv/repository/${brick}`, noise(1000, 3)]);
    const { snapshot } = await machine.create(self);
    assert.match(machine.warnings.join("\n"), /this repository's own bricks/);
    assert.equal(machine.warnings.length, 1);
    assert.deepEqual(await machine.extract(snapshot), self);
  });
});

Deno.test("another repository's bricks are data like any other", async () => {
  await inRepository(async (machine) => {
    const hash = "ab".repeat(32);
    await machine.create(tarOf([`srv/bricks/ab/${hash}`, noise(1000, 3)]));
    assert.deepEqual(machine.warnings, []);
  });
});

Deno.test("compressed input is stored, with a warning", async () => {
  await inRepository(async (machine) => {
    const stream = new Blob([TAR]).stream().pipeThrough(new CompressionStream("gzip"));
    const compressed = new Uint8Array(await new Response(stream).arrayBuffer());
    const { snapshot, complete } = await machine.create(compressed);
    assert.equal(complete, true);
    assert.match(machine.warnings.join("\n"), /compressed \(gzip\)/);
    assert.deepEqual(await machine.extract(snapshot), compressed);
  });
});

Deno.test("bytes behind the archive that are no tar are stored, with a warning, and come back", async () => {
  await inRepository(async (machine) => {
    const tar = new Uint8Array([...TAR, ...noise(3000, 4)]);
    const { snapshot, opaqueBytes } = await machine.create(tar);
    assert.equal(opaqueBytes, 3000);
    assert.match(machine.warnings.join("\n"), /3000 bytes from byte [0-9]+ on are no tar/);
    assert.deepEqual(await machine.extract(snapshot), tar);
    assert.equal((await listed(machine.session)).length, 4);
  });
});

Deno.test("a large stream of many bricks comes back, and its bricks are no larger than was asked for", async () => {
  await inRepository(async (machine, { location }) => {
    const bodies = Array.from({ length: 10 }, (_, i): [string, Uint8Array] => [`f${i}`, noise(4 << 20, i + 1)]);
    const tar = tarOf(...bodies);
    const { snapshot, bricks } = await machine.create(tar, { brickBytes: 16 << 20, level: 1 });
    assert.ok(bricks >= 4, `${bricks} bricks`);
    for (const brick of await bricksIn(location)) {
      assert.ok((await Deno.stat(`${location}/${brick}`)).size <= 16 << 20);
    }
    assert.ok(Buffer.compare(await extractedBytes(machine.session, [], snapshot), tar) === 0);
  });
});

Deno.test("a run that is interrupted says so, and the next one finishes", async () => {
  await inRepository(async (machine) => {
    const controller = new AbortController();
    function* interrupted(): Generator<Uint8Array> {
      yield tarOf(["a", noise(5 << 20, 1)]);
      controller.abort(new Error("interrupted by the test"));
      yield header();
    }
    const session = { ...machine.session, signal: controller.signal };
    await assert.rejects(create(session, streamed(interrupted())), /interrupted by the test/);
    const { snapshot } = await machine.create(TAR);
    assert.deepEqual(await machine.extract(snapshot), TAR);
    assert.deepEqual((await machine.verify({ data: true })).problems, []);
  });
});
