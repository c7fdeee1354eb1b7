/**
 * `glacier-upload`, killed again and again. What was confirmed must not be sent a second time, and "confirmed" is taken in
 * its strictest sense: what the server has taken in, whether or not the client lived to hear of it, since the next client
 * can ask (HEAD of an object, ListParts of an upload).
 */
import assert from "node:assert/strict";
import type { ColdSite } from "./cold_site.ts";
import type { ColdCall } from "./cold_targets.ts";
import type { Numbers } from "./numbers.ts";
import { oneOf } from "./numbers.ts";
import { assertEnded, type Running } from "./running.ts";

/** What stores something. */
const STORING = /^(PutObject|UploadMultipartPart|CompleteMultipartUpload|InitiateMultipartUpload)$/;

/** Uploads with kills on the way; how it went, as a remark. */
export async function killedUploads(
  site: ColdSite,
  { kills, next, usualMs }: { kills: number; next: Numbers; usualMs: number },
): Promise<string> {
  const { target } = site;
  await target.forgetCalls();
  const moments: string[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const run = site.start(["glacier-upload", "--to", site.place]);
    const moment = await waitForMoment(site, { run, next, usualMs: usualMs * (0.4 + 0.6 * (kill + 1) / kills) });
    run.kill("SIGKILL");
    const ended = await run.ended;
    if (ended.signal === null) {
      assertEnded(ended, { code: 0 });
      moments.push("too late");
      break;
    }
    moments.push(moment);
  }
  await site.run(["glacier-upload", "--to", site.place]);
  return moments.join(", ");
}

/** Waits for a random moment of a run; what it was. */
async function waitForMoment(
  { target, name }: ColdSite,
  { run, next, usualMs }: { run: Running; next: Numbers; usualMs: number },
): Promise<string> {
  const { emulator } = target;
  let over = false;
  void run.gone.then(() => over = true);
  const isOver = () => over;
  if (emulator === undefined || next(4) === 0) {
    const afterMs = next(Math.ceil(usualMs));
    await sleepUnless(isOver, afterMs);
    return `${afterMs} ms`;
  }
  const before = emulator.requests.length;
  const since = () => emulator.requests.slice(before);
  const operation = oneOf(
    next,
    target.isVault
      ? ["UploadMultipartPart", "CompleteMultipartUpload", "InitiateMultipartUpload"]
      : ["PutObject", "HeadObject"],
  );
  const nth = 1 + next(3);
  const isDone = next(2) === 0;
  // What is asked for is held back a little, so that there is a moment before it is done.
  if (!isDone) emulator.faults.add({ action: "delay", operation, delayMs: 150 });
  const isThere = () => {
    const asked = since().filter((request) => request.operation === operation);
    return (isDone ? asked.filter(({ status }) => status >= 200 && status < 300) : asked).length >= nth;
  };
  await until(() => over || isThere());
  const moreMs = next(120);
  await sleepUnless(isOver, moreMs);
  run.kill("SIGKILL");
  await run.gone;
  emulator.faults.clear();
  // What the dead client had sent is still being taken in.
  if (target.isVault) {
    await until(
      () => since().every(({ vault, status, fault }) => vault !== name || status !== 0 || fault !== "delay"),
      1000,
    );
  }
  return `${nth}. ${operation} ${isDone ? "done" : "asked"} + ${moreMs} ms`;
}

async function until(isSo: () => boolean, mostMs = Infinity): Promise<void> {
  for (const endMs = performance.now() + mostMs; !isSo() && performance.now() < endMs;) await sleep(2);
}

async function sleepUnless(isOver: () => boolean, ms: number): Promise<void> {
  for (const endMs = performance.now() + ms; !isOver() && performance.now() < endMs;) await sleep(5);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** That nothing was sent after the server had it. */
export async function assertSentOnce(site: ColdSite): Promise<string> {
  const stored = (await site.target.calls(site.name)).filter(({ operation, status }) =>
    STORING.test(operation) && status >= 200 && status < 300
  );
  if (!site.target.isVault) {
    const keys = stored.map(({ name }) => name);
    assertOnce(keys, "was sent again after it was stored");
    return `${keys.length} objects, each once`;
  }
  const parts = stored.filter(({ operation }) => operation === "UploadMultipartPart");
  assertOnce(parts.map(({ name, range }) => `${range} of ${name}`), "was sent again after the vault had it");
  const completed = new Set(named(stored, "CompleteMultipartUpload"));
  const left = [...new Set(parts.map(({ name }) => name))].filter((id) => !completed.has(id));
  assert.deepEqual(left, [], "uploads that parts were sent for and that nobody completed");
  return `${completed.size} archives in ${parts.length} parts, each once`;
}

function named(calls: readonly ColdCall[], operation: string): string[] {
  return calls.filter((call) => call.operation === operation).map(({ name }) => name);
}

function assertOnce(names: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const name of names) {
    assert.ok(!seen.has(name), `${name} ${what}`);
    seen.add(name);
  }
}

/** That a further run has nothing to send. */
export async function assertNothingLeft(site: ColdSite): Promise<void> {
  await site.target.forgetCalls();
  const { answer } = await site.ask(["glacier-upload", "--to", site.place]);
  assert.equal(answer["objects"], 0, JSON.stringify(answer));
  const storing = (await site.target.calls(site.name)).filter(({ operation }) => STORING.test(operation));
  assert.deepEqual(storing, [], "a run with nothing to do stored something");
}
