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

const MIB = 1024 * 1024;
/** What stores something. */
const STORING = /^(PutObject|UploadMultipartPart|CompleteMultipartUpload|InitiateMultipartUpload)$/;

/** What a whole upload is, as a run that only looked has told. */
export interface Amount {
  readonly objects: number;
  readonly bytes: number;
  /** How long that took, which every run takes before it sends. */
  readonly lookMs: number;
}

/** Uploads with kills on the way; how it went, as a remark. */
export async function killedUploads(
  site: ColdSite,
  { kills, next, amount, forgetful = false }: {
    kills: number;
    next: Numbers;
    amount: Amount;
    /** The machine loses all that it knows with each kill. */
    forgetful?: boolean;
  },
): Promise<string> {
  await site.target.forgetCalls();
  const moments: string[] = [];
  // So slow that between two kills there is time for a small part of it only.
  const rate = Math.ceil(Math.max(4 * MIB, amount.bytes / kills) / 1024);
  const each = Math.ceil(amount.objects / kills);
  while (moments.length < kills) {
    const run = site.start(["glacier-upload", "--to", site.place, "--limit-upload", `${rate}KiB`]);
    const moment = await killSomewhere(site, {
      run,
      next,
      mostMs: amount.lookMs + (site.target.isVault ? 700 : 1500),
      most: each,
    });
    const ended = await run.ended;
    if (ended.signal === null) {
      assertEnded(ended, { code: 0 });
      break;
    }
    moments.push(moment);
    // Without its habits the machine would not know how large bricks are to be, and bundle them.
    if (forgetful) await site.forget({ habits: true });
  }
  await site.run(["glacier-upload", "--to", site.place]);
  return `${moments.length} of ${kills}: ${moments.join(", ")}`;
}

/**
 * That nothing was sent after the server had it. A machine that `forgets` may store a few archives of a vault once more: those
 * that nobody had told of in the ledger yet, of which a vault itself does not say for a day that it has them.
 */
export async function assertSentOnce(
  site: ColdSite,
  { forgets = 0, objects }: { forgets?: number; objects?: number } = {},
): Promise<string> {
  const stored = (await site.target.calls(site.name)).filter(({ operation, status }) =>
    STORING.test(operation) && status >= 200 && status < 300
  );
  if (!site.target.isVault) {
    const keys = stored.map(({ name }) => name);
    assertOnce(keys, "was sent again after it was stored");
    assertMany(keys.length, objects);
    return `${keys.length} objects, each once`;
  }
  const parts = stored.filter(({ operation }) => operation === "UploadMultipartPart");
  assertOnce(parts.map(({ name, range }) => `${range} of ${name}`), "was sent again after the vault had it");
  const completed = new Set(named(stored, "CompleteMultipartUpload"));
  const left = [...new Set(parts.map(({ name }) => name))].filter((id) => !completed.has(id));
  assertMany(completed.size, objects);
  // A bundle is made of what there is; a machine that forgot the old one's making makes another.
  assert.ok(left.length <= forgets, `${left.length} uploads have parts and were never completed`);
  return `${completed.size} archives in ${parts.length} parts, each once`;
}

/** That the server's log told of all there was to send, and of nothing besides. */
function assertMany(stored: number, objects: number | undefined): void {
  if (objects !== undefined) assert.equal(stored, objects, "objects stored, and objects that were to be stored");
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

/** That a further run has nothing to send; on a machine that knows nothing, only what is small and was bundled before. */
export async function assertNothingLeft(site: ColdSite, { forgetful }: { forgetful: boolean }): Promise<void> {
  if (forgetful) await site.forget();
  await site.target.forgetCalls();
  const { answer } = await site.ask(["glacier-upload", "--to", site.place]);
  const most = forgetful ? 1 : 0;
  assert.deepEqual([answer["objects"], answer["bundles"]], [most, most], JSON.stringify(answer));
  assert.ok(Number(answer["bytes"]) <= most * MIB, JSON.stringify(answer));
  if (forgetful) return;
  const storing = (await site.target.calls(site.name)).filter(({ operation }) => STORING.test(operation));
  assert.deepEqual(storing, [], "a run with nothing to do stored something");
}
