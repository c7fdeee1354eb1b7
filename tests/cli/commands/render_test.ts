import assert from "node:assert/strict";
import { brickJson, checkLine } from "../../../lib/cli/commands/bricks.ts";
import { renderChecksum } from "../../../lib/cli/commands/checksum.ts";
import { renderCreated } from "../../../lib/cli/commands/create.ts";
import { unpackedSentence } from "../../../lib/cli/commands/extract.ts";
import { renderUploaded } from "../../../lib/cli/commands/glacier_upload.ts";
import { renderInspected } from "../../../lib/cli/commands/inspect.ts";
import { keyJson, renderKeys } from "../../../lib/cli/commands/key.ts";
import { renderAdded } from "../../../lib/cli/commands/key_add.ts";
import { renderSnapshots, snapshotJson } from "../../../lib/cli/commands/list.ts";
import { renderFromCold } from "../../../lib/cli/commands/rebuild_from_cold.ts";
import { renderRebuilt } from "../../../lib/cli/commands/rebuilt_lines.ts";
import { renderVerified } from "../../../lib/cli/commands/verify.ts";
import { formatTime } from "../../../lib/cli/units.ts";
import { estimateUpload, shippedPrices } from "../../../lib/glacier/mod.ts";
import type {
  CreateResult,
  FromColdResult,
  GlacierUploadResult,
  SnapshotLine,
  VerifyResult,
} from "../../../lib/verbs/mod.ts";

const mib = 1024 * 1024;
const created: CreateResult = {
  snapshot: "20260806T120000Z-3f9c1a2b",
  location: "/srv/backup",
  complete: true,
  entries: 67_960,
  bytes: 1400 * mib,
  newBytes: 300 * mib,
  deduplicatedBytes: 1100 * mib,
  storedBytes: 98 * mib,
  bricks: 2,
  opaqueBytes: 0,
  milliseconds: 14_000,
};

Deno.test("the summary of a backup is a fact a line", () => {
  assert.equal(
    renderCreated(created),
    `snapshot      20260806T120000Z-3f9c1a2b
entries       67,960
read          1.4 GiB
new           300 MiB
deduplicated  1.1 GiB
stored        98 MiB (7.0 % of what was read)
bricks        2
time          14.0 s (100 MiB/s)
`,
  );
  const cut = renderCreated({ ...created, complete: false, incomplete: "it ends inside a file", out: "b.idx" });
  assert.match(cut, /\nindex {9}b\.idx\nincomplete {4}it ends inside a file\n$/);
});

Deno.test("the summary of a backup says what went into cold storage", () => {
  const cold = { location: "glacier://us-east-1/v", objects: 3, bytes: 98 * mib, dropped: 0, kept: 2 };
  assert.match(
    renderCreated({ ...created, cold }),
    /\ncold storage {2}3 objects sent, 98 MiB; 2 bricks kept here too\n/,
  );
});

Deno.test("the summary of an upload says what was sent, what it costs, and what stays", () => {
  const sizes = [128 * mib, 5 * mib];
  const result: GlacierUploadResult = {
    ...{ location: "s3://cold/a", class: "DEEP_ARCHIVE", dryRun: false, objects: 2, bundles: 1, bytes: 133 * mib },
    ...{ waiting: { bricks: 0, bytes: 0 }, elsewhere: 0, damaged: [] },
    estimate: estimateUpload(sizes.map((bytes) => ({ class: "DEEP_ARCHIVE", bytes })), { prices: shippedPrices() }),
    dropped: { bricks: 1, bytes: 128 * mib, unconfirmed: 2, refused: 1 },
  };
  assert.equal(
    renderUploaded(result),
    `cold storage  s3://cold/a (DEEP_ARCHIVE)
sent          2 objects, 1 bundle among them: 133 MiB
costs         0.0002 USD once, 0.0002 USD a month
at least      0.0008 USD for storage, however soon it is removed
removed here  1 brick, 128 MiB
kept here     3 bricks that could have been removed
`,
  );
  const { dropped: _, ...nothing } = { ...result, objects: 0, bundles: 0, bytes: 0, dryRun: true };
  assert.equal(
    renderUploaded({ ...nothing, waiting: { bricks: 3, bytes: 2 * mib } }),
    `cold storage   s3://cold/a (DEEP_ARCHIVE)
would be sent  nothing: everything is there
waiting        3 small bricks, 2 MiB: until there are more
`,
  );
});

const sound: VerifyResult = {
  snapshots: 3,
  bricks: 12,
  bricksHashed: 0,
  coldBricks: 0,
  blocksOpened: 0,
  bytesReplayed: 0,
  problems: [],
  affected: [],
  unchecked: [],
  partlyOffSite: [],
  inventories: [],
};

Deno.test("a check without findings is one sentence that says what was done", () => {
  assert.equal(renderVerified(sound), "ok: 3 snapshots, 12 bricks; no problem found\n");
  assert.equal(
    renderVerified({ ...sound, snapshots: 1, bricksHashed: 12, bytesReplayed: 5 * mib, blocksOpened: 7 }),
    "ok: 1 snapshot, 12 bricks, 12 bricks hashed, 5 MiB restored and compared, 7 blocks decrypted; no problem found\n",
  );
  assert.match(renderVerified({ ...sound, unchecked: ["That one"] }), /^not checked: That one\nok: /);
});

Deno.test("a check tells which snapshots the loss of the hot store would touch", () => {
  const partlyOffSite = [{ snapshot: "s1", label: "nightly", coldBricks: 1080, bricks: 1083 }];
  assert.match(
    renderVerified({ ...sound, partlyOffSite }),
    /^snapshot s1 "nightly": cold: 1,080 of 1,083; "tarzan glacier-upload" sends the rest\nok: /,
  );
});

Deno.test("a check with findings tells each problem, what it touches, and the verdict last", () => {
  const result: VerifyResult = {
    ...sound,
    problems: [
      { kind: "missing brick", name: "3f", message: "Brick 3f is missing in /srv" },
      { kind: "chain", name: "s", message: "Snapshot s was made\nafter another" },
    ],
    affected: [
      { snapshot: "s1", label: "nightly", entries: ["etc/hosts", "etc/fstab"], count: 1202, nameless: true },
      { snapshot: "s2", label: "", entries: ["a"], count: 1, nameless: false },
    ],
  };
  assert.equal(
    renderVerified(result),
    `missing brick: Brick 3f is missing in /srv
chain: Snapshot s was made\\nafter another
snapshot s1 "nightly": damage touches 1,202 entries and bytes that belong to no entry
  etc/hosts
  etc/fstab
  and 1,200 more
snapshot s2: damage touches 1 entry
  a
damaged: 2 problems, 2 snapshots touched (3 snapshots, 12 bricks)
`,
  );
});

const snapshots: SnapshotLine[] = [
  {
    snapshot: "20260806T120000Z-3f9c1a2b",
    domain: "d1",
    created: "2026-08-06T12:00:00.123Z",
    complete: true,
    open: false,
    host: "größer",
    label: "nightly\x1b[2J",
    tags: ["a", "b"],
    entries: 67_960,
    bytes: 1400 * mib,
    bricks: 12,
  },
  { snapshot: "s2", domain: "d2", created: "2026-08-07T12:00:00Z", complete: false, open: true },
  { snapshot: "s3", domain: "d2", created: "", complete: false, open: false, problem: "the MAC is wrong" },
];

Deno.test("backups are a table whose columns stand below each other, with a dash for what is not known", () => {
  assert.equal(
    renderSnapshots(snapshots, { long: false }),
    `SNAPSHOT                   CREATED               HOST    LABEL           TAGS  ENTRIES     SIZE  STATE
20260806T120000Z-3f9c1a2b  2026-08-06T12:00:00Z  größer  nightly\\x1b[2J  a,b    67,960  1.4 GiB  complete
s2                         2026-08-07T12:00:00Z  -       -               -           -        -  unfinished: being written, or interrupted
s3                         -                     -       -               -           -        -  unreadable: the MAC is wrong
`,
  );
  assert.match(renderSnapshots(snapshots, { long: true }), / DOMAIN +BRICKS +STATE\n.* d1 +12 +complete\n/);
});

Deno.test("JSON of a backup leaves out what is not known", () => {
  assert.deepEqual(JSON.parse(snapshotJson(snapshots[2]!)), {
    schema: "tarzan.snapshot/1",
    snapshot: "s3",
    domain: "d2",
    complete: false,
    open: false,
    problem: "the MAC is wrong",
  });
});

Deno.test("bricks are lines for sha256sum -c, checksums have tree hash and length too", () => {
  const name = "ab".repeat(32);
  const line = { name, object: `meta/ab/${name}`, kind: "M" as const, bytes: 65_536, treeHash: "cd".repeat(32) };
  assert.equal(checkLine(line), `${name}  meta/ab/${name}\n`);
  assert.deepEqual(JSON.parse(brickJson(line)), {
    schema: "tarzan.brick/1",
    sha256: name,
    object: line.object,
    kind: "meta",
    bytes: 65_536,
    treeHash: line.treeHash,
  });
  assert.equal(renderChecksum({ path: "a\nb", sha256: "1f", treeHash: "2e", length: 7 }), "1f  2e  7  a\\nb\n");
});

Deno.test("what inspect finds is a fact a line, and nothing in it reaches the terminal raw", () => {
  const facts = [
    { label: "complete", value: true },
    { label: "previous", value: null },
    { label: "created", value: "\x1b]0;x\x07" },
  ];
  assert.equal(
    renderInspected({ kind: "tarzan index", facts }),
    "kind      tarzan index\ncomplete  yes\nprevious  none\ncreated   \\x1b]0;x\\x07\n",
  );
});

Deno.test("what is off-site is a column where there is cold storage, and nothing elsewhere", () => {
  const [first, second] = snapshots;
  const lines = [{ ...first!, coldBricks: 10 }, second!];
  assert.match(renderSnapshots(lines, { long: false }), / COLD +STATE\n.* 10 of 12 +complete\n/);
  assert.doesNotMatch(renderSnapshots(snapshots, { long: true }), /COLD/);
  assert.equal(JSON.parse(snapshotJson(lines[0]!)).coldBricks, 10);
});

const unpacking: FromColdResult = {
  ...{ from: "s3://b/p", location: "/mnt/new", bundles: 3, bytes: 5 * mib, unpacked: 1 },
  ...{ problems: [], doubtfulSlots: [] },
};

Deno.test("a rebuild from cold storage says what it waits for, and in the end what there is", () => {
  const readyAt = new Date("2026-08-06T12:00:00Z");
  const cost = { retrieval: 1, requests: 0, copies: 0, reads: 0, egress: 0.25, total: 1.25 };
  assert.equal(
    renderFromCold({ ...unpacking, cost, waiting: { what: "copies", readyAt } }),
    `cold storage  s3://b/p
repository    /mnt/new
bundles       1 of 3, 5 MiB
costs         1.25 USD, estimated
waiting       copies are being made; run the same command again after ${formatTime(readyAt)}
`,
  );
  const rebuilt = { bricks: 7, chunks: 1000, domains: 1, adopted: [], strangers: [], problems: [] };
  const done = { ...unpacking, unpacked: 3, rebuilt, placed: 2, orphans: ["aa"], problems: ["Bundle x was altered"] };
  assert.equal(
    renderFromCold({ ...done, doubtfulSlots: ["keys/old-1.age"] }),
    `bundles: Bundle x was altered
key slot keys/old-1.age is not in the newest bundle: if you had removed it, remove it again
cold storage  s3://b/p
repository    /mnt/new
bundles       3 of 3, 5 MiB
found         2 bricks that the ledger did not place there; on record now
unknown       1 brick there that no ledger tells of: left by a run that broke off, or of others
domains  1
bricks   7
chunks   1,000
`,
  );
  const early = { ...unpacking, bundles: 0, waiting: { what: "inventory" as const, readyAt: undefined } };
  assert.match(
    renderFromCold(early),
    /\nwaiting +the vault makes an inventory; run the same command again in a day or so\n$/,
  );
});

Deno.test("a rebuild tells of adopted bricks, strangers and problems only where there are any", () => {
  const plain = { domains: 1, bricks: 2, chunks: 1234, adopted: [], strangers: [], problems: [] };
  assert.equal(renderRebuilt(plain), "domains  1\nbricks   2\nchunks   1,234\n");
  const text = renderRebuilt({ ...plain, adopted: ["a"], strangers: ["b", "c"], problems: ["It is damaged"] });
  assert.match(text, /^ledger: It is damaged\n[^]*\nadopted {4}1 brick that[^]*\nstrangers {2}2 bricks that/);
});

Deno.test("a new key says where it is and how to use it", () => {
  const domain = { id: "4a", name: "web" };
  const file = renderAdded({ role: "write", domain, slots: [], file: "web.key", code: "k3vm" });
  assert.match(file, /^role +write\ndomain +web\nfile +web\.key\ncode +k3vm[^]*--identity web\.key\n.*not encrypted/);
  const slot = renderAdded({ role: "list", domain, slots: ["keys/ann-1.age"], code: "k3vm" });
  assert.match(slot, /^role +list\nslot +keys\/ann-1\.age\ncode +k3vm .*--pin/);
});

Deno.test("key slots are a table, and those that cannot be read are told of below it", () => {
  const ann = { name: "keys/ann-1.age", label: "ann", sealedWith: "passphrase", postQuantum: true };
  const bad = { name: "", label: "", sealedWith: "", postQuantum: false, problem: "Cannot read keys/x.age" };
  assert.match(renderKeys([ann, bad]), /^SLOT .*\nkeys\/ann-1\.age +ann +yes +passphrase\nCannot read keys\/x\.age\n$/);
  assert.deepEqual(JSON.parse(keyJson(bad)), { schema: "tarzan.key/1", problem: "Cannot read keys/x.age" });
});

Deno.test("unpacking is told in a sentence", () => {
  assert.equal(unpackedSentence({ snapshot: "s", bytes: mib }, "out"), "Unpacked snapshot s into out (1 MiB).");
  const one = unpackedSentence({ snapshot: "s", bytes: mib, entries: 1 }, "out");
  assert.equal(one, "Unpacked 1 entry of snapshot s into out (1 MiB).");
});
