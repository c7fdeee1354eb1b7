// What looks at objects: rebuild, bricks, detach, inspect, checksum.

import assert from "node:assert/strict";
import { bricks, checksum, detach, extract, inspect, rebuild } from "../../lib/verbs/mod.ts";
import { machineOf, noise } from "../repository/machine.ts";
import { entriesOf, record } from "../tar/recorder.ts";
import { concat } from "../tar/recorder.ts";
import { bricksIn, change, inRepository, listed, objectsIn, sha256, tarOf, withFile } from "./session.ts";

const TAR = tarOf(["dir/a", noise(100_000, 1)], ["dir/b", "small"], [{ name: "dir/link", type: "2", link: "a" }]);
const hasSha256sum = Deno.build.os === "linux";

Deno.test("a machine that lost everything local rebuilds it, restores, and stores nothing twice", async () => {
  await inRepository(async (machine, { location, fullKey }) => {
    const { snapshot } = await machine.create(TAR);
    await Deno.remove(machine.state, { recursive: true });
    const again = machineOf({ location, state: machine.state, config: machine.config, key: fullKey });
    const result = await rebuild(again.session);
    assert.deepEqual([result.bricks, result.domains, result.adopted, result.strangers, result.problems], [
      2,
      1,
      [],
      [],
      [],
    ]);
    assert.ok(result.chunks > 5);
    assert.deepEqual(await again.extract(snapshot), TAR);
    assert.equal((await again.create(TAR)).newBytes, 0);
  });
});

Deno.test("bricks that no ledger tells of are adopted from themselves, others are left alone", async () => {
  await inRepository(async (machine, { location, fullKey, ...place }) => {
    const { snapshot } = await machine.create(TAR);
    await Deno.remove(`${location}/ledger`, { recursive: true });
    const stranger = "ab".repeat(32);
    await Deno.mkdir(`${location}/bricks/ab`, { recursive: true });
    await Deno.writeFile(`${location}/bricks/ab/${stranger}`, noise(70_000, 9));
    const other = place.machine(fullKey);
    const result = await rebuild(other.session);
    const own = (await bricksIn(location)).map((path) => path.split("/").at(-1)!).filter((name) => name !== stranger);
    assert.deepEqual(result.adopted.sort(), own.sort());
    assert.deepEqual(result.strangers, [stranger]);
    assert.deepEqual(await other.extract(snapshot), TAR);
    // They are on record now, for everybody.
    assert.deepEqual(await place.machine(fullKey).extract(snapshot), TAR);
    assert.deepEqual((await rebuild(other.session)).adopted, []);
  });
});

Deno.test("a damaged brick is not adopted, and a damaged ledger object is told", async () => {
  await inRepository(async (machine, { location }) => {
    await machine.create(TAR);
    const [data] = await objectsIn(location, "bricks");
    await change(`${location}/${data}`, (bytes) => void (bytes[60_000]! ^= 1));
    for (const name of await objectsIn(location, "ledger")) {
      await change(`${location}/${name}`, (bytes) => void (bytes[80]! ^= 1));
    }
    const result = await rebuild(machine.session);
    assert.equal(result.problems.length, (await objectsIn(location, "ledger")).length - 1);
    assert.equal(result.adopted.length, 1);
    assert.deepEqual(result.strangers, [data!.split("/").at(-1)]);
  });
});

Deno.test("the bricks of a snapshot are listed as sha256sum takes them", { ignore: !hasSha256sum }, async () => {
  await inRepository(async (machine, { location }) => {
    const first = await machine.create(TAR);
    await machine.create(tarOf(["other", noise(50_000, 2)]));
    const lines = await bricks(machine.session, { snapshot: first.snapshot });
    assert.deepEqual(lines.map(({ kind }) => kind).sort(), ["D", "M"]);
    assert.equal((await bricksIn(location)).length, 4);
    const list = lines.map(({ name, object }) => `${name}  ${object}\n`).join("");
    await withFile(list, async (path) => {
      const check = async () =>
        (await new Deno.Command("sha256sum", { args: ["-c", path], cwd: location }).output()).code;
      assert.equal(await check(), 0);
      await change(`${location}/${lines[0]!.object}`, (bytes) => void (bytes[9]! ^= 1));
      assert.notEqual(await check(), 0);
    });
    for (const { object, bytes } of lines) assert.equal((await Deno.stat(`${location}/${object}`)).size, bytes);
  });
});

Deno.test("a detached tar has every entry, and chunk ids in the place of bodies", async () => {
  await inRepository(async (machine, { location, listKey, ...place }) => {
    await machine.create(TAR);
    await Deno.remove(`${location}/bricks`, { recursive: true });
    const pieces: Uint8Array[] = [];
    const output = (bytes: Uint8Array) => void pieces.push(bytes.slice());
    const result = await detach(place.machine(listKey).session, { snapshot: undefined, output });
    assert.equal(result.entries, 3);
    const recording = record(concat(...pieces));
    assert.deepEqual([recording.status.incomplete, recording.status.opaqueBytes], [undefined, 0]);
    const [a, b, link] = entriesOf(recording);
    assert.deepEqual([a!.name, b!.name, link!.name], ["dir/a", "dir/b", "dir/link"]);
    const lines = new TextDecoder().decode(a!.body).trimEnd().split("\n");
    const lengths = lines.map((line) => Number(/^[0-9a-f]{64} 0 ([0-9]+)$/.exec(line)![1]));
    assert.equal(lengths.reduce((sum, length) => sum + length, 0), 100_000);
    assert.match(new TextDecoder().decode(b!.body), /^[0-9a-f]{64} 0 5\n$/);
    assert.equal(link!.body.length, 0);
  });
});

Deno.test("inspect says what an object is without a key, and tells no secret", async () => {
  await inRepository(async (machine, { location, fullKey, full, folder }) => {
    await machine.create(TAR, { label: "a secret label" });
    const kinds = new Map<string, string>();
    for (const name of await objectsIn(location)) {
      if (name === "CACHEDIR.TAG" || name.startsWith("tmp/")) continue;
      const { kind, facts } = await inspect(`${location}/${name}`);
      kinds.set(name.split("/")[0]!, kind);
      assert.ok(facts.length > 0, name);
      assert.ok(!JSON.stringify(facts).includes("secret label"), name);
    }
    assert.deepEqual(Object.fromEntries(kinds), {
      bricks: "brick",
      meta: "brick",
      index: "tarzan index",
      keys: "key slot (age file)",
      ledger: "ledger object",
      "tarzan.json": "tarzan repository",
    });
    await Deno.writeTextFile(`${folder}/full.key`, fullKey);
    await assert.rejects(inspect(`${folder}/full.key`), (error: Error) => {
      assert.ok(!error.message.includes(full.root.toHex()));
      return /secret/.test(error.message);
    });
  });
});

Deno.test("inspect refuses what is nothing of ours, cut short, or no file", async () => {
  await inRepository(async (machine, { location, folder }) => {
    await machine.create(TAR);
    const [brick] = await bricksIn(location);
    for (
      const content of [
        "",
        "x",
        "{",
        "TARZAN",
        noise(5000, 3),
        (await Deno.readFile(`${location}/${brick}`)).slice(0, 900),
      ]
    ) {
      await withFile(content, async (path) => {
        await assert.rejects(inspect(path), Error);
      });
    }
    await assert.rejects(inspect(`${folder}/none`), /Cannot read/);
    await assert.rejects(inspect(location), /no file|Cannot read/);
  });
});

Deno.test("checksums of files come in the order given, and one that is missing does not hide the others", async () => {
  await inRepository(async (machine, { folder }) => {
    const contents = [noise(3 << 20, 1), new Uint8Array(), noise(10, 2)];
    const paths = contents.map((_, i) => `${folder}/file ${i}`);
    for (const [i, content] of contents.entries()) await Deno.writeFile(paths[i]!, content);
    const lines: { path: string; sha256: string; length: number }[] = [];
    await checksum(machine.session, { files: paths, onFile: (line) => void lines.push(line) });
    assert.deepEqual(
      lines.map(({ path, sha256, length }) => [path, sha256, length]),
      contents.map((content, i) => [
        paths[i],
        sha256(content),
        content.length,
      ]),
    );
    lines.length = 0;
    const files = [paths[2]!, `${folder}/none`, paths[1]!];
    await assert.rejects(checksum(machine.session, { files, onFile: (line) => void lines.push(line) }), /none/);
    assert.deepEqual(lines.map(({ length }) => length), [10, 0]);
  });
});

Deno.test("a repository that was moved is found where the user says, and remembered there", async () => {
  await inRepository(async (machine, { location, folder, fullKey }) => {
    const { snapshot } = await machine.create(TAR);
    await Deno.rename(location, `${folder}/moved`);
    const moved = machineOf({
      location: `${folder}/moved`,
      state: machine.state,
      config: machine.config,
      key: fullKey,
    });
    assert.deepEqual(await moved.extract(snapshot), TAR);
    assert.equal((await listed(moved.session)).length, 3);
    await assert.rejects(extract(machine.session, { snapshot, paths: [], output() {} }), /There is no repository/);
  });
});
