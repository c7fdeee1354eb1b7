// What listings keep on this machine: it makes no difference but in time, and whatever happens to it, no command fails.

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { decodeListed, encodeListed } from "../../lib/snapshot/mod.ts";
import type { Founded, Machine } from "../repository/machine.ts";
import { extracted, extractedBytes, inRepository, listed, tarOf } from "./session.ts";

const NAMES = Array.from({ length: 300 }, (_, i) => `folder/${i}`);
const TAR = tarOf(
  ...NAMES.map((name): [string, string] => [name, `content of ${name}`]),
  [{ name: "hard", type: "1", link: "folder/7" }],
);
const ALL = [...NAMES, "hard"];

/** Runs a test with a machine that has listed a backup, and the path of what it kept. */
async function withKept(test: (machine: Machine, path: string, place: Founded) => Promise<void>): Promise<void> {
  await inRepository(async (machine, place) => {
    await machine.create(TAR);
    assert.deepEqual(await listed(machine.session), ALL);
    await test(machine, `${machine.state}/${place.full.repository}/entries.sqlite`, place);
  });
}

/** Changes every page that was kept; with the sum that belongs to it, as if it had been written so. */
function changeAll(path: string, change: (content: Uint8Array) => Uint8Array): void {
  const database = new DatabaseSync(path);
  try {
    const pages = database.prepare("SELECT id, content FROM pages").all() as { id: Uint8Array; content: Uint8Array }[];
    assert.ok(pages.length > 3, `${pages.length} pages`);
    for (const { id, content } of pages) {
      const changed = change(content);
      const sum = crc32(changed, crc32(id));
      database.prepare("UPDATE pages SET content = ?, sum = ? WHERE id = ?").run(changed, sum, id);
    }
  } finally {
    database.close();
  }
}

Deno.test("a page that was listed once is not parsed again", async () => {
  await withKept(async ({ session, warnings }, path) => {
    const inCapitals = (name: Uint8Array) => name.map((byte) => byte >= 97 ? byte - 32 : byte);
    changeAll(
      path,
      (content) => encodeListed(decodeListed(content).map((entry) => ({ ...entry, name: inCapitals(entry.name) }))),
    );
    assert.deepEqual(await listed(session), ALL.map((name) => name.toUpperCase()));
    assert.deepEqual(await listed({ ...session, keepsEntries: false }), ALL);
    assert.deepEqual(warnings, []);
  });
});

Deno.test("listing and extracting give the same with nothing kept, with everything kept, and without keeping", async () => {
  await withKept(async ({ session, warnings }, path) => {
    const off = { ...session, keepsEntries: false };
    for (const paths of [["folder/299"], ["hard"], ["folder/1*", "hard"], ["**"]]) {
      const [names, bytes] = [await listed(off, paths), await extractedBytes(off, paths)];
      await Deno.remove(path);
      for (const _ of ["cold", "warm"]) {
        assert.deepEqual(await extractedBytes(session, paths), bytes);
        assert.deepEqual(await listed(session, paths), names);
      }
    }
    assert.deepEqual((await extracted(session, ["hard"])).map(({ name }) => name), ["folder/7", "hard"]);
    await assert.rejects(extracted(session, ["folder/7", "folder/300"]), /Not in snapshot .*: folder\/300\./);
    assert.deepEqual(warnings, []);
  });
});

Deno.test("what is kept is closed to others; without keeping there is no such file", async () => {
  await inRepository(async (machine, { full }) => {
    await machine.create(TAR);
    const path = `${machine.state}/${full.repository}/entries.sqlite`;
    const off = { ...machine.session, keepsEntries: false };
    await listed(off);
    await extractedBytes(off, ["hard"]);
    await machine.extract();
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
    await listed(machine.session);
    if (Deno.build.os !== "windows") assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  });
});

Deno.test("a key that cannot list leaves no names behind", async () => {
  await inRepository(async (machine, { full, machine: machineWith, writeKey }) => {
    await machine.create(TAR);
    const writer = machineWith(await writeKey("web"));
    await writer.create(TAR);
    await assert.rejects(listed(writer.session), /role "write"/);
    await assert.rejects(Deno.stat(`${writer.state}/${full.repository}/entries.sqlite`), Deno.errors.NotFound);
  });
});

const damages: Record<string, (path: string) => void> = {
  "a page with a flipped bit": (path) => {
    const database = new DatabaseSync(path);
    database.exec("UPDATE pages SET sum = sum + 1");
    database.close();
  },
  "a page that is none": (path) => changeAll(path, (content) => content.subarray(1)),
  "a file that is no database": (path) => Deno.writeTextFileSync(path, "garbage".repeat(1000)),
  "a file that was cut short": (path) => Deno.truncateSync(path, 5000),
  "an empty file": (path) => Deno.truncateSync(path, 0),
};

for (const [what, damage] of Object.entries(damages)) {
  Deno.test(`${what} costs a warning at most, and is gone the next time`, async () => {
    await withKept(async ({ session, warnings }, path) => {
      damage(path);
      assert.deepEqual(await listed(session), ALL);
      assert.ok(warnings.length <= 1, warnings.join("\n"));
      const before = warnings.length;
      assert.deepEqual(await listed(session, ["hard"]), ["hard"]);
      assert.deepEqual(await listed(session), ALL);
      assert.equal(warnings.length, before);
    });
  });
}

Deno.test("where nothing can be kept, a warning says so and the command goes on", async () => {
  await withKept(async ({ session, warnings }, path) => {
    await Deno.remove(path);
    await Deno.mkdir(`${path}/in the way`, { recursive: true });
    assert.deepEqual(await listed(session), ALL);
    assert.equal((await extracted(session, ["folder/3"])).length, 1);
    assert.equal(warnings.length, 2);
    assert.match(warnings[0]!, /not kept this time.*entries\.sqlite/);
  });
});

Deno.test("a run that holds what is kept does not stop another", async () => {
  await withKept(async ({ session, create, warnings }, path) => {
    const { snapshot } = await create(tarOf(["new", "new"]));
    const other = new DatabaseSync(path);
    try {
      other.exec("BEGIN IMMEDIATE");
      assert.deepEqual(await listed(session, [], snapshot), ["new"]);
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]!, /busy for 0\.5 s/);
      other.exec("ROLLBACK; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
      assert.deepEqual(await listed(session, [], snapshot), ["new"]);
    } finally {
      other.close();
    }
    assert.deepEqual(await listed(session), ["new"]);
  });
});
