/** Several runs in one repository at once. */
import assert from "node:assert/strict";
import { assertEnded, feedWhole } from "./running.ts";
import { assertRecovers, keep, largeTar, type Scene } from "./scene.ts";
import { Site } from "./site.ts";
import { assertRestores } from "./stream.ts";

const nothing = new Uint8Array();

export const sharingFaults: Record<string, (scene: Scene) => Promise<void>> = {
  async "two backups at once, of the same and of different tars: both succeed and both restore"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    const [one, other] = [largeTar(scene), largeTar(scene)];
    for (const tars of [[one, other], [one, one]]) {
      const runs = await Promise.all(tars.map((tar) => feedWhole(site.startCreate(), tar)));
      for (const [number, ended] of runs.entries()) {
        assertEnded(ended, { code: 0, silent: true });
        const { snapshot } = JSON.parse(ended.stdout) as { snapshot: string };
        await assertRestores(site.stranger(), { snapshot, expected: tars[number]! });
      }
    }
    await assertRecovers(site, kept, one);
  },

  async "four backups at once in a new repository, one of them killed: the others succeed"(scene) {
    const site = await Site.found(scene.folder);
    const tars = Array.from({ length: 4 }, () => largeTar(scene, 8 * 1024 * 1024));
    const runs = tars.map((tar) => ({ tar, running: site.startCreate() }));
    const victim = runs[scene.next(4)]!;
    await Promise.all(runs.map(async ({ tar, running }) => {
      if (running === victim.running) {
        await running.feed(tar.subarray(0, 5_000_000));
        running.kill("SIGKILL");
        await running.ended;
        return;
      }
      const ended = await feedWhole(running, tar);
      assertEnded(ended, { code: 0, silent: true });
      const { snapshot } = JSON.parse(ended.stdout) as { snapshot: string };
      await assertRestores(site.stranger(), { snapshot, expected: tar });
    }));
    const ended = await feedWhole(site.startCreate(), victim.tar);
    assertEnded(ended, { code: 0, silent: true });
    await assertRestores(site.machine, { expected: victim.tar });
    await site.assertTidy();
  },

  async "verify, list and extract while a backup runs: all succeed"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    const tar = largeTar(scene);
    const running = site.startCreate();
    const piece = Math.ceil(tar.length / 4);
    for (let at = 0; at < tar.length; at += piece) {
      await running.feed(tar.subarray(at, at + piece));
      const [verify, list, extract] = await Promise.all(
        [["verify", "--data", "--bricks"], ["list", "--json"], ["extract"]].map((args) =>
          feedWhole(site.start(args), nothing)
        ),
      );
      assertEnded(verify!, { code: 0 });
      assertEnded(list!, { code: 0, silent: true });
      assertEnded(extract!, { code: 0, silent: true });
      assert.deepEqual(extract!.bytes, kept.tar);
    }
    const verify = feedWhole(site.start(["verify", "--data", "--bricks"]), nothing);
    await running.endInput();
    assertEnded(await running.ended, { code: 0, silent: true });
    assertEnded(await verify, { code: 0 });
    await assertRestores(site.stranger(), { expected: tar });
    await assertRecovers(site, kept, tar);
  },

  async "rebuild while a backup runs: both succeed"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    const tar = largeTar(scene);
    const running = site.startCreate();
    await running.feed(tar.subarray(0, tar.length / 2));
    assertEnded(await feedWhole(site.start(["rebuild"]), nothing), { code: 0 });
    assertEnded(await feedWhole(running, tar.subarray(tar.length / 2)), { code: 0, silent: true });
    await assertRestores(site.stranger(), { expected: tar });
    await assertRecovers(site, kept, tar);
  },
};
