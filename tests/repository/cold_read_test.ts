import assert from "node:assert/strict";
import { TreeHasher } from "../../lib/glacier/mod.ts";
import type { PlacedRecord } from "../../lib/brick/mod.ts";
import { brickObject, missingBricks, notePresence, publish, type Repository } from "../../lib/repository/mod.ts";
import { open } from "../../lib/verbs/open.ts";
import type { VerbSession } from "../../lib/verbs/mod.ts";
import { ColdPlaceInMemory, openMemoryCold } from "../glacier/memory_cold.ts";
import { extractedBytes, inRepository, sha256, tarOf } from "../verbs/session.ts";
import { noise } from "./machine.ts";

/** Puts a brick into a cold store between other bytes, says so in the ledger, and takes it from the hot store. */
async function putToSleep(repository: Repository, place: ColdPlaceInMemory, padding: number): Promise<string> {
  const [brick] = [...repository.catalog.bricks({ kind: "D" })];
  const { name, kind, bytes, domain } = brick!;
  const content = await repository.store.get(brickObject(kind, name));
  const object = new Uint8Array(content.length + 2 * padding);
  object.set(content, padding);
  const tree = new TreeHasher();
  tree.update(object);
  const treeHash = tree.digest().toHex();
  const read = ({ from, length }: { from: number; length: number }) =>
    Promise.resolve(object.slice(from, from + length));
  const about = { bytes: object.length, sha256: sha256(object), treeHash };
  const handle = await openMemoryCold(place).upload(
    { name: `bundles/${about.sha256}.tar`, repository: repository.config.repository, ...about, read },
    { signal: new AbortController().signal },
  );
  const placed: PlacedRecord = {
    ...{ location: place.location, handle, class: "DEEP_ARCHIVE", ...about, placedAt: place.now() },
    bricks: [{ name, kind, offset: padding, bytes }],
  };
  await publish(repository, domain, [{ type: "placed", placed }]);
  await repository.store.delete(brickObject(kind, name));
  return handle;
}

function sessionWith(session: VerbSession, place: ColdPlaceInMemory): VerbSession {
  return { ...session, openCold: () => Promise.resolve(openMemoryCold(place)), now: () => place.now() };
}

Deno.test("a brick that sleeps is no missing brick, asks for a thaw, and is read once it is thawed", async () => {
  await inRepository(async (machine) => {
    const tar = tarOf(["a", noise(300_000, 1)], ["b", "small"]);
    await machine.create(tar);
    const place = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" });
    const session = sessionWith(machine.session, place);
    const opened = await open(session);
    const handle = await putToSleep(opened.repository, place, 700);
    const { repository } = opened;
    assert.deepEqual(await notePresence(repository, repository.keyring.defaultDomain.id), []);
    assert.deepEqual(await missingBricks(repository, [...repository.catalog.bricks()]), []);
    await opened.close();

    const failure = await extractedBytes(session).then(() => undefined, (error: Error) => error);
    assert.equal(failure?.name, "StillColdError");
    assert.match(failure.message, /^1 brick of this restore .*in cold storage.*s3:\/\/memory.*tarzan thaw/s);

    const { signal } = new AbortController();
    await openMemoryCold(place).thaw({ handle, bytes: 0 }, { tier: "bulk", days: 3, signal });
    place.advance(48 * 3_600_000);
    assert.deepEqual(await extractedBytes(session), tar);
    // A backup of the same leans on what sleeps.
    assert.equal((await machine.create(tar)).newBytes, 0);
    assert.deepEqual((await machine.verify()).problems.map(({ kind }) => kind), []);
  });
});

Deno.test("a brick of another length in the hot store counts as missing, also where a copy sleeps", async () => {
  await inRepository(async (machine) => {
    await machine.create(tarOf(["a", noise(100_000, 2)]));
    const place = new ColdPlaceInMemory({ class: "DEEP_ARCHIVE" });
    const opened = await open(sessionWith(machine.session, place));
    const { repository } = opened;
    await putToSleep(repository, place, 0);
    const [brick] = [...repository.catalog.bricks({ kind: "D" })];
    await repository.store.put(brickObject("D", brick!.name), new Uint8Array(17));
    assert.deepEqual(await notePresence(repository, brick!.domain), [brick!.name]);
    assert.deepEqual(await missingBricks(repository, [brick!]), [brick!.name]);
    await opened.close();
  });
});
