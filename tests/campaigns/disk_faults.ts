/** The disk is full, read-only, or gone. */
import assert from "node:assert/strict";
import { mountDisk } from "./mounts.ts";
import { assertEnded, feedWhole } from "./running.ts";
import { assertKept, assertRecovers, keep, largeTar, type Scene } from "./scene.ts";
import { Site } from "./site.ts";
import { assertRestores } from "./stream.ts";
import { SkippedError } from "./tally.ts";

export const diskFaults: Record<string, (scene: Scene) => Promise<void>> = {
  async "the disk is full: said so, and the next run with more room goes on"(scene) {
    const disk = await mountDisk(`${scene.folder}/disk`, { size: "26m", scene });
    const site = await Site.found(scene.folder, { repository: "disk/repository" });
    const kept = await keep(site, scene);
    const tar = largeTar(scene);
    for (let i = 0; i < 2; i++) {
      assertEnded(await feedWhole(site.startCreate(), tar), { code: 1, says: /disk or quota is full.*Free space/ });
      assert.deepEqual([...site.files("tmp").keys()], [], "left in tmp/");
    }
    await disk.change("size=200m");
    await assertRecovers(site, kept, tar);
  },

  async "the disk has not one byte left: said so, and everything can be read"(scene) {
    const disk = await mountDisk(`${scene.folder}/disk`, { size: "12m", scene });
    const site = await Site.found(scene.folder, { repository: "disk/repository" });
    const kept = await keep(site, scene);
    await fillUp(`${scene.folder}/disk/filler`);
    const tar = largeTar(scene);
    assertEnded(await feedWhole(site.startCreate(), tar), { code: 1, says: /disk or quota is full/ });
    assertEnded(await feedWhole(site.start(["verify", "--data"]), new Uint8Array()), { code: 0 });
    const ended = await feedWhole(site.start(["extract"]), new Uint8Array());
    assertEnded(ended, { code: 0, silent: true });
    assert.deepEqual(ended.bytes, kept.tar);
    await Deno.remove(`${scene.folder}/disk/filler`);
    await disk.change("size=200m");
    await assertRecovers(site, kept, tar);
  },

  async "the disk of the state is full: said so, and the next run goes on"(scene) {
    const disk = await mountDisk(`${scene.folder}/disk`, { size: "1m", scene });
    const site = await Site.found(scene.folder, { state: "disk/state" });
    const kept = await keep(site, scene);
    await fillUp(`${scene.folder}/disk/filler`);
    const tar = largeTar(scene);
    assertEnded(await feedWhole(site.startCreate(), tar), { code: 1, says: /full|no space/i });
    await assertKept(site, kept);
    await Deno.remove(`${scene.folder}/disk/filler`);
    await disk.change("size=100m");
    await assertRecovers(site, kept, tar);
  },

  async "the repository is on a read-only disk: reading works, writing says why not"(scene) {
    const disk = await mountDisk(`${scene.folder}/disk`, { size: "200m", scene });
    const site = await Site.found(scene.folder, { repository: "disk/repository" });
    const kept = await keep(site, scene);
    const tar = largeTar(scene);
    await disk.change("ro");
    assertEnded(await feedWhole(site.startCreate(), tar), { code: 1, says: /mounted read-only/ });
    await assertReadable(site, kept);
    await disk.change("rw");
    await assertRecovers(site, kept, tar);
  },

  async "the repository's folders may not be written to: reading works, writing says why not"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    const tar = largeTar(scene);
    const own = await protect(site.location, scene);
    if (own) {
      assertEnded(await feedWhole(site.startCreate(), tar), { code: 1, says: /permission denied|not permitted/i });
    } else {
      assertEnded(await feedWhole(site.startCreate(), tar), { code: 1, says: /permission denied|read-only/i });
    }
    await assertReadable(site, kept);
    await scene.cleanUp.pop()!();
    await assertRecovers(site, kept, tar);
  },

  async "the state directory cannot be written to: said so, with its path"(scene) {
    const disk = await mountDisk(`${scene.folder}/disk`, { size: "100m", scene });
    const site = await Site.found(scene.folder, { state: "disk/state" });
    const kept = await keep(site, scene);
    const tar = largeTar(scene);
    await disk.change("ro");
    assertEnded(await feedWhole(site.startCreate(), tar), { code: 1, says: /disk\/state.*TARZAN_STATE_DIR/ });
    await disk.change("rw");
    await assertRecovers(site, kept, tar);
  },

  async "the repository is renamed while a backup runs: said so, and nothing takes its place"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    const tar = largeTar(scene);
    const running = site.startCreate();
    await running.feed(tar.subarray(0, 3_000_000 + scene.next(tar.length - 6_000_000)));
    await Deno.rename(site.location, `${site.location}-elsewhere`);
    assertEnded(await feedWhole(running, tar), { code: 1, says: /vanished|does not exist/ });
    assert.deepEqual([...site.files().keys()], []);
    await Deno.rename(`${site.location}-elsewhere`, site.location);
    await assertRecovers(site, kept, tar);
  },

  async "the repository is removed while a backup runs: said so, and nothing takes its place"(scene) {
    const site = await Site.found(scene.folder);
    await keep(site, scene);
    const tar = largeTar(scene);
    const running = site.startCreate();
    await running.feed(tar.subarray(0, 3_000_000 + scene.next(tar.length - 6_000_000)));
    await removeUnderFeet(site.location);
    assertEnded(await feedWhole(running, tar), { code: 1, says: /vanished|does not exist/ });
    assert.deepEqual([...site.files().keys()], []);
    assertEnded(await feedWhole(site.startCreate(), tar), { code: 5, says: /There is no repository at/ });
  },

  async "the repository's disk is unmounted, so that its mount point is empty: no repository, and nothing is written"(
    scene,
  ) {
    const disk = await mountDisk(`${scene.folder}/disk`, { size: "100m", scene });
    const site = await Site.found(scene.folder, { repository: "disk" });
    await keep(site, scene);
    await disk.change("size=101m");
    await scene.cleanUp.pop()!();
    assertEnded(await feedWhole(site.startCreate(), largeTar(scene)), { code: 5, says: /tarzan\.json|no repository/ });
    assert.deepEqual([...site.files().keys()], []);
  },

  async "the state directory is lost: the next run learns everything anew"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    await Deno.remove(site.state, { recursive: true });
    const ended = await feedWhole(site.startCreate(), kept.tar);
    assertEnded(ended, { code: 0, silent: true });
    assert.equal((JSON.parse(ended.stdout) as { newBytes: number }).newBytes, 0);
    await assertRestores(site.machine, { expected: kept.tar });
    await assertKept(site, kept);
    await site.assertTidy();
  },
};

async function assertReadable(site: Site, { tar }: { tar: Uint8Array }): Promise<void> {
  for (const args of [["list"], ["verify", "--data"], ["bricks"]]) {
    assertEnded(await feedWhole(site.start(args), new Uint8Array()), { code: 0, silent: args[0] !== "verify" });
  }
  const ended = await feedWhole(site.start(["extract"]), new Uint8Array());
  assertEnded(ended, { code: 0, silent: true });
  assert.deepEqual(ended.bytes, tar);
}

/** Writes until nothing fits any more. */
async function fillUp(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  for (let bytes = 65_536; bytes >= 1;) {
    try {
      await file.write(new Uint8Array(bytes));
    } catch (error) {
      if (!(error instanceof Error && (error as { code?: unknown }).code === "ENOSPC")) throw error;
      bytes >>= 1;
    }
  }
}

/** Keeps everybody from writing below a folder, root too; until the last thing to clean up is done. Whether by modes. */
async function protect(folder: string, scene: Scene): Promise<boolean> {
  const folders = [folder];
  for (const path of folders) {
    for await (const { name, isDirectory } of Deno.readDir(path)) if (isDirectory) folders.push(`${path}/${name}`);
  }
  if (Deno.uid() !== 0) {
    for (const path of folders) await Deno.chmod(path, 0o500);
    scene.cleanUp.push(async () => {
      for (const path of folders) await Deno.chmod(path, 0o700);
    });
    return true;
  }
  const set = async (flag: string) => {
    const { success } = await new Deno.Command("chattr", { args: [flag, ...folders], stderr: "null" }).output();
    if (!success) throw new SkippedError(`chattr ${flag} does not work here, and modes do not hold root`);
  };
  await set("+i");
  scene.cleanUp.push(() => set("-i"));
  return false;
}

/** A folder to which a living run adds files is not removed at the first attempt. */
async function removeUnderFeet(folder: string): Promise<void> {
  for (let i = 0; i < 20; i++) {
    try {
      return await Deno.remove(folder, { recursive: true });
    } catch (error) {
      if (!(error instanceof Error && /not empty|ENOTEMPTY/i.test(error.message))) throw error;
    }
  }
  throw new Error(`${folder} fills faster than it can be removed`);
}
