import assert from "node:assert/strict";
import { createS3Store, ExistsError, NotFoundError, openS3Store, type Store } from "../../lib/store/mod.ts";
import { namesOf, pattern, storeConformance } from "./conformance.ts";
import { askedOf, bodyOf, makeS3Store, type S3Site, sha256, withSite } from "./s3_places.ts";

storeConformance("bucket", makeS3Store);

const mib = 1024 * 1024;
const dayMs = 24 * 3600 * 1000;

Deno.test("opening a bucket is one request; one that is missing, or not empty for a new repository, is refused", () =>
  withSite(async ({ emulator, place, limits, folder, store }) => {
    const options = { spoolFolder: `${folder}/spool`, limits: limits() };
    await store();
    assert.equal(emulator.requests.length, 1);
    await assert.rejects(openS3Store({ ...place(), bucket: "missing" }, options), NotFoundError);
    await assert.rejects(createS3Store({ ...place(), bucket: "missing" }, options), NotFoundError);
    const one = await store({}, "elsewhere/");
    await one.put("tarzan.json", pattern(1));
    await (await createS3Store(place(), options)).close();
    await assert.rejects(createS3Store(place("elsewhere/"), options), (error: Error) => {
      assert.ok(error instanceof ExistsError);
      assert.match(error.message, /s3:\/\/backups\/elsewhere: it is not empty \(it holds tarzan.json\)/);
      return true;
    });
  }));

Deno.test("a brick is one PUT, whatever its size, and leaves nothing in the spool", () =>
  withSite(async ({ emulator, store, folder }) => {
    const repository = await store();
    emulator.requests.length = 0;
    const [name, bytes] = brick(5 * mib);
    const staged = await repository.stage();
    for (let at = 0; at < bytes.length; at += 999_999) await staged.write(bytes.subarray(at, at + 999_999));
    assert.deepEqual(askedOf(emulator), []);
    await staged.commit(name);
    assert.deepEqual(askedOf(emulator), [`PutObject p/${name}`, `HeadObject p/${name}`]);
    assert.deepEqual(await repository.get(name), bytes);
    await repository.close();
    assert.deepEqual(await spooled(folder), []);
  }));

Deno.test("bricks get their class and their lock, everything else is STANDARD and free", () =>
  withSite(async ({ store, bucket }) => {
    const lock = { mode: "GOVERNANCE", days: 10 } as const;
    const repository = await store({ dataClass: "STANDARD_IA", metaClass: "GLACIER_IR", lock });
    const data = await storeBrick(repository, mib);
    const meta = await storeBrick(repository, mib + 1, "meta");
    await repository.put("ledger/x/1", pattern(1));
    const look = async (name: string) => {
      const there = await (await bucket()).head(name);
      return [there?.class, there?.lockedUntil && Math.round((there.lockedUntil.getTime() - Date.now()) / dayMs)];
    };
    assert.deepEqual(await look(data), ["STANDARD_IA", 10]);
    assert.deepEqual(await look(meta), ["GLACIER_IR", 10]);
    assert.deepEqual(await look("ledger/x/1"), ["STANDARD", undefined]);
  }, { objectLock: true }));

Deno.test("locks are prolonged where less than half is left, without asking for what is known", () =>
  withSite(async ({ emulator, store }) => {
    const old = await store({ lock: { mode: "GOVERNANCE", days: 2 } });
    const names = [await storeBrick(old, mib), await storeBrick(old, mib + 1)];
    const repository = await store({ lock: { mode: "GOVERNANCE", days: 10 } });
    const fresh = await storeBrick(repository, mib + 2);
    emulator.requests.length = 0;
    const first = await repository.protect!([...names, fresh], new Map());
    assert.equal(first?.prolonged, 2);
    assert.deepEqual(askedOf(emulator).map((asked) => asked.split(" ")[0]).sort(), [
      ...["HeadObject", "HeadObject"],
      ...["PutObjectRetention", "PutObjectRetention"],
    ]);
    emulator.requests.length = 0;
    assert.equal((await repository.protect!([...names, fresh], first!.locked))?.prolonged, 0);
    assert.deepEqual(askedOf(emulator), []);
    assert.equal(await (await store()).protect!(names, new Map()), undefined);
  }, { objectLock: true }));

Deno.test("bricks that a dead run had finished are stored by the next one, the rest of its spool is removed", () =>
  withSite(async (site) => {
    const { emulator, store, folder } = site;
    const [name, bytes] = brick(2 * mib);
    const dead = await store();
    const half = await dead.stage();
    await half.write(pattern(100));
    await failingCommit(site, { store: dead, name, bytes });
    await dead.close();
    assert.deepEqual(await spooled(folder), [`1-bricks+ab+${name.slice(-64)}.whole`]);
    const next = await store();
    assert.deepEqual(await namesOf(next.list("")), []);
    await next.recover!();
    assert.deepEqual(await next.get(name), bytes);
    emulator.requests.length = 0;
    await next.recover!();
    assert.deepEqual(askedOf(emulator), []);
    await next.close();
    assert.deepEqual(await spooled(folder), []);
  }));

Deno.test("a finished brick that the power loss has damaged is not stored", () =>
  withSite(async (site) => {
    const { store, folder } = site;
    const [name, bytes] = brick(2 * mib);
    const dead = await store();
    await failingCommit(site, { store: dead, name, bytes });
    await dead.close();
    const [run] = (await Array.fromAsync(Deno.readDir(`${folder}/spool`))).filter(({ isDirectory }) => isDirectory);
    await Deno.truncate(`${folder}/spool/${run?.name}/1-bricks+ab+${name.slice(-64)}.whole`, mib);
    const next = await store();
    await next.recover!();
    assert.deepEqual(await namesOf(next.list("")), []);
    await next.close();
    assert.deepEqual(await spooled(folder), []);
  }));

Deno.test("the spool of a run that lives is left alone", () =>
  withSite(async ({ store }) => {
    const [name, bytes] = brick(2 * mib);
    const living = await store();
    const staged = await living.stage();
    await staged.write(bytes);
    await (await store()).recover!();
    await staged.commit(name);
    assert.deepEqual(await living.get(name), bytes);
  }));

Deno.test("whoever writes waits at the spool's limit for an upload to make room, and only then", () =>
  withSite(async ({ emulator, store }) => {
    const repository = await store({ spoolBytes: 2 * mib });
    const events: string[] = [];
    const [name, bytes] = brick(2 * mib);
    const first = await repository.stage();
    await first.write(bytes);
    const second = await repository.stage();
    // Nothing is being uploaded: nobody would ever make room.
    await second.write(pattern(mib));
    emulator.faults.add({ action: "delay", operation: "PutObject", delayMs: 200 });
    const upload = first.commit(name).then(() => events.push("uploaded"));
    while (!askedOf(emulator).some((asked) => asked.startsWith("PutObject"))) await new Promise((go) => setTimeout(go));
    const write = second.write(pattern(mib)).then(() => events.push("written"));
    await Promise.all([upload, write]);
    assert.deepEqual(events, ["uploaded", "written"]);
    await second.abort();
  }));

Deno.test("other bytes under a name that is a hash are damage, not success", () =>
  withSite(async ({ store, bucket }) => {
    const [name, bytes] = brick(mib);
    await (await bucket()).put(name, bodyOf(pattern(77)));
    const staged = await (await store()).stage();
    await staged.write(bytes);
    await assert.rejects(staged.commit(name), /with other bytes, so it is damaged/);
    await staged.abort();
  }));

Deno.test("foreign keys below the prefix are not listed", () =>
  withSite(async ({ store, bucket }) => {
    const place = await bucket();
    for (const key of ["a/../b", "a//b", "a b", "index/", ".hidden", "tmp/x", "a/ok"]) {
      await place.put(key, bodyOf(pattern(1)));
    }
    assert.deepEqual(await namesOf((await store()).list("")), ["a/ok"]);
  }));

/** A name and bytes that belong together. */
function brick(length: number, folder = "bricks"): [name: string, bytes: Uint8Array<ArrayBuffer>] {
  const bytes = pattern(length);
  return [`${folder}/ab/${sha256(bytes)}`, bytes];
}

async function storeBrick(store: Store, length: number, folder?: string): Promise<string> {
  const [name, bytes] = brick(length, folder);
  const staged = await store.stage();
  await staged.write(bytes);
  await staged.commit(name);
  return name;
}

/** A commit that comes as far as the upload. */
async function failingCommit(
  { emulator }: S3Site,
  { store, name, bytes }: { store: Store; name: string; bytes: Uint8Array },
): Promise<void> {
  emulator.faults.add({ action: "access-denied", operation: "PutObject" });
  const staged = await store.stage();
  await staged.write(bytes);
  await assert.rejects(staged.commit(name), /access denied/);
  emulator.faults.clear();
}

/** Files in the folders of runs. */
async function spooled(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const run of Deno.readDir(`${folder}/spool`)) {
    if (!run.isDirectory) continue;
    for await (const { name } of Deno.readDir(`${folder}/spool/${run.name}`)) names.push(name);
  }
  return names;
}
