// `verify`: what it checks, what it says of damage, which snapshots and entries that touches, and what it could not check.

import assert from "node:assert/strict";
import { Keyring } from "../../lib/crypto/mod.ts";
import { encodeIndex, openSealed, verifyIndex } from "../../lib/snapshot/mod.ts";
import { verify, type VerifyResult } from "../../lib/verbs/mod.ts";
import type { CheckedBrick } from "../../lib/verbs/verify_bricks.ts";
import { sample } from "../../lib/verbs/verify_data.ts";
import { type Founded, type Machine, noise } from "../repository/machine.ts";
import { bricksIn, change, inRepository, objectsIn, tarOf, withFile } from "./session.ts";

/** Data that fills a block alone, so that damage to one block touches few entries. */
const LARGE = 1 << 20;
const TAR = tarOf(
  ["first", noise(LARGE, 1)],
  ["second", noise(LARGE, 2)],
  ["small", "a few bytes"],
  ["third", noise(LARGE, 3)],
);
const EVERYTHING = { backups: [], bricks: true, dataPercent: 100 };

function kinds({ problems }: VerifyResult): string[] {
  return [...new Set(problems.map(({ kind }) => kind))].sort();
}

/** A repository with one backup. */
async function withBackup(
  test: (machine: Machine, place: Founded & { snapshot: string; data: string; meta: string }) => Promise<void>,
): Promise<void> {
  await inRepository(async (machine, place) => {
    const { snapshot } = await machine.create(TAR);
    const [data] = await objectsIn(place.location, "bricks");
    const [meta] = await objectsIn(place.location, "meta");
    await test(machine, { ...place, snapshot, data: `${place.location}/${data}`, meta: `${place.location}/${meta}` });
  });
}

/** The name of a brick from its path. */
function nameOf(path: string): string {
  return path.split("/").at(-1)!;
}

Deno.test("a repository as it should be has no problem, however closely it is looked at", async () => {
  await withBackup(async (machine) => {
    for (const options of [{ ...EVERYTHING, bricks: false, dataPercent: 0 }, EVERYTHING]) {
      const result = await verify(machine.session, options);
      assert.deepEqual([result.problems, result.affected, result.unchecked], [[], [], []]);
      assert.deepEqual([result.snapshots, result.bricks], [1, 2]);
    }
    const { bricksHashed, blocksOpened, bytesReplayed } = await verify(machine.session, EVERYTHING);
    assert.equal(bricksHashed, 2);
    assert.ok(blocksOpened >= 4);
    assert.equal(bytesReplayed, TAR.length);
  });
});

Deno.test("an empty repository has no problem", async () => {
  await inRepository(async (machine) => {
    assert.deepEqual((await verify(machine.session, EVERYTHING)).problems, []);
  });
});

Deno.test("a missing data brick is found without reading anything, and the entries in it are named", async () => {
  await withBackup(async (machine, { data, snapshot }) => {
    await Deno.remove(data);
    const result = await machine.verify();
    assert.deepEqual(kinds(result), ["missing brick", "recipe"]);
    const [affected] = result.affected;
    assert.equal(affected!.snapshot, snapshot);
    assert.deepEqual(affected!.entries, ["first", "second", "small", "third"]);
    assert.equal(affected!.count, 4);
  });
});

Deno.test("a missing meta brick is found, and its snapshot is told", async () => {
  await withBackup(async (machine, { meta, snapshot }) => {
    await Deno.remove(meta);
    const result = await machine.verify();
    assert.ok(kinds(result).includes("missing brick"));
    assert.deepEqual(result.affected.map(({ snapshot, nameless }) => [snapshot, nameless]), [[snapshot, true]]);
  });
});

Deno.test("a brick of another length is found by the listing", async () => {
  for (const length of [0, 100, 65_536]) {
    await withBackup(async (machine, { data }) => {
      await change(data, (bytes) => bytes.slice(0, length));
      const { problems } = await machine.verify();
      assert.ok(problems.some(({ message }) => message.includes(`is ${length} bytes long`)), `${length} bytes`);
    });
  }
});

Deno.test("a flipped bit in a block is found by reading, and only the entries in that block are named", async () => {
  await withBackup(async (machine, { data, snapshot }) => {
    await change(data, (bytes) => void (bytes[5000]! ^= 8));
    // Nothing that costs no reading can find it.
    assert.deepEqual((await machine.verify()).problems, []);
    const result = await machine.verify({ data: true });
    assert.deepEqual(kinds(result), ["damaged block", "recipe", "stream"]);
    assert.deepEqual(result.affected.map(({ entries, count, snapshot }) => [entries, count, snapshot]), [
      [["first"], 1, snapshot],
    ]);
    assert.ok(result.problems.some(({ kind, name }) => kind === "damaged block" && name === `${nameOf(data)} 0`));
    // Whoever reads less afterwards hears of it.
    assert.match((await machine.verify()).unchecked.join(), /earlier check found damage in 1 bricks/);
  });
});

Deno.test("a flipped bit anywhere in a brick is found by hashing it", async () => {
  for (const at of [0, 8, 40, 1000, 60_000, -40_000, -5000, -6, -1]) {
    await withBackup(async (machine, { data, meta }) => {
      for (const path of [data, meta]) {
        await change(path, (bytes) => void (bytes[at < 0 ? bytes.length + at : at]! ^= 1));
      }
      const { problems } = await machine.verify({ bricks: true });
      for (const path of [data, meta]) {
        assert.ok(
          problems.some(({ kind, message }) => kind === "damaged brick" && message.includes(nameOf(path))),
          `byte ${at} of ${path}`,
        );
      }
    });
  }
});

Deno.test("without a key, altered bricks are found, and it is said what was not checked", async () => {
  await withBackup(async (machine, { data }) => {
    const secrets = { passphrase: () => Promise.reject(new Error("a passphrase was asked for")), identities: [] };
    const session = { ...machine.session, secrets };
    const options = { ...EVERYTHING, keyless: true };
    const good = await verify(session, options);
    assert.deepEqual([good.problems, good.bricksHashed], [[], 2]);
    assert.match(good.unchecked.join(), /Without a key/);
    await change(data, (bytes) => void (bytes[70_000]! ^= 1));
    const bad = await verify(session, options);
    assert.deepEqual(bad.problems.map(({ kind, name }) => [kind, name]), [["damaged brick", nameOf(data)]]);
  });
});

Deno.test("a damaged toc, header or trailer is found without reading blocks", async () => {
  for (const at of [4, 50, 1700, -20, -5000 + 2000]) {
    await withBackup(async (machine, { data }) => {
      await change(data, (bytes) => void (bytes[at < 0 ? bytes.length + at : at]! ^= 1));
      const { problems } = await machine.verify();
      assert.ok(problems.some(({ kind }) => kind === "damaged brick"), `byte ${at}`);
    });
  }
});

Deno.test("damage to the padding is found by reading everything, and touches no entry", async () => {
  await withBackup(async (machine, { data }) => {
    await change(data, (bytes) => void (bytes[bytes.length - 4096 - 12 - 100]! ^= 1));
    const result = await machine.verify({ data: true });
    assert.deepEqual(kinds(result), ["damaged brick"]);
    assert.deepEqual(result.affected, []);
  });
});

Deno.test("an altered index is found, and the others are checked all the same", async () => {
  await inRepository(async (machine, { location }) => {
    const first = await machine.create(tarOf(["a", "a"]));
    await machine.create(tarOf(["b", "b"]));
    const indexes = await objectsIn(location, "index");
    const path = `${location}/${indexes.find((name) => name.includes(first.snapshot))}`;
    await change(path, (bytes) => void (bytes[200]! ^= 1));
    const result = await machine.verify({ data: true });
    assert.deepEqual(kinds(result), ["index"]);
    assert.equal(result.snapshots, 1);
  });
});

Deno.test("a snapshot that is gone is missed by the next one, and by a machine that saw it", async () => {
  await inRepository(async (machine, { location, fullKey, ...place }) => {
    const { snapshot } = await machine.create(tarOf(["a", "a"]));
    const path = async () =>
      `${location}/${(await objectsIn(location, "index")).find((name) => name.includes(snapshot))}`;
    const index = await path();
    await machine.verify();
    await Deno.rename(index, `${index}.away`);
    // This machine saw it; another one cannot know.
    assert.deepEqual(kinds(await machine.verify()), ["chain"]);
    assert.deepEqual(kinds(await place.machine(fullKey).verify()), []);
    await Deno.rename(`${index}.away`, index);
    await machine.create(tarOf(["b", "b"]));
    await Deno.remove(index);
    const result = await place.machine(fullKey).verify();
    assert.deepEqual(kinds(result), ["chain"]);
    assert.match(result.problems[0]!.message, new RegExp(`after snapshot ${snapshot}`));
  });
});

Deno.test("a damaged or missing ledger object is found, and rebuild repairs what it told", async () => {
  for (
    const spoil of [
      (path: string) => change(path, (bytes) => void (bytes[100]! ^= 1)),
      (path: string) => Deno.remove(path),
    ]
  ) {
    await withBackup(async (machine, { location }) => {
      for (const object of await objectsIn(location, "ledger")) await spoil(`${location}/${object}`);
      const { problems } = await machine.verify();
      assert.ok(problems.some(({ kind }) => kind === "ledger"));
      assert.match(problems.map(({ message }) => message).join(), /ledger/i);
    });
  }
});

Deno.test("a key slot that was altered is found", async () => {
  await withBackup(async (machine, { location }) => {
    const [slot] = await objectsIn(location, "keys");
    await change(`${location}/${slot}`, (bytes) => void (bytes[bytes.length - 3]! ^= 1));
    assert.deepEqual(kinds(await machine.verify()), ["slot"]);
  });
});

Deno.test("only the snapshots that were named are checked, and their bricks", async () => {
  await withBackup(async (machine, { data, snapshot }) => {
    const other = await machine.create(tarOf(["other", noise(200_000, 9)]));
    const [newer] = (await objectsIn(await machine.session.places.repository(), "bricks")).filter((name) =>
      !data.endsWith(name)
    );
    await Deno.remove(`${machine.session.places.repository()}/${newer}`);
    assert.deepEqual((await machine.verify({ backups: [snapshot], data: true })).problems, []);
    const result = await machine.verify({ backups: [other.snapshot] });
    assert.ok(kinds(result).includes("missing brick"));
    assert.deepEqual(result.affected.map(({ entries }) => entries), [["other"]]);
  });
});

Deno.test("damage that several snapshots share is told of each", async () => {
  await withBackup(async (machine, { data }) => {
    await machine.create(tarOf(["again", noise(LARGE, 2)], ["own", noise(5000, 8)]));
    await Deno.remove(data);
    const { affected } = await machine.verify();
    assert.deepEqual(affected.map(({ entries }) => entries).sort(), [["again"], ["first", "second", "small", "third"]]);
  });
});

Deno.test("damage in bytes that are no tar is told as such", async () => {
  await inRepository(async (machine, { location }) => {
    await machine.create(noise(300_000, 5));
    const [data] = await objectsIn(location, "bricks");
    await Deno.remove(`${location}/${data}`);
    const { affected } = await machine.verify();
    assert.deepEqual(affected.map(({ count, nameless }) => [count, nameless]), [[0, true]]);
  });
});

Deno.test("a genuine index whose hash or length is not that of its stream is found by reading it all", async () => {
  for (const wrong of [{ treeHash: "ab".repeat(32) }, { bytes: TAR.length + 512 }]) {
    await withBackup(async (machine, { location, full, snapshot }) => {
      const keyring = new Keyring(full);
      const { id: domain } = keyring.defaultDomain;
      const { macIndex } = await keyring.shapeKeys(domain);
      const path = `${location}/index/${domain}/${snapshot}.json`;
      const { sealedText, ...clear } = verifyIndex(await Deno.readFile(path), { macIndex, what: "the index" });
      const sealed = await openSealed({ ...clear, sealedText }, (await keyring.metaIdentity())!);
      const metaRecipient = await keyring.metaRecipient();
      const forged = await encodeIndex({ ...clear, sealed: { ...sealed, ...wrong } }, { macIndex, metaRecipient });
      await change(path, () => forged);
      const { problems } = await machine.verify({ data: true });
      assert.ok(problems.some(({ kind, name }) => kind === "stream" && name === snapshot), JSON.stringify(wrong));
    });
  }
});

Deno.test("a part of the data is about that part of the bricks' bytes, never nothing, and it says so", async () => {
  await withBackup(async (machine) => {
    const result = await verify(machine.session, { backups: [], bricks: false, dataPercent: 1 });
    assert.ok(result.blocksOpened >= 1);
    assert.equal(result.bytesReplayed, 0);
    assert.match(result.unchecked.join(), /Only a part was read/);
  });
});

Deno.test("a sample takes bricks at random until their bytes are enough", () => {
  const bricks = Array.from({ length: 100 }, (_, number): CheckedBrick => ({
    name: `${number}`,
    kind: "D",
    domain: "",
    bytes: number % 10 === 0 ? 100 : 10,
    number,
    chunkCount: 1,
    ledgerObject: "",
    excluded: { gone: false, damaged: [] },
  }));
  const total = bricks.reduce((sum, { bytes }) => sum + bytes, 0);
  const numbers = (percent: number, seed: number) => {
    let state = seed;
    // Park and Miller's generator.
    const random = () => (state = state * 48_271 % 2_147_483_647) / 2_147_483_647;
    return sample(bricks, percent, random);
  };
  for (let seed = 1; seed <= 50; seed++) {
    for (const percent of [1, 5, 10, 50, 99]) {
      const chosen = numbers(percent, seed);
      const bytes = chosen.reduce((sum, { bytes }) => sum + bytes, 0);
      assert.ok(bytes >= total * percent / 100 && bytes < total * percent / 100 + 100, `${percent} %, seed ${seed}`);
      assert.equal(new Set(chosen).size, chosen.length);
    }
  }
  assert.deepEqual(numbers(100, 1), bricks);
  assert.notDeepEqual(numbers(10, 1), numbers(10, 2));
  const met = new Set(Array.from({ length: 50 }, (_, seed) => numbers(10, seed + 1)).flat());
  assert.ok(met.size > 80, `${met.size} of 100 bricks were ever chosen`);
});

Deno.test("a list key checks what it can read, and says what it could not", async () => {
  await withBackup(async (machine, { listKey, data, ...place }) => {
    const lister = place.machine(listKey);
    const good = await lister.verify({ bricks: true, data: true });
    assert.deepEqual(good.problems, []);
    assert.match(good.unchecked.join("\n"), /cannot decrypt 1 of the bricks/);
    await change(data, (bytes) => void (bytes[5000]! ^= 1));
    assert.deepEqual(kinds(await lister.verify({ data: true })), []);
    assert.ok(kinds(await lister.verify({ bricks: true })).includes("damaged brick"));
    await Deno.remove(data);
    assert.ok(kinds(await lister.verify()).includes("missing brick"));
    assert.ok(machine.warnings.length === 0);
  });
});

Deno.test("a write key checks presence and tocs of its own domain, and says what it could not", async () => {
  await withBackup(async (_, { writeKey, ...place }) => {
    const writer = place.machine(await writeKey("default"));
    const good = await writer.verify({ bricks: true });
    assert.deepEqual([good.problems, good.bricks, good.bricksHashed], [[], 2, 2]);
    assert.match(good.unchecked.join("\n"), /cannot read recipes/);
    await Deno.remove(place.data);
    assert.deepEqual(kinds(await writer.verify()), ["missing brick"]);
    const stranger = place.machine(await writeKey("another"));
    assert.equal((await stranger.verify()).bricks, 0);
  });
});

Deno.test("bricks in the store that nobody knows of are no problem", async () => {
  await withBackup(async (machine, { location }) => {
    const name = "ab".repeat(32);
    await Deno.mkdir(`${location}/bricks/ab`, { recursive: true });
    await Deno.writeFile(`${location}/bricks/ab/${name}`, noise(1000, 1));
    assert.deepEqual((await machine.verify({ data: true })).problems, []);
    assert.equal((await bricksIn(location)).length, 3);
  });
});

Deno.test("an index file alone says what to check", async () => {
  await withBackup(async (machine, { location, data }) => {
    const [index] = await objectsIn(location, "index");
    await withFile(await Deno.readFile(`${location}/${index}`), async (path) => {
      assert.equal((await machine.verify({ backups: [path] })).snapshots, 1);
      await Deno.remove(data);
      assert.ok(kinds(await machine.verify({ backups: [path] })).includes("missing brick"));
    });
  });
});
