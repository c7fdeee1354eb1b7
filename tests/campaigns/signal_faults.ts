/** Somebody interrupts a run. */
import assert from "node:assert/strict";
import { assertEnded, feedWhole } from "./running.ts";
import { assertKept, assertRecovers, keep, largeTar, type Scene } from "./scene.ts";
import { Site } from "./site.ts";

const nothing = new Uint8Array();
/** What waits for nobody is over this soon after a signal, on a busy machine too. */
const SOON_MS = 15_000;

export const signalFaults: Record<string, (scene: Scene) => Promise<void>> = {
  async "SIGINT and SIGTERM in the middle of a backup: said so, and the next run goes on"(scene) {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const site = await Site.found(scene.folder, { repository: signal, state: `state-${signal}` });
      const kept = await keep(site, scene);
      const tar = largeTar(scene);
      for (let i = 0; i < 3; i++) {
        const running = site.startCreate();
        await running.feed(tar.subarray(0, 4_500_000 + scene.next(tar.length - 4_500_000)));
        running.kill(signal);
        assertEnded(await running.ended, { code: 130, says: new RegExp(`Interrupted by ${signal}`) });
        assert.deepEqual([...site.files("tmp").keys()], [], "left in tmp/");
      }
      await assertRecovers(site, kept, tar);
    }
  },

  async "SIGINT while the program that makes the tar stalls: ends soon"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    const tar = largeTar(scene);
    for (const bytes of [1, 511, 6_000_000, tar.length]) {
      const running = site.startCreate();
      await running.feed(tar.subarray(0, bytes));
      await listening(site);
      const askedMs = performance.now();
      running.kill("SIGINT");
      assertEnded(await running.ended, { code: 130, says: /Interrupted by SIGINT/ });
      assert.ok(performance.now() - askedMs < SOON_MS, `${performance.now() - askedMs} ms`);
    }
    await assertRecovers(site, kept, tar);
  },

  async "SIGINT while a COMMAND stalls: ends soon, and so does the command"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    const tar = largeTar(scene);
    await Deno.writeFile(`${scene.folder}/input.tar`, tar);
    // The folder's name in its words, so that one that is left behind is found.
    const shell = ["sh", "-c", `cat ${scene.folder}/input.tar; exec sleep 45 # ${scene.folder}`];
    const running = site.startCreate(["--", ...shell]);
    await listening(site);
    running.kill("SIGINT");
    assertEnded(await running.ended, { code: 130, says: /Interrupted by SIGINT/ });
    await assertRecovers(site, kept, tar);
  },

  async "SIGINT and SIGTERM in the middle of extract: said so"(scene) {
    const site = await Site.found(scene.folder);
    const tar = largeTar(scene);
    assertEnded(await feedWhole(site.startCreate(), tar), { code: 0 });
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      // Nobody reads, so it is in the middle of its output when the signal comes.
      const { promise, resolve } = Promise.withResolvers<void>();
      const running = site.start(["extract"], { pause: promise });
      await running.flowing;
      running.kill(signal);
      resolve();
      const ended = await running.ended;
      assertEnded(ended, { code: 130, says: new RegExp(`Interrupted by ${signal}`) });
      assert.deepEqual(ended.bytes, tar.slice(0, ended.bytes.length));
      assert.ok(ended.bytes.length < tar.length);
    }
    const snapshot = site.indexes(".json")[0]!;
    await assertRecovers(site, { tar, snapshot }, tar);
  },

  async "SIGINT in the middle of extract, whose reader stalls: ends soon"(scene) {
    const site = await Site.found(scene.folder);
    const tar = largeTar(scene);
    assertEnded(await feedWhole(site.startCreate(), tar), { code: 0 });
    const running = site.start(["extract"], { pause: new Promise(() => {}) });
    await running.flowing;
    const askedMs = performance.now();
    running.kill("SIGINT");
    await running.gone;
    assert.ok(performance.now() - askedMs < SOON_MS, `${performance.now() - askedMs} ms`);
    await assertKept(site, { tar, snapshot: site.indexes(".json")[0]! });
  },

  async "SIGINT in the middle of verify: said so"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    assertEnded(await feedWhole(site.startCreate(), largeTar(scene)), { code: 0 });
    const running = site.start(["verify", "--data", "--bricks", "--threads", "1"]);
    await running.feed(nothing);
    await listening(site, "location");
    running.kill("SIGINT");
    const ended = await running.ended;
    if (ended.code !== 0) assertEnded(ended, { code: 130, says: /Interrupted by SIGINT/ });
    await assertRecovers(site, kept, kept.tar);
  },
};

/** Done when a run has begun its journal (or wrote another thing): from then on it reads input, and listens for signals. */
async function listening(site: Site, what = "journal"): Promise<void> {
  const watcher = Deno.watchFs(site.state, { recursive: true });
  try {
    if (what === "journal" && site.files("tmp").size > 0) return;
    for await (const { paths } of watcher) {
      if (paths.some((path) => path.includes(what) && !path.endsWith("CACHEDIR.TAG"))) return;
    }
  } finally {
    watcher.close();
  }
}
