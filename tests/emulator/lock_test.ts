/** Versions and Object Lock. */
import * as S3 from "@aws-sdk/client-s3";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { refusal, withEmulator } from "./scene.ts";

const Bucket = "locked";
const day = 86_400_000;
const tomorrow = new Date("2026-03-02T10:00:00Z");
const later = new Date("2026-03-09T10:00:00Z");

const keeper = {
  name: "keeper",
  accessKeyId: "AKIAKEEPER",
  secretAccessKey: "keeper's secret",
  policy: {
    Statement: [
      { Effect: "Allow" as const, Action: "s3:*", Resource: "*" },
      { Effect: "Deny" as const, Action: "s3:BypassGovernanceRetention", Resource: "*" },
    ],
  },
};

Deno.test("a locked version cannot be deleted until its time is over; a plain DELETE only hides it", () =>
  withEmulator(async ({ emulator, s3, s3Of }) => {
    emulator.createBucket(Bucket, { objectLock: true });
    const put = (ObjectLockMode: S3.ObjectLockMode, Key: string) =>
      s3.send(
        new S3.PutObjectCommand({
          ...{
            Bucket,
            Key,
            Body: "x",
            ObjectLockMode,
            ObjectLockRetainUntilDate: tomorrow,
            ChecksumAlgorithm: "SHA256",
          },
        }),
      );
    const remove = (Key: string, VersionId?: string, BypassGovernanceRetention?: boolean, client = s3) =>
      client.send(new S3.DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention }));
    const { VersionId: strict } = await put("COMPLIANCE", "strict");
    const { VersionId: soft } = await put("GOVERNANCE", "soft");
    assert.equal(await refusal(remove("strict", strict)), "AccessDenied");
    assert.equal(await refusal(remove("strict", strict, true)), "AccessDenied", "not even the owner");
    assert.equal(await refusal(remove("soft", soft)), "AccessDenied");
    assert.equal(await refusal(remove("soft", soft, true, s3Of(keeper))), "AccessDenied", "who may not bypass");
    await remove("soft", soft, true);

    const marker = await remove("strict");
    assert.equal(marker.DeleteMarker, true);
    assert.equal(await refusal(s3.send(new S3.GetObjectCommand({ Bucket, Key: "strict" }))), "NoSuchKey");
    const versions = await s3.send(new S3.ListObjectVersionsCommand({ Bucket }));
    assert.deepEqual(versions.Versions?.map(({ Key, VersionId, IsLatest }) => [Key, VersionId, IsLatest]), [[
      "strict",
      strict,
      false,
    ]]);
    assert.equal(versions.DeleteMarkers?.[0]?.IsLatest, true);
    await s3.send(new S3.GetObjectCommand({ Bucket, Key: "strict", VersionId: strict })).then(({ Body }) =>
      Body!.transformToString()
    );
    await remove("strict", marker.VersionId);
    assert.equal((await s3.send(new S3.HeadObjectCommand({ Bucket, Key: "strict" }))).ObjectLockMode, "COMPLIANCE");

    emulator.clock.advance(day);
    await remove("strict", strict);
    assert.equal((await s3.send(new S3.ListObjectVersionsCommand({ Bucket }))).Versions, undefined);
  }, { users: [keeper] }));

Deno.test("a lock can be prolonged, and only a governance one shortened, by who may", () =>
  withEmulator(async ({ emulator, s3, s3Of }) => {
    emulator.createBucket(Bucket, { objectLock: true });
    const key = { Bucket, Key: "k" };
    await s3.send(new S3.PutObjectCommand({ ...key, Body: "x" }));
    const lock = (
      Mode: S3.ObjectLockRetentionMode,
      RetainUntilDate: Date,
      BypassGovernanceRetention = false,
      client = s3,
    ) =>
      client.send(
        new S3.PutObjectRetentionCommand({ ...key, Retention: { Mode, RetainUntilDate }, BypassGovernanceRetention }),
      );
    const held = async () => (await s3.send(new S3.GetObjectRetentionCommand(key))).Retention;
    assert.equal(await refusal(held()), "NoSuchObjectLockConfiguration");
    await lock("GOVERNANCE", later);
    assert.equal(await refusal(lock("GOVERNANCE", tomorrow)), "AccessDenied");
    assert.equal(await refusal(lock("GOVERNANCE", tomorrow, true, s3Of(keeper))), "AccessDenied");
    await lock("GOVERNANCE", tomorrow, true);
    assert.deepEqual(await held(), { Mode: "GOVERNANCE", RetainUntilDate: tomorrow });
    await lock("GOVERNANCE", later, false, s3Of(keeper));
    await lock("COMPLIANCE", later, true);
    assert.equal(await refusal(lock("COMPLIANCE", tomorrow, true)), "AccessDenied");
    await lock("COMPLIANCE", new Date(later.getTime() + day));
    assert.equal(await refusal(lock("COMPLIANCE", new Date("2026-01-01"))), "InvalidArgument");
  }, { users: [keeper] }));

Deno.test("a PUT with a lock needs a checksum named, a bucket that locks, and both of mode and date", () =>
  withEmulator(async ({ emulator, s3Of }) => {
    emulator.createBucket(Bucket, { objectLock: true });
    emulator.createBucket("plain");
    const lock = { ObjectLockMode: "GOVERNANCE", ObjectLockRetainUntilDate: tomorrow } as const;
    const bare = s3Of(emulator, { requestChecksumCalculation: "WHEN_REQUIRED" });
    const ChecksumSHA256 = createHash("sha256").update("x").digest("base64");
    const put = (more: Partial<S3.PutObjectCommandInput>, client = bare) =>
      client.send(new S3.PutObjectCommand({ Bucket, Key: "k", Body: "x", ...more }));
    assert.equal(await refusal(put({ ...lock, Bucket: "plain", ChecksumAlgorithm: "SHA256" })), "InvalidRequest");
    assert.equal(await refusal(put({ ObjectLockMode: "GOVERNANCE", ChecksumAlgorithm: "SHA256" })), "InvalidArgument");
    await put({ ...lock, ChecksumSHA256, ChecksumAlgorithm: "SHA256" });
  }));

Deno.test("a bucket's own retention locks what is put into it, and a legal hold holds without end", () =>
  withEmulator(async ({ emulator, s3 }) => {
    emulator.createBucket(Bucket, { objectLock: true });
    const Rule = { DefaultRetention: { Mode: "COMPLIANCE", Days: 3 } } as const;
    const ObjectLockConfiguration = { ObjectLockEnabled: "Enabled", Rule } as const;
    await s3.send(new S3.PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
    const read = await s3.send(new S3.GetObjectLockConfigurationCommand({ Bucket }));
    assert.deepEqual(read.ObjectLockConfiguration, ObjectLockConfiguration);
    const key = { Bucket, Key: "k" };
    const { VersionId } = await s3.send(new S3.PutObjectCommand({ ...key, Body: "x", ChecksumAlgorithm: "SHA256" }));
    const head = await s3.send(new S3.HeadObjectCommand(key));
    assert.equal(head.ObjectLockRetainUntilDate?.toISOString(), "2026-03-04T10:00:00.000Z");
    await s3.send(new S3.PutObjectLegalHoldCommand({ ...key, LegalHold: { Status: "ON" } }));
    emulator.clock.advance(4 * day);
    const remove = () => s3.send(new S3.DeleteObjectCommand({ ...key, VersionId }));
    assert.equal(await refusal(remove()), "AccessDenied");
    const many = await s3.send(new S3.DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "k", VersionId }] } }));
    assert.equal(many.Errors?.[0]?.Code, "AccessDenied", "200, with the refusal inside");
    await s3.send(new S3.PutObjectLegalHoldCommand({ ...key, LegalHold: { Status: "OFF" } }));
    await remove();
  }));

Deno.test("a bucket that keeps versions lists them newest first, in pages", () =>
  withEmulator(async ({ emulator, s3 }) => {
    emulator.createBucket(Bucket);
    await s3.send(new S3.PutObjectCommand({ Bucket, Key: "a", Body: "0" }));
    await s3.send(new S3.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } }));
    assert.equal((await s3.send(new S3.GetBucketVersioningCommand({ Bucket }))).Status, "Enabled");
    const ids: string[] = [];
    for (const Key of ["a", "a", "b"]) {
      ids.push((await s3.send(new S3.PutObjectCommand({ Bucket, Key, Body: "x" }))).VersionId!);
    }
    const seen: unknown[] = [];
    for (let marker: Partial<S3.ListObjectVersionsCommandInput> = {};;) {
      const page = await s3.send(new S3.ListObjectVersionsCommand({ Bucket, MaxKeys: 1, ...marker }));
      seen.push(...(page.Versions ?? []).map(({ Key, VersionId }) => `${Key} ${VersionId}`));
      if (!page.IsTruncated) break;
      marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
    }
    assert.deepEqual(seen, [`a ${ids[1]}`, `a ${ids[0]}`, "a null", `b ${ids[2]}`]);
  }));
