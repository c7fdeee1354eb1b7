import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { TreeHasher } from "../../lib/glacier/mod.ts";
import { hashBundle, inBundles, layOut, type Member, readBundle } from "../../lib/repository/cold/bundle.ts";
import { memberHeader } from "../../lib/repository/cold/tar_member.ts";
import { inFolder, noise } from "./machine.ts";

/** Objects with names as a repository has them, and lengths that end on and beside the edges of blocks. */
const objects = fc.uniqueArray(
  fc.record({
    name: fc.tuple(
      fc.constantFrom("bricks/", "meta/", "keys/", "ledger/0123/", "index/0123/", ""),
      fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,64}$/),
    ).map((parts) => parts.join("")),
    bytes: fc.oneof(fc.constantFrom(0, 1, 511, 512, 513, 1024), fc.nat(5000)),
  }),
  { selector: ({ name }) => name, maxLength: 12 },
).filter((all) => !all.some(({ name }) => all.some((other) => other.name.startsWith(`${name}/`))));

function contentOf({ name, bytes }: Member): Uint8Array<ArrayBuffer> {
  return noise(bytes, name.length * 1000 + bytes);
}

function reader(members: readonly Member[]) {
  const contents = new Map(members.map((member) => [member.name, contentOf(member)]));
  return (name: string, { from, length }: { from: number; length: number }) =>
    Promise.resolve(contents.get(name)!.slice(from, from + length));
}

async function tar(args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("tar", { args, env: { LC_ALL: "C", TZ: "UTC" } }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.equal(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout);
}

Deno.test("what GNU tar lists and unpacks of a bundle are its objects", async () => {
  await inFolder(async (folder) => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(objects, async (members) => {
        const layout = layOut(members);
        const bytes = await readBundle(layout, { from: 0, length: layout.bytes }, reader(members));
        const path = `${folder}/${++number}`;
        await Deno.writeFile(`${path}.tar`, bytes);
        const listed = (await tar(["tvf", `${path}.tar`])).trimEnd().split("\n").filter((line) => line !== "");
        const sorted = members.toSorted((a, b) => a.name < b.name ? -1 : 1);
        assert.deepEqual(
          listed.map((line) => line.split(/ +/)).map((
            [mode, owner, size, date, , name],
          ) => [mode, owner, size, date, name]),
          sorted.map(({ name, bytes }) => ["-r--r--r--", "0/0", String(bytes), "1970-01-01", name]),
        );
        await Deno.mkdir(path);
        await tar(["xf", `${path}.tar`, "-C", path]);
        for (const member of members) {
          assert.deepEqual(await Deno.readFile(`${path}/${member.name}`), contentOf(member));
        }
        for (const { name, bytes: length, offset } of layout.members) {
          assert.deepEqual(bytes.slice(offset, offset + length), contentOf({ name, bytes: length }));
        }
      }),
      { numRuns: 15 },
    );
  });
});

Deno.test("any range of a bundle is that range of the whole, and its hashes are those of its bytes", async () => {
  await fc.assert(
    fc.asyncProperty(objects, fc.nat(), fc.nat(), async (members, a, b) => {
      const layout = layOut(members);
      const read = reader(members);
      const whole = await readBundle(layout, { from: 0, length: layout.bytes }, read);
      const from = a % (layout.bytes + 1);
      const length = b % (layout.bytes - from + 1);
      assert.deepEqual(await readBundle(layout, { from, length }, read), whole.slice(from, from + length));
      const tree = new TreeHasher();
      tree.update(whole);
      assert.deepEqual(await hashBundle(layout, { read, signal: new AbortController().signal }), {
        sha256: createHash("sha256").update(whole).digest("hex"),
        treeHash: tree.digest().toHex(),
      });
    }),
    { numRuns: 60 },
  );
});

Deno.test("a bundle of some MiB has the hashes of its bytes", async () => {
  const members = [{ name: "a", bytes: 5_000_000 }, { name: "b", bytes: 4_400_000 }, { name: "c", bytes: 3 }];
  const layout = layOut(members);
  const whole = await readBundle(layout, { from: 0, length: layout.bytes }, reader(members));
  const { sha256, treeHash } = await hashBundle(layout, {
    read: reader(members),
    signal: new AbortController().signal,
  });
  const tree = new TreeHasher();
  tree.update(whole);
  assert.equal(sha256, createHash("sha256").update(whole).digest("hex"));
  assert.equal(treeHash, tree.digest().toHex());
});

Deno.test("bundles stay below their limit, and nothing is in two or in none", () => {
  fc.assert(
    fc.property(objects, fc.integer({ min: 2048, max: 20_000 }), (members, limit) => {
      const bundles = inBundles(members, limit);
      for (const bundle of bundles) assert.ok(bundle.length === 1 || layOut(bundle).bytes <= limit);
      const names = bundles.flat().map(({ name }) => name);
      assert.deepEqual(names, members.map(({ name }) => name).sort());
    }),
  );
});

Deno.test("an object that has become shorter is no member of a bundle any more", async () => {
  const layout = layOut([{ name: "a", bytes: 10 }]);
  await assert.rejects(
    readBundle(layout, { from: 0, length: layout.bytes }, () => Promise.resolve(noise(9, 1))),
    /Cannot bundle a: it is not 10 bytes long any more/,
  );
});

Deno.test("a member's header is what GNU tar writes for such a file", async () => {
  await inFolder(async (folder) => {
    await Deno.writeFile(`${folder}/name`, noise(1234, 1));
    const args = [
      "--format=ustar",
      "--mtime=@0",
      "--numeric-owner",
      "--owner=:0",
      "--group=:0",
      "--mode=0444",
      "-C",
      folder,
      "-cf",
    ];
    await tar([...args, `${folder}/it.tar`, "name"]);
    const theirs = await Deno.readFile(`${folder}/it.tar`);
    assert.deepEqual(memberHeader("name", 1234), theirs.slice(0, 512));
  });
});
