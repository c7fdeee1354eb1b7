// What stands where a repository should be: nothing at all is a disk that is not mounted, and stays as it is.

import assert from "node:assert/strict";
import { NoRepositoryError } from "../../lib/repository/mod.ts";
import { bricks, create, listSnapshots, rebuild, type VerbSession, verify } from "../../lib/verbs/mod.ts";
import { machineOf } from "../repository/machine.ts";
import { extractedBytes, inRepository, listed, streamed, tarOf } from "./session.ts";

const TAR = tarOf(["a", "a"]);

const VERBS: Record<string, (session: VerbSession) => Promise<unknown>> = {
  create: (session) => create(session, streamed(TAR)),
  list: (session) => listSnapshots(session),
  "list latest": (session) => listed(session),
  extract: (session) => extractedBytes(session),
  verify: (session) => verify(session, { backups: [], bricks: true, dataPercent: 100 }),
  bricks: (session) => bricks(session, { snapshot: undefined }),
  rebuild: (session) => rebuild(session),
};

Deno.test("a key file opens no empty folder, and nothing is written there or remembered of it", async () => {
  await inRepository(async (machine, { folder, fullKey, writeKey }) => {
    await machine.create(TAR);
    const location = `${folder}/mount point`;
    await Deno.mkdir(location);
    for (const key of [await writeKey("default"), fullKey]) {
      for (const [verb, run] of Object.entries(VERBS)) {
        const state = `${folder}/nobody's state`;
        const { session } = machineOf({ location, state, config: `${folder}/nobody's config`, key });
        await assert.rejects(run(session), (error: Error) => {
          assert.ok(error instanceof NoRepositoryError, `${verb}: ${error}`);
          assert.ok(error.message.includes(location), error.message);
          return true;
        });
        assert.deepEqual([...Deno.readDirSync(location)], [], `${verb} wrote something`);
        await assert.rejects(Deno.stat(state), Deno.errors.NotFound);
      }
    }
  });
});

Deno.test("a machine that knows the repository does not take the empty folder for it either", async () => {
  await inRepository(async (machine, { location, folder }) => {
    await machine.create(TAR);
    await Deno.rename(location, `${folder}/unmounted`);
    await Deno.mkdir(location);
    await assert.rejects(machine.create(TAR), NoRepositoryError);
    assert.deepEqual([...Deno.readDirSync(location)], []);
    await Deno.remove(location);
    await assert.rejects(machine.create(TAR), NoRepositoryError);
    await Deno.rename(`${folder}/unmounted`, location);
    assert.equal((await machine.create(TAR)).newBytes, 0);
  });
});
