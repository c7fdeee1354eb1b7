/** What was damaged, and is still on the disk that was backed up, heals: the next backup stores it anew, for old ones too. */
import assert from "node:assert/strict";
import { parseBrickObject } from "../../lib/repository/mod.ts";
import { openDirectoryStore } from "../../lib/store/mod.ts";
import { END, member } from "../tar/archives.ts";
import { found, type Founded, inFolder, joined, noise } from "../repository/machine.ts";

const TAR = joined([
  ...Array.from({ length: 40 }, (_, i) => member({ name: `f${i}` }, noise(40_000, i))),
  member({ name: "tiny" }, "tiny"),
  END,
]);

/** The first brick of a kind, and its bytes. */
async function aBrick({ location }: Founded, kind: "D" | "M"): Promise<{ path: string; bytes: Uint8Array }> {
  const store = await openDirectoryStore(location);
  try {
    for await (const { name } of store.list("")) {
      if (parseBrickObject(name)?.kind !== kind) continue;
      return { path: `${location}/${name}`, bytes: await store.get(name) };
    }
  } finally {
    await store.close();
  }
  throw new Error(`There is no brick of kind ${kind}`);
}

const harms: Record<string, (bytes: Uint8Array) => Uint8Array | undefined> = {
  "with a bit flipped in its first block": (bytes) => bytes.map((byte, at) => at === 4000 ? byte ^ 1 : byte),
  "with a bit flipped in its header": (bytes) => bytes.map((byte, at) => at === 500 ? byte ^ 1 : byte),
  "cut short": (bytes) => bytes.slice(0, 2200),
  gone: () => undefined,
};
for (const kind of ["D", "M"] as const) {
  for (const [what, harm] of Object.entries(harms)) {
    Deno.test(`a ${kind === "D" ? "data" : "meta"} brick ${what}: noticed, stored anew by any machine, and all is whole`, () =>
      inFolder(async (folder) => {
        const founded = await found(folder);
        const owner = founded.machine(founded.fullKey);
        const { snapshot } = await owner.create(TAR, { level: 0 });
        const { path, bytes } = await aBrick(founded, kind);
        const harmed = harm(bytes);
        if (harmed === undefined) await Deno.remove(path);
        else await Deno.writeFile(path, harmed);

        const { problems, affected } = await owner.verify({ data: true });
        assert.ok(problems.length > 0);
        assert.deepEqual(affected.map((one) => one.snapshot), [snapshot]);
        assert.ok(affected[0]!.count > 0 || kind === "M", "files that are touched are named");

        // Another machine of the domain, which can only write, hears of it from the repository alone.
        const writer = founded.machine(await founded.writeKey(founded.full.domain.name));
        const result = await writer.create(TAR, { level: 0 });
        assert.equal(result.complete, true);
        if (kind === "D") assert.ok(result.newBytes > 0 && result.newBytes <= TAR.length);
        for (const machine of [owner, founded.machine(founded.fullKey)]) {
          assert.deepEqual(await machine.extract(result.snapshot), TAR);
          assert.deepEqual(await machine.extract(snapshot), TAR, "the older one reads the new copies");
        }
        const { affected: after } = await owner.verify({ data: true });
        assert.deepEqual(after, [], "the broken brick is still told of, but touches nothing");
        assert.equal((await writer.create(TAR, { level: 0 })).newBytes, 0, "it is stored anew once");
      }));
  }
}
