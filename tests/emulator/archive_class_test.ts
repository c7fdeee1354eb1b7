/** Objects in archive classes: asleep, waking, awake, asleep again. */
import * as S3 from "@aws-sdk/client-s3";
import assert from "node:assert/strict";
import { refusal, type Scene, withEmulator } from "./scene.ts";

const Bucket = "backups";
const [hour, day] = [3_600_000, 86_400_000];

async function put({ emulator, s3 }: Scene, Key: string, StorageClass: S3.StorageClass) {
  if (emulator.requests.length === 0) emulator.createBucket(Bucket);
  await s3.send(new S3.PutObjectCommand({ Bucket, Key, Body: "bytes", StorageClass }));
  const object = { Bucket, Key };
  return {
    get: () => s3.send(new S3.GetObjectCommand(object)).then(({ Body }) => Body!.transformToString()),
    head: () => s3.send(new S3.HeadObjectCommand(object)),
    /** The status of the answer. */
    restore: async (Days: number, Tier: S3.Tier) => {
      const command = new S3.RestoreObjectCommand({
        ...object,
        RestoreRequest: { Days, GlacierJobParameters: { Tier } },
      });
      return (await s3.send(command)).$metadata.httpStatusCode;
    },
    listed: async () => {
      const OptionalObjectAttributes: S3.OptionalObjectAttributes[] = ["RestoreStatus"];
      const list = await s3.send(new S3.ListObjectsV2Command({ Bucket, Prefix: Key, OptionalObjectAttributes }));
      return list.Contents?.[0]?.RestoreStatus;
    },
  };
}

Deno.test("an archived object can be read only from when its restore is done until it expires at a midnight", () =>
  withEmulator(async (scene) => {
    const { clock } = scene.emulator;
    const brick = await put(scene, "brick", "DEEP_ARCHIVE");
    assert.equal(await refusal(brick.get()), "InvalidObjectState");
    assert.deepEqual([(await brick.head()).Restore, await brick.listed()], [undefined, undefined]);
    assert.equal(await brick.restore(3, "Standard"), 202);
    assert.equal((await brick.head()).Restore, 'ongoing-request="true"');
    assert.equal((await brick.listed())?.IsRestoreInProgress, true);
    clock.advance(12 * hour - 1);
    assert.equal(await refusal(brick.get()), "InvalidObjectState");
    clock.advance(1);
    assert.equal(await brick.get(), "bytes");
    const head = await brick.head();
    assert.equal(head.Restore, 'ongoing-request="false", expiry-date="Thu, 05 Mar 2026 00:00:00 GMT"');
    assert.equal(head.StorageClass, "DEEP_ARCHIVE");
    assert.equal((await brick.listed())?.RestoreExpiryDate?.toISOString(), "2026-03-05T00:00:00.000Z");
    clock.advance(3 * day + 2 * hour - 1);
    assert.equal(await brick.get(), "bytes");
    clock.advance(1);
    assert.equal(await refusal(brick.get()), "InvalidObjectState");
    assert.equal((await brick.head()).Restore, undefined);
  }));

Deno.test("each class and tier takes its own time, and DEEP_ARCHIVE has no expedited one", () =>
  withEmulator(async (scene) => {
    const takes = async (storageClass: S3.StorageClass, tier: S3.Tier, ms: number) => {
      const brick = await put(scene, `${storageClass} ${tier}`, storageClass);
      assert.equal(await brick.restore(1, tier), 202);
      scene.emulator.clock.advance(ms - 1);
      assert.match((await brick.head()).Restore!, /true/);
      scene.emulator.clock.advance(1);
      assert.equal(await brick.get(), "bytes");
    };
    await takes("GLACIER", "Expedited", 5 * 60_000);
    await takes("GLACIER", "Standard", 5 * hour);
    await takes("GLACIER", "Bulk", 12 * hour);
    await takes("DEEP_ARCHIVE", "Bulk", 48 * hour);
    const brick = await put(scene, "brick", "DEEP_ARCHIVE");
    assert.equal(await refusal(brick.restore(1, "Expedited")), "InvalidArgument");
  }));

Deno.test("a second request is refused while the first goes on, unless it is faster, and prolongs what is restored", () =>
  withEmulator(async (scene) => {
    const { clock } = scene.emulator;
    const brick = await put(scene, "brick", "GLACIER");
    assert.equal(await brick.restore(2, "Bulk"), 202);
    assert.equal(await refusal(brick.restore(2, "Bulk")), "RestoreAlreadyInProgress");
    assert.equal(await refusal(brick.restore(3, "Standard")), "RestoreAlreadyInProgress", "the days cannot change");
    assert.equal(await brick.restore(2, "Standard"), 202);
    clock.advance(5 * hour);
    assert.equal(await brick.get(), "bytes");
    assert.equal(await brick.restore(10, "Bulk"), 200);
    assert.match((await brick.head()).Restore!, /12 Mar 2026/);
    assert.equal(await brick.restore(1, "Bulk"), 200, "and shortens it");
    assert.match((await brick.head()).Restore!, /03 Mar 2026/);
  }));

Deno.test("without capacity expedited restores are refused, and objects that are awake need none", () =>
  withEmulator(async (scene) => {
    const brick = await put(scene, "brick", "GLACIER");
    scene.emulator.switches.add("no-expedited-capacity");
    assert.equal(await refusal(brick.restore(1, "Expedited")), "GlacierExpeditedRetrievalNotAvailable");
    assert.equal(await brick.restore(1, "Standard"), 202);
    const warm = await put(scene, "warm", "GLACIER_IR");
    assert.equal(await refusal(warm.restore(1, "Standard")), "InvalidObjectState");
    assert.equal(await warm.get(), "bytes");
  }));

Deno.test("an archived object tells its checksum and size, and is not copied while it sleeps", () =>
  withEmulator(async (scene) => {
    await put(scene, "brick", "DEEP_ARCHIVE");
    const head = await scene.s3.send(new S3.HeadObjectCommand({ Bucket, Key: "brick", ChecksumMode: "ENABLED" }));
    assert.deepEqual([head.ContentLength, head.StorageClass, head.ChecksumType], [5, "DEEP_ARCHIVE", "FULL_OBJECT"]);
    const copy = { Bucket, Key: "copy", CopySource: `${Bucket}/brick` };
    assert.equal(await refusal(scene.s3.send(new S3.CopyObjectCommand(copy))), "InvalidObjectState");
  }));
