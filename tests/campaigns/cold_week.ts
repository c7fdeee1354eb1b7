/**
 * A week in which everything fails once, during one upload over a slow line. Real processes cannot share a clock that is
 * moved by hand, so the command's verb runs in this process: its waits, the emulator's clock and the line are of the same
 * made-up time, which passes when nobody has anything else to do. A run that gives up is begun again an hour later, as by a
 * timer.
 */
import assert from "node:assert/strict";
import { type ColdObject, type ColdStore, openColdStore } from "../../lib/glacier/mod.ts";
import { VaultStore } from "../../lib/glacier/vault/mod.ts";
import type { AwsKeys } from "../../lib/store/mod.ts";
import { glacierUpload, type VerbSession } from "../../lib/verbs/mod.ts";
import { rememberSettings } from "../../lib/verbs/settings.ts";
import { type Emulator, type FaultPlan, type LoggedRequest, startEmulator, type User } from "../emulator/mod.ts";
import { found, noise } from "../repository/machine.ts";
import { tarOf } from "../verbs/session.ts";
import { MadeUpTime } from "./cold_time.ts";
import { numbers } from "./numbers.ts";

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const startAt = new Date("2026-03-01T10:00:00Z");
/** So many bricks, each large enough to go alone. */
const BRICKS = 20;
const BRICK_BYTES = 4.5 * MIB;
/** The line takes the better part of a week for all of it. */
const MS_A_BYTE = 130 * HOUR_MS / (BRICKS * BRICK_BYTES);
/** Temporary keys live so long. */
const KEYS_MS = 12 * HOUR_MS;
/** Runs that gave up and were begun again, at most. */
const MOST_RUNS = 24;
/** Two uploads at once, four parts of a vault in memory, and waits of up to five minutes, 2.5 on the average. */
const MOST_AN_HOUR = 160;

/** What goes wrong, hours after the beginning. */
function outages(isVault: boolean): FaultPlan[] {
  const hours = (from: number, until: number) => ({
    during: { from: new Date(+startAt + from * HOUR_MS), until: new Date(+startAt + until * HOUR_MS) },
  });
  const data = isVault ? "UploadMultipartPart" : "PutObject";
  return [
    { action: "server-error", ...hours(5, 7) },
    { action: "throttle", ...hours(15, 18) },
    // The line is away for an evening, and for a night, which is longer than a bucket is waited for.
    { action: "drop-request", ...hours(30, 35) },
    { action: "drop-answer", operation: data, ...hours(44, 46) },
    { action: "drop-request", ...hours(55, 63) },
    { action: "unavailable", ...hours(75, 77) },
    { action: "timeout", ...hours(85, 86) },
    { action: "reset", operation: data, ...hours(95, 97) },
    // So long that uploads of a vault are forgotten.
    ...(isVault ? [{ action: "drop-request", ...hours(104, 130) } as const] : []),
    { action: "expired-token", ...hours(140, 142) },
    { action: "conflict", operation: "PutObject", nth: 9 },
    ...[2, 5, 9, 14].map((nth): FaultPlan => ({ action: "drop-answer", operation: data, nth })),
    ...[1, 4, 11, 17].map((nth): FaultPlan => ({ action: "drop-answer", operation: "CompleteMultipartUpload", nth })),
    ...[2, 7].map((nth): FaultPlan => ({ action: "drop-answer", operation: "InitiateMultipartUpload", nth })),
    ...[3, 8].map((nth): FaultPlan => ({ action: "short-body", operation: "List*", nth })),
  ];
}

/** Uploads over such a week; what that took. */
export async function assertOutlastsWeek({ isVault, seed }: { isVault: boolean; seed: number }): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "tarzan-week-" });
  const emulator = await startEmulator({ startAt, folder: await subfolder(folder, "bodies"), users: users() });
  const time = new MadeUpTime(emulator);
  try {
    const founded = await found(folder);
    const machine = founded.machine(founded.fullKey);
    await rememberSettings(machine.config, founded.full.repository, { level: 1, brickSizeBytes: 16 * MIB });
    for (let i = 0; i < BRICKS; i++) await machine.create(tarOf(["file", noise(BRICK_BYTES, seed + i)]));
    emulator.createVault("week");
    emulator.createBucket("week");
    for (const plan of outages(isVault)) emulator.faults.add(plan);
    const to = isVault ? "glacier://us-east-1/week" : "s3://week/cold?class=DEEP_ARCHIVE";
    const random = numbers(seed);
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    const around: Around = { isVault, time, random: () => random(2 ** 30) / 2 ** 30, warn };
    const session: VerbSession = {
      ...machine.session,
      now: () => emulator.clock.now(),
      warn,
      openCold: async () => slow(await open(emulator, around), time),
    };
    const runs = await time.passWhile(() => untilDone(session, { to, time }));
    const hours = (+emulator.clock.now() - +startAt) / HOUR_MS;
    assert.ok(hours > 6 * 24, `it took only ${hours} hours, so that not all outages were met`);
    emulator.faults.clear();
    const busiest = busiestHour(emulator.requests);
    assert.ok(busiest <= MOST_AN_HOUR, `${busiest} requests in one hour`);
    const again = isVault ? assertPartsOnce(emulator.requests) : assertObjectsOnce(emulator.requests);
    const objects = await time.passWhile(() => listed(session, time));
    const names = objects.map(({ name }) => name);
    const twice = names.filter((name, at) => names.indexOf(name) < at);
    assert.deepEqual(twice, [], "objects that are there twice");
    assert.equal(names.filter((name) => name?.startsWith("bricks/")).length, BRICKS);
    const { objects: left } = await time.passWhile(() =>
      glacierUpload(session, { to, dryRun: true, dropLocal: false })
    );
    assert.equal(left, 0);
    const faults = emulator.requests.filter(({ fault }) => fault !== undefined).length;
    return `${
      (hours / 24).toFixed(1)
    } days, ${runs} runs, ${emulator.requests.length} requests, ${faults} of them spoilt, ` +
      `at most ${busiest} in an hour, ${names.length} objects, ${again} parts sent again whose answers were lost, ${warnings.length} warnings`;
  } finally {
    await emulator.close();
    await Deno.remove(folder, { recursive: true });
  }
}

async function untilDone(session: VerbSession, { to, time }: { to: string; time: MadeUpTime }): Promise<number> {
  const failures: string[] = [];
  for (let runs = 1; runs <= MOST_RUNS; runs++) {
    try {
      await glacierUpload(session, { to, dryRun: false, dropLocal: false });
      return runs;
    } catch (error) {
      failures.push((error as Error).message);
      await time.sleep(HOUR_MS);
    }
  }
  throw new Error(`Not done after ${MOST_RUNS} runs: ${failures.join("\n")}`);
}

/** Keys that end every twelve hours, as those of a role do. */
function users(): User[] {
  return Array.from({ length: 60 }, (_, i) => ({
    name: `role-${i}`,
    accessKeyId: `ASIACAMPAIGN${String(i).padStart(8, "0")}`,
    secretAccessKey: `secret of the campaign, number ${i}`,
    sessionToken: `session-${i}`,
    expiresAt: new Date(+startAt + (i + 1) * KEYS_MS),
  }));
}

interface Around {
  isVault: boolean;
  time: MadeUpTime;
  random: () => number;
  warn: (message: string) => void;
}

async function open(
  emulator: Emulator,
  { isVault, time, random, warn }: Around,
): Promise<ColdStore> {
  const all = users();
  const credentials = (): Promise<AwsKeys> => {
    const { accessKeyId, secretAccessKey, sessionToken } = all.find(({ expiresAt }) =>
      expiresAt! > emulator.clock.now()
    )!;
    return Promise.resolve({ accessKeyId, secretAccessKey, sessionToken: sessionToken! });
  };
  const { endpoint, region } = emulator;
  const now = () => emulator.clock.now();
  if (isVault) {
    return new VaultStore({
      ...{ region, vault: "week", endpoint: new URL(endpoint), credentials, stallMs: 60_000 },
      pace: {
        ...{
          now,
          nowMs: () => time.nowMs(),
          sleep: (ms: number, signal?: AbortSignal) => time.sleep(ms, signal),
          random,
        },
        ...{ patienceMs: 24 * HOUR_MS, firstContactMs: 15_000, warn },
      },
      ...{ budgetBytes: 4 * MIB, partBytes: MIB },
    });
  }
  return await openColdStore(`s3://week/cold?class=DEEP_ARCHIVE&endpoint=${endpoint}&region=${region}`, {
    limits: { clock: time, random, credentials, warn },
    now,
  });
}

/** The same store over a slow line, which all uploads share. */
function slow(store: ColdStore, time: MadeUpTime): ColdStore {
  let free: Promise<void> = Promise.resolve();
  const pass = (bytes: number, signal: AbortSignal) => {
    const passed = free.then(() => time.sleep(bytes * MS_A_BYTE, signal));
    free = passed.catch(() => {});
    return passed;
  };
  return {
    ...{ location: store.location, class: store.class },
    upload: (object, options) =>
      store.upload({
        ...object,
        read: async (range) => {
          await pass(range.length, options.signal);
          return await object.read(range);
        },
      }, options),
    confirm: (objects, options) => store.confirm(objects, options),
    list: (options) => store.list(options),
    states: (objects, options) => store.states(objects, options),
    thaw: (object, options) => store.thaw(object, options),
    read: (object, options) => store.read(object, options),
    remove: (handle, options) => store.remove(handle, options),
    close: () => store.close(),
  };
}

/** What the cold store has: in a vault, by an inventory of today. */
async function listed(session: VerbSession, time: MadeUpTime): Promise<ColdObject[]> {
  const cold = await session.openCold!("");
  try {
    await time.sleep(48 * HOUR_MS);
    const since = session.now();
    for (;;) {
      const answer = await cold.list({ signal: session.signal, since });
      if (answer.ready) return await Array.fromAsync(answer.listing.objects);
      await time.sleep(6 * HOUR_MS);
    }
  } finally {
    await cold.close();
  }
}

function busiestHour(requests: readonly LoggedRequest[]): number {
  const hours = Map.groupBy(requests, ({ at }) => Math.floor(+at / HOUR_MS));
  return Math.max(...[...hours.values()].map((some) => some.length));
}

const isStored = ({ status }: LoggedRequest) => status >= 200 && status < 300;

function assertObjectsOnce(requests: readonly LoggedRequest[]): number {
  const puts = requests.filter((request) => request.operation === "PutObject" && isStored(request));
  const keys = puts.map(({ key }) => key);
  assert.equal(new Set(keys).size, keys.length, "an object was stored twice");
  return 0;
}

/**
 * A part goes to the vault a second time only if nobody could know that it was there, or in another upload, after the first
 * one died of an outage. How many parts were not known to be there, and were sent again.
 */
function assertPartsOnce(requests: readonly LoggedRequest[]): number {
  const parts = requests.filter((request) => request.operation === "UploadMultipartPart" && isStored(request));
  const known = new Set<string>();
  const there = new Set<string>();
  for (const { id, range, confirmed } of parts) {
    const part = `${range} of ${id}`;
    assert.ok(!known.has(part), `part ${part} was sent again after the vault had confirmed it`);
    there.add(part);
    if (confirmed) known.add(part);
  }
  const completed = new Set(
    requests.filter((request) => request.operation === "CompleteMultipartUpload" && isStored(request)).map(({ id }) =>
      id
    ),
  );
  const dead = new Set(parts.map(({ id }) => id).filter((id) => !completed.has(id)));
  assert.ok(dead.size <= 2, `${dead.size} uploads were begun and left, of two that one outage can kill`);
  return parts.length - there.size;
}

async function subfolder(folder: string, name: string): Promise<string> {
  await Deno.mkdir(`${folder}/${name}`);
  return `${folder}/${name}`;
}
