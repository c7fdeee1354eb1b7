import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { createDirectoryStore, openDirectoryStore } from "../../lib/store/mod.ts";
import { Child } from "./children.ts";
import { namesOf, pattern } from "./conformance.ts";
import { withDirectory } from "./directories.ts";

async function spoolOf(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(join(path, "tmp")))).map((entry) => entry.name).sort();
}

for (const acknowledged of [1, 2, 3, 7, 16]) {
  Deno.test(`kill -9 after ${acknowledged} objects loses none of them and leaves no half one`, () =>
    withDirectory(async (path) => {
      await (await createDirectoryStore(path)).close();
      const child = new Child("writeForEver", path, String(acknowledged));
      const names: string[] = [];
      while (names.length < acknowledged) names.push(await child.line() ?? assert.fail("the child ended"));
      names.push(...await child.kill());

      const store = await openDirectoryStore(path);
      const listed = await namesOf(store.list("bricks/"));
      for (const name of names) assert.ok(listed.includes(name), `${name} was acknowledged`);
      assert.ok(listed.length <= names.length + 1);
      for (const name of listed) {
        const hash = createHash("sha256").update(await store.get(name)).digest("hex");
        assert.equal(name, `bricks/${hash}`);
      }
      await store.put("a", pattern(1));
      assert.equal((await spoolOf(path)).length, 2, "only this run's spool and its lock are left");
      await store.close();
      assert.deepEqual(await spoolOf(path), []);
    }));
}

Deno.test("the next run removes the spool of a dead run and leaves that of a living one alone", () =>
  withDirectory(async (path) => {
    await (await createDirectoryStore(path)).close();
    const [dead, living] = [new Child("stageAndWait", path), new Child("stageAndWait", path)];
    assert.deepEqual([await dead.line(), await living.line()], ["staged", "staged"]);
    await dead.kill();
    assert.equal((await spoolOf(path)).length, 4);

    const store = await openDirectoryStore(path);
    await store.put("a", pattern(1));
    assert.equal((await spoolOf(path)).length, 4, "the living run's and this one's");
    await living.go();
    assert.equal(await living.line(), "committed");
    await living.end();
    assert.equal(new TextDecoder().decode(await store.get("bricks/whole")), "half and half");
    assert.equal((await spoolOf(path)).length, 2);
    await store.close();
  }));

Deno.test("two runs in one process do not rob each other", () =>
  withDirectory(async (path) => {
    const first = await createDirectoryStore(path);
    const staged = await first.stage();
    await staged.write(pattern(10));
    const second = await openDirectoryStore(path);
    await second.put("b", pattern(1));
    await second.close();
    await staged.commit("a");
    assert.deepEqual(await namesOf(first.list("")), ["a", "b"]);
    await first.close();
  }));

Deno.test("a spool folder whose lock file is gone, or a lock file without folder, belongs to nobody", () =>
  withDirectory(async (path) => {
    const store = await createDirectoryStore(path);
    await Deno.mkdir(join(path, "tmp", "dead"), { recursive: true });
    await Deno.writeFile(join(path, "tmp", "dead", "1"), pattern(1));
    await Deno.writeFile(join(path, "tmp", "other.lock"), pattern(0));
    await store.put("a", pattern(1));
    assert.equal((await spoolOf(path)).length, 2);
    await store.close();
    assert.deepEqual(await spoolOf(path), []);
  }));
