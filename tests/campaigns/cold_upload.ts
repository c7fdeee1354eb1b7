/**
 * `glacier-upload`, killed again and again. What was confirmed must not be sent a second time, and "confirmed" is taken in
 * its strictest sense: what the server has taken in, whether or not the client lived to hear of it, since the next client
 * can ask (HEAD of an object, ListParts of an upload).
 */
import assert from "node:assert/strict";
import type { ColdSite } from "./cold_site.ts";
import type { ColdCall } from "./cold_targets.ts";
import { killSomewhere } from "./cold_moments.ts";
import type { Numbers } from "./numbers.ts";
import { assertEnded } from "./running.ts";

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
    const moment = await killSomewhere(site, { run, next, usualMs });
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
