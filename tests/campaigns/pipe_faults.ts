/** What stands before or behind us in a pipe fails. */
import assert from "node:assert/strict";
import { assertEnded, feedWhole } from "./running.ts";
import { assertRecovers, keep, largeTar, type Scene } from "./scene.ts";
import { Site } from "./site.ts";
import { assertRestores } from "./stream.ts";

const nothing = new Uint8Array();

export const pipeFaults: Record<string, (scene: Scene) => Promise<void>> = {
  async "extract | head: ends at once, without a word"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    for (const readBytes of [1, 100, 1_000_000]) {
      const ended = await feedWhole(site.start(["extract"], { readBytes }), nothing);
      assertEnded(ended, { code: 141, silent: true });
      assert.deepEqual(ended.bytes, kept.tar.slice(0, ended.bytes.length));
    }
    assertEnded(await feedWhole(site.start(["list", kept.snapshot], { readBytes: 1 }), nothing), { code: 0 });
    await assertRecovers(site, kept, kept.tar);
  },

  async "the program that makes the tar fails: what came is kept, and marked as incomplete"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    const tar = largeTar(scene);
    const path = `${scene.folder}/input.tar`;
    await Deno.writeFile(path, tar);
    const bytes = 1 + scene.next(tar.length - 1);
    const producers = [["exit 7", /exit code 7/], ["kill -9 $$", /exit code 137/]] as const;
    for (const [last, says] of producers) {
      const shell = ["sh", "-c", `head -c ${bytes} ${path}; ${last}`];
      const ended = await feedWhole(site.startCreate(["--", ...shell]), nothing);
      assertEnded(ended, { code: 3, says });
      const { snapshot, complete } = JSON.parse(ended.stdout) as { snapshot: string; complete: boolean };
      assert.equal(complete, false);
      await assertRestores(site.stranger(), { snapshot, expected: tar.subarray(0, bytes) });
      const extracted = await feedWhole(site.start(["extract", snapshot]), nothing);
      assertEnded(extracted, { code: 3, says: /incomplete/ });
    }
    // What nobody names is the newest complete one.
    await assertRestores(site.machine, { expected: kept.tar });
    await assertRecovers(site, kept, tar);
  },

  async "the program that makes the tar gives nothing, or is not there: nothing is stored"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    const before = [...site.files().keys()];
    assertEnded(await feedWhole(site.startCreate(["--", "false"]), nothing), { code: 3, says: /input was empty/ });
    assertEnded(await feedWhole(site.startCreate(), nothing), { code: 3, says: /input was empty/ });
    const unknown = `${scene.folder}/no-such-program`;
    assertEnded(await feedWhole(site.startCreate(["--", unknown]), nothing), { code: 1, says: /Cannot run/ });
    assert.deepEqual([...site.files().keys()], before);
    await assertRecovers(site, kept, kept.tar);
  },

  async "the tar stops in the middle: what came is kept, and marked as incomplete"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    const tar = largeTar(scene);
    const part = tar.subarray(0, 512 + scene.next(tar.length - 2048));
    const ended = await feedWhole(site.startCreate(), part);
    assertEnded(ended, { code: 3, says: /incomplete/ });
    const { snapshot } = JSON.parse(ended.stdout) as { snapshot: string };
    await assertRestores(site.stranger(), { snapshot, expected: part });
    await assertRecovers(site, kept, tar);
  },

  async "extract --to a folder where tar cannot write: said so"(scene) {
    const site = await Site.found(scene.folder);
    const kept = await keep(site, scene);
    await Deno.writeTextFile(`${scene.folder}/a-file`, "");
    const ended = await feedWhole(site.start(["extract", "--to", `${scene.folder}/a-file/below`]), nothing);
    assertEnded(ended, { code: 1, says: /a-file/ });
    await assertRecovers(site, kept, kept.tar);
  },
};
