/** Jobs of vaults: retrievals, ranges, inventories, and how long what they bring can be had. */
import * as Glacier from "@aws-sdk/client-glacier";
import assert from "node:assert/strict";
import { refusal, type Scene, someBytes, withEmulator } from "./scene.ts";
import { LeafHasher, treeHash } from "./vault/tree_hash.ts";

const mebibyte = 1024 ** 2;
const [hour, day] = [3_600_000, 86_400_000];
const vault = { accountId: "-", vaultName: "backups" };
const bytes = someBytes(6.5 * mebibyte);

function treeHashOf(part: Uint8Array): string {
  const hasher = new LeafHasher();
  hasher.update(part);
  return treeHash(hasher.end().leaves);
}

/** A vault with one archive, and what can be done with jobs. */
async function jobsOf({ emulator, glacier }: Scene) {
  emulator.createVault("backups");
  const upload = new Glacier.UploadArchiveCommand({ ...vault, body: bytes, archiveDescription: 'a "brick"\\' });
  const { archiveId } = await glacier.send(upload);
  const begin = async (jobParameters: Glacier.JobParameters) =>
    (await glacier.send(new Glacier.InitiateJobCommand({ ...vault, jobParameters }))).jobId!;
  return {
    archiveId: archiveId!,
    begin,
    retrieve: (more: Glacier.JobParameters = {}) => begin({ Type: "archive-retrieval", ArchiveId: archiveId, ...more }),
    describe: (jobId: string) => glacier.send(new Glacier.DescribeJobCommand({ ...vault, jobId })),
    output: async (jobId: string, range?: string) => {
      const output = await glacier.send(new Glacier.GetJobOutputCommand({ ...vault, jobId, range }));
      return { ...output, bytes: new Uint8Array(await output.body!.transformToByteArray()) };
    },
  };
}

Deno.test("a retrieval takes the hours of its tier, and what it brings stays for a day", () =>
  withEmulator(async (scene) => {
    const { clock } = scene.emulator;
    const { retrieve, describe, output } = await jobsOf(scene);
    for (const [Tier, ms] of [["Expedited", 300_000], ["Standard", 5 * hour], ["Bulk", 12 * hour]] as const) {
      const job = await retrieve({ Tier, Description: "for a test" });
      clock.advance(ms - 1);
      const before = await describe(job);
      assert.deepEqual([before.Completed, before.StatusCode, before.SHA256TreeHash ?? null], [
        false,
        "InProgress",
        null,
      ]);
      assert.equal(await refusal(output(job)), "InvalidParameterValueException");
      clock.advance(1);
      const after = await describe(job);
      assert.deepEqual([after.Completed, after.StatusCode, after.Tier], [true, "Succeeded", Tier]);
      assert.deepEqual([after.SHA256TreeHash, after.ArchiveSHA256TreeHash], [treeHashOf(bytes), treeHashOf(bytes)]);
      assert.deepEqual([after.ArchiveSizeInBytes, after.RetrievalByteRange], [bytes.length, `0-${bytes.length - 1}`]);
      const whole = await output(job);
      assert.deepEqual(whole.bytes, bytes);
      assert.deepEqual([whole.status, whole.checksum, whole.archiveDescription], [
        200,
        treeHashOf(bytes),
        'a "brick"\\',
      ]);
      clock.advance(day - 1);
      assert.equal((await output(job, "bytes=0-9")).bytes.length, 10);
      clock.advance(1);
      assert.equal(await refusal(output(job)), "ResourceNotFoundException");
      assert.equal(await refusal(describe(job)), "ResourceNotFoundException");
    }
  }));

Deno.test("ranges of a download count from the range of the retrieval, and only aligned ones have a hash", () =>
  withEmulator(async (scene) => {
    const { retrieve, describe, output } = await jobsOf(scene);
    const [aligned, other] = [
      await retrieve({ RetrievalByteRange: `${4 * mebibyte}-${bytes.length - 1}` }),
      await retrieve({
        RetrievalByteRange: `${mebibyte}-${4 * mebibyte - 1}`,
      }),
    ];
    assert.equal((await describe(aligned)).SHA256TreeHash, treeHashOf(bytes.subarray(4 * mebibyte)));
    scene.emulator.clock.advance(5 * hour);
    assert.equal((await describe(other)).SHA256TreeHash ?? null, null);
    const part = await output(aligned, `bytes=${2 * mebibyte}-${2.5 * mebibyte - 1}`);
    assert.deepEqual(part.bytes, bytes.subarray(6 * mebibyte));
    assert.deepEqual([part.status, part.contentRange], [
      206,
      `bytes ${2 * mebibyte}-${2.5 * mebibyte - 1}/${2.5 * mebibyte}`,
    ]);
    assert.equal(part.checksum, treeHashOf(bytes.subarray(6 * mebibyte)));
    assert.equal((await output(aligned, "bytes=0-99")).checksum, undefined);
    const within = await output(other, `bytes=${mebibyte}-${2 * mebibyte - 1}`);
    assert.equal(within.checksum, undefined, "the retrieval itself was not aligned");
    assert.deepEqual(within.bytes, bytes.subarray(2 * mebibyte, 3 * mebibyte));
    assert.equal(await refusal(output(other, `bytes=0-${3 * mebibyte}`)), "InvalidParameterValueException");
    for (const RetrievalByteRange of ["0-99", `5-${mebibyte - 1}`, `0-${7 * mebibyte - 1}`, "1-0", "all"]) {
      assert.equal(
        await refusal(retrieve({ RetrievalByteRange })),
        "InvalidParameterValueException",
        RetrievalByteRange,
      );
    }
  }));

Deno.test("a retrieval of what was deleted begins all the same, and fails later", () =>
  withEmulator(async (scene) => {
    const { archiveId, retrieve, describe, output } = await jobsOf(scene);
    await scene.glacier.send(new Glacier.DeleteArchiveCommand({ ...vault, archiveId }));
    const job = await retrieve();
    scene.emulator.clock.advance(5 * hour);
    const { Completed, StatusCode } = await describe(job);
    assert.deepEqual([Completed, StatusCode], [true, "Failed"]);
    assert.equal(await refusal(output(job)), "InvalidParameterValueException");
    assert.equal(await refusal(retrieve({ ArchiveId: "never was" })), "ResourceNotFoundException");
  }));

Deno.test("jobs are refused by capacity, by policy, and when their parameters make no sense", () =>
  withEmulator(async (scene) => {
    const { begin, retrieve } = await jobsOf(scene);
    const { switches } = scene.emulator;
    switches.add("no-expedited-capacity");
    assert.equal(await refusal(retrieve({ Tier: "Expedited" })), "InsufficientCapacityException");
    await retrieve({ Tier: "Bulk" });
    switches.add("retrieval-policy-enforced");
    assert.equal(await refusal(retrieve()), "PolicyEnforcedException");
    switches.clear();
    assert.equal(await refusal(retrieve({ Tier: "Slow" })), "InvalidParameterValueException");
    assert.equal(await refusal(begin({ Type: "archive-retrieval" })), "MissingParameterValueException");
    assert.equal(await refusal(begin({ Type: "select" })), "InvalidParameterValueException");
    assert.equal(await refusal(begin({})), "MissingParameterValueException");
    switches.add("vaults-no-longer-supported");
    assert.equal(await refusal(retrieve()), "NoLongerSupportedException");
  }));

Deno.test("jobs are listed by their state", () =>
  withEmulator(async (scene) => {
    const { retrieve } = await jobsOf(scene);
    const [quick, slow] = [await retrieve({ Tier: "Expedited" }), await retrieve({ Tier: "Bulk" })];
    scene.emulator.clock.advance(hour);
    const ids = async (filter: { completed?: string; statuscode?: string }) =>
      (await scene.glacier.send(new Glacier.ListJobsCommand({ ...vault, ...filter }))).JobList?.map(({ JobId }) =>
        JobId
      );
    assert.deepEqual(await ids({}), [quick, slow]);
    assert.deepEqual(await ids({ completed: "true" }), [quick]);
    assert.deepEqual(await ids({ statuscode: "InProgress" }), [slow]);
    assert.equal(await refusal(ids({ completed: "maybe" })), "InvalidParameterValueException");
  }));

Deno.test("an inventory is of the last day's end: new archives are missing in it, deleted ones still there", () =>
  withEmulator(async (scene) => {
    const { clock } = scene.emulator;
    const { begin, output, archiveId } = await jobsOf(scene);
    const inventory = async (more: Glacier.JobParameters = {}) => {
      const job = await begin({ Type: "inventory-retrieval", ...more });
      clock.advance(5 * hour);
      return new TextDecoder().decode((await output(job)).bytes);
    };
    const upload = async () =>
      (await scene.glacier.send(new Glacier.UploadArchiveCommand({ ...vault, body: someBytes(10) }))).archiveId!;
    assert.equal(await refusal(inventory()), "ResourceNotFoundException");
    clock.advance(day + hour);
    const second = await upload();
    await scene.glacier.send(new Glacier.DeleteArchiveCommand({ ...vault, archiveId }));
    const first = JSON.parse(await inventory());
    assert.deepEqual(first.ArchiveList, [{
      ArchiveId: archiveId,
      ArchiveDescription: 'a "brick"\\',
      CreationDate: "2026-03-01T10:00:00.000Z",
      Size: bytes.length,
      SHA256TreeHash: treeHashOf(bytes),
    }]);
    assert.equal(first.InventoryDate, "2026-03-02T10:00:00.000Z");
    clock.advance(day);
    assert.deepEqual(JSON.parse(await inventory()).ArchiveList.map((one: { ArchiveId: string }) => one.ArchiveId), [
      second,
    ]);
  }));

Deno.test("an inventory comes as CSV, of a span of time, and in pages that each need a job", () =>
  withEmulator(async (scene) => {
    const { clock } = scene.emulator;
    const { begin, output, describe, archiveId } = await jobsOf(scene);
    const ids = [archiveId];
    for (let count = 0; count < 2; count++) {
      clock.advance(hour);
      ids.push(
        (await scene.glacier.send(new Glacier.UploadArchiveCommand({ ...vault, body: someBytes(10) }))).archiveId!,
      );
    }
    clock.advance(day);
    const inventory = async (more: Glacier.JobParameters) => {
      const job = await begin({ Type: "inventory-retrieval", ...more });
      clock.advance(5 * hour);
      const { InventoryRetrievalParameters: told } = await describe(job);
      const { bytes, contentType } = await output(job);
      return { text: new TextDecoder().decode(bytes), marker: told?.Marker, contentType };
    };
    const csv = await inventory({ Format: "CSV" });
    assert.equal(csv.contentType, "text/csv");
    assert.equal(csv.text.split("\r\n")[0], "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash");
    assert.ok(csv.text.includes('"a \\"brick\\"\\",'), "quotes are escaped, and backslashes are not");
    const idsOf = (text: string) => JSON.parse(text).ArchiveList.map((one: { ArchiveId: string }) => one.ArchiveId);
    const first = await inventory({ InventoryRetrievalParameters: { Limit: "2" } });
    assert.deepEqual(idsOf(first.text), ids.slice(0, 2));
    const rest = await inventory({ InventoryRetrievalParameters: { Limit: "2", Marker: first.marker } });
    assert.deepEqual([idsOf(rest.text), rest.marker ?? null], [ids.slice(2), null]);
    const span = { StartDate: "2026-03-01T11:00:00Z", EndDate: "2026-03-01T12:00:00Z" };
    assert.deepEqual(idsOf((await inventory({ InventoryRetrievalParameters: span })).text), [ids[1]]);
  }));
