import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { DamageError } from "../../lib/crypto/mod.ts";
import { readMembers, unpackMembers } from "../../lib/repository/mod.ts";
import { createMemoryStore } from "../../lib/store/mod.ts";
import { END, type Fields, member } from "../tar/archives.ts";
import { inFolder, joined, noise } from "./machine.ts";

const domain = "12".repeat(16);
const stamp = "20260102T030405Z-89abcdef";
const hasTar = Deno.build.os === "linux";

function named(content: Uint8Array): string {
  const hash = createHash("sha256").update(content).digest("hex");
  return `bricks/${hash.slice(0, 2)}/${hash}`;
}

function rangesIn(bytes: Uint8Array) {
  return ({ from, length }: { from: number; length: number }) =>
    Promise.resolve(new Uint8Array(bytes.subarray(from, from + length)));
}

async function unpacked(tar: Uint8Array, store = createMemoryStore()) {
  const read = rangesIn(tar);
  const content = await readMembers(read, { bytes: tar.length, what: "the bundle" });
  const { signal } = new AbortController();
  const result = await unpackMembers(store, { members: content.members, read, what: "the bundle" }, { signal });
  const names = (await Array.fromAsync(store.list(""))).map(({ name }) => name);
  return { ...content, ...result, names, store };
}

Deno.test("a bundle may be made by any tar", { ignore: !hasTar }, async () => {
  await inFolder(async (folder) => {
    const brick = noise(300_000, 1);
    const objects: [string, Uint8Array][] = [
      [named(brick), brick],
      [`index/${domain}/${stamp}.json`, noise(2000, 2)],
      [`ledger/${domain}/${stamp}`, noise(4160, 3)],
      [`records/damage-${stamp}.json`, noise(300, 4)],
      ["tarzan.json", noise(200, 5)],
    ];
    for (const [name, content] of objects) {
      await Deno.mkdir(`${folder}/in/${name.slice(0, name.lastIndexOf("/") + 1)}`, { recursive: true });
      await Deno.writeFile(`${folder}/in/${name}`, content);
    }
    for (const format of ["ustar", "gnu"]) {
      const args = [`--format=${format}`, "--sort=name", "-cf", `${folder}/b.tar`, "-C", `${folder}/in`];
      const { code } = await new Deno.Command("tar", {
        args: [...args, ...Deno.readDirSync(`${folder}/in`)].map(nameOf),
      }).output();
      assert.equal(code, 0);
      const { names, problems, store } = await unpacked(await Deno.readFile(`${folder}/b.tar`));
      assert.deepEqual([names, problems], [objects.map(([name]) => name).sort(), []]);
      for (const [name, content] of objects) assert.deepEqual(await store.get(name), content);
    }
  });
  function nameOf(argument: string | Deno.DirEntry): string {
    return typeof argument === "string" ? argument : argument.name;
  }
});

Deno.test("unpacking twice changes nothing, and what is there is not replaced but for unfinished indexes", async () => {
  const brick = noise(70_000, 6);
  const open = `index/${domain}/${stamp}.open`;
  const json = `index/${domain}/${stamp}.json`;
  const tar = joined([
    member({ name: named(brick) }, brick),
    member({ name: open }, "2"),
    member({ name: json }, "2"),
    END,
  ]);
  const store = createMemoryStore();
  await store.put(open, new TextEncoder().encode("1"));
  await store.put(json, new TextEncoder().encode("1"));
  const first = await unpacked(tar, store);
  assert.deepEqual([first.written, first.problems.length], [2, 1]);
  assert.match(first.problems[0]!, new RegExp(`^${json} in memory was left as it is`));
  assert.equal(new TextDecoder().decode(await store.get(open)), "2");
  assert.equal(new TextDecoder().decode(await store.get(json)), "1");
  assert.equal((await unpacked(tar, store)).written, 0);
});

Deno.test("only regular files under names of objects leave a bundle, each once and not too large", async () => {
  const slot = "keys/ann-0123456789abcdef.age";
  const members: [Fields, string][] = [
    [{ name: "../tarzan.json" }, "x"],
    [{ name: "./tarzan.json" }, "x"],
    [{ name: "/tarzan.json" }, "x"],
    [{ name: "tarzan.json/" }, ""],
    [{ name: `index/${domain}/${stamp}.json`, type: "1", link: "/etc/passwd" }, ""],
    [{ name: `index/${domain}/${stamp}.json`, type: "2", link: "/etc/passwd" }, ""],
    [{ name: `ledger/${domain}`, type: "5" }, ""],
    [{ name: `ledger/${domain}/20261341T000000Z-89abcdef` }, "x"],
    [{ name: `ledger/${domain}/${stamp}/x` }, "x"],
    [{ name: "LEDGER/x" }, "x"],
    [{ name: "tmp/x" }, "x"],
    [{ name: "CACHEDIR.TAG" }, "x"],
    [{ name: `condemned/${"ab".repeat(32)}` }, "x"],
    [{ name: `bundles/${"ab".repeat(32)}.tar` }, "x"],
    [{ name: slot }, "x".repeat(65 * 1024)],
    [{ name: "tarzan.json" }, ""],
    [{ name: `bricks/ab/${"cd".repeat(32)}` }, "x"],
  ];
  const tar = joined([...members.map(([fields, content]) => member(fields, content)), END]);
  const { passedOver, names, problems } = await unpacked(tar);
  assert.deepEqual([passedOver, names, problems], [members.length, [], []]);
  const twice = joined([member({ name: "tarzan.json" }, "1"), member({ name: "tarzan.json" }, "2"), END]);
  const { store, passedOver: second } = await unpacked(twice);
  assert.deepEqual([second, new TextDecoder().decode(await store.get("tarzan.json"))], [1, "1"]);
});

Deno.test("whatever is done to a bundle, what comes out is an object of it or damage", async () => {
  const brick = noise(3000, 7);
  const genuine = new Map([[named(brick), brick], ["tarzan.json", noise(100, 8)], [
    `ledger/${domain}/${stamp}`,
    noise(600, 9),
  ]]);
  const tar = joined([...[...genuine].map(([name, content]) => member({ name }, content)), END]);
  const change = fc.record({ at: fc.nat(tar.length - 1), byte: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(tar.length), async (changes, length) => {
      const bytes = tar.slice(0, length < 3 * 512 ? tar.length : length);
      for (const { at, byte } of changes) if (at < bytes.length) bytes[at] = byte;
      try {
        const { names, store } = await unpacked(bytes);
        for (const name of names) {
          assert.match(
            name,
            /^(tarzan\.json|(bricks|meta)\/[0-9a-f]{2}\/[0-9a-f]{64}|(ledger|index)\/[0-9a-f]{32}\/[0-9TZ]+-[0-9a-f]{8}(\.json|\.open)?)$/,
          );
          if (/^(bricks|meta)/.test(name)) assert.equal(named(await store.get(name)).split("/")[2], name.split("/")[2]);
        }
      } catch (error) {
        assert.ok(error instanceof DamageError, String(error));
      }
    }),
    { numRuns: 300 },
  );
});
