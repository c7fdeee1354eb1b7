/**
 * A repository's life through the whole program, from an empty home on. The tests build on one another and stand in the
 * order in which things happen. Everything that an executable could lack when it is put together takes part: threads,
 * WebAssembly, SQLite, packages loaded late, permissions.
 */
import { generateIdentity, identityToRecipient } from "age-encryption";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { join } from "node:path";
import configuration from "../../deno.json" with { type: "json" };
import { randomBytes } from "../chunker/generated.ts";
import { type Ended, type Given, Machine } from "./program.ts";

const machine = new Machine();
Deno.test.afterAll(() => machine.remove());

const passphrase = ["--passphrase-file", "passphrase"];
const identity = ["--identity", "identity"];
const repository = ["-d", "repository"];

/** The tar of the folder `tree`, which is the input of the backups. */
let input: Uint8Array<ArrayBuffer>;

Deno.test.beforeAll(async () => {
  const ann = await generateIdentity();
  Deno.writeTextFileSync(inHome("identity"), `${ann}\n`, { mode: 0o600 });
  Deno.writeTextFileSync(inHome("recipients"), `${await identityToRecipient(ann)}\n`);
  Deno.writeTextFileSync(inHome("passphrase"), "correct horse\n", { mode: 0o600 });
  Deno.writeTextFileSync(inHome("wrong"), "incorrect horse\n", { mode: 0o600 });
  Deno.mkdirSync(inHome("tree/letters"), { recursive: true });
  Deno.writeFileSync(inHome("tree/letters/ann"), randomBytes(40, 1));
  Deno.writeFileSync(inHome("tree/music"), randomBytes(6_000_000, 2)); // many chunks, for every thread some
  const { stdout, success } = await new Deno.Command("tar", { args: ["c", "tree"], cwd: machine.home }).output();
  assert.ok(success);
  input = stdout;
});

function inHome(path: string): string {
  return join(machine.home, path);
}

/** Runs a command that must succeed. */
async function tarzan(args: readonly string[], given?: Given): Promise<Ended> {
  const run = await machine.tarzan(args, given);
  assert.equal(run.code, 0, `tarzan ${args.join(" ")}\n${run.stderr}`);
  return run;
}

/** Runs a command that must succeed, and gives the objects that it printed. */
// deno-lint-ignore no-explicit-any
async function objects(args: readonly string[], given?: Given): Promise<any[]> {
  const { stdout } = await tarzan([...args.slice(0, 1), "--json", ...args.slice(1)], given);
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("version and help need nothing, not even an environment", async () => {
  assert.equal((await tarzan(["--version"], { env: {} })).stdout, `tarzan ${configuration.version}\n`);
  const { stdout } = await tarzan(["--help"], { env: {} });
  for (const command of ["init", "create", "extract", "verify"]) {
    assert.match(stdout, new RegExp(`^ +${command} `, "m"));
  }
});

Deno.test("without a repository the exit code is 5", async () => {
  assert.equal((await machine.tarzan(["list", ...repository, ...passphrase])).code, 5);
});

Deno.test("init invents a passphrase that opens the repository", async () => {
  const [made] = await objects(["init", "-d", "other", "--generate-passphrase"]);
  assert.match(made.passphrase, /^[a-z]+(-[a-z]+){9}$/);
  const env = { HOME: machine.home, TARZAN_PASSPHRASE: made.passphrase };
  assert.match((await tarzan(["key", "list", "-d", "other"], { env })).stdout, /passphrase/);
});

Deno.test("create makes a repository where there is none, and stores what comes through a pipe with two threads", async () => {
  const words = ["create", "--init", ...repository, ...passphrase, "--recipients-file", "recipients", "--threads", "2"];
  const [made] = await objects([...words, "--out", "backup.idx"], { stdin: input });
  assert.deepEqual([made.complete, made.entries, made.bytes], [true, 4, input.length]);
  assert.ok(made.newBytes > 6_000_000);
});

Deno.test("the catalogue is a SQLite database in the state directory", async () => {
  const state = inHome(".local/state/tarzan");
  const places = await Array.fromAsync(Deno.readDir(state));
  const catalogs = places.map(({ name }) => join(state, name, "catalog.sqlite"));
  const heads = catalogs.filter((path) => exists(path)).map((path) => Deno.readFileSync(path).subarray(0, 15));
  assert.deepEqual(heads.map((head) => new TextDecoder().decode(head)).slice(0, 1), ["SQLite format 3"]);
});

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

Deno.test("create runs a program and stores its output, of which everything is known already", async () => {
  const [made] = await objects(["create", ...repository, ...identity, "--threads", "2", "--", "tar", "c", "tree"]);
  assert.deepEqual([made.complete, made.newBytes, made.producer], [true, 0, { command: "tar", code: 0 }]);
});

Deno.test("verify reads everything, finds the repository by the index, and nothing wrong", async () => {
  const [found] = await objects(["verify", "backup.idx", ...identity, "--bricks", "--data", "--threads", "2"]);
  assert.deepEqual([found.sound, found.snapshots, found.bytesReplayed], [true, 1, input.length]);
});

Deno.test("list shows the backups, and the entries of one", async () => {
  assert.equal((await objects(["list", ...repository, ...identity])).length, 2);
  const entries = await objects(["list", "latest", ...repository, ...identity]);
  assert.deepEqual(entries.map(({ name }) => name).sort(), [
    "tree/",
    "tree/letters/",
    "tree/letters/ann",
    "tree/music",
  ]);
});

Deno.test("extract gives the same bytes, with the passphrase that a command prints too", async () => {
  const { bytes } = await tarzan(["extract", "backup.idx", ...identity]);
  assert.equal(Buffer.compare(bytes, input), 0);
  const command = Deno.build.os === "windows" ? "type passphrase" : "cat passphrase";
  const again = await tarzan(["extract", "backup.idx", "--passphrase-command", command]);
  assert.equal(Buffer.compare(again.bytes, input), 0);
});

Deno.test("extract --to unpacks a part with the system's tar", async () => {
  await tarzan(["extract", "latest", "tree/letters", "--to", "restored", ...repository, ...identity]);
  assert.deepEqual(Deno.readFileSync(inHome("restored/tree/letters/ann")), randomBytes(40, 1));
  assert.equal(exists(inHome("restored/tree/music")), false);
});

Deno.test("a wrong passphrase ends with exit code 6", async () => {
  assert.equal((await machine.tarzan(["list", ...repository, "--passphrase-file", "wrong"])).code, 6);
});

Deno.test("a write key adds backups without a question, and reads none", async () => {
  await tarzan(["key", "add", "--role", "write", "--domain", "web", "--out", "web.key", ...repository, ...identity]);
  const words = [...repository, "--identity", "web.key"];
  const [made] = await objects(["create", ...words, "--threads", "2"], { stdin: input });
  assert.equal(made.complete, true);
  assert.notEqual((await machine.tarzan(["extract", made.snapshot, ...words])).code, 0);
  assert.equal(Buffer.compare((await tarzan(["extract", made.snapshot, ...repository, ...identity])).bytes, input), 0);
});

Deno.test("without its catalogue a machine learns all from the repository", async () => {
  Deno.removeSync(inHome(".local/state"), { recursive: true });
  const [made] = await objects(["create", ...repository, ...identity], { stdin: input });
  assert.equal(made.newBytes, 0);
});

Deno.test("bricks and checksum agree with one another and with SHA-256", async () => {
  const [brick] = await objects(["bricks", "latest", ...repository, ...identity]);
  const path = join("repository", brick.object);
  const [sums] = await objects(["checksum", path]);
  assert.deepEqual([sums.sha256, sums.treeHash, sums.bytes], [brick.sha256, brick.treeHash, brick.bytes]);
  assert.equal(createHash("sha256").update(Deno.readFileSync(inHome(path))).digest("hex"), brick.sha256);
});

Deno.test("a reader that goes away ends extract with exit code 141 and without a word", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const ended = await machine.tarzan(["extract", "backup.idx", ...identity], { readBytes: 1 });
  assert.deepEqual([ended.code, ended.stderr], [141, ""]);
});

Deno.test("damage is found, named and ends with exit code 4", async () => {
  const [brick] = await objects(["bricks", "latest", ...repository, ...identity]);
  const path = join(machine.home, "repository", brick.object);
  const bytes = Deno.readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  Deno.chmodSync(path, 0o600);
  Deno.writeFileSync(path, bytes);
  const ended = await machine.tarzan(["verify", "--bricks", ...repository, ...identity]);
  assert.equal(ended.code, 4);
  assert.match(ended.stdout + ended.stderr, new RegExp(brick.sha256.slice(0, 8)));
});

Deno.test("shell completions are there", async () => {
  assert.match((await tarzan(["completion", "bash"])).stdout, /tarzan/);
  assert.equal((await tarzan(["completion", "bash", "cre"])).stdout, "create\n");
});

Deno.test("nothing was left among the temporary files", () => {
  assert.deepEqual([...Deno.readDirSync(machine.temporary)].map(({ name }) => name), []);
});
