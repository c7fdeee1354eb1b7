// Uploads to a vault that is strict, through every kind of trouble.

import assert from "node:assert/strict";
import fc from "fast-check";
import { type ColdObject, LEAF_BYTES } from "../../lib/glacier/mod.ts";
import { describe } from "../../lib/glacier/vault/description.ts";
import type { VaultStore } from "../../lib/glacier/vault/mod.ts";
import { initiateUpload, uploadPart } from "../../lib/glacier/vault/upload_calls.ts";
import type { Emulator, FaultAction } from "../emulator/mod.ts";
import { emulatedVaultClient, hashes, openEmulatedVault, paceOf, startAt, upload, vaultWorld } from "./cold_worlds.ts";

const MiB = LEAF_BYTES;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const signal = new AbortController().signal;
type Object = ReturnType<typeof upload>;

function test(sentence: string, body: (emulator: Emulator) => Promise<void>): void {
  Deno.test(sentence, async () => {
    const { emulator } = await vaultWorld();
    try {
      await body(emulator);
    } finally {
      await emulator.close();
    }
  });
}

async function using<T>(store: VaultStore, work: (store: VaultStore) => Promise<T>): Promise<T> {
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** What the vault holds, from an inventory. */
async function archives(emulator: Emulator): Promise<ColdObject[]> {
  emulator.faults.clear();
  emulator.clock.advance(2 * dayMs);
  return await using(openEmulatedVault(emulator), async (store) => {
    const since = emulator.clock.now();
    assert.equal((await store.list({ signal, since })).ready, false);
    emulator.clock.advance(5 * hourMs);
    const answer = await store.list({ signal, since });
    assert.ok(answer.ready);
    return await Array.fromAsync(answer.listing.objects);
  });
}

/** Each object is there once, by every word of the vault. */
async function assertOnce(emulator: Emulator, objects: readonly Object[]): Promise<void> {
  const found = (await archives(emulator)).map(({ name, treeHash, bytes }) => ({ name, treeHash, bytes }));
  const byName = (a: { name: string | undefined }, b: { name: string | undefined }) => a.name! < b.name! ? -1 : 1;
  const expected = objects.map(({ name, treeHash, bytes }) => ({ name, treeHash, bytes }));
  assert.deepEqual(found.sort(byName), expected.sort(byName));
}

/** The parts that the vault has said it has, of the requests so far. */
function confirmedParts({ requests }: Emulator): Set<string> {
  const parts = requests.filter(({ operation, status, confirmed }) =>
    operation === "UploadMultipartPart" && status === 204 && confirmed
  );
  return new Set(parts.map(({ id, range }) => `${id} ${range}`));
}

/** None of these parts was sent in a request from the `from`th on. */
function assertNotSent({ requests }: Emulator, parts: ReadonlySet<string>, from: number): void {
  for (const { operation, id, range } of requests.slice(from)) {
    if (operation === "UploadMultipartPart") assert.ok(!parts.has(`${id} ${range}`), `${id} ${range} was sent again`);
  }
}

/** No part was sent again after its answer went out; for runs that ended before the next one began. */
function assertNothingTwice(emulator: Emulator): void {
  const confirmed = new Set<string>();
  for (const { operation, id, range, status, confirmed: answered } of emulator.requests) {
    if (operation !== "UploadMultipartPart" || status !== 204) continue;
    const part = `${id} ${range}`;
    assert.ok(!confirmed.has(part), `${part} was sent again`);
    if (answered) confirmed.add(part);
  }
}

function count(emulator: Emulator, operation: string, status?: number): number {
  return emulator.requests.filter((one) =>
    one.operation === operation && (status === undefined || one.status === status)
  )
    .length;
}

test("an upload is found again with no local state, and only what is missing is sent", async (emulator) => {
  const object = upload(1, 5 * MiB + 77);
  const stop = new AbortController();
  await using(openEmulatedVault(emulator, { budgetBytes: MiB }), async (store) => {
    let arrived = 0;
    const sent = (bytes: number) => {
      arrived += bytes;
      if (arrived >= 3 * MiB) stop.abort(new Error("killed"));
    };
    await assert.rejects(store.upload(object, { signal: stop.signal, sent }), /killed/);
  });
  emulator.clock.advance(23 * hourMs);
  const before = count(emulator, "UploadMultipartPart", 204);
  let told = 0;
  await using(openEmulatedVault(emulator), (store) => store.upload(object, { signal, sent: (bytes) => told += bytes }));
  assert.equal(told, object.bytes);
  assert.ok(before >= 3 && before < 6);
  assert.equal(count(emulator, "UploadMultipartPart", 204), 6);
  assert.equal(count(emulator, "InitiateMultipartUpload"), 1);
  assertNothingTwice(emulator);
  await assertOnce(emulator, [object]);
});

test("an upload that died after a day begins anew", async (emulator) => {
  const object = upload(2, 3 * MiB);
  const stop = new AbortController();
  const sent = () => stop.abort(new Error("killed"));
  await using(
    openEmulatedVault(emulator),
    (store) => assert.rejects(store.upload(object, { signal: stop.signal, sent })),
  );
  emulator.clock.advance(25 * hourMs);
  await using(openEmulatedVault(emulator), (store) => store.upload(object, { signal }));
  assert.equal(count(emulator, "InitiateMultipartUpload"), 2);
  await assertOnce(emulator, [object]);
});

test("an upload that dies between two parts begins anew by itself, and progress is not told twice", async (emulator) => {
  const object = upload(3, 4 * MiB);
  let parts = 0;
  const read = (range: { from: number; length: number }) => {
    if (++parts === 3) emulator.clock.advance(25 * hourMs);
    return object.read(range);
  };
  let told = 0;
  await using(
    openEmulatedVault(emulator, { budgetBytes: MiB }),
    (store) => store.upload({ ...object, read }, { signal, sent: (bytes) => told += bytes }),
  );
  assert.equal(told, object.bytes);
  assert.equal(count(emulator, "InitiateMultipartUpload"), 2);
  await assertOnce(emulator, [object]);
});

test("parts that are not those of the bytes as they are now are sent again", async (emulator) => {
  const object = upload(4, 3 * MiB);
  const other = upload(5, 3 * MiB);
  const stop = new AbortController();
  // The first part went up with wrong bytes, as a failing disk gives them.
  const read = (range: { from: number; length: number }) => range.from === 0 ? other.read(range) : object.read(range);
  const sent = () => stop.abort(new Error("killed"));
  await using(
    openEmulatedVault(emulator, { budgetBytes: MiB }),
    (store) => assert.rejects(store.upload({ ...object, read }, { signal: stop.signal, sent })),
  );
  await using(openEmulatedVault(emulator), (store) => store.upload(object, { signal }));
  assert.equal(count(emulator, "InitiateMultipartUpload"), 1);
  await assertOnce(emulator, [object]);
});

test("uploads are gone on with in the part size in which they were begun, and found behind others", async (emulator) => {
  const object = upload(6, 5 * MiB);
  await using(openEmulatedVault(emulator, { partBytes: 2 * MiB, budgetBytes: 2 * MiB }), async (store) => {
    const stop = new AbortController();
    const sent = () => stop.abort(new Error("killed"));
    await assert.rejects(store.upload(object, { signal: stop.signal, sent }));
    // More uploads than a page of the list has.
    const others = Array.from({ length: 120 }, (_, i) => upload(1000 + i, 1));
    await Promise.all(others.map(async (other) => {
      const stop = new AbortController();
      const read = () => {
        stop.abort(new Error("killed"));
        return Promise.reject(new Error("no"));
      };
      await assert.rejects(store.upload({ ...other, read }, { signal: stop.signal }));
    }));
  });
  await using(openEmulatedVault(emulator), (store) => store.upload(object, { signal }));
  assert.ok(count(emulator, "ListMultipartUploads") > 1 + 1);
  const ranges = emulator.requests.filter(({ operation }) => operation === "UploadMultipartPart").map(({ range }) =>
    range
  );
  assert.deepEqual(ranges.toSorted(), ["0-2097151", "2097152-4194303", "4194304-5242879"]);
  await assertOnce(emulator, [object]);
});

test("completing is repeated until its answer comes, and stores one archive", async (emulator) => {
  const object = upload(7, 2 * MiB);
  emulator.faults.add({ operation: "CompleteMultipartUpload", action: "drop-answer", times: 3 });
  const handle = await using(openEmulatedVault(emulator), (store) => store.upload(object, { signal }));
  assert.equal(count(emulator, "CompleteMultipartUpload", 201), 4);
  const [archive] = await archives(emulator);
  assert.equal(archive?.handle, handle);
});

test("with what the caller kept, not even death while completing stores an archive twice", async (emulator) => {
  const object = upload(8, 2 * MiB);
  let earlier: string | undefined;
  emulator.faults.add({ operation: "CompleteMultipartUpload", action: "drop-answer", nth: 1 });
  const stop = new AbortController();
  const sleep = () => {
    stop.abort(new Error("killed"));
    return Promise.reject(stop.signal.reason);
  };
  const pace = { ...paceOf(emulator), sleep };
  await using(openEmulatedVault(emulator, { pace }), async (store) => {
    const began = (token: string) => void (earlier = token);
    await assert.rejects(store.upload(object, { signal: stop.signal, began }), /killed/);
  });
  assert.ok(earlier !== undefined);
  const handle = await using(
    openEmulatedVault(emulator),
    (store) => store.upload(object, { signal, earlier: earlier! }),
  );
  assert.equal(count(emulator, "UploadMultipartPart"), 2);
  assert.equal((await archives(emulator)).length, 1);
  assert.match(handle, /^[\w-]{138}$/);
});

test("without it the second archive is stored, and the inventory hides neither", async (emulator) => {
  const object = upload(9, MiB);
  const first = await using(openEmulatedVault(emulator), (store) => store.upload(object, { signal }));
  const second = await using(openEmulatedVault(emulator), (store) => store.upload(object, { signal }));
  const found = await archives(emulator);
  assert.deepEqual(found.map(({ handle }) => handle).toSorted(), [first, second].toSorted());
  assert.deepEqual(found.map(({ name, sha256 }) => [name, sha256]), [0, 1].map(() => [object.name, object.sha256]));
});

test("what a caller kept of another object is not taken for this one's", async (emulator) => {
  const [one, other] = [upload(10, MiB), upload(11, MiB)];
  let token = "";
  await using(openEmulatedVault(emulator), async (store) => {
    await store.upload(one, { signal, began: (text) => void (token = text) });
    await store.upload(other, { signal, earlier: token });
  });
  await assertOnce(emulator, [one, other]);
});

test("an upload that was begun although its answer was lost is taken up, not begun again", async (emulator) => {
  const object = upload(12, MiB);
  emulator.faults.add({ operation: "InitiateMultipartUpload", action: "drop-answer", times: 1 });
  await using(openEmulatedVault(emulator), (store) => store.upload(object, { signal }));
  assert.equal(count(emulator, "InitiateMultipartUpload"), 1);
  await assertOnce(emulator, [object]);
});

test("of several open uploads of an object, the one of which the vault has most is gone on with", async (emulator) => {
  const object = upload(13, 3 * MiB);
  const client = emulatedVaultClient(emulator);
  const begin = () => {
    const options = {
      description: describe(object),
      partBytes: MiB,
      signal,
      recheck: () => Promise.resolve(undefined),
    };
    return initiateUpload(client, options);
  };
  const ids = await Promise.all([begin(), begin(), begin()]);
  const [first, second] = [upload(13, 3 * MiB).content.slice(0, MiB), upload(13, 3 * MiB).content.slice(MiB, 2 * MiB)];
  const send = async (id: string, from: number, body: Uint8Array) => {
    const { sha256, treeHash } = hashes(body);
    await uploadPart(client, { upload: id, from, body, sha256, treeHash, signal });
  };
  await send(ids[0]!, 0, first);
  await send(ids[1]!, 0, first);
  await send(ids[1]!, MiB, second);
  emulator.requests.length = 0;
  await using(openEmulatedVault(emulator), (store) => store.upload(object, { signal }));
  const parts = emulator.requests.filter(({ operation }) => operation === "UploadMultipartPart");
  assert.deepEqual(parts.map(({ id, range }) => [id, range]), [[ids[1], `${2 * MiB}-${3 * MiB - 1}`]]);
  await assertOnce(emulator, [object]);
});

test("two processes that store the same object at once do not disturb one another", async (emulator) => {
  const object = upload(17, 4 * MiB);
  const stores = [openEmulatedVault(emulator), openEmulatedVault(emulator)];
  await Promise.all(stores.map((store) => using(store, (store) => store.upload(object, { signal }))));
  const found = await archives(emulator);
  assert.ok(found.length >= 1 && found.every(({ name }) => name === object.name));
});

test("bytes that changed on the disk are noticed before anything is completed", async (emulator) => {
  const object = upload(15, 2 * MiB);
  const other = upload(16, 2 * MiB);
  await using(
    openEmulatedVault(emulator),
    (store) => assert.rejects(store.upload({ ...object, read: other.read }, { signal }), /The local copy is damaged/),
  );
  assert.equal(count(emulator, "CompleteMultipartUpload"), 0);
});

test("throttling, timeouts, resets and errors of the server are waited out", async (emulator) => {
  const actions: FaultAction[] = ["throttle", "timeout", "server-error", "unavailable", "reset", "drop-request"];
  const objects = actions.map((action, i) => {
    emulator.faults.add({ operation: "UploadMultipartPart", action, nth: 1 + 3 * i });
    emulator.faults.add({ operation: "CompleteMultipartUpload", action, nth: 1 + 2 * i });
    emulator.faults.add({ operation: "InitiateMultipartUpload", action, nth: 1 + 2 * i });
    return upload(20 + i, 2 * MiB);
  });
  await using(openEmulatedVault(emulator), (store) => Promise.all(objects.map((one) => store.upload(one, { signal }))));
  assertNothingTwice(emulator);
  await assertOnce(emulator, objects);
});

test("a week of outages passes, nothing is stored or sent twice, and the service is not hammered", async (emulator) => {
  const actions: FaultAction[] = ["unavailable", "drop-request", "throttle", "timeout", "reset", "drop-answer"];
  // Every 14 hours the line goes, for up to 9 hours.
  for (let i = 0; i < 12; i++) {
    const from = new Date(startAt.getTime() + i * 14 * hourMs);
    const until = new Date(from.getTime() + (3 + i % 7) * hourMs);
    emulator.faults.add({ action: actions[i % actions.length]!, during: { from, until } });
  }
  const objects = Array.from({ length: 30 }, (_, i) => upload(40 + i, MiB + 1));
  const pace = { ...paceOf(emulator), random: () => 0.999 };
  await using(openEmulatedVault(emulator, { pace, budgetBytes: 2 * MiB }), async (store) => {
    for (const object of objects) {
      // Reading takes its time, so that the uploads last a week.
      const read = (range: { from: number; length: number }) => {
        emulator.clock.advance(3 * hourMs);
        return object.read(range);
      };
      await store.upload({ ...object, read }, { signal });
    }
  });
  assert.ok(emulator.clock.now().getTime() - startAt.getTime() > 7 * dayMs);
  const failed = emulator.requests.filter(({ fault }) => fault !== undefined).length;
  assert.ok(failed > 100 && failed < 12 * 170, `${failed} requests failed`);
  assertNothingTwice(emulator);
  await assertOnce(emulator, objects);
});

test("killed anywhere, again and again, nothing is sent or stored twice", async (emulator) => {
  const round = fc.record({
    /** After so many pieces of news: bytes that were read, parts that arrived. */
    killAfter: fc.nat({ max: 14 }),
    fault: fc.option(fc.record({
      operation: fc.constantFrom("UploadMultipartPart", "CompleteMultipartUpload", "InitiateMultipartUpload", "List*"),
      action: fc.constantFrom<FaultAction>(
        "drop-answer",
        "drop-request",
        "reset",
        "throttle",
        "server-error",
        "short-body",
      ),
      nth: fc.integer({ min: 1, max: 4 }),
    })),
  });
  let seed = 100;
  await fc.assert(
    fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 8 }), async (rounds) => {
      emulator.requests.length = 0;
      const objects = [1, 2.5 * MiB, 4 * MiB].map((bytes) => upload(seed++, bytes));
      /** What a run writes down: handles, and what `began` told. */
      const handles = new Map<string, string>();
      const tokens = new Map<string, string>();
      for (const { killAfter, fault } of [...rounds, { killAfter: Infinity, fault: null }]) {
        emulator.faults.clear();
        if (fault !== null) emulator.faults.add(fault);
        // What is on its way when a process dies may still arrive; what has been answered by then must not come again.
        const confirmed = confirmedParts(emulator);
        const begins = emulator.requests.length;
        const kill = new AbortController();
        let news = 0;
        const heard = () => {
          if (news++ >= killAfter) kill.abort(new Error("killed"));
        };
        await using(openEmulatedVault(emulator), async (store) => {
          const left = objects.filter(({ name }) => !handles.has(name));
          await Promise.allSettled(left.map(async (object) => {
            const read = (range: { from: number; length: number }) => {
              heard();
              return object.read(range);
            };
            const earlier = tokens.get(object.name);
            const handle = await store.upload({ ...object, read }, {
              signal: kill.signal,
              sent: heard,
              began: (token) => void tokens.set(object.name, token),
              ...(earlier === undefined ? {} : { earlier }),
            });
            // A process that is dead writes nothing down.
            if (!kill.signal.aborted) handles.set(object.name, handle);
          }));
        });
        assertNotSent(emulator, confirmed, begins);
      }
      assert.equal(handles.size, objects.length);
      const completed = emulator.requests.filter(({ operation, status }) =>
        operation === "CompleteMultipartUpload" && status === 201
      );
      assert.equal(new Set(completed.map(({ id }) => id)).size, objects.length);
    }),
    { numRuns: 25 },
  );
});
