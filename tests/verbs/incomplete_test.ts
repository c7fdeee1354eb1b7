// Inputs that are not whole: stored as far as they go, marked, never taken for a backup that is complete.

import assert from "node:assert/strict";
import { create, extract, IncompleteInputError, listSnapshots, type VerbSession, verify } from "../../lib/verbs/mod.ts";
import { noise } from "../repository/machine.ts";
import { header } from "../tar/archives.ts";
import { commanded, extractedBytes, inRepository, objectsIn, streamed, tarOf, withFile } from "./session.ts";

const TAR = tarOf(["a", noise(30_000, 1)], ["b", noise(600, 2)]);
const BODY_OF_A = 512;

const CUT: [what: string, bytes: Uint8Array, why: RegExp][] = [
  ["inside a body", TAR.subarray(0, BODY_OF_A + 10_000), /inside the body of "a", 20000 bytes are missing/],
  ["one byte before the end of a body", TAR.subarray(0, BODY_OF_A + 29_999), /1 byte is missing/],
  ["inside padding", TAR.subarray(0, BODY_OF_A + 30_001), /inside the padding after "a"/],
  ["inside a header", TAR.subarray(0, BODY_OF_A + 30_208 + 100), /inside a header/],
  ["between two entries", TAR.subarray(0, BODY_OF_A + 30_208), /without the zero blocks/],
  ["before the end of the archive", TAR.subarray(0, -1024), /without the zero blocks/],
];

for (const [what, bytes, why] of CUT) {
  Deno.test(`a stream cut ${what} is stored as far as it goes, and marked as incomplete`, async () => {
    await inRepository(async (machine) => {
      const result = await machine.create(bytes);
      assert.equal(result.complete, false);
      assert.match(result.incomplete!, why);
      assert.equal(result.bytes, bytes.length);
      assert.deepEqual(await machine.extract(result.snapshot), new Uint8Array(bytes));
      const [line] = await listSnapshots(machine.session);
      assert.deepEqual([line!.complete, line!.open, line!.incomplete], [false, false, result.incomplete]);
      assert.deepEqual((await machine.verify({ data: true })).problems, []);
    });
  });
}

Deno.test("the newest backup is never one that is incomplete", async () => {
  await inRepository(async (machine) => {
    const whole = await machine.create(TAR);
    const cut = await machine.create(TAR.subarray(0, 5000));
    assert.notEqual(cut.snapshot, whole.snapshot);
    const results = [await extract(machine.session, { snapshot: undefined, paths: [], output() {} })];
    results.push(await extract(machine.session, { snapshot: "latest", paths: [], output() {} }));
    assert.deepEqual(results.map(({ snapshot }) => snapshot), [whole.snapshot, whole.snapshot]);
  });
});

Deno.test("restoring an incomplete backup warns and says why", async () => {
  await inRepository(async (machine) => {
    const { snapshot } = await machine.create(TAR.subarray(0, 5000));
    const result = await extract(machine.session, { snapshot, paths: [], output() {} });
    assert.match(result.incomplete!, /inside the body of "a"/);
    assert.match(machine.warnings.join("\n"), /is incomplete \(it ends inside the body of "a"/);
    await assert.rejects(
      extract(machine.session, { snapshot: undefined, paths: [], output() {} }),
      /no complete snapshot/,
    );
  });
});

Deno.test("one archive behind another is whole, and so is a stream that never was a tar", async () => {
  await inRepository(async (machine) => {
    assert.equal((await machine.create(new Uint8Array([...TAR, ...tarOf(["c", "c"])]))).complete, true);
    assert.equal((await machine.create(noise(5000, 3))).complete, true);
    assert.equal((await machine.create(tarOf())).complete, true);
  });
});

Deno.test("an empty stream stores nothing and says so", async () => {
  await inRepository(async (machine, { location }) => {
    const before = await objectsIn(location);
    await assert.rejects(machine.create(new Uint8Array()), IncompleteInputError);
    await assert.rejects(machine.create([]), IncompleteInputError);
    await assert.rejects(create(machine.session, commanded("true")), IncompleteInputError);
    assert.deepEqual(await objectsIn(location), before);
    assert.deepEqual(await listSnapshots(machine.session), []);
  });
});

Deno.test("a program that fails without a word stores nothing, and its exit code is told", async () => {
  await inRepository(async (machine) => {
    await assert.rejects(create(machine.session, commanded("sh", "-c", "exit 7")), (error: Error) => {
      assert.ok(error instanceof IncompleteInputError);
      assert.match(error.message, /exit code 7/);
      return true;
    });
  });
});

/** The output of a program that ends with `code`; `as`: what the program is called. */
async function produced(session: VerbSession, code: number, as = "producer") {
  let result: Awaited<ReturnType<typeof create>> | undefined;
  await withFile(TAR, async (path) => {
    const program = `${path.slice(0, path.lastIndexOf("/"))}/${as}`;
    await Deno.writeTextFile(program, `#!/bin/sh\ncat ${path}\nexit ${code}\n`, { mode: 0o755 });
    result = await create(session, commanded(program));
  });
  return result!;
}

Deno.test("a whole tar from a program that succeeds is complete, and the program is remembered", async () => {
  await inRepository(async (machine) => {
    const result = await produced(machine.session, 0);
    assert.equal(result.complete, true);
    assert.equal(result.producer!.code, 0);
    assert.match(result.producer!.command, /producer$/);
    const [line] = await listSnapshots(machine.session);
    assert.deepEqual(line!.producer, result.producer);
    assert.deepEqual(await extractedBytes(machine.session), TAR);
  });
});

Deno.test("a whole tar from a program that fails is incomplete: who knows what is not in it", async () => {
  await inRepository(async (machine) => {
    for (const [code, as] of [[2, "producer"], [1, "producer"], [2, "tar"], [1, "mytar"], [1, "tar.sh"]] as const) {
      const result = await produced(machine.session, code, as);
      assert.equal(result.complete, false, `${as} ${code}`);
      assert.match(result.incomplete!, new RegExp(`${as} ended with exit code ${code}`));
      assert.deepEqual(await machine.extract(result.snapshot), TAR);
    }
  });
});

Deno.test("tar's exit code 1 means that files changed: noted, and complete", async () => {
  await inRepository(async (machine) => {
    for (const as of ["tar", "gtar", "gnutar"]) {
      const result = await produced(machine.session, 1, as);
      assert.equal(result.complete, true, as);
      assert.equal(result.producer!.code, 1);
    }
    assert.match(machine.warnings.join("\n"), /ended with exit code 1: some files changed/);
  });
});

Deno.test("tar's exit code 1 does not make a stream complete that was cut", async () => {
  await inRepository(async (machine) => {
    await withFile(TAR.subarray(0, 5000), async (path) => {
      const program = `${path.slice(0, path.lastIndexOf("/"))}/tar`;
      await Deno.writeTextFile(program, `#!/bin/sh\ncat ${path}\nexit 1\n`, { mode: 0o755 });
      const result = await create(machine.session, commanded(program));
      assert.equal(result.complete, false);
      assert.match(result.incomplete!, /inside the body/);
    });
  });
});

Deno.test("a program that is killed leaves an incomplete backup", async () => {
  await inRepository(async (machine) => {
    await withFile(TAR, async (path) => {
      const result = await create(machine.session, commanded("sh", "-c", `cat ${path}; kill -9 $$`));
      assert.equal(result.complete, false);
      assert.equal(result.producer!.code, 137);
    });
  });
});

Deno.test("a program that is not there is an error, and nothing is stored", async () => {
  await inRepository(async (machine, { location }) => {
    const before = await objectsIn(location);
    await assert.rejects(create(machine.session, commanded("/nowhere/tar")), /nowhere/);
    assert.deepEqual(await objectsIn(location), before);
  });
});

Deno.test("an input that breaks off with an error leaves no index", async () => {
  await inRepository(async (machine, { location }) => {
    function* breaks(): Generator<Uint8Array> {
      yield TAR.subarray(0, 5000);
      throw new Error("input/output error");
    }
    await assert.rejects(create(machine.session, streamed(breaks())), /input\/output error/);
    assert.deepEqual(
      await objectsIn(location, "").then((names) => names.filter((name) => name.startsWith("index/"))),
      [],
    );
  });
});

Deno.test("damaged headers make an archive incomplete when its end cannot be found", async () => {
  await inRepository(async (machine) => {
    const damaged = new Uint8Array([
      ...header({ name: "x" }),
      ...header({ name: "y", sum: "wrong", size: 5 }),
      ...noise(700, 9),
    ]);
    const result = await machine.create(damaged);
    assert.equal(result.complete, false);
    assert.deepEqual(await machine.extract(result.snapshot), damaged);
    const { problems } = await verify(machine.session, { backups: [], bricks: true, dataPercent: 100 });
    assert.deepEqual(problems, []);
  });
});
