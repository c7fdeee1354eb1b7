import assert from "node:assert/strict";
import { DamageError, randomBytes, UnsupportedError } from "../../lib/crypto/mod.ts";
import { deadJournals, Journal } from "../../lib/repository/mod.ts";
import { inFolder } from "./machine.ts";
import { paperBrick } from "./bench.ts";

const KEYS = { ledger: randomBytes(32), domain: "ab".repeat(16) };
const A = paperBrick("a");
const B = paperBrick("b", "M");

/** Names of the bricks that dead runs left; who asked leaves the journals as they are. */
async function left(folder: string, keys = KEYS): Promise<string[]> {
  const dead = await deadJournals(folder, keys);
  dead.leave();
  return dead.bricks.map(({ name }) => name).sort();
}

/** A run that died with these bricks in its journal. */
async function died(folder: string, ...bricks: typeof A[]): Promise<string> {
  const before = new Set((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name));
  const journal = await Journal.begin(folder, KEYS);
  for (const brick of bricks) await journal.add(brick);
  journal.leave();
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return `${folder}/${entries.find(({ name, isDirectory }) => isDirectory && !before.has(name))!.name}`;
}

const bothNames = [A.name, B.name].sort();

Deno.test("what a dead run remembered, the next one finds whole", () =>
  inFolder(async (folder) => {
    await died(folder, A, B);
    const dead = await deadJournals(folder, KEYS);
    assert.deepEqual(dead.bricks.sort((a, b) => a.name < b.name ? -1 : 1), A.name < B.name ? [A, B] : [B, A]);
    dead.leave();
    assert.deepEqual(await left(folder), bothNames, "until it is told to forget");
    await (await deadJournals(folder, KEYS)).forget();
    assert.deepEqual(await left(folder), []);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), [], "and then nothing is left");
  }));

Deno.test("a living run's journal is nobody else's, in this process or another", () =>
  inFolder(async (folder) => {
    const journal = await Journal.begin(folder, KEYS);
    await journal.add(A);
    assert.deepEqual(await left(folder), []);
    await (await deadJournals(folder, KEYS)).forget();
    await journal.add(B);
    await journal.clear([A]);
    journal.leave();
    assert.deepEqual(await left(folder), [B.name]);
  }));

Deno.test("of two runs that find the same dead one, one gets it", () =>
  inFolder(async (folder) => {
    await died(folder, A);
    const first = await deadJournals(folder, KEYS);
    assert.deepEqual(await left(folder), []);
    assert.equal(first.bricks.length, 1);
    await first.forget();
  }));

Deno.test("a run that ends leaves nothing", () =>
  inFolder(async (folder) => {
    const journal = await Journal.begin(folder, KEYS);
    await journal.add(A);
    await journal.end();
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  }));

Deno.test("a torn, flipped or foreign record is passed over, and the others count", () =>
  inFolder(async (folder) => {
    const torn = await died(folder, A, B);
    await Deno.truncate(`${torn}/${A.name}`, 100);
    assert.deepEqual(await left(folder), [B.name]);
    const bytes = await Deno.readFile(`${torn}/${B.name}`);
    bytes[200]! ^= 1;
    await Deno.writeFile(`${torn}/${A.name}`, bytes);
    await Deno.writeFile(`${torn}/${"0".repeat(64)}`, new Uint8Array());
    await Deno.writeFile(`${torn}/${"1".repeat(64)}.new`, new Uint8Array());
    await Deno.writeTextFile(`${torn}/README`, "x");
    assert.deepEqual(await left(folder), [B.name]);
    assert.deepEqual(await left(folder, { ...KEYS, domain: "cd".repeat(16) }), [], "of another domain");
    assert.deepEqual(await left(folder, { ...KEYS, ledger: randomBytes(32) }), [], "of another repository");
  }));

Deno.test("a run that died before it had a journal, or while it removed one, is no obstacle", () =>
  inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/dead.lock`, new Uint8Array());
    await Deno.mkdir(`${folder}/lockless`);
    await Deno.writeTextFile(`${folder}/CACHEDIR.TAG`, "");
    const dead = await deadJournals(folder, KEYS);
    assert.deepEqual(dead.bricks, []);
    await dead.forget();
    assert.deepEqual((await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name), ["CACHEDIR.TAG"]);
  }));

Deno.test("a record that a newer tarzan left is no damage, and nothing of the journal is lost over it", () =>
  inFolder(async (folder) => {
    const path = `${await died(folder, A, B)}/${A.name}`;
    const bytes = await Deno.readFile(path);
    bytes[7] = "2".charCodeAt(0);
    await Deno.writeFile(path, bytes);
    await assert.rejects(left(folder), UnsupportedError);
    bytes[7] = "1".charCodeAt(0);
    await Deno.writeFile(path, bytes);
    assert.deepEqual(await left(folder), bothNames);
    assert.ok(!(new UnsupportedError("") instanceof DamageError));
  }));

Deno.test({
  name: "a journal is for nobody else to read",
  ignore: Deno.build.os === "windows",
  fn: () =>
    inFolder(async (folder) => {
      const path = await died(folder, A);
      assert.equal((await Deno.stat(path)).mode! & 0o777, 0o700);
      assert.equal((await Deno.stat(`${path}/${A.name}`)).mode! & 0o777, 0o600);
    }),
});
