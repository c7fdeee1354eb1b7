/**
 * TARzan against servers that keep buckets, each a process of its own where that is possible: the emulator, versitygw (which
 * is strict about signatures and checksums) and moto (which knows classes and locks). A server that is not installed is
 * skipped, and said so.
 *
 *   deno run -A tests/campaigns/servers.ts [--rounds 6] [--seed N] [--only NAME]
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { openSlot } from "../../lib/crypto/mod.ts";
import { type Bucket, openBucket } from "../../lib/store/mod.ts";
import { init } from "../../lib/verbs/mod.ts";
import { type Machine, machineOf, sessionOf } from "../repository/machine.ts";
import { type BucketServer, servers } from "./bucket_servers.ts";
import { type Numbers, numbers } from "./numbers.ts";
import { readOptions } from "./options.ts";
import { assertEnded, feedWhole, type Running, start } from "./running.ts";
import { assertRestores, sampleTar } from "./stream.ts";
import { say, Tally } from "./tally.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const MIB = 1024 * 1024;
/** Several bricks of 16 MiB. */
const TAR_BYTES = 44 * MIB;

const { seed, amount: rounds, only } = readOptions({ name: "rounds", usual: 6 });
say(`seed ${seed}, ${rounds} kills at each server`);
const tally = new Tally();
for (const name of Object.keys(servers).filter((name) => name.includes(only))) await tryServer(name);
tally.end();

async function tryServer(name: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tarzan-servers-" });
  let server: BucketServer | undefined;
  try {
    await tally.attempt(`${name}: starts`, async () => {
      await Deno.mkdir(`${folder}/server`);
      server = await servers[name]!(`${folder}/server`);
    });
    if (server === undefined) return;
    // Verbs in this process sign with the same keys as our own processes.
    for (const [variable, value] of Object.entries(server.environment)) Deno.env.set(variable, value);
    await tryCases(server, folder);
  } finally {
    await server?.stop();
    await Deno.remove(folder, { recursive: true });
  }
}

async function tryCases(server: BucketServer, folder: string): Promise<void> {
  const next = numbers(seed);
  const { name } = server;
  await tally.attempt(`${name}: the conformance suite`, () => conformance(server));
  await tally.attempt(`${name}: classes and locks`, async () => {
    const site = await found(server, { folder: `${folder}/locked`, bucket: "locked" });
    assertEnded(
      await feedWhole(site.create("--class", "STANDARD_IA", "--lock-days", "9", "--lock-mode", "compliance"), tarOf(1)),
      { code: 0 },
    );
    await assertRestores(site.machine, { expected: tarOf(1) });
    const bucket = await site.open();
    try {
      const objects = await Array.fromAsync(bucket.list("bricks/"));
      assert.ok(objects.length >= 2);
      for (const { key } of objects) {
        const there = await bucket.head(key);
        if (server.keepsClasses) assert.equal(there?.class, "STANDARD_IA");
        assert.equal(Math.round((there!.lockedUntil!.getTime() - Date.now()) / 86_400_000), 9);
      }
    } finally {
      await bucket.close();
    }
  });
  await tally.attempt(`${name}: two machines at once`, async () => {
    const site = await found(server, { folder: `${folder}/two`, bucket: "backups" });
    const [one, two] = [tarOf(2), tarOf(3)];
    const ended = await Promise.all([feedWhole(site.create(), one), feedWhole(site.create(), two)]);
    for (const end of ended) assertEnded(end, { code: 0 });
    for (const [at, expected] of [one, two].entries()) {
      await assertRestores(site.machine, { snapshot: JSON.parse(ended[at]!.stdout).snapshot, expected });
    }
    assert.deepEqual((await site.machine.verify({ bricks: true })).problems, []);
  });
  const site = await found(server, { folder: `${folder}/killed`, bucket: "backups" });
  let usualMs = 0;
  await tally.attempt(`${name}: a backup that nobody disturbs`, async () => {
    const beganMs = performance.now();
    assertEnded(await feedWhole(site.create(), tarOf(4)), { code: 0 });
    usualMs = performance.now() - beganMs;
    await assertRestores(site.stranger(), { expected: tarOf(4) });
    return `${usualMs.toFixed(0)} ms`;
  });
  for (let round = 0; round < rounds; round++) {
    await tally.attempt(`${name}: kill ${round + 1}`, () => kill(site, { round, usualMs, next }));
  }
  await tally.attempt(
    `${name}: Ctrl-C while bricks are on their way ends soon and leaves them to the next run`,
    async () => {
      const tar = tarOf(5);
      const run = site.create("--limit-upload", "1MiB");
      await run.feed(tar);
      run.kill("SIGINT");
      const beganMs = performance.now();
      const { code } = await run.ended;
      assert.equal(code, 130);
      assert.ok(performance.now() - beganMs < 10_000, "it took more than ten seconds to stop");
      assertEnded(await feedWhole(site.create(), tar), { code: 0 });
      await assertRestores(site.machine, { expected: tar });
      await site.assertTidy();
    },
  );
}

function tarOf(number: number): Uint8Array<ArrayBuffer> {
  return sampleTar(seed + number, TAR_BYTES);
}

/** Kills a backup anywhere in it, looks what is left, and finishes it. */
async function kill(
  site: BucketSite,
  { round, usualMs, next }: { round: number; usualMs: number; next: Numbers },
): Promise<string> {
  const tar = tarOf(100 + round);
  const { emulator } = site.server;
  if (emulator !== undefined) emulator.requests.length = 0;
  // With a slow line, whole bricks wait in the spool when the end comes.
  const isSlow = round % 2 === 1;
  const run = isSlow ? site.create("--limit-upload", "6MiB") : site.create();
  const afterMs = usualMs * (0.3 + (isSlow ? 2 : 0.9) * (round + next(1000) / 1000) / rounds);
  const fed = run.feed(tar).then(() => run.endInput());
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  run.kill("SIGKILL");
  await Promise.all([fed, run.ended]);
  const spooled = (await site.left()).length;
  assert.deepEqual((await site.stranger().verify({ bricks: true, data: true })).problems, [], "verify after the kill");
  const finished = emulator?.requests.filter(isStoredBrick).length;
  assertEnded(await feedWhole(site.create(), tar), { code: 0 });
  await assertRestores(site.stranger(), { expected: tar });
  await site.assertTidy();
  for (const key of new Set(emulator?.requests.map(({ key }) => key))) {
    const sent = emulator!.requests.filter((request) => request.key === key && isStoredBrick(request));
    assert.ok(sent.filter(({ confirmed }) => confirmed).length <= 1, `${key} was sent again after it was confirmed`);
  }
  const stored = finished === undefined ? "" : `, ${finished} bricks stored`;
  return `after ${afterMs.toFixed(0)} ms${stored}, ${spooled} files left in spool and journal`;
}

function isStoredBrick({ operation, key = "", status }: { operation: string; key?: string; status: number }): boolean {
  return operation === "PutObject" && status === 200 && /\/(bricks|meta)\//.test(key);
}

async function conformance({ endpoint, environment, weakAt }: BucketServer): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "-q", "--no-check", `${root}tests/store/s3_elsewhere_test.ts`],
    cwd: root,
    env: { ...environment, TARZAN_TEST_S3: endpoint, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  const [passed, failed] = (/(\d+) passed \| (\d+) failed/.exec(text) ?? []).slice(1).map(Number);
  assert.ok(passed !== undefined && passed > 20, `the suite did not run: ${text}`);
  const failures = text.split("\n").filter((line) => / \.\.\. FAILED/.test(line));
  const isKnown = (line: string) => weakAt.some((name) => line.includes(name));
  assert.ok(failures.length === failed && failures.every(isKnown), text);
  assert.ok(failures.length > 0 || code === 0, text);
  return `${passed} tests${failures.map((line) => `; as known, not "${line.replace(/ \.\.\..*/, "")}"`).join("")}`;
}

/** A repository in a bucket of a server, with machines in this process and as processes. */
interface BucketSite {
  readonly server: BucketServer;
  readonly machine: Machine;
  stranger(): Machine;
  create(...words: string[]): Running;
  open(): Promise<Bucket>;
  /** Files in spool and journal that a dead run left. */
  left(): Promise<string[]>;
  /** That neither spool nor journal has anything left, and that ledgers tell of every brick. */
  assertTidy(): Promise<void>;
}

async function found(
  server: BucketServer,
  { folder, bucket }: { folder: string; bucket: string },
): Promise<BucketSite> {
  await Deno.mkdir(folder);
  const prefix = folder.slice(folder.lastIndexOf("/") + 1);
  const location = `s3://${bucket}/${prefix}`;
  const choice = { endpoint: server.endpoint };
  const identity = await generateHybridIdentity();
  const founding = sessionOf({ location, state: `${folder}/founding`, config: `${folder}/config` });
  const { slots } = await init({ ...founding, bucket: choice }, {
    chunkSizes: { min: 4096, average: 8192, max: 16384 },
    recipients: [await identityToRecipient(identity)],
    recipientsFiles: [],
    passphraseChoice: "none",
  });
  const open = () => openBucket({ bucket, prefix: `${prefix}/`, ...choice });
  const store = await open();
  const key = await openSlot(await store.get(slots[0]!), { identities: [identity] });
  await store.close();
  await Deno.writeTextFile(`${folder}/full.key`, key, { mode: 0o600 });
  const state = `${folder}/state`;
  // The machine remembers the endpoint from here on.
  const config = `${folder}/config`;
  const machine = machineOf({ location, state, config, key });
  let strangers = 0;
  const stranger = () => machineOf({ location, state: `${folder}/stranger-${++strangers}`, config, key });
  const words = ["run", "-q", "--no-prompt", "--no-remote", "--config", `${root}deno.json`, "-P=tarzan"];
  const left = async () =>
    (await filesIn(state)).filter((path) => /\/(spool|journal-)[^/]*\/.*(\.whole|[0-9a-f]{64}|\/\d+)$/.test(path));
  const create = ["create", "--json", "--brick-size", "16MiB", "--identity", `${folder}/full.key`];
  return {
    server,
    machine,
    stranger,
    open,
    create: (...more) =>
      start([Deno.execPath(), ...words, `${root}main.ts`, ...create, ...more], {
        env: {
          ...server.environment,
          TARZAN_REPOSITORY: location,
          TARZAN_STATE_DIR: state,
          TARZAN_CONFIG_DIR: config,
        },
      }),
    left,
    async assertTidy() {
      assert.deepEqual(await left(), []);
      const { bricks, problems } = await stranger().verify();
      assert.deepEqual(problems, []);
      const bucket = await open();
      const objects = [
        ...await Array.fromAsync(bucket.list("bricks/")),
        ...await Array.fromAsync(bucket.list("meta/")),
      ];
      await bucket.close();
      assert.equal(bricks, objects.length, `${objects.length} bricks are there, ledgers tell of ${bricks}`);
    },
  };
}

async function filesIn(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) paths.push(...await filesIn(`${folder}/${name}`));
    else paths.push(`${folder}/${name}`);
  }
  return paths;
}
