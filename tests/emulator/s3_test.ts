/** Buckets and objects, through Amazon's own client. */
import * as S3 from "@aws-sdk/client-s3";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { refusal, send, someBytes, withEmulator } from "./scene.ts";

const Bucket = "backups";

Deno.test("an object comes back as it was put, whole and in ranges", () =>
  withEmulator(async ({ emulator, s3 }) => {
    emulator.createBucket(Bucket);
    const Body = someBytes(300_000);
    const Key = "a folder/ü+%(1)'!*.bin";
    const ChecksumSHA256 = createHash("sha256").update(Body).digest("base64");
    await s3.send(
      new S3.PutObjectCommand({ Bucket, Key, Body, ChecksumSHA256, Metadata: { of: "me" }, ContentType: "x/y" }),
    );
    const whole = await s3.send(new S3.GetObjectCommand({ Bucket, Key }));
    assert.deepEqual(new Uint8Array(await whole.Body!.transformToByteArray()), Body);
    assert.deepEqual([whole.Metadata, whole.ContentType, whole.StorageClass], [{ of: "me" }, "x/y", undefined]);
    assert.equal(whole.ETag, `"${createHash("md5").update(Body).digest("hex")}"`);
    const range = async (Range: string) => {
      const part = await s3.send(new S3.GetObjectCommand({ Bucket, Key, Range }));
      return [part.ContentRange, (await part.Body!.transformToByteArray()).length];
    };
    assert.deepEqual(await range("bytes=10-19"), ["bytes 10-19/300000", 10]);
    assert.deepEqual(await range("bytes=299990-400000"), ["bytes 299990-299999/300000", 10]);
    assert.deepEqual(await range("bytes=-5"), ["bytes 299995-299999/300000", 5]);
    assert.equal(await refusal(range("bytes=300000-")), "InvalidRange");
    const head = await s3.send(new S3.HeadObjectCommand({ Bucket, Key, ChecksumMode: "ENABLED" }));
    assert.deepEqual([head.ContentLength, head.ChecksumSHA256, head.ChecksumType], [
      300_000,
      ChecksumSHA256,
      "FULL_OBJECT",
    ]);
    assert.equal((await s3.send(new S3.HeadObjectCommand({ Bucket, Key }))).ChecksumSHA256, undefined);
    assert.equal(head.LastModified?.toISOString(), "2026-03-01T10:00:00.000Z");
  }));

Deno.test("bodies are kept in the folder when there is one, and removed with what they were", async () => {
  const folder = await Deno.makeTempDir();
  const count = () => [...Deno.readDirSync(folder)].length;
  await withEmulator(async ({ emulator, s3 }) => {
    emulator.createBucket(Bucket);
    const Body = someBytes(2_500_000);
    await s3.send(new S3.PutObjectCommand({ Bucket, Key: "a", Body }));
    await s3.send(new S3.PutObjectCommand({ Bucket, Key: "a", Body }));
    await s3.send(new S3.PutObjectCommand({ Bucket, Key: "b", Body }));
    const got = await s3.send(new S3.GetObjectCommand({ Bucket, Key: "a", Range: "bytes=1000000-2200000" }));
    assert.deepEqual(new Uint8Array(await got.Body!.transformToByteArray()), Body.subarray(1_000_000, 2_200_001));
    assert.equal(
      await refusal(s3.send(new S3.PutObjectCommand({ Bucket, Key: "c", Body, ContentMD5: "AAAA" }))),
      "BadDigest",
    );
    assert.equal(count(), 2);
    await s3.send(new S3.DeleteObjectCommand({ Bucket, Key: "a" }));
    assert.equal(count(), 1);
  }, { folder });
  assert.equal(count(), 0);
  await Deno.remove(folder);
});

Deno.test("every checksum is checked: in a header, in a trailer, and by the plain MD5", () =>
  withEmulator(async ({ emulator, s3, s3Of }) => {
    emulator.createBucket(Bucket);
    const put = (more: Partial<S3.PutObjectCommandInput>, client = s3) =>
      client.send(new S3.PutObjectCommand({ Bucket, Key: "k", Body: "bytes", ...more }));
    const wrong = createHash("sha256").update("other").digest("base64");
    assert.equal(await refusal(put({ ChecksumSHA256: wrong })), "BadDigest");
    assert.equal(await refusal(put({ ContentMD5: createHash("md5").update("other").digest("base64") })), "BadDigest");
    for (const ChecksumAlgorithm of ["CRC32", "SHA1", "SHA256"] as const) {
      await put({ ChecksumAlgorithm });
      const head = await s3.send(new S3.HeadObjectCommand({ Bucket, Key: "k", ChecksumMode: "ENABLED" }));
      assert.notEqual(head[`Checksum${ChecksumAlgorithm}`], undefined);
    }
    // A stream goes framed, with its checksum behind it.
    await put({ Body: Readable.from([someBytes(100_000)]), ContentLength: 100_000 });
    const head = await s3.send(new S3.HeadObjectCommand({ Bucket, Key: "k", ChecksumMode: "ENABLED" }));
    assert.equal(head.ContentLength, 100_000);
    assert.notEqual(head.ChecksumCRC32, undefined);
    // Nothing sent: S3 makes its own.
    await put({}, s3Of(emulator, { requestChecksumCalculation: "WHEN_REQUIRED" }));
    const own = await s3.send(new S3.HeadObjectCommand({ Bucket, Key: "k", ChecksumMode: "ENABLED" }));
    assert.notEqual(own.ChecksumCRC64NVME, undefined);
  }));

Deno.test("what S3 cannot store is refused: no length, unknown class, wrong trailer, announced but absent checksum", () =>
  withEmulator(async ({ emulator }) => {
    emulator.createBucket(Bucket);
    const put = { method: "PUT", target: `/${Bucket}/k`, service: "s3", payloadHash: "UNSIGNED-PAYLOAD" } as const;
    const code = async (request: Parameters<typeof send>[1]) =>
      (await send(emulator, request)).text.match(/<Code>(\w+)/)?.[1];
    const body = someBytes(10);
    assert.equal(await code({ ...put, body, headers: { "x-amz-storage-class": "COLD" } }), "InvalidStorageClass");
    assert.equal(await code({ ...put, body, headers: { "x-amz-sdk-checksum-algorithm": "SHA256" } }), "InvalidRequest");
    const framed = (text: string, headers = {}) => ({
      ...put,
      body: new TextEncoder().encode(text),
      payloadHash: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
      headers: {
        "content-encoding": "aws-chunked",
        "x-amz-decoded-content-length": "5",
        "x-amz-trailer": "x-amz-checksum-crc32",
        ...headers,
      },
    });
    assert.equal(await code(framed("5\r\nbytes\r\n0\r\nx-amz-checksum-crc32:Ufh8fQ==\r\n\r\n")), "BadDigest");
    assert.equal(await code(framed("5\r\nbytes\r\n0\r\n\r\n")), "MalformedTrailerError");
    assert.equal(await code(framed("5\r\nbyt")), "IncompleteBody");
    assert.equal(
      await code(framed("5\r\nbytes\r\n0\r\n\r\n", { "x-amz-decoded-content-length": "6" })),
      "IncompleteBody",
    );
    assert.equal(
      await code({ ...framed("x"), headers: { "x-amz-trailer": "x-amz-checksum-crc32" } }),
      "MissingContentLength",
    );
    assert.equal(await code({ ...put, body, headers: { "content-encoding": "aws-chunked" } }), "InvalidRequest");
    assert.equal(emulator.requests.filter(({ status }) => status < 300).length, 0);
  }));

Deno.test("If-None-Match lets a key be written once, If-Match only over what is known", () =>
  withEmulator(async ({ emulator, s3 }) => {
    emulator.createBucket(Bucket);
    const put = (more = {}) => s3.send(new S3.PutObjectCommand({ Bucket, Key: "k", Body: "x", ...more }));
    assert.equal(await refusal(put({ IfMatch: '"00"' })), "NoSuchKey");
    const { ETag } = await put({ IfNoneMatch: "*" });
    assert.equal(await refusal(put({ IfNoneMatch: "*" })), "PreconditionFailed");
    await put({ IfMatch: ETag });
    assert.equal(await refusal(put({ IfMatch: '"00"' })), "PreconditionFailed");
    await s3.send(new S3.DeleteObjectCommand({ Bucket, Key: "k" }));
    const both = await Promise.allSettled([put({ IfNoneMatch: "*" }), put({ IfNoneMatch: "*" })]);
    assert.deepEqual(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"], "of two at once one wins");
  }));

Deno.test("lists are in UTF-8's order, in pages, and fold what is behind a delimiter", () =>
  withEmulator(async ({ emulator, s3 }) => {
    emulator.createBucket(Bucket);
    const keys = ["a/1", "a/2", "a/3", "b", "c/x/1", "c/x/2", "\u{ff41}", "\u{1f600}", "with space & <b>"];
    for (const Key of keys.toReversed()) await s3.send(new S3.PutObjectCommand({ Bucket, Key, Body: "x" }));
    const all = async (more: Partial<S3.ListObjectsV2CommandInput>) => {
      const names: string[] = [];
      for await (const page of S3.paginateListObjectsV2({ client: s3 }, { Bucket, ...more })) {
        names.push(
          ...(page.Contents ?? []).map(({ Key }) => Key!),
          ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix!),
        );
      }
      return names;
    };
    const inOrder = ["a/1", "a/2", "a/3", "b", "c/x/1", "c/x/2", "with space & <b>", "\u{ff41}", "\u{1f600}"];
    assert.deepEqual(await all({}), inOrder);
    assert.deepEqual(await all({ MaxKeys: 2 }), inOrder);
    assert.deepEqual(await all({ MaxKeys: 1, Prefix: "a/" }), ["a/1", "a/2", "a/3"]);
    assert.deepEqual(await all({ StartAfter: "a/2", Prefix: "a/" }), ["a/3"]);
    assert.deepEqual(
      (await all({ Delimiter: "/", MaxKeys: 1 })).toSorted(),
      ["a/", "b", "c/", ...inOrder.slice(6)].toSorted(),
    );
    assert.deepEqual(await all({ Delimiter: "/", Prefix: "c/" }), ["c/x/"]);
    const first = await s3.send(new S3.ListObjectsV2Command({ Bucket, MaxKeys: 2 }));
    assert.deepEqual([first.KeyCount, first.IsTruncated, first.Contents?.[0]?.Size], [2, true, 1]);
    const old = await s3.send(new S3.ListObjectsCommand({ Bucket, Marker: "b" }));
    assert.equal(old.Contents?.[0]?.Key, "c/x/1");
    assert.equal((await s3.send(new S3.ListObjectsV2Command({ Bucket, MaxKeys: 0 }))).IsTruncated, false);
  }));

Deno.test("large objects go in parts, which are held to S3's rules", () =>
  withEmulator(async ({ emulator, s3 }) => {
    emulator.createBucket(Bucket);
    const Key = "large";
    const begin = { Bucket, Key, StorageClass: "GLACIER_IR", ChecksumAlgorithm: "SHA256" } as const;
    const { UploadId } = await s3.send(new S3.CreateMultipartUploadCommand(begin));
    const upload = { Bucket, Key, UploadId };
    const bytes = someBytes(5 * 1024 ** 2 + 100);
    const parts: S3.CompletedPart[] = [];
    for (const [at, Body] of [bytes.subarray(0, 5 * 1024 ** 2), bytes.subarray(5 * 1024 ** 2)].entries()) {
      const PartNumber = at + 1;
      const sent = await s3.send(
        new S3.UploadPartCommand({ ...upload, PartNumber, Body, ChecksumAlgorithm: "SHA256" }),
      );
      parts.push({ PartNumber, ETag: sent.ETag, ChecksumSHA256: sent.ChecksumSHA256 });
    }
    const complete = (Parts: S3.CompletedPart[], more = {}) =>
      s3.send(new S3.CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts }, ...more }));
    assert.equal(await refusal(complete(parts.toReversed())), "InvalidPartOrder");
    assert.equal(await refusal(complete([parts[0]!, { ...parts[1], ETag: '"00"' }])), "InvalidPart");
    assert.equal(await refusal(complete(parts, { MpuObjectSize: 7 })), "InvalidRequest");
    assert.equal((await s3.send(new S3.ListPartsCommand(upload))).Parts?.[1]?.Size, 100);
    assert.equal((await s3.send(new S3.ListMultipartUploadsCommand({ Bucket }))).Uploads?.length, 1);
    const done = await complete(parts, { MpuObjectSize: bytes.length });
    const sha256 = (...pieces: Uint8Array[]) =>
      pieces.reduce((hash, piece) => hash.update(piece), createHash("sha256")).digest();
    const composite = sha256(sha256(bytes.subarray(0, 5 * 1024 ** 2)), sha256(bytes.subarray(5 * 1024 ** 2)));
    assert.equal(done.ChecksumSHA256, `${composite.toString("base64")}-2`);
    assert.match(done.ETag!, /-2"$/);
    const got = await s3.send(new S3.GetObjectCommand({ Bucket, Key }));
    assert.deepEqual(new Uint8Array(await got.Body!.transformToByteArray()), bytes);
    const ObjectAttributes: S3.ObjectAttributes[] = ["Checksum", "ObjectParts", "ObjectSize", "StorageClass"];
    const attributes = await s3.send(new S3.GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes }));
    assert.deepEqual([attributes.ObjectSize, attributes.StorageClass], [bytes.length, "GLACIER_IR"]);
    assert.deepEqual([attributes.ObjectParts?.TotalPartsCount, attributes.Checksum?.ChecksumType], [2, "COMPOSITE"]);
    assert.equal(await refusal(complete(parts)), "NoSuchUpload");

    const small = await s3.send(new S3.CreateMultipartUploadCommand({ Bucket, Key }));
    const ids = { ...upload, UploadId: small.UploadId };
    const short = [];
    for (const PartNumber of [1, 2]) {
      const { ETag } = await s3.send(new S3.UploadPartCommand({ ...ids, PartNumber, Body: "short" }));
      short.push({ PartNumber, ETag });
    }
    const end = { ...ids, MultipartUpload: { Parts: short } };
    assert.equal(await refusal(s3.send(new S3.CompleteMultipartUploadCommand(end))), "EntityTooSmall");
    await s3.send(new S3.AbortMultipartUploadCommand(ids));
    assert.equal(await refusal(s3.send(new S3.ListPartsCommand(ids))), "NoSuchUpload");
  }));

Deno.test("objects are copied within the server, with another class", () =>
  withEmulator(async ({ emulator, s3 }) => {
    emulator.createBucket(Bucket);
    await s3.send(new S3.PutObjectCommand({ Bucket, Key: "a", Body: "bytes", Metadata: { of: "me" } }));
    const copy = { Bucket, Key: "b", CopySource: `${Bucket}/a`, StorageClass: "STANDARD_IA" } as const;
    await s3.send(new S3.CopyObjectCommand(copy));
    const got = await s3.send(new S3.GetObjectCommand({ Bucket, Key: "b" }));
    assert.deepEqual([await got.Body!.transformToString(), got.StorageClass, got.Metadata], ["bytes", "STANDARD_IA", {
      of: "me",
    }]);
    assert.equal(
      await refusal(s3.send(new S3.CopyObjectCommand({ ...copy, CopySource: `${Bucket}/none` }))),
      "NoSuchKey",
    );
    assert.equal(
      await refusal(s3.send(new S3.CopyObjectCommand({ ...copy, Key: "a", StorageClass: "STANDARD" }))),
      "InvalidRequest",
    );
  }));

Deno.test("buckets are made, found, listed and removed", () =>
  withEmulator(async ({ emulator, s3 }) => {
    await s3.send(new S3.CreateBucketCommand({ Bucket }));
    assert.equal(await refusal(s3.send(new S3.CreateBucketCommand({ Bucket: "Not_A_Bucket" }))), "InvalidBucketName");
    assert.equal(await refusal(s3.send(new S3.HeadBucketCommand({ Bucket: "another" }))), "NotFound");
    await s3.send(new S3.HeadBucketCommand({ Bucket }));
    assert.equal((await s3.send(new S3.GetBucketLocationCommand({ Bucket }))).LocationConstraint, undefined);
    assert.deepEqual((await s3.send(new S3.ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name), [Bucket]);
    await s3.send(new S3.PutObjectCommand({ Bucket, Key: "k", Body: "x" }));
    assert.equal(await refusal(s3.send(new S3.DeleteBucketCommand({ Bucket }))), "BucketNotEmpty");
    const Objects = [{ Key: "k" }, { Key: "not there" }];
    const deleted = await s3.send(new S3.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assert.equal(deleted.Deleted?.length, 2, "what is not there counts as deleted");
    await s3.send(new S3.DeleteBucketCommand({ Bucket }));
    assert.match(
      (await send(emulator, { method: "GET", target: `/${Bucket}?tagging`, service: "s3" })).text,
      /NotImplemented/,
    );
  }));
