/**
 * The emulator, driven by AWS's command line tool: what tests are made against must be what programs expect that nobody
 * here wrote. Every `aws` that is found is used (Debian's and a newer one differ in how they sign, hash and cut bodies).
 *
 *   deno task test:clients [--seed N] [--rounds N] [--only TEXT]
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Emulator, startEmulator } from "../emulator/mod.ts";
import { numbers } from "./numbers.ts";
import { readOptions } from "./options.ts";
import { say, SkippedError, Tally } from "./tally.ts";

const options = readOptions({ name: "rounds", usual: 1 });
const tally = new Tally();
const next = numbers(options.seed);
say(`seed ${options.seed}`);

const mebibyte = 1024 ** 2;
const [hour, day] = [3_600_000, 86_400_000];

/** An emulator, a folder, and one `aws` to drive it with. */
interface Scene {
  emulator: Emulator;
  folder: string;
  /** Runs it; its standard output. Fails with what it says when it fails. */
  aws(...words: string[]): Promise<string>;
  /** The same, where the output is JSON. */
  // deno-lint-ignore no-explicit-any
  json(...words: string[]): Promise<any>;
  /** The error code of a call that has to be refused. */
  refused(...words: string[]): Promise<string>;
  /** A file of random bytes. */
  file(name: string, length: number): Promise<{ path: string; bytes: Uint8Array }>;
}

/** Programs of this name on the PATH, each once; a shim stands for what it starts, so versions tell them apart. */
async function programs(name: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const path = `${folder}/${name}`;
    try {
      await Deno.stat(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) continue;
      throw error;
    }
    const { success, stdout } = await new Deno.Command(path, { args: ["--version"] }).output();
    const version = new TextDecoder().decode(stdout).split(" ")[0]!;
    if (success && !found.has(version)) found.set(version, path);
  }
  return found;
}

async function withScene(program: string, test: (scene: Scene) => Promise<string | void>): Promise<string | void> {
  const folder = await Deno.makeTempDir();
  const bodies = await Deno.makeTempDir();
  const emulator = await startEmulator({ startAt: new Date("2026-03-01T10:00:00Z"), folder: bodies });
  const run = async (words: string[]) => {
    const more = { PATH: Deno.env.get("PATH")!, HOME: folder, AWS_PAGER: "", AWS_MAX_ATTEMPTS: "1", LC_ALL: "C.UTF-8" };
    const args = ["--endpoint-url", emulator.endpoint, "--output", "json", ...words];
    const command = new Deno.Command(program, { args, env: { ...emulator.environment(), ...more }, clearEnv: true });
    const { code, stdout, stderr } = await command.output();
    return { code, out: new TextDecoder().decode(stdout), said: new TextDecoder().decode(stderr) };
  };
  const aws: Scene["aws"] = async (...words) => {
    const { code, out, said } = await run(words);
    if (code !== 0) throw new Error(`aws ${words.join(" ")} ended with ${code}: ${said}`);
    return out;
  };
  // Of an empty list older versions print nothing at all.
  const json: Scene["json"] = async (...words) => JSON.parse(await aws(...words) || "{}");
  const refused: Scene["refused"] = async (...words) => {
    const { code, said } = await run(words);
    assert.notEqual(code, 0, `aws ${words.join(" ")} should have been refused`);
    return said.match(/\((\w+)\)/)?.[1] ?? said;
  };
  const file: Scene["file"] = async (name, length) => {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 4096) {
      bytes.subarray(at, at + 4096).fill(next(256));
      bytes[at] = next(256);
    }
    await Deno.writeFile(`${folder}/${name}`, bytes);
    return { path: `${folder}/${name}`, bytes };
  };
  try {
    return await test({ emulator, folder, aws, json, refused, file });
  } finally {
    await emulator.close();
    await Deno.remove(folder, { recursive: true });
    await Deno.remove(bodies);
  }
}

/** Copies of all sizes: in one request, in parts, empty. */
async function copies({ emulator, folder, aws, json, file }: Scene): Promise<string> {
  emulator.createBucket("backups");
  const lengths = [0, 1 + next(100_000), 8 * mebibyte - 1, 8 * mebibyte, 17 * mebibyte + next(mebibyte)];
  for (const [at, length] of lengths.entries()) {
    const { path, bytes } = await file("out", length);
    const url = `s3://backups/a folder/${at} ü+%&'(1).bin`;
    await aws("s3", "cp", path, url, "--no-progress");
    await aws("s3", "cp", url, `${folder}/in`, "--no-progress");
    assert.ok(sameBytes(bytes, await Deno.readFile(`${folder}/in`)), `${length} bytes`);
  }
  const listed = await json("s3api", "list-objects-v2", "--bucket", "backups", "--page-size", "2");
  assert.deepEqual(listed.Contents.map(({ Size }: { Size: number }) => Size), lengths);
  await aws("s3", "rm", "s3://backups/", "--recursive", "--only-show-errors");
  assert.equal((await json("s3api", "list-object-versions", "--bucket", "backups")).Versions, undefined);
  assert.deepEqual(emulator.requests.filter(({ status }) => status >= 400), []);
  return lengths.join(", ");
}

/** A folder that is synchronised: the second time nothing is sent. */
async function synchronises({ emulator, folder, aws, file }: Scene): Promise<void> {
  await aws("s3", "mb", "s3://backups");
  await Deno.mkdir(`${folder}/tree`);
  for (let count = 0; count < 12; count++) await file(`tree/${count}.bin`, next(50_000));
  const uploads = () => emulator.requests.filter(({ operation }) => operation === "PutObject").length;
  const sync = ["s3", "sync", `${folder}/tree`, "s3://backups/tree", "--size-only", "--only-show-errors"];
  await aws(...sync);
  assert.equal(uploads(), 12);
  await aws(...sync);
  assert.equal(uploads(), 12);
  await aws("s3", "rb", "s3://backups", "--force");
}

async function thaws({ emulator, folder, aws, json, refused, file }: Scene): Promise<void> {
  emulator.createBucket("backups");
  const { path, bytes } = await file("brick", 300_000);
  const object = ["--bucket", "backups", "--key", "brick"];
  await aws("s3", "cp", path, "s3://backups/brick", "--storage-class", "DEEP_ARCHIVE", "--no-progress");
  assert.equal(await refused("s3api", "get-object", ...object, `${folder}/in`), "InvalidObjectState");
  const restore = ["s3api", "restore-object", ...object, "--restore-request"];
  const request = '{"Days":2,"GlacierJobParameters":{"Tier":"Bulk"}}';
  assert.equal(await refused(...restore, request.replace("Bulk", "Expedited")), "InvalidArgument");
  await aws(...restore, request);
  assert.equal(await refused(...restore, request), "RestoreAlreadyInProgress");
  assert.equal((await json("s3api", "head-object", ...object)).Restore, 'ongoing-request="true"');
  emulator.clock.advance(48 * hour);
  const head = await json("s3api", "head-object", ...object);
  assert.equal(head.Restore, 'ongoing-request="false", expiry-date="Thu, 05 Mar 2026 00:00:00 GMT"');
  assert.equal(head.StorageClass, "DEEP_ARCHIVE");
  await aws("s3api", "get-object", ...object, `${folder}/in`);
  assert.ok(sameBytes(bytes, await Deno.readFile(`${folder}/in`)));
}

async function locks({ emulator, aws, json, refused, file }: Scene): Promise<void> {
  const { path, bytes } = await file("brick", 1000);
  await aws("s3api", "create-bucket", "--bucket", "locked", "--object-lock-enabled-for-bucket");
  const object = ["--bucket", "locked", "--key", "brick"];
  const lock = ["--object-lock-mode", "COMPLIANCE", "--object-lock-retain-until-date", "2026-03-05T00:00:00Z"];
  const put = await json("s3api", "put-object", ...object, "--body", path, ...lock, "--checksum-algorithm", "SHA256");
  assert.equal(put.ChecksumSHA256, createHash("sha256").update(bytes).digest("base64"));
  const version = [...object, `--version-id=${put.VersionId}`];
  assert.equal(await refused("s3api", "delete-object", ...version), "AccessDenied");
  const retain = ["s3api", "put-object-retention", ...object, "--retention"];
  assert.equal(await refused(...retain, "Mode=COMPLIANCE,RetainUntilDate=2026-03-04T00:00:00Z"), "AccessDenied");
  await aws(...retain, "Mode=COMPLIANCE,RetainUntilDate=2026-03-06T00:00:00Z");
  assert.equal((await json("s3api", "delete-object", ...object)).DeleteMarker, true);
  const { Versions, DeleteMarkers } = await json("s3api", "list-object-versions", "--bucket", "locked");
  assert.deepEqual([Versions.length, DeleteMarkers.length], [1, 1]);
  emulator.clock.advance(5 * day);
  await aws("s3api", "delete-object", ...version);
}

async function vaults({ emulator, folder, aws, json, refused, file }: Scene): Promise<string> {
  const vault = ["--account-id", "-", "--vault-name", "backups"];
  await aws("glacier", "create-vault", ...vault);
  const length = 3 * mebibyte + 1 + next(2 * mebibyte);
  const { path, bytes } = await file("brick", length);
  const whole = await json("glacier", "upload-archive", ...vault, "--body", path, "--archive-description", "a brick");
  const begun = await json("glacier", "initiate-multipart-upload", ...vault, "--part-size", String(mebibyte));
  const upload = [...vault, `--upload-id=${begun.uploadId}`];
  const starts = Array.from({ length: Math.ceil(length / mebibyte) }, (_, index) => index * mebibyte);
  const order = starts.map((from) => [next(1000), from] as const).sort(([a], [b]) => a - b);
  for (const [, from] of order) {
    const part = bytes.subarray(from, from + mebibyte);
    await Deno.writeFile(`${folder}/part`, part);
    const range = `bytes ${from}-${from + part.length - 1}/*`;
    await aws("glacier", "upload-multipart-part", ...upload, "--body", `${folder}/part`, "--range", range);
  }
  assert.equal((await json("glacier", "list-parts", ...upload)).Parts.length, starts.length);
  const complete = ["glacier", "complete-multipart-upload", ...upload, "--archive-size", String(length), "--checksum"];
  assert.equal(await refused(...complete, "0".repeat(64)), "InvalidParameterValueException");
  // The same bytes in one piece: the client's own tree hash of them must be that of the parts.
  const done = await json(...complete, whole.checksum);
  emulator.clock.advance(day);
  const begin = async (parameters: Record<string, string>) =>
    (await json("glacier", "initiate-job", ...vault, "--job-parameters", JSON.stringify(parameters))).jobId;
  const inventory = await begin({ Type: "inventory-retrieval" });
  const retrieval = await begin({ Type: "archive-retrieval", ArchiveId: done.archiveId, Tier: "Bulk" });
  const output = ["glacier", "get-job-output", ...vault];
  assert.equal(await refused(...output, `--job-id=${retrieval}`, `${folder}/in`), "InvalidParameterValueException");
  emulator.clock.advance(12 * hour);
  const { StatusCode } = await json("glacier", "describe-job", ...vault, `--job-id=${retrieval}`);
  assert.equal(StatusCode, "Succeeded");
  const told = await json(...output, `--job-id=${retrieval}`, `${folder}/in`);
  assert.equal(told.checksum, whole.checksum);
  assert.ok(sameBytes(bytes, await Deno.readFile(`${folder}/in`)));
  const part = await json(...output, `--job-id=${retrieval}`, "--range", `bytes=0-${mebibyte - 1}`, `${folder}/in`);
  assert.equal(part.status, 206);
  assert.ok(sameBytes(bytes.subarray(0, mebibyte), await Deno.readFile(`${folder}/in`)));
  await aws(...output, `--job-id=${inventory}`, `${folder}/in`);
  const { ArchiveList } = JSON.parse(await Deno.readTextFile(`${folder}/in`));
  assert.deepEqual(
    ArchiveList.map((
      { ArchiveId, Size, SHA256TreeHash }: Record<string, unknown>,
    ) => [ArchiveId, Size, SHA256TreeHash]),
    [whole, done].map(({ archiveId }) => [archiveId, length, whole.checksum]),
  );
  await aws("glacier", "delete-archive", ...vault, `--archive-id=${done.archiveId}`);
  assert.equal(await refused("glacier", "delete-vault", ...vault), "InvalidParameterValueException");
  return `${length} bytes`;
}

/** Which bytes differ does not matter here, and deepEqual is slow with many. */
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

const cases: [string, (scene: Scene) => Promise<string | void>][] = [
  ["copies objects of all sizes there and back", copies],
  ["synchronises a folder", synchronises],
  ["restores an archived object", thaws],
  ["locks versions", locks],
  ["uploads to a vault, retrieves, takes stock", vaults],
];

const found = await programs("aws");
if (found.size === 0) {
  await tally.attempt("aws", () => Promise.reject(new SkippedError("there is no `aws` here: install awscli")));
}
for (let round = 1; round <= options.amount; round++) {
  for (const [version, program] of found) {
    for (const [name, test] of cases) {
      const whole = `round ${round}, ${version}: ${name}`;
      if (whole.includes(options.only)) await tally.attempt(whole, () => withScene(program, test));
    }
  }
}
tally.end();
