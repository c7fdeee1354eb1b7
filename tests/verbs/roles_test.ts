// Which role may do what: a key that may not is refused before anything happens, and told what it lacks.

import assert from "node:assert/strict";
import { WrongKeyError } from "../../lib/crypto/mod.ts";
import {
  bricks,
  detach,
  keyAdd,
  keyPasswd,
  keyRemove,
  keyShow,
  listSnapshots,
  rebuild,
  type VerbSession,
  verify,
} from "../../lib/verbs/mod.ts";
import { noise } from "../repository/machine.ts";
import { create } from "../../lib/verbs/mod.ts";
import { extractedBytes, inRepository, listed, objectsIn, streamed, tarOf } from "./session.ts";

type Role = "full" | "list" | "write";
const TAR = tarOf(["dir/a", noise(5000, 1)], ["dir/b", "b"]);
const CHOICE = { recipients: [], recipientsFiles: [], passphraseChoice: "none" } as const;
const WRITE_KEY = { ...CHOICE, role: "write", domain: undefined, label: undefined, out: "/nowhere/key" } as const;

const VERBS: [verb: string, roles: Role[], run: (session: VerbSession) => Promise<unknown>][] = [
  ["create", ["full", "write"], (session) => create(session, streamed(TAR))],
  ["extract", ["full"], (session) => extractedBytes(session)],
  ["extract PATH", ["full"], (session) => extractedBytes(session, ["dir/a"])],
  ["list SNAPSHOT", ["full", "list"], (session) => listed(session)],
  ["list", ["full", "list", "write"], (session) => listSnapshots(session)],
  ["verify", ["full", "list", "write"], (session) => verify(session, { backups: [], bricks: true, dataPercent: 100 })],
  ["bricks", ["full", "list"], (session) => bricks(session, { snapshot: undefined })],
  ["rebuild", ["full", "list", "write"], (session) => rebuild(session)],
  ["detach", ["full", "list"], (session) => detach(session, { snapshot: undefined, output() {} })],
  ["key show", ["full", "list", "write"], (session) => keyShow(session)],
  ["key add", [], (session) => keyAdd(session, WRITE_KEY)],
  ["key remove", [], (session) => keyRemove(session, { slot: "recipients" })],
  ["key passwd", [], (session) => keyPasswd(session, { slot: undefined, passphraseChoice: "ask" })],
];

for (const [verb, roles, run] of VERBS) {
  // What full may not do here, it may not do with a key file: the tests of keys tell the rest.
  const who = roles.length === 0 ? "list and write keys may not" : `only ${roles.join(" and ")} keys may`;
  Deno.test(`${who} ${verb}`, async () => {
    await inRepository(async (machine, { fullKey, listKey, writeKey, location, ...place }) => {
      await machine.create(TAR);
      const keys: Record<Role, string> = { full: fullKey, list: listKey, write: await writeKey("default") };
      for (const role of ["full", "list", "write"] as const) {
        const { session } = place.machine(keys[role]);
        const before = await objectsIn(location);
        if (roles.includes(role)) await run(session);
        else if (roles.length > 0 || role !== "full") {
          await assert.rejects(run(session), WrongKeyError, `${role} may`);
          assert.deepEqual(await objectsIn(location), before, `${role} changed something`);
        }
      }
    });
  });
}

Deno.test("a write key's backups are of its own domain, and a full key reads them", async () => {
  await inRepository(async (machine, { writeKey, ...place }) => {
    const writer = place.machine(await writeKey("laptop"));
    const { snapshot } = await writer.create(TAR);
    assert.deepEqual(await machine.extract(snapshot), TAR);
    const [line] = await listSnapshots(machine.session);
    assert.equal(line!.domainName, "laptop");
    // Nothing is shared with another domain.
    assert.ok((await machine.create(TAR)).newBytes > 5000);
    assert.equal((await writer.create(TAR)).newBytes, 0);
  });
});

Deno.test("a write key sees that there are backups of its domain, and nothing in them", async () => {
  await inRepository(async (machine, { writeKey, ...place }) => {
    const { snapshot } = await machine.create(TAR, { label: "secret label" });
    const lines = await listSnapshots(place.machine(await writeKey("default")).session);
    assert.deepEqual(lines.map(({ snapshot, complete }) => [snapshot, complete]), [[snapshot, true]]);
    assert.ok(!JSON.stringify(lines).includes("secret"));
    assert.deepEqual(await listSnapshots(place.machine(await writeKey("laptop")).session), []);
  });
});

Deno.test("a machine that may only write rebuilds its catalogue and stores nothing twice", async () => {
  await inRepository(async (_, { writeKey, ...place }) => {
    const key = await writeKey("laptop");
    await place.machine(key).create(TAR);
    // A machine with the same key that lost everything else.
    const again = place.machine(key);
    assert.equal((await rebuild(again.session)).bricks, 2);
    assert.equal((await again.create(TAR)).newBytes, 0);
  });
});
