import assert from "node:assert/strict";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CacheDamagedError, Catalog } from "../../lib/catalog/mod.ts";
import { brickOf, domain, idOf, idsOf, joined, nameOf } from "./bricks.ts";
import { inChild, withPath } from "./files.ts";

function fileTest(name: string, test: (path: string) => void | Promise<void>, ignore = false): void {
  Deno.test({ name, ignore, fn: () => withPath(test) });
}

function open(path: string, repository = "test"): Catalog {
  return Catalog.open(path, { repository });
}

/** A catalogue that holds one brick of ten thousand chunks. */
function fill(path: string): void {
  const catalog = open(path);
  catalog.addBricks([brickOf(1, idsOf("a", 10_000))]);
  catalog.close();
}

function nameFor(catalog: Catalog, id: Uint8Array): string | undefined {
  return catalog.brick(catalog.lookup("D", domain, id)[0] ?? -1)?.name;
}

fileTest("a catalogue is there again when it is opened again", (path) => {
  const first = open(path);
  assert.equal(first.wasReset, false);
  first.addBricks([brickOf(1, idsOf("a", 3000))]);
  first.exclude("condemned", [nameOf(2)], "add");
  first.setCursor(domain, "ledger/1");
  first.markLedgerSeen(["ledger/1"]);
  first.keepOpenedIndex("index/1.json", "{}");
  first.close();
  first.close();
  const second = open(path);
  assert.equal(second.wasReset, false);
  assert.equal(nameFor(second, idOf("a 2999")), nameOf(1));
  assert.deepEqual(second.excluded("condemned"), [nameOf(2)]);
  assert.equal(second.cursor(domain), "ledger/1");
  assert.ok(second.hasSeenLedger("ledger/1"));
  assert.equal(second.openedIndex("index/1.json"), "{}");
  second.close();
});

for (const umask of ["000", "077", "777"]) {
  fileTest(`files are 0600 and new folders 0700 under umask ${umask}`, async (path) => {
    await inChild("modes", path, umask);
    const modeOf = (what: string) => ((Deno.statSync(what).mode ?? 0) & 0o777).toString(8);
    const names = Array.from(Deno.readDirSync(dirname(path)), (entry) => entry.name).sort();
    const expected = ["catalog.db", "catalog.db-entries"].flatMap((name) =>
      ["", "-shm", "-wal", ".lock"].map((end) => name + end)
    );
    assert.deepEqual(names, expected.sort());
    for (const name of names) assert.equal(modeOf(`${dirname(path)}/${name}`), "600", name);
    assert.equal(modeOf(dirname(path)), "700");
    assert.equal(modeOf(dirname(dirname(path))), "700");
    open(path).close();
    assert.equal(modeOf(path), "600");
  }, Deno.build.os === "windows");
}

fileTest("a file that was open to others is closed to them", (path) => {
  fill(path);
  Deno.chmodSync(path, 0o644);
  open(path).close();
  assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
}, Deno.build.os === "windows");

const spoilers: [string, (path: string) => void][] = [
  ["is empty", (path) => Deno.truncateSync(path, 0)],
  ["is one byte", (path) => Deno.writeTextFileSync(path, "x")],
  ["is text", (path) => Deno.writeTextFileSync(path, "Dear diary, ".repeat(1000))],
  ["was cut after a page", (path) => Deno.truncateSync(path, 4096)],
  ["was cut in its middle", (path) => Deno.truncateSync(path, Deno.statSync(path).size >> 1)],
  ["was cut by a page", (path) => Deno.truncateSync(path, Deno.statSync(path).size - 4096)],
  ["was cut by a byte", (path) => Deno.truncateSync(path, Deno.statSync(path).size - 1)],
  ["has a broken header", (path) => overwrite(path, 0, 100)],
  ["has a broken first page", (path) => overwrite(path, 100, 3000)],
  ["is of another version", (path) => change(path, "PRAGMA user_version = 999")],
  ["lacks a table", (path) => change(path, "DROP TABLE also")],
  ["has another table instead", (path) => change(path, "DROP TABLE also; CREATE TABLE also(x)")],
  ["is somebody else's database", (path) => {
    Deno.removeSync(path);
    change(path, "CREATE TABLE photos(x); PRAGMA user_version = 1");
  }],
];

for (const [what, spoil] of spoilers) {
  fileTest(`a file that ${what} is begun anew, and the caller is told`, (path) => {
    fill(path);
    spoil(path);
    const catalog = open(path);
    assert.equal(catalog.wasReset, true);
    assert.deepEqual(Array.from(catalog.bricks()), []);
    assert.equal(nameFor(catalog, idOf("a 1")), undefined);
    catalog.addBricks([brickOf(2, idsOf("a", 2))]);
    catalog.close();
    const again = open(path);
    assert.equal(again.wasReset, false);
    assert.equal(nameFor(again, idOf("a 1")), nameOf(2));
    again.close();
  });
}

fileTest("a file of another repository is begun anew", (path) => {
  fill(path);
  const catalog = open(path, "another");
  assert.equal(catalog.wasReset, true);
  assert.deepEqual(Array.from(catalog.bricks()), []);
  catalog.close();
});

fileTest("side files without their main file are not taken for a catalogue's", (path) => {
  fill(path);
  Deno.removeSync(path);
  for (const suffix of ["-wal", "-shm"]) Deno.writeTextFileSync(path + suffix, "garbage".repeat(1000));
  const catalog = open(path);
  catalog.addBricks([brickOf(1, idsOf("a", 2))]);
  assert.equal(nameFor(catalog, idOf("a 1")), nameOf(1));
  catalog.close();
});

fileTest(
  "whichever page is destroyed, no answer is wrong: begun anew, found damaged and removed, or not found",
  (path) => {
    const ids = idsOf("a", 2500);
    const first = open(path);
    first.addBricks([brickOf(1, ids.slice(0, 1500)), brickOf(2, ids.slice(1000))]);
    first.close();
    const whole = Deno.readFileSync(path);
    const seen = { anew: 0, damaged: 0 };
    for (let page = 0; page * 4096 < whole.length; page++) {
      Deno.writeFileSync(path, whole);
      overwrite(path, page * 4096, 4096);
      const catalog = open(path);
      if (catalog.wasReset) seen.anew++;
      try {
        const names = Array.from(catalog.lookup("D", domain, joined(ids)), (number) => catalog.brick(number)?.name);
        for (const [i, name] of names.entries()) {
          assert.ok(name === undefined || name === nameOf(i < 1500 ? 1 : 2) || (i >= 1000 && name === nameOf(2)));
        }
        catalog.addBricks([brickOf(3, idsOf("b", 100))]);
        assert.equal(nameFor(catalog, idOf("b 7")), nameOf(3));
      } catch (error) {
        if (!(error instanceof CacheDamagedError)) throw error;
        assert.match(error.message, /catalog\.db .*only a cache: run the command again/);
        seen.damaged++;
        const next = open(path);
        assert.deepEqual(Array.from(next.bricks()), []);
        next.close();
      } finally {
        catalog.close();
      }
    }
    assert.ok(seen.anew > 0 && seen.damaged > 0, JSON.stringify(seen));
  },
);

fileTest("an error of the caller's own inside a transaction is no damage, whatever it says", (path) => {
  fill(path);
  const catalog = open(path);
  assert.throws(() =>
    catalog.transaction(() => {
      throw new Error("this record is malformed: no such table");
    }), /^Error: this record/);
  assert.equal(nameFor(catalog, idOf("a 1")), nameOf(1));
  catalog.close();
});

fileTest("what another connection adds, excludes or takes back shows at once", (path) => {
  const [first, second] = [open(path), open(path)];
  assert.ok(!second.hasChunks("D", domain));
  first.addBricks([brickOf(2, idsOf("a", 10))]);
  assert.ok(second.hasChunks("D", domain));
  assert.equal(nameFor(second, idOf("a 1")), nameOf(2));
  first.addBricks([brickOf(1, idsOf("a", 10))]);
  assert.equal(nameFor(second, idOf("a 1")), nameOf(1));
  first.exclude("absent", [nameOf(1)], "add");
  assert.equal(nameFor(second, idOf("a 1")), nameOf(2));
  first.markDamaged(nameOf(2), "all");
  assert.equal(nameFor(second, idOf("a 1")), undefined);
  first.exclude("absent", [], "replace");
  assert.equal(nameFor(second, idOf("a 1")), nameOf(1));
  assert.equal(second.brickByName(nameOf(2))?.usable, false);
  first.close();
  second.close();
});

fileTest("processes that fill one catalogue at the same time lose nothing", async (path) => {
  const children = [1, 2, 3];
  await Promise.all(children.map((child) => inChild("add", path, String(child))));
  const catalog = open(path);
  assert.equal(Array.from(catalog.bricks()).length, 120);
  for (const child of children) {
    for (const i of [0, 39]) assert.equal(nameFor(catalog, idOf(`of ${child * 1000 + i} 7`)), nameOf(child * 1000 + i));
  }
  assert.equal(catalog.candidates("D", domain, idOf("in all")).length, 120);
  assert.equal(nameFor(catalog, idOf("in all")), nameOf(1000));
  catalog.close();
});

fileTest("a run whose catalogue is begun anew by another one goes on, and does the new one no harm", (path) => {
  fill(path);
  const old = open(path);
  const anew = open(path, "another");
  assert.equal(anew.wasReset, true);
  old.addBricks([brickOf(2, idsOf("b", 10))]);
  assert.equal(nameFor(old, idOf("b 1")), nameOf(2));
  anew.addBricks([brickOf(3, idsOf("c", 10))]);
  old.close();
  anew.addBricks([brickOf(4, idsOf("d", 10))]);
  anew.close();
  const again = open(path, "another");
  assert.equal(again.wasReset, false);
  assert.deepEqual(Array.from(again.bricks(), (brick) => brick.name), [nameOf(3), nameOf(4)]);
  again.close();
}, Deno.build.os === "windows");

fileTest("a place where nothing can be made is named in the error", async (path) => {
  await Deno.mkdir(dirname(dirname(path)), { recursive: true });
  await Deno.writeTextFile(dirname(path), "a file where a folder should be");
  assert.throws(() => open(path), /Cannot open .*catalog\.db/);
});

function overwrite(path: string, from: number, length: number): void {
  using file = Deno.openSync(path, { write: true });
  file.seekSync(from, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(length).fill(0xa5));
}

function change(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}
