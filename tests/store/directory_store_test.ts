import assert from "node:assert/strict";
import { join } from "node:path";
import {
  createDirectoryStore,
  ExistsError,
  NotFoundError,
  openDirectoryStore,
  StoreReadOnlyError,
} from "../../lib/store/mod.ts";
import { Child } from "./children.ts";
import { all, namesOf, pattern, storeConformance } from "./conformance.ts";
import { makeDirectoryStore, tree, withDirectory } from "./directories.ts";

const onWindows = Deno.build.os === "windows";

storeConformance("directory", makeDirectoryStore);

function directoryTest(name: string, test: (path: string) => Promise<void>, ignore = false): void {
  Deno.test({ name, ignore, fn: () => withDirectory(test) });
}

directoryTest("a new repository's directory is marked for backup programs, with its parents made", async (path) => {
  const store = await createDirectoryStore(join(path, "deep", "down", "repository"));
  assert.equal(store.location, join(path, "deep", "down", "repository"));
  const tag = await Deno.readTextFile(join(store.location, "CACHEDIR.TAG"));
  assert.ok(tag.startsWith("Signature: 8a477f597d28d172789f06886806bc55\n"));
  assert.deepEqual(await all(store.list("")), []);
  await store.close();
});

directoryTest("a directory that holds something is not made into a repository, nor touched", async (path) => {
  await Deno.writeTextFile(join(path, "thesis.txt"), "mine");
  await Deno.chmod(path, 0o755);
  await assert.rejects(createDirectoryStore(path), (error: Error) => {
    assert.ok(error instanceof ExistsError);
    assert.match(error.message, /thesis\.txt/);
    return true;
  });
  assert.deepEqual((await tree(path)).map((line) => line.split(" ")[0]), ["thesis.txt"]);
  if (!onWindows) assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o755);
});

directoryTest("a creation that was interrupted, or a new disk, counts as empty", async (path) => {
  for (const name of ["tmp", "lost+found"]) await Deno.mkdir(join(path, name));
  await Deno.writeTextFile(join(path, "CACHEDIR.TAG"), "Sig");
  const store = await createDirectoryStore(path);
  assert.match(await Deno.readTextFile(join(path, "CACHEDIR.TAG")), /^Signature: 8a477f/);
  await store.close();
});

directoryTest("opening a directory that is not there is a NotFoundError; a file is not a directory", async (path) => {
  await assert.rejects(openDirectoryStore(join(path, "none")), (error: Error) => {
    assert.ok(error instanceof NotFoundError);
    assert.match(error.message, /none/);
    return true;
  });
  await Deno.writeTextFile(join(path, "file"), "");
  await assert.rejects(openDirectoryStore(join(path, "file")), /not a directory/);
  await assert.rejects(createDirectoryStore(join(path, "file", "below")), /Cannot make the directory/);
});

for (const umask of ["000", "022", "777"]) {
  directoryTest(`folders are 0700 and files 0600 under umask ${umask}`, async (path) => {
    await (await createDirectoryStore(join(path, "repository"))).close();
    const child = new Child("putUnderUmask", join(path, "repository"), umask);
    assert.equal(await child.line(), "put");
    await child.end();
    const lines = await tree(path);
    assert.equal(lines.length, 14);
    for (const line of lines) assert.match(line, /\/ 700$|[^/] 600$/);
  }, onWindows);
}

directoryTest("reading alone writes nothing, so that a read-only copy can be read", async (path) => {
  const store = await createDirectoryStore(join(path, "repository"));
  await store.put("a/b", pattern(5));
  await store.close();
  const before = await tree(path);
  const reader = await openDirectoryStore(store.location);
  assert.deepEqual(await reader.get("a/b"), pattern(5));
  assert.deepEqual(await namesOf(reader.list("")), ["a/b"]);
  assert.equal(await reader.head("a/c"), undefined);
  await reader.delete("a/c");
  await reader.close();
  assert.deepEqual(await tree(path), before);
});

directoryTest("closing leaves no spool behind, whatever was staged", async (path) => {
  const store = await createDirectoryStore(join(path, "repository"));
  for (let i = 0; i < 3; i++) await (await store.stage()).write(pattern(10));
  const committed = await store.stage();
  await committed.commit("a");
  await store.close();
  assert.deepEqual(await Array.fromAsync(Deno.readDir(join(store.location, "tmp"))), []);
});

directoryTest("what is no object is not listed", async (path) => {
  const store = await createDirectoryStore(join(path, "repository"));
  await store.put("bricks/ab/real", pattern(1));
  const folder = join(store.location, "bricks");
  for (const name of [".DS_Store", ".nfs0001", "with space", "x..y", "dot.", "ü"]) {
    await Deno.writeFile(join(folder, name), pattern(1));
  }
  await Deno.mkdir(join(folder, ".hidden"));
  await Deno.writeFile(join(folder, ".hidden", "a"), pattern(1));
  await Deno.mkdir(join(folder, "empty"));
  const staged = await store.stage();
  assert.deepEqual(await namesOf(store.list("")), ["bricks/ab/real"]);
  assert.deepEqual(await namesOf(store.list("tmp/")), []);
  await staged.abort();
  await store.close();
}, onWindows);

directoryTest("symbolic links are neither listed nor followed nor written through", async (path) => {
  const store = await createDirectoryStore(join(path, "repository"));
  await Deno.mkdir(join(path, "outside"));
  await Deno.writeFile(join(path, "outside", "secret"), pattern(3));
  await store.put("bricks/ab/real", pattern(1));
  await Deno.symlink(join(path, "outside"), join(store.location, "meta"));
  await Deno.symlink(join(path, "outside"), join(store.location, "bricks", "cd"));
  await Deno.symlink(join(path, "outside", "secret"), join(store.location, "bricks", "ab", "secret"));
  assert.deepEqual(await namesOf(store.list("")), ["bricks/ab/real"]);
  assert.equal(await store.head("bricks/ab/secret"), undefined);
  await assert.rejects(store.get("bricks/ab/secret"), NotFoundError);
  await store.delete("bricks/ab/secret");
  for (
    const call of [
      () => all(store.list("meta/")),
      () => all(store.list("bricks/cd/s")),
      () => store.get("meta/secret"),
      () => store.head("bricks/cd/secret"),
      () => store.delete("meta/secret"),
      () => store.put("meta/new", pattern(1)),
      () => store.put("bricks/cd/new", pattern(1), { once: true }),
    ]
  ) await assert.rejects(call, /symbolic link/);
  await store.put("bricks/ab/secret", pattern(9));
  assert.deepEqual(await tree(join(path, "outside")), ["secret 644"]);
  assert.deepEqual(await Deno.readFile(join(path, "outside", "secret")), pattern(3));
  assert.deepEqual(await store.get("bricks/ab/secret"), pattern(9));
  await store.close();
}, onWindows);

directoryTest(
  "a directory that vanishes under a run is an error for every call, never an empty store",
  async (path) => {
    const store = await createDirectoryStore(join(path, "repository"));
    await store.put("a/b", pattern(1));
    const staged = await store.stage();
    await staged.write(pattern(1));
    await Deno.rename(store.location, join(path, "elsewhere"));
    // First nothing is there, then an empty directory, as an unmounted disk leaves it.
    for (const _ of ["gone", "empty"]) {
      for (
        const call of [
          () => all(store.list("")),
          () => all(store.list("a/")),
          () => store.head("a/b"),
          () => store.get("a/b"),
          () => store.put("a/c", pattern(1)),
          () => store.put("c", pattern(1), { once: true }),
          () => store.delete("a/b"),
          () => store.stage(),
          () => store.now(),
          () => staged.commit("a/d"),
        ]
      ) {
        await assert.rejects(call, (error: Error) => {
          assert.ok(error instanceof NotFoundError, error.message);
          assert.match(error.message, /vanished/);
          return true;
        });
      }
      await Deno.mkdir(store.location, { recursive: true });
    }
    assert.deepEqual(await tree(store.location), []);
    await Deno.remove(store.location);
    await Deno.rename(join(path, "elsewhere"), store.location);
    await staged.commit("a/d");
    assert.deepEqual(await namesOf(store.list("")), ["a/b", "a/d"]);
    await store.close();
  },
);

directoryTest("a folder that somebody tidied away while it was empty is made again on the next try", async (path) => {
  const store = await createDirectoryStore(join(path, "repository"));
  await store.put("a/b/c", pattern(1));
  await store.delete("a/b/c");
  await Deno.remove(join(store.location, "a"), { recursive: true });
  await assert.rejects(store.put("a/b/c", pattern(1)), NotFoundError);
  await store.put("a/b/c", pattern(1));
  assert.deepEqual(await store.get("a/b/c"), pattern(1));
  await store.close();
});

Deno.test({
  name: "writing where the system forbids it is a StoreReadOnlyError, while the clock still runs",
  ignore: Deno.build.os !== "linux",
  async fn() {
    // Nobody may make folders here, not even root.
    const store = await openDirectoryStore("/sys/kernel");
    await assert.rejects(store.put("a", pattern(1)), (error: Error) => {
      assert.ok(error instanceof StoreReadOnlyError);
      assert.match(error.message, /\/sys\/kernel\/a/);
      return true;
    });
    await assert.rejects(store.stage(), StoreReadOnlyError);
    assert.ok(Math.abs((await store.now()).getTime() - Date.now()) < 60_000);
    await store.close();
  },
});
