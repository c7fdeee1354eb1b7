/**
 * The golden repositories, one for each version of the format: whatever becomes of the code, they are read as on the day on
 * which they were made, and a backup of the same bytes finds every chunk in them again.
 */
import assert from "node:assert/strict";
import { zstdDecompressSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { createListBundle, formatBundle, openSlot, parseBundle } from "../../lib/crypto/mod.ts";
import type { FullBundle } from "../../lib/crypto/mod.ts";
import { bricks, listEntries, listSnapshots, rebuild } from "../../lib/verbs/mod.ts";
import { inFolder, type Machine, machineOf } from "../repository/machine.ts";
import type { Expected, ExpectedSnapshot } from "./expected.ts";

for (const version of ["v1"]) {
  const golden = fileURLToPath(new URL(version, import.meta.url));
  const expected: Expected = JSON.parse(await Deno.readTextFile(`${golden}/expected.json`));
  const named = (name: string) => expected.snapshots.find((snapshot) => snapshot.name === name)!;
  const check = (behaviour: string, test: (copy: Copy) => Promise<void>) =>
    Deno.test(`golden ${version}: ${behaviour}`, () => inFolder((folder) => copied(golden, folder).then(test)));

  check("every snapshot gives back the tar that it was made from, to the byte", async ({ machine, fullKey }) => {
    const owner = machine(fullKey);
    for (const snapshot of expected.snapshots) {
      assert.deepEqual(await owner.extract(snapshot.snapshot), await tarOf(golden, snapshot), snapshot.name);
    }
  });

  check("snapshots are listed with what they said then, by all who may list", async ({ machine, fullKey, listKey }) => {
    for (const key of [fullKey, listKey]) {
      const lines = await listSnapshots(machine(key).session);
      assert.deepEqual(lines.map(({ problem }) => problem), expected.snapshots.map(() => undefined));
      for (const { name, snapshot, complete, entries, bytes } of expected.snapshots) {
        const line = lines.find((line) => line.snapshot === snapshot);
        assert.deepEqual(
          [line?.label, line?.complete, line?.entries, line?.bytes],
          [name, complete, entries, bytes],
        );
        assert.equal(line?.host, "golden");
        assert.equal(line?.open, name === "interrupted");
        assert.equal(await entriesOf(machine(key), snapshot), entries, `entries of ${name}`);
      }
    }
  });

  check(
    "everything in it verifies, and its record of damage touches nothing",
    async ({ machine, fullKey, listKey }) => {
      const result = await machine(fullKey).verify({ bricks: true, data: true });
      assert.deepEqual([result.problems, result.affected, result.unchecked], [[], [], []]);
      assert.ok(result.bytesReplayed > 2_000_000 && result.bricksHashed >= 10);
      assert.deepEqual((await machine(listKey).verify()).problems, []);
      assert.deepEqual((await machine(expected.webKey).verify()).problems, []);
    },
  );

  check("the names of the bricks that each snapshot needs are found", async ({ machine, fullKey }) => {
    const owner = machine(fullKey);
    for (const { snapshot, name } of expected.snapshots) {
      const lines = await bricks(owner.session, { snapshot });
      assert.ok(lines.some(({ kind }) => kind === "M") && lines.some(({ kind }) => kind === "D"), name);
    }
  });

  check(
    "the same bytes again are cut and named as they were then: nothing of them is new",
    async ({ machine, fullKey }) => {
      for (const [key, name] of [[fullKey, "everything"], [fullKey, "opaque"], [expected.webKey, "web"]] as const) {
        const result = await machine(key).create(await tarOf(golden, named(name)));
        assert.deepEqual([result.complete, result.newBytes], [true, 0], name);
      }
    },
  );

  check("an interrupted run is taken up: what its bricks hold is not stored again", async ({ machine, fullKey }) => {
    const owner = machine(fullKey);
    const { tar, bytes, snapshot } = named("interrupted");
    const whole = await readTar(golden, tar);
    const result = await owner.create(whole);
    assert.ok(result.deduplicatedBytes > bytes * 0.9 && result.newBytes > 0, `${result.newBytes} new bytes`);
    assert.deepEqual(await owner.extract(result.snapshot), whole);
    assert.deepEqual(await owner.extract(snapshot), whole.slice(0, bytes));
  });

  check("its catalogue is made anew from the repository alone", async ({ machine, fullKey }) => {
    const result = await rebuild(machine(fullKey).session);
    assert.equal(result.domains, 2);
    assert.deepEqual(result.problems, []);
    assert.ok(result.bricks >= 10);
  });

  check("without tarzan.json it is opened and written again as it was", async ({ machine, fullKey, location }) => {
    await Deno.remove(`${location}/tarzan.json`);
    await machine(fullKey).create(await tarOf(golden, named("opaque")));
    assert.equal(await Deno.readTextFile(`${location}/tarzan.json`), expected.config);
  });
}

interface Copy {
  location: string;
  fullKey: string;
  listKey: string;
  machine(key: string): Machine;
}

/** Opened slots by repository: each costs a second of scrypt. */
const openedSlots = new Map<string, Promise<string>>();

/** A copy to work with, and the keys that the passphrase opens. */
async function copied(golden: string, folder: string): Promise<Copy> {
  const { passphrase }: Expected = JSON.parse(await Deno.readTextFile(`${golden}/expected.json`));
  const location = `${folder}/repository`;
  await copyFolder(`${golden}/repository`, location);
  const opened = openedSlots.get(golden) ?? openFullSlot(location, passphrase);
  openedSlots.set(golden, opened);
  const fullKey = await opened;
  const listKey = formatBundle(await createListBundle(parseBundle(fullKey) as FullBundle));
  let machines = 0;
  const machine = (key: string) => {
    const home = `${folder}/machine-${++machines}`;
    return machineOf({ location, state: `${home}/state`, config: `${home}/config`, key });
  };
  return { location, fullKey, listKey, machine };
}

async function openFullSlot(location: string, passphrase: string): Promise<string> {
  for await (const { name } of Deno.readDir(`${location}/keys`)) {
    const text = await openSlot(await Deno.readFile(`${location}/keys/${name}`), { passphrase });
    if (parseBundle(text).role === "full") return text;
  }
  throw new Error("There is no full slot");
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true, mode: 0o700 });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

async function tarOf(golden: string, { tar, bytes }: ExpectedSnapshot): Promise<Uint8Array<ArrayBuffer>> {
  return (await readTar(golden, tar)).slice(0, bytes);
}

async function readTar(golden: string, tar: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(zstdDecompressSync(await Deno.readFile(`${golden}/tars/${tar}.tar.zst`)));
}

async function entriesOf({ session }: Machine, snapshot: string): Promise<number> {
  let entries = 0;
  await listEntries(session, { snapshot, paths: [], onEntries: (some) => void (entries += some.length) });
  return entries;
}
