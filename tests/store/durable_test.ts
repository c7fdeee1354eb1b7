import assert from "node:assert/strict";
import { join } from "node:path";
import { publishOnce, syncFolder, writeWhole } from "../../lib/store/durable.ts";
import { withDirectory } from "./directories.ts";

Deno.test("a folder can be brought to the disk", () => withDirectory((path) => syncFolder(path)));

/** What a file system without hard links answers. */
function linkless(): Promise<void> {
  return Promise.reject(Object.assign(new Deno.errors.PermissionDenied("no hard links here"), { code: "EPERM" }));
}

for (const [kind, options] of [["with", {}], ["without", { link: linkless }]] as const) {
  Deno.test(`of many publishers of one name one wins, ${kind} hard links`, () =>
    withDirectory(async (path) => {
      const numbers = Array.from({ length: 10 }, (_, i) => i);
      await Promise.all(numbers.map((i) => Deno.writeTextFile(join(path, `temporary${i}`), `from ${i}`)));
      const won = await Promise.all(numbers.map((i) =>
        publishOnce(join(path, `temporary${i}`), join(path, "final"), { lockPath: join(path, "lock"), ...options })
      ));
      assert.equal(
        won.filter((free) =>
          free
        ).length,
        1,
      );
      assert.equal(await Deno.readTextFile(join(path, "final")), `from ${won.indexOf(true)}`);
    }));
}

Deno.test("a failure to link that is not about links is not hidden", () =>
  withDirectory(async (path) => {
    const missing = publishOnce(join(path, "none"), join(path, "final"), { lockPath: join(path, "lock") });
    await assert.rejects(missing, Deno.errors.NotFound);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(path)), []);
  }));

Deno.test("a write goes on until the system has taken all", async () => {
  const taken: number[] = [];
  const slow = {
    write(bytes: Uint8Array) {
      const count = Math.min(bytes.length, 3);
      taken.push(...bytes.subarray(0, count));
      return Promise.resolve(count);
    },
  };
  await writeWhole(slow, Uint8Array.of(1, 2, 3, 4, 5, 6, 7));
  assert.deepEqual(taken, [1, 2, 3, 4, 5, 6, 7]);
});
