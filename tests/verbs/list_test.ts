// `list`: the snapshots of a repository, and the entries of one.

import assert from "node:assert/strict";
import { create, listEntries, listSnapshots } from "../../lib/verbs/mod.ts";
import { noise } from "../repository/machine.ts";
import { change, inRepository, listed, objectsIn, streamed, tarOf } from "./session.ts";

const TAR = tarOf([{ name: "./", type: "5" }], ["./a", "aaa"], [{ name: "./dir/", type: "5" }], [
  "./dir/b",
  noise(5000, 1),
]);

Deno.test("snapshots are listed oldest first, with what was said of them", async () => {
  await inRepository(async (machine) => {
    const one = await create(machine.session, streamed(TAR, { label: "first", tags: ["x", "y"] }));
    const two = await create(machine.session, streamed(TAR.subarray(0, 3000), { label: "second" }));
    const lines = await listSnapshots(machine.session);
    assert.deepEqual(lines.map(({ snapshot }) => snapshot), [one.snapshot, two.snapshot].sort());
    const first = lines.find(({ snapshot }) => snapshot === one.snapshot)!;
    assert.deepEqual([first.label, first.tags, first.entries, first.bytes, first.complete], [
      "first",
      ["x", "y"],
      4,
      TAR.length,
      true,
    ]);
    assert.ok(Math.abs(Date.parse(first.created) - Date.now()) < 60_000);
    assert.equal(first.domainName, "default");
    const second = lines.find(({ snapshot }) => snapshot === two.snapshot)!;
    assert.equal(second.complete, false);
    assert.match(second.incomplete!, /inside/);
  });
});

Deno.test("an empty repository has no snapshots", async () => {
  await inRepository(async ({ session }) => {
    assert.deepEqual(await listSnapshots(session), []);
    await assert.rejects(listed(session), /no complete snapshot/);
  });
});

Deno.test("an index that cannot be read is a line that says so, and does not hide the others", async () => {
  await inRepository(async (machine, { location }) => {
    const snapshots = [await machine.create(TAR), await machine.create(TAR)].map(({ snapshot }) => snapshot).sort();
    const [index] = await objectsIn(location, "index");
    await change(`${location}/${index}`, (bytes) => void (bytes[300]! ^= 1));
    const lines = await listSnapshots(machine.session);
    assert.deepEqual(lines.map(({ snapshot }) => snapshot), snapshots);
    assert.deepEqual(lines.map(({ trouble }) => trouble), ["DamageError", undefined]);
    assert.match(lines[0]!.problem!, /MAC is not right/);
  });
});

Deno.test("entries are listed in the order of the stream", async () => {
  await inRepository(async (machine) => {
    const { snapshot } = await machine.create(TAR);
    assert.deepEqual(await listed(machine.session), ["./", "./a", "./dir/", "./dir/b"]);
    assert.deepEqual(await listed(machine.session, [], snapshot), ["./", "./a", "./dir/", "./dir/b"]);
    assert.deepEqual(await listed(machine.session, ["dir"]), ["./dir/", "./dir/b"]);
    assert.deepEqual(await listed(machine.session, ["**b"]), ["./dir/b"]);
    await assert.rejects(listed(machine.session, ["a", "none"]), /Not in snapshot .*: none/);
  });
});

Deno.test("what an entry is comes from its header: size, times, owners", async () => {
  await inRepository(async (machine) => {
    await machine.create(TAR);
    await listEntries(machine.session, {
      snapshot: undefined,
      paths: ["dir/b"],
      onEntries(entries) {
        const { size, mode, mtime, uid, user } = entries[0]!;
        assert.deepEqual([size, mode, mtime, uid, user], [5000, 0o644, 1_700_000_000, 0o1750, "owner"]);
      },
    });
  });
});

Deno.test("listing needs no data brick", async () => {
  await inRepository(async (machine, { location, listKey, ...place }) => {
    await machine.create(TAR);
    await Deno.remove(`${location}/bricks`, { recursive: true });
    assert.equal((await listed(machine.session)).length, 4);
    assert.equal((await listed(place.machine(listKey).session)).length, 4);
  });
});

Deno.test("a listing of thousands of entries comes in pages, and stops where its reader stops", async () => {
  const entries = Array.from({ length: 2000 }, (_, i): [string, string] => [`dir/${i}`, ""]);
  await inRepository(async (machine) => {
    await machine.create(tarOf(...entries));
    assert.deepEqual(await listed(machine.session), entries.map(([name]) => name));
    let pages = 0;
    const onEntries = () => {
      if (++pages === 3) throw new Error("enough");
    };
    await assert.rejects(listEntries(machine.session, { snapshot: undefined, paths: [], onEntries }), /enough/);
    assert.equal(pages, 3);
  });
});
