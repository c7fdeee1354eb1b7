// A vault's retrievals, inventories and refusals.

import assert from "node:assert/strict";
import { type ColdStore, LEAF_BYTES, NotThawedError } from "../../lib/glacier/mod.ts";
import { describeJob, initiateRetrieval, listJobs } from "../../lib/glacier/vault/job_calls.ts";
import type { VaultOptions } from "../../lib/glacier/vault/mod.ts";
import type { Emulator, FaultAction } from "../emulator/mod.ts";
import { emulatedVaultClient, hashes, openEmulatedVault, paceOf, upload, vaultWorld } from "./cold_worlds.ts";

const MiB = LEAF_BYTES;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const signal = new AbortController().signal;

function test(
  sentence: string,
  body: (store: ColdStore, emulator: Emulator) => Promise<void>,
  options?: (emulator: Emulator) => Partial<VaultOptions>,
): void {
  Deno.test(sentence, async () => {
    const { emulator } = await vaultWorld();
    const store = openEmulatedVault(emulator, options?.(emulator));
    try {
      await body(store, emulator);
    } finally {
      await store.close();
      await emulator.close();
    }
  });
}

function count(emulator: Emulator, operation: string, status?: number): number {
  return emulator.requests.filter((one) =>
    one.operation === operation && (status === undefined || one.status === status)
  )
    .length;
}

/** Stores an object and waits until it can be read. */
async function thawed(store: ColdStore, emulator: Emulator, object: ReturnType<typeof upload>) {
  const one = { handle: await store.upload(object, { signal }), bytes: object.bytes };
  await store.thaw(one, { tier: "bulk", days: 1, signal });
  emulator.clock.advance(12 * hourMs);
  return one;
}

test("a retrieval whose answer is lost is found, not asked and paid for again", async (store, emulator) => {
  const object = upload(1, 10);
  const handle = await store.upload(object, { signal });
  emulator.faults.add({ operation: "InitiateJob", action: "drop-answer", times: 1 });
  const state = await store.thaw({ handle, bytes: 10 }, { tier: "standard", days: 1, signal });
  assert.equal(state.state, "thawing");
  assert.equal(count(emulator, "InitiateJob"), 1);
  await store.thaw({ handle, bytes: 10 }, { tier: "standard", days: 1, signal });
  assert.equal(count(emulator, "InitiateJob"), 1);
});

test(
  "throttled retrievals are asked for again, once each, and all jobs are found on their pages",
  async (store, emulator) => {
    const objects = Array.from({ length: 60 }, (_, i) => upload(100 + i, 9));
    const handles = await Promise.all(objects.map((object) => store.upload(object, { signal })));
    for (const nth of [2, 3, 17, 40]) emulator.faults.add({ operation: "InitiateJob", action: "throttle", nth });
    emulator.requests.length = 0;
    for (const handle of handles) await store.thaw({ handle, bytes: 9 }, { tier: "bulk", days: 1, signal });
    assert.equal(count(emulator, "InitiateJob", 202), 60);
    // One listing serves all of them.
    assert.ok(count(emulator, "ListJobs") <= 3, `${count(emulator, "ListJobs")} listings`);
    const other = openEmulatedVault(emulator);
    const states = await other.states(handles.map((handle) => ({ handle, bytes: 9 })), { signal });
    await other.close();
    assert.ok(states.every(({ state }) => state === "thawing"));
  },
);

test("what is read is verified on the way, and asked for again where it came wrong", async (store, emulator) => {
  const object = upload(2, 5 * MiB + 9);
  const one = await thawed(store, emulator, object);
  for (const action of ["flip-bit", "short-body", "drop-answer", "server-error"] as FaultAction[]) {
    emulator.faults.clear();
    emulator.faults.add({ operation: "GetJobOutput", action, times: 2 });
    const bytes = await store.read(one, { range: { from: 0, length: object.bytes }, signal });
    assert.equal(bytes.toHex(), object.content.toHex());
  }
  emulator.faults.clear();
  emulator.faults.add({ operation: "GetJobOutput", action: "flip-bit" });
  await assert.rejects(
    store.read(one, { range: { from: 0, length: MiB }, signal }),
    /^BrokenAnswerError: Cannot read bytes 0 to 1048575 .*the bytes have the tree hash/,
  );
});

test("only the bytes that were asked for are downloaded", async (store, emulator) => {
  const object = upload(3, 6 * MiB);
  const one = await thawed(store, emulator, object);
  emulator.requests.length = 0;
  await store.read(one, { range: { from: MiB + 5, length: 3 * MiB }, signal });
  const out = emulator.requests.filter(({ operation }) => operation === "GetJobOutput");
  assert.equal(out.reduce((sum, { bytesOut }) => sum + bytesOut, 0), 3 * MiB);
});

test("a retrieval of a range serves reads within it, and does not make the whole ready", async (store, emulator) => {
  const object = upload(4, 4 * MiB);
  const handle = await store.upload(object, { signal });
  const client = emulatedVaultClient(emulator);
  const range = { from: MiB, length: 2 * MiB };
  const recheck = () => Promise.resolve(undefined);
  const job = await initiateRetrieval(client, { archive: handle, range, tier: "bulk", signal, recheck });
  emulator.clock.advance(12 * hourMs);
  const described = await describeJob(client, { job, signal });
  assert.deepEqual(described.work, { kind: "archive", archive: handle, archiveBytes: 4 * MiB, ...range });
  const one = { handle, bytes: object.bytes };
  assert.deepEqual(await store.states([one], { signal }), [{ state: "cold" }]);
  const bytes = await store.read(one, { range: { from: MiB + 7, length: MiB }, signal });
  assert.equal(bytes.toHex(), object.content.subarray(MiB + 7, 2 * MiB + 7).toHex());
  await assert.rejects(store.read(one, { range: { from: 0, length: 2 * MiB }, signal }), NotThawedError);
});

test("a retrieval that failed leaves the archive cold", async (store, emulator) => {
  const handle = await store.upload(upload(5, 10), { signal });
  await store.thaw({ handle, bytes: 10 }, { tier: "bulk", days: 1, signal });
  await store.remove(handle, { signal });
  emulator.clock.advance(12 * hourMs);
  assert.deepEqual(await store.states([{ handle, bytes: 10 }], { signal }), [{ state: "cold" }]);
});

test("an inventory is asked for once, by whoever asks, and found again by the next", async (store, emulator) => {
  await store.upload(upload(6, 10), { signal });
  // A new vault has none.
  assert.deepEqual(await store.list({ signal }), { ready: false, readyAt: undefined });
  emulator.clock.advance(dayMs);
  emulator.faults.add({ operation: "InitiateJob", action: "drop-answer", nth: 1 });
  const asked = await store.list({ signal });
  assert.ok(!asked.ready && asked.readyAt !== undefined);
  const other = openEmulatedVault(emulator);
  try {
    assert.equal((await other.list({ signal })).ready, false);
    assert.equal(count(emulator, "InitiateJob", 202), 1);
    emulator.clock.advance(5 * hourMs);
    const answer = await other.list({ signal });
    assert.ok(answer.ready);
    assert.equal((await Array.fromAsync(answer.listing.objects)).length, 1);
    // Fresh enough for most, and too old for one that wants a newer one.
    assert.ok((await store.list({ signal })).ready);
    assert.equal((await store.list({ signal, since: emulator.clock.now() })).ready, false);
    assert.equal(count(emulator, "InitiateJob", 202), 2);
  } finally {
    await other.close();
  }
});

test("an inventory of thousands is read piece by piece, strangers' archives among them", async (store, emulator) => {
  const objects = Array.from({ length: 40 }, (_, i) => upload(200 + i, 9));
  await Promise.all(objects.map((object) => store.upload(object, { signal })));
  const client = emulatedVaultClient(emulator);
  for (const description of ["", 'my \\"archive\\"{[', '{"tarzan":2}']) {
    const bytes = new Uint8Array([1]);
    await client.ask({
      what: "store a stranger's archive",
      method: "POST",
      path: ["archives"],
      headers: {
        "x-amz-sha256-tree-hash": hashes(bytes).treeHash,
        ...(description && { "x-amz-archive-description": description }),
      },
      body: bytes,
      success: [201],
      limit: 0,
    }, { signal, read: () => {} });
  }
  emulator.clock.advance(dayMs);
  await store.list({ signal });
  emulator.clock.advance(5 * hourMs);
  emulator.faults.add({ operation: "GetJobOutput", action: "short-body", times: 1 });
  const answer = await store.list({ signal });
  assert.ok(answer.ready);
  const names = (await Array.fromAsync(answer.listing.objects)).map(({ name }) => name);
  assert.equal(names.length, 43);
  assert.deepEqual(new Set(names), new Set([undefined, ...objects.map(({ name }) => name)]));
});

test("a vault that lies about sizes is noticed", async (store, emulator) => {
  const object = upload(7, 10);
  const storedAt = emulator.clock.now();
  const one = await thawed(store, emulator, object);
  emulator.clock.advance(dayMs);
  emulator.hostile.add("lies-about-size");
  await store.list({ signal });
  emulator.clock.advance(5 * hourMs);
  const [confirmed] = await store.confirm([{ ...object, ...one, storedAt }], { signal });
  assert.deepEqual(confirmed, { found: "other", why: "the archive has 9 bytes instead of 10" });
  await store.thaw(one, { tier: "expedited", days: 1, signal });
  emulator.clock.advance(hourMs);
  await assert.rejects(store.read(one, { range: { from: 0, length: 9 }, signal }), /it has 9 bytes instead of 10/);
});

test("a vault that does not say what it holds stores nothing of ours", async (store, emulator) => {
  emulator.hostile.add("loses-checksum");
  await assert.rejects(store.upload(upload(8, MiB), { signal }), /the tree hash in the answer is nothing/);
  assert.equal(count(emulator, "CompleteMultipartUpload"), 0);
});

test("keys that expire are asked for anew, and the request repeated", async (store, emulator) => {
  emulator.faults.add({ action: "expired-token", nth: 2 });
  await store.upload(upload(9, 10), { signal });
  assert.equal(count(emulator, "CompleteMultipartUpload", 201), 1);
  assert.deepEqual(asked, [false, false, false, true, false, false]);
}, ({ accessKeyId, secretAccessKey }) => {
  asked.length = 0;
  return {
    credentials: (options) => {
      asked.push(options?.forceRefresh ?? false);
      return Promise.resolve({ accessKeyId, secretAccessKey });
    },
  };
});
const asked: boolean[] = [];

test("keys that stay expired are told after a few attempts", async (store, emulator) => {
  emulator.faults.add({ action: "expired-token" });
  await assert.rejects(store.upload(upload(10, 10), { signal }), /credentials have expired.*403 ExpiredToken/);
  assert.equal(emulator.requests.length, 5);
});

test("that there are no keys is told, with what to do", async (store, emulator) => {
  await assert.rejects(
    store.upload(upload(20, 10), { signal }),
    /^CredentialsError: Cannot use glacier:\/\/us-east-1\/vault: no credentials \(nobody is logged in\)\. Set/,
  );
  assert.equal(emulator.requests.length, 0);
}, () => ({ credentials: () => Promise.reject(new Error("nobody is logged in")) }));

const warnings: string[] = [];
test("an outage that lasts is told, once for all that wait for its end", async (store, emulator) => {
  const from = emulator.clock.now();
  emulator.faults.add({ action: "unavailable", during: { from, until: new Date(from.getTime() + 2 * hourMs) } });
  warnings.length = 0;
  await Promise.all([1, 2, 3, 4].map((i) => store.upload(upload(20 + i, 10), { signal })));
  assert.ok(warnings.length >= 1 && warnings.length <= 12, `${warnings.length} warnings`);
  assert.match(warnings[0]!, /^Cannot list the unfinished uploads .*503.*; trying again for \d+ minutes$/);
}, (emulator) => ({ pace: { ...paceOf(emulator), warn: (message) => void warnings.push(message) } }));

test("transfers keep to the rates that they were given, all together", async (store, emulator) => {
  const objects = [upload(30, 2 * MiB), upload(31, 2 * MiB)];
  const beganAt = emulator.clock.now().getTime();
  const [one] = await Promise.all(objects.map((object) => store.upload(object, { signal })));
  const upMs = emulator.clock.now().getTime() - beganAt;
  // 4 MiB at 1 MiB a second, of which half a second's worth is free.
  assert.ok(upMs >= 3500 && upMs < 60_000, `${upMs} ms`);
  const thawing = { handle: one!, bytes: 2 * MiB };
  await store.thaw(thawing, { tier: "bulk", days: 1, signal });
  emulator.clock.advance(12 * hourMs);
  const readAt = emulator.clock.now().getTime();
  await store.read(thawing, { range: { from: 0, length: 2 * MiB }, signal });
  const downMs = emulator.clock.now().getTime() - readAt;
  assert.ok(downMs >= 3500 && downMs < 60_000, `${downMs} ms`);
}, () => ({ uploadBytesPerSecond: MiB, downloadBytesPerSecond: MiB / 2 }));

test(
  "a clock that is wrong is told",
  async (store) => {
    await assert.rejects(store.upload(upload(11, 10), { signal }), /this machine's clock is 90 minutes fast; set it/);
  },
  (emulator) => ({ pace: { ...paceOf(emulator), now: () => new Date(emulator.clock.now().getTime() + 1.5 * hourMs) } }),
);

for (const token of [undefined, "token-of-a-session"]) {
  test(`a wrong key is told and not shown, ${token === undefined ? "without" : "with"} a token`, async (store) => {
    const error = await store.upload(upload(12, 10), { signal }).then(() => undefined, (error: Error) => error);
    assert.match(
      error?.message ?? "",
      /the secret access key does not belong to|have expired or are unknown to Amazon/,
    );
    assert.ok(!/not-the-right-key|token-of-a-session/.test(Deno.inspect(error)));
  }, ({ accessKeyId }) => {
    const keys = { accessKeyId, secretAccessKey: "not-the-right-key", ...(token && { sessionToken: token }) };
    return { credentials: () => Promise.resolve(keys) };
  });
}

test("that Amazon takes no new customers for vaults is explained", async (store, emulator) => {
  emulator.switches.add("vaults-no-longer-supported");
  await assert.rejects(
    store.upload(upload(13, 10), { signal }),
    /no new customers since 2025-12-15.*s3:\/\/bucket\/prefix\?class=DEEP_ARCHIVE \(400 NoLongerSupportedException\)/,
  );
  assert.equal(emulator.requests.length, 1);
});

test("refusals of retrievals are told at once, with what to do", async (store, emulator) => {
  const handle = await store.upload(upload(14, 10), { signal });
  emulator.switches.add("no-expedited-capacity");
  const expedited = store.thaw({ handle, bytes: 10 }, { tier: "expedited", days: 1, signal });
  await assert.rejects(expedited, /no capacity for expedited retrievals now; ask for the standard or the bulk tier/);
  emulator.switches.add("retrieval-policy-enforced");
  const bulk = store.thaw({ handle, bytes: 10 }, { tier: "bulk", days: 1, signal });
  await assert.rejects(bulk, /data retrieval policy/);
  assert.equal(count(emulator, "InitiateJob"), 2);
  const large = store.thaw({ handle, bytes: 300_000_000 }, { tier: "expedited", days: 1, signal });
  await assert.rejects(large, /under 250 MB/);
});

test("a vault that is not there is told", async (store) => {
  await assert.rejects(store.upload(upload(15, 10), { signal }), /glacier:\/\/us-east-1\/nowhere.*404/);
  await assert.rejects(store.remove("x".repeat(138), { signal }), /Vault not found/);
}, () => ({ vault: "nowhere" }));

test("a service that cannot be reached at all is told within seconds", async (store) => {
  await assert.rejects(store.upload(upload(16, 10), { signal }), /Cannot list the unfinished uploads.*given up after/);
}, (emulator) => ({
  endpoint: new URL("http://127.0.0.1:1"),
  pace: { ...paceOf(emulator), firstContactMs: 15_000 },
}));

test("a store that is closed ends what is under way", async (store, emulator) => {
  emulator.faults.add({ operation: "ListMultipartUploads", action: "delay", delayMs: 300 });
  const running = store.upload(upload(17, 10), { signal });
  const closing = new Promise((resolve) => setTimeout(resolve, 20)).then(() => store.close());
  await assert.rejects(running, /was closed/);
  await closing;
});

test("a connection that stands still is given up", async (store, emulator) => {
  emulator.faults.add({ operation: "ListMultipartUploads", action: "delay", delayMs: 800, times: 1 });
  await store.upload(upload(18, 10), { signal });
  assert.ok(count(emulator, "ListMultipartUploads") >= 2);
}, () => ({ stallMs: 300 }));

test("the jobs of others, of whatever kind, are no hindrance", async (store, emulator) => {
  await store.upload(upload(19, 10), { signal });
  emulator.clock.advance(dayMs);
  const client = emulatedVaultClient(emulator);
  const body = (parameters: object) => new TextEncoder().encode(JSON.stringify(parameters));
  for (
    const parameters of [
      { Type: "inventory-retrieval", Format: "CSV" },
      { Type: "inventory-retrieval", Format: "JSON", InventoryRetrievalParameters: { Limit: "1" } },
    ]
  ) {
    const question = {
      what: "ask",
      method: "POST" as const,
      path: ["jobs"],
      body: body(parameters),
      success: [202],
      limit: 0,
    };
    await client.ask(question, { signal, read: () => {} });
  }
  emulator.clock.advance(5 * hourMs);
  assert.equal((await listJobs(client, { signal })).length, 2);
  // Neither is an inventory of everything that can be read.
  assert.equal((await store.list({ signal })).ready, false);
});
