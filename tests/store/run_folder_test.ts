import assert from "node:assert/strict";
import { RunFolder } from "../../lib/store/mod.ts";

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tarzan-run-folder-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const namesIn = async (folder: string) => (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

Deno.test("a folder belongs to its run until that leaves it, and is removed with all that is in it", () =>
  inFolder(async (parent) => {
    const own = await RunFolder.claim(parent);
    await own.put("a", new TextEncoder().encode("first"));
    await own.put("a", new TextEncoder().encode("second"));
    assert.deepEqual(await RunFolder.dead(parent), []);
    own.leave();
    const [dead, ...more] = await RunFolder.dead(parent);
    assert.equal(more.length, 0);
    assert.equal(dead!.path, own.path);
    assert.deepEqual(await namesIn(dead!.path), ["a"]);
    assert.equal(await Deno.readTextFile(`${dead!.path}/a`), "second");
    assert.deepEqual(await RunFolder.dead(parent), [], "who found it holds it");
    await dead!.remove();
    assert.deepEqual(await namesIn(parent), []);
  }));

Deno.test("of many that look for dead runs while others begin, each is given to one, and no living one to any", () =>
  inFolder(async (parent) => {
    for (let round = 0; round < 20; round++) {
      const left = await Promise.all(Array.from({ length: 3 }, () => RunFolder.claim(parent)));
      left.forEach((folder) => folder.leave());
      const [living, ...found] = await Promise.all([
        Promise.all(Array.from({ length: 3 }, () => RunFolder.claim(parent))),
        RunFolder.dead(parent),
        RunFolder.dead(parent),
      ]);
      const paths = found.flat().map(({ path }) => path).filter((path) => left.some((one) => one.path === path));
      assert.equal(new Set(paths).size, paths.length, "no two have the same");
      for (const folder of found.flat()) await folder.remove();
      for (const { path } of living) assert.ok((await Deno.stat(path)).isDirectory, "a living run lost its folder");
      for (const folder of living) await folder.remove();
      for (const folder of await RunFolder.dead(parent)) await folder.remove();
      assert.deepEqual(await namesIn(parent), []);
    }
  }));

Deno.test("removing what somebody removed already is no failure", () =>
  inFolder(async (parent) => {
    const own = await RunFolder.claim(parent);
    await Deno.remove(own.path, { recursive: true });
    await own.remove();
    assert.deepEqual(await namesIn(parent), []);
  }));
