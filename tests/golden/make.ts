/**
 * Makes tests/golden/v1: a repository with all that version 1 of the format has, the tars that it came from, and what is
 * needed to read it. It was run once, for that version; the result is to be readable for ever, so it is never made again.
 * Needs GNU tar.
 *
 *   deno run -A tests/golden/make.ts FOLDER
 */
import { constants, zstdCompressSync } from "node:zlib";
import { Keyring, openSlot, parseBundle } from "../../lib/crypto/mod.ts";
import { Catalog } from "../../lib/catalog/mod.ts";
import { listSlots, openRepository, recordDamage } from "../../lib/repository/mod.ts";
import { openDirectoryStore } from "../../lib/store/mod.ts";
import { init, keyAdd, listSnapshots, type VerbSession } from "../../lib/verbs/mod.ts";
import { joined, type Machine, machineOf, sessionOf } from "../repository/machine.ts";
import { END, longName, member, pax } from "../tar/archives.ts";
import type { Expected, ExpectedSnapshot } from "./expected.ts";

const PASSPHRASE = "golden-passphrase-of-version-1";
/** Almost the smallest that there may be, so that a body of a MiB has many. */
const CHUNKS = { min: 4096, average: 6144, max: 16384 };
const MIB = 1024 * 1024;

const [folder] = Deno.args;
if (folder === undefined) throw new Error("Name the folder to make");
const work = await Deno.makeTempDir({ prefix: "tarzan-golden-" });
try {
  // The host's name stands in every index.
  Deno.hostname = () => "golden";
  await make(folder);
} finally {
  await Deno.remove(work, { recursive: true });
}

async function make(folder: string): Promise<void> {
  await Deno.mkdir(`${folder}/tars`, { recursive: true });
  const location = `${folder}/repository`;
  const secrets = { passphrase: () => Promise.resolve(PASSPHRASE), identities: [] };
  const owner: VerbSession = { ...sessionOf(placeOf("owner", location)), secrets, newSecrets: secrets };
  const slotChoice = { recipients: [], recipientsFiles: [], passphraseChoice: "ask" as const };
  await init(owner, { ...slotChoice, chunkSizes: CHUNKS });
  const write = await keyAdd(owner, {
    ...slotChoice,
    role: "write",
    domain: "web",
    label: "web",
    out: `${work}/web.key`,
  });
  const webKey = await Deno.readTextFile(write.file!);
  await keyAdd(owner, { ...slotChoice, role: "list", domain: undefined, label: "list", out: undefined });

  const full = machineWith(owner);
  const web = machineOf({ ...placeOf("web", location), key: webKey });
  const everything = await manyForms();
  const ofTheWeb = joined([member({ name: "web" }, "of another domain\n".repeat(50)), END]);
  const snapshots = [
    await backUp(full, { folder, name: "everything", tar: everything }),
    await backUp(full, { folder, name: "opaque", tar: opaque() }),
    await backUp(full, {
      folder,
      name: "cut-short",
      tar: everything.slice(0, -END.length - 5120 - 512 + 100),
      of: "everything",
    }),
    await backUp(web, { folder, name: "web", tar: ofTheWeb }),
    await interrupted(full, { folder, name: "interrupted", tar: manyFiles() }),
  ];
  const config = await Deno.readTextFile(`${location}/tarzan.json`);
  await damageRecord(location, full);
  const expected: Expected = { passphrase: PASSPHRASE, webKey, config, snapshots };
  await Deno.writeTextFile(`${folder}/expected.json`, JSON.stringify(expected, null, 2) + "\n");
}

function placeOf(name: string, location: string) {
  return { location, state: `${work}/${name}/state`, config: `${work}/${name}/config` };
}

/** A machine that goes on with a session, and its secrets. */
function machineWith(session: VerbSession): Machine {
  const machine = machineOf({ ...placeOf("owner", session.places.repository()), key: "" });
  Object.assign(machine.session, { secrets: session.secrets });
  return machine;
}

interface Backup {
  folder: string;
  name: string;
  tar: Uint8Array<ArrayBuffer>;
  /** The tar of which this one is the beginning. */
  of?: string;
}

async function backUp(machine: Machine, { folder, name, tar, of }: Backup): Promise<ExpectedSnapshot> {
  const { snapshot, complete, entries, bytes } = await machine.create(tar, { label: name, brickBytes: 8 * MIB });
  if (of === undefined) await keepTar(folder, name, tar);
  return { name, snapshot, complete, entries, bytes, tar: of ?? name };
}

async function keepTar(folder: string, name: string, tar: Uint8Array): Promise<void> {
  const small = zstdCompressSync(tar, { params: { [constants.ZSTD_c_compressionLevel]: 19 } });
  await Deno.writeFile(`${folder}/tars/${name}.tar.zst`, small);
}

/** A run that ends behind its first checkpoint. */
async function interrupted(machine: Machine, { folder, name, tar }: Backup): Promise<ExpectedSnapshot> {
  const { progress } = machine.session;
  const update = ({ bytesDone = 0 }) => {
    if (bytesDone >= 20 * MIB) throw new Error("interrupted");
  };
  Object.assign(machine.session, { progress: { update, done() {} } });
  try {
    await machine.create(tar, { label: name, brickBytes: 8 * MIB });
    throw new Error("This run was to be interrupted");
  } catch (error) {
    if ((error as Error).message !== "interrupted") throw error;
  }
  Object.assign(machine.session, { progress });
  await keepTar(folder, name, tar);
  const [left] = (await listSnapshots(machine.session)).filter(({ open }) => open);
  if (left === undefined || left.bytes! < MIB) throw new Error("There is no checkpoint, or nothing in it");
  return { name, snapshot: left.snapshot, complete: false, entries: left.entries!, bytes: left.bytes!, tar: name };
}

/** A record of damage about a brick that never was. */
async function damageRecord(location: string, machine: Machine): Promise<void> {
  const store = await openDirectoryStore(location);
  const { slots } = await listSlots(store);
  const passphrase = await machine.session.secrets.passphrase("", { confirm: false });
  for (const { bytes } of slots) {
    const bundle = parseBundle(await openSlot(bytes, { passphrase }));
    if (bundle.role !== "full") continue;
    const catalog = Catalog.open(":memory:", { repository: bundle.repository });
    const repository = await openRepository({ store, keyring: new Keyring(bundle), catalog });
    await recordDamage(repository, [{ brick: "ab".repeat(32), blocks: [0, 2] }, {
      brick: "cd".repeat(32),
      blocks: "all",
    }]);
    catalog.close();
  }
  await store.close();
}

/**
 * What GNU tar makes of links, long names, sparse files and attributes, in its own form and as pax; what it does not make;
 * and a body of more than 64 chunks, whose list is therefore a stream of its own.
 */
async function manyForms(): Promise<Uint8Array<ArrayBuffer>> {
  const source = `${work}/source`;
  await Deno.mkdir(`${source}/directory/${"deep/".repeat(30)}`, { recursive: true });
  await Deno.writeTextFile(`${source}/empty`, "");
  await Deno.writeTextFile(`${source}/one byte`, "1");
  await Deno.writeTextFile(`${source}/511 bytes`, "x".repeat(511));
  await Deno.writeTextFile(`${source}/512 bytes`, "y".repeat(512));
  await Deno.writeTextFile(`${source}/directory/grüße`, "Grüße\n");
  await Deno.writeTextFile(`${source}/directory/${"deep/".repeat(30)}file`, "deep down\n");
  await Deno.symlink("directory/grüße", `${source}/symbolic link`);
  await Deno.link(`${source}/512 bytes`, `${source}/hard link`);
  const sparse = await Deno.open(`${source}/sparse`, { create: true, write: true });
  for (const at of [0, 300_000, 900_000]) {
    await sparse.seek(at, Deno.SeekMode.Start);
    await sparse.write(new TextEncoder().encode(`data at ${at}\n`));
  }
  await sparse.truncate(1_000_000);
  sparse.close();
  const options = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@1700000000"];
  const formats = [["--format=gnu", "--sparse"], ["--format=pax", "--sparse", "--sparse-version=1.0"], [
    "--format=ustar",
  ]];
  const tars: Uint8Array[] = [];
  for (const format of formats) {
    // ustar has no room for the deep one.
    const what = format.includes("--format=ustar") ? ["empty", "one byte", "hard link", "512 bytes"] : ["."];
    const { success, stdout } = await new Deno.Command("tar", {
      args: ["-c", ...options, ...format, "-C", source, ...what],
    }).output();
    if (!success) throw new Error("GNU tar failed");
    tars.push(stdout);
  }
  tars.push(joined([
    pax({ path: "by pax", "SCHILY.xattr.user.colour": "green", mtime: "1700000000.123456789" }),
    member({ name: "short" }, "named by pax"),
    longName(`${"long/".repeat(60)}name`),
    member({ name: "short", magic: "gnu" }, "named by GNU"),
    member({ name: "strange", type: "Q" }, "of a type that nobody knows"),
    member({ name: "large" }, largeBody()),
    member({ name: "last" }, "x".repeat(5000)),
    END,
  ]));
  return joined(tars);
}

/** No tar at all: nothing of it is listed, all of it comes back. */
function opaque(): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode("This is no tar.\n".repeat(700));
  return joined([text, new Uint8Array(20_000), text.subarray(0, 777)]);
}

/** Words that are said again and again, then others: no two chunks are equal, and yet it becomes small. */
function words(what: string, times: number): string {
  return `${what} `.repeat(times);
}

/** More than 64 chunks of the greatest length. */
function largeBody(): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(Array.from({ length: 90 }, (_, i) => words(`part ${i}`, 1900)).join(""));
}

/** Many files, 20 MiB in all. */
function manyFiles(): Uint8Array<ArrayBuffer> {
  const file = (i: number) =>
    new TextEncoder().encode([1, 2, 3].map((part) => words(`file ${i} part ${part}`, 250)).join(""));
  return joined([...Array.from({ length: 1700 }, (_, i) => member({ name: `many/${i}` }, file(i))), END]);
}
