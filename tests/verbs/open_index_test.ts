// What an interrupted backup leaves: an `.open` index, from which the stream comes back as far as it was stored.

import assert from "node:assert/strict";
import { create, extract, listSnapshots } from "../../lib/verbs/mod.ts";
import { type Machine, noise } from "../repository/machine.ts";
import { bricksIn, extractedBytes, inRepository, listed, objectsIn, streamed, tarOf } from "./session.ts";

const MIB = 1 << 20;
/** Several bricks, in bodies of which a page of the recipe holds a few MiB: a checkpoint stands for whole pages. */
const TAR = tarOf(...Array.from({ length: 640 }, (_, i): [string, Uint8Array] => [`f${i}`, noise(MIB / 10, i + 1)]));

/** Where a backup is interrupted: what is read then is four pieces, of four MiB each, ahead of what is stored. */
const LATE = 60 * MIB;

/** Backs up, and is interrupted when so many bytes were read. */
async function interrupted(machine: Machine, afterBytes: number): Promise<void> {
  const controller = new AbortController();
  function* pieces(): Generator<Uint8Array> {
    for (let at = 0; at < TAR.length; at += MIB) {
      if (at >= afterBytes) controller.abort(new Error("interrupted by the test"));
      yield TAR.subarray(at, at + MIB);
    }
  }
  const session = { ...machine.session, signal: controller.signal };
  await assert.rejects(create(session, streamed(pieces(), { level: 1 })), /interrupted by the test/);
}

Deno.test("an interrupted backup is listed as open, and comes back as far as it was announced", async () => {
  await inRepository(async (machine) => {
    await interrupted(machine, LATE);
    const [line, ...others] = await listSnapshots(machine.session);
    assert.deepEqual(others, []);
    assert.deepEqual([line!.open, line!.complete], [true, false]);
    assert.ok(line!.bytes! >= 2 * MIB && line!.bytes! < LATE, `${line!.bytes} bytes`);
    const bytes = await extractedBytes(machine.session, [], line!.snapshot);
    assert.equal(bytes.length, line!.bytes);
    assert.ok(Buffer.compare(bytes, TAR.subarray(0, bytes.length)) === 0);
    assert.equal((await listed(machine.session, [], line!.snapshot)).length, line!.entries);
    assert.match(machine.warnings.join(), /interrupted, or is still being made/);
  });
});

Deno.test("an interrupted backup is never the newest, and no check complains of it", async () => {
  await inRepository(async (machine) => {
    await interrupted(machine, LATE);
    await assert.rejects(extractedBytes(machine.session), /no complete snapshot/);
    assert.deepEqual((await machine.verify({ bricks: true, data: true })).problems, []);
  });
});

Deno.test("the next backup stores nothing again that a finished brick holds, here or on another machine", async () => {
  await inRepository(async (machine, { location, fullKey, ...place }) => {
    await interrupted(machine, LATE);
    const before = await bricksIn(location);
    // A brick of 16 MiB has blocks of up to 15 MiB, and the last one did not fit.
    const stored = before.filter((name) => name.startsWith("bricks/")).length * 14 * MIB;
    assert.ok(stored >= 28 * MIB);
    // The machine that was interrupted knows all its bricks; another one those that were published.
    const other = await place.machine(fullKey).create(TAR.subarray(0, 8 * MIB));
    assert.equal(other.newBytes < MIB, true, `${other.newBytes} bytes of a published brick were stored again`);
    const result = await machine.create(TAR, { level: 1 });
    assert.ok(result.newBytes <= TAR.length - stored + 2 * MIB, `${result.newBytes} bytes were stored again`);
    assert.deepEqual(await machine.extract(result.snapshot).then((bytes) => Buffer.compare(bytes, TAR)), 0);
    const after = await bricksIn(location);
    assert.ok(before.every((name) => after.includes(name)));
  });
});

Deno.test("a finished backup leaves its .json alone; what another run left open stays", async () => {
  await inRepository(async (machine, { location }) => {
    await interrupted(machine, LATE);
    const { snapshot } = await machine.create(tarOf(["a", "a"]));
    const endings = (await objectsIn(location, "index")).map((name) => name.slice(name.lastIndexOf(".")));
    assert.deepEqual(endings.sort(), [".json", ".open"]);
    const lines = await listSnapshots(machine.session);
    assert.deepEqual(lines.map(({ open, complete }) => [open, complete]).sort(), [[false, true], [true, false]]);
    const latest = await extract(machine.session, { snapshot: undefined, paths: [], output() {} });
    assert.equal(latest.snapshot, snapshot);
    assert.deepEqual((await machine.verify()).problems, []);
  });
});

Deno.test("an interruption before the first brick is finished leaves nothing to list", async () => {
  await inRepository(async (machine, { location }) => {
    await interrupted(machine, 4 * MIB);
    assert.deepEqual(await listSnapshots(machine.session), []);
    assert.deepEqual((await objectsIn(location)).filter((name) => /^(?:index|bricks|tmp)\//.test(name)), []);
  });
});
