import assert from "node:assert/strict";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { openSlot } from "../../lib/crypto/mod.ts";
import type { ColdStore } from "../../lib/glacier/mod.ts";
import { create, glacierUpload, init, type VerbSession } from "../../lib/verbs/mod.ts";
import { ColdPlaceInMemory, openMemoryCold } from "../glacier/memory_cold.ts";
import { extractedBytes, objectsIn, streamed, tarOf } from "../verbs/session.ts";
import { coldBricks, namesInTar, thawAll } from "./cold_scene.ts";
import { inFolder, noise, sessionOf, SMALL_CHUNKS } from "./machine.ts";

const COLD = "s3://memory?class=DEEP_ARCHIVE";

interface Scene {
  location: string;
  place: ColdPlaceInMemory;
  session: VerbSession;
  /** The session of a machine that has never been here. */
  other(): VerbSession;
  warnings: string[];
}

/** A repository that was made with cold storage. */
async function inColdRepository(
  options: { class?: ColdPlaceInMemory["class"]; wrap?: (cold: ColdStore) => ColdStore },
  test: (scene: Scene) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const place = new ColdPlaceInMemory({ class: options.class ?? "DEEP_ARCHIVE" });
    const location = `${folder}/repository`;
    const identity = await generateHybridIdentity();
    const warnings: string[] = [];
    let machines = 0;
    const session = (key?: string): VerbSession => {
      const home = `${folder}/machine-${++machines}`;
      const around = sessionOf({ location, state: `${home}/state`, config: `${home}/config`, ...(key && { key }) });
      const openCold = () => Promise.resolve((options.wrap ?? ((cold) => cold))(openMemoryCold(place)));
      return { ...around, openCold, now: () => place.now(), warn: (message) => void warnings.push(message) };
    };
    const founded = await init(session(), {
      chunkSizes: SMALL_CHUNKS,
      cold: place.class === "VAULT" ? place.location : COLD,
      recipients: [await identityToRecipient(identity)],
      recipientsFiles: [],
      passphraseChoice: "none",
    });
    assert.match(founded.sheet, /^Cold place {3}\S+:\/\//m);
    const key = await openSlot(await Deno.readFile(`${location}/${founded.slots[0]!}`), { identities: [identity] });
    await test({ location, place, session: session(key), other: () => session(key), warnings });
  });
}

const tar = tarOf(["large", noise(25_000_000, 3)], ["small", "of the page"]);

Deno.test("create sends its bricks to cold storage, lets go of the data, and every machine knows where it is", async () => {
  await inColdRepository({}, async ({ location, place, session, other }) => {
    const result = await create(session, streamed(tar));
    assert.equal(result.cold!.dropped, result.bricks - (await objectsIn(location, "meta")).length);
    assert.deepEqual(await objectsIn(location, "bricks"), []);
    assert.equal((await coldBricks(place)).length, result.bricks);
    const [bundle] = place.objects.filter(({ name }) => name!.startsWith("bundles/"));
    const inside = await namesInTar(bundle!.content);
    for (const folder of ["index/", "keys/", "ledger/", "meta/", "tarzan.json"]) {
      assert.ok(inside.some((name) => name.startsWith(folder)), folder);
    }
    // Bricks were sent before the index was put, and so before the bundle that has it.
    assert.equal(place.objects.at(-1)!.name, bundle!.name);
    const again = await create(other(), streamed(tar));
    assert.equal(again.newBytes, 0);
    await thawAll(place);
    assert.deepEqual(await extractedBytes(other()), tar);
  });
});

Deno.test("--defer leaves bricks in the repository, and the next backup or upload brings them away", async () => {
  await inColdRepository({}, async ({ location, place, session }) => {
    await create(session, streamed(tar, { defer: true }));
    assert.deepEqual(place.objects, []);
    const bricks = (await objectsIn(location, "bricks")).length;
    await glacierUpload(session, { dryRun: false, dropLocal: false });
    assert.equal((await objectsIn(location, "bricks")).length, bricks);
    await create(session, streamed(tarOf(["more", noise(1000, 2)])));
    assert.deepEqual(await objectsIn(location, "bricks"), []);
  });
});

Deno.test("a cold store that fails does not cost the backup; the next run brings the rest away", async () => {
  let broken = true;
  const wrap = (cold: ColdStore): ColdStore => ({
    ...cold,
    upload: (object, options) => broken ? Promise.reject(new Error("the line is dead")) : cold.upload(object, options),
  });
  await inColdRepository({ wrap }, async ({ location, place, session, warnings }) => {
    await assert.rejects(create(session, streamed(tar)), (error: Error) => {
      assert.match(error.message, /^The backup is stored, but not all of it is in cold storage .*the line is dead/);
      return true;
    });
    assert.equal(warnings.length, 1);
    assert.deepEqual(await extractedBytes(session), tar);
    broken = false;
    await create(session, streamed(tar));
    assert.deepEqual(await objectsIn(location, "bricks"), []);
    await thawAll(place);
    assert.deepEqual(await extractedBytes(session), tar);
  });
});

Deno.test("a vault's data stays here until an inventory says that it is there", async () => {
  await inColdRepository({ class: "VAULT" }, async ({ location, place, session }) => {
    const { cold } = await create(session, streamed(tar));
    assert.deepEqual([cold!.dropped, cold!.kept], [0, (await objectsIn(location, "bricks")).length]);
    place.advance(4 * 24 * 3_600_000);
    await openMemoryCold(place).list({ signal: new AbortController().signal });
    place.advance(6 * 3_600_000);
    const later = await glacierUpload(session, { dryRun: false, dropLocal: true });
    assert.equal(later.dropped!.bricks, cold!.kept);
    assert.deepEqual(await objectsIn(location, "bricks"), []);
  });
});
