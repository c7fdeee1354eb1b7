/** Objects on their way in: PutObject, CopyObject, and the conditions that both hold to. */
import { Buffer } from "node:buffer";
import { type Call, header, type Reply } from "../call.ts";
import { ServiceError } from "../errors.ts";
import {
  addVersion,
  type Bucket,
  bucketOf,
  currentVersion,
  newVersionId,
  type StorageClass,
  storageClasses,
  type Version,
  versionOf,
} from "./bucket.ts";
import { bucketOfCall, hidingAbsence, need, objectArn, type S3Call, versionHeaders } from "./call.ts";
import { checksumHeader, hasher } from "./checksums.ts";
import { lockOfPut, xmlReply } from "./lock.ts";
import { takePayload } from "./payload.ts";
import { checkReadable } from "./restore.ts";
import { xml } from "./xml.ts";

/** Headers that S3 gives back as they were sent. */
const keptHeaders = ["content-type", "content-disposition", "content-language", "cache-control", "expires"];
const longestKeyBytes = 1024;

export async function putObject(call: S3Call): Promise<Reply> {
  const bucket = bucketOfCall(call);
  const settings = settingsOfPut(call, bucket);
  const payload = await takePayload(call);
  try {
    checkConditions(call, bucket);
  } catch (error) {
    payload.body.drop();
    throw error;
  }
  if (call.surroundings.hostile.has("ok-with-error-inside")) {
    payload.body.drop();
    return errorInside();
  }
  const version: Version = {
    ...settings,
    body: payload.body,
    etag: `"${Buffer.from(payload.md5).toString("hex")}"`,
    checksum: payload.checksum,
    parts: [],
  };
  if (call.surroundings.hostile.has("does-nothing")) version.body.drop();
  else addVersion(bucket, version);
  return { status: 200, headers: { ...putHeaders(bucket, version), ETag: version.etag } };
}

/** All of a new version but its bytes. */
export function settingsOfPut(call: S3Call, bucket: Bucket): Omit<Version, "body" | "etag" | "checksum" | "parts"> {
  need(call, "PutObject", objectArn(call), { "s3:objectcreationoperation": "true" });
  if (Buffer.byteLength(call.key) > longestKeyBytes) {
    throw new ServiceError(400, "KeyTooLongError", "Your key is too long");
  }
  const storageClass = (header(call, "x-amz-storage-class") ?? "STANDARD") as StorageClass;
  if (!storageClasses.includes(storageClass)) {
    throw new ServiceError(400, "InvalidStorageClass", "The storage class you specified is not valid");
  }
  const names = [...call.request.headers.keys()].filter((name) =>
    keptHeaders.includes(name) || name.startsWith("x-amz-meta-")
  );
  const metadataBytes = names.filter((name) => name.startsWith("x-amz-meta-"))
    .reduce((sum, name) => sum + name.length - "x-amz-meta-".length + Buffer.byteLength(header(call, name)!), 0);
  if (metadataBytes > 2048) {
    throw new ServiceError(400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size");
  }
  const encoding = header(call, "content-encoding")?.split(",").map((one) => one.trim()).filter((one) =>
    one !== "aws-chunked"
  );
  const headers: Record<string, string> = {
    "content-type": "binary/octet-stream",
    ...Object.fromEntries(names.map((name) => [name, header(call, name)!])),
    ...(encoding?.length ? { "content-encoding": encoding.join(", ") } : {}),
  };
  return {
    key: call.key,
    versionId: newVersionId(bucket),
    isMarker: false,
    lastModifiedAt: call.surroundings.clock.now(),
    storageClass,
    headers,
    ...lockOfPut(call, bucket),
    restore: undefined,
  };
}

/** `If-None-Match: *` and `If-Match`, judged at the moment when the object would appear. */
export function checkConditions(call: S3Call, bucket: Bucket): void {
  if (call.surroundings.hostile.has("ignores-if-none-match")) return;
  const [noneMatch, match] = [header(call, "if-none-match"), header(call, "if-match")];
  const current = currentVersion(bucket, call.key);
  const failed = (condition: string) =>
    new ServiceError(
      412,
      "PreconditionFailed",
      "At least one of the pre-conditions you specified did not hold",
      {},
      { Condition: condition },
    );
  if (noneMatch !== undefined && noneMatch !== "*") {
    throw new ServiceError(
      501,
      "NotImplemented",
      "A header you provided implies functionality that is not implemented",
    );
  }
  if (noneMatch !== undefined && current) throw failed("If-None-Match");
  if (match === undefined) return;
  need(call, "GetObject", objectArn(call));
  if (!current) throw new ServiceError(404, "NoSuchKey", "The specified key does not exist.");
  if (unquoted(match) !== unquoted(current.etag)) throw failed("If-Match");
}

export function unquoted(etag: string): string {
  return etag.replace(/^"|"$/g, "");
}

/** What an answer to a finished upload says. */
export function putHeaders(bucket: Bucket, version: Version): Record<string, string> {
  const headers: Record<string, string> = {
    ...versionHeaders(bucket, version),
    "x-amz-server-side-encryption": "AES256",
  };
  if (version.checksum) {
    headers[checksumHeader(version.checksum.name)] = version.checksum.value;
    headers["x-amz-checksum-type"] = version.checksum.type;
  }
  return headers;
}

/** The answer that looks like success to whoever does not read it. */
export function errorInside(): Reply {
  return xmlReply(
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>We encountered an internal error. ' +
      "Please try again.</Message><RequestId>656c76696e6727732072657175657374</RequestId></Error>",
  );
}

export async function copyObject(call: S3Call): Promise<Reply> {
  const [, sourceBucketName, encodedKey, query = ""] =
    header(call, "x-amz-copy-source")?.match(/^\/?([^/]+)\/([^?]+)(?:\?versionId=(.*))?$/) ?? [];
  if (sourceBucketName === undefined || encodedKey === undefined) {
    throw new ServiceError(
      400,
      "InvalidArgument",
      "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
    );
  }
  const source: S3Call = { ...call, bucketName: sourceBucketName, key: decodeURIComponent(encodedKey) };
  need(source, query === "" ? "GetObject" : "GetObjectVersion", objectArn(source));
  const bucket = bucketOfCall(call);
  const settings = settingsOfPut(call, bucket);
  const original = hidingAbsence(
    source,
    () => versionOf(bucketOf(call.buckets, source.bucketName), source.key, query === "" ? undefined : query),
  );
  checkReadable(
    original,
    call.surroundings.clock.now(),
    "Operation is not valid for the source object's storage class",
  );
  const replaces = header(call, "x-amz-metadata-directive") === "REPLACE";
  const isItself = source.bucketName === call.bucketName && source.key === call.key;
  if (isItself && !replaces && settings.storageClass === original.storageClass) {
    throw new ServiceError(
      400,
      "InvalidRequest",
      "This copy request is illegal because it is trying to copy an object to itself",
    );
  }
  const { md5, body } = await copyOf(call, original);
  try {
    checkConditions(call, bucket);
  } catch (error) {
    body.drop();
    throw error;
  }
  if (call.surroundings.hostile.has("ok-with-error-inside")) {
    body.drop();
    return errorInside();
  }
  const headers = replaces ? settings.headers : original.headers;
  const version = { ...settings, headers, body, etag: `"${md5}"`, checksum: original.checksum, parts: [] };
  addVersion(bucket, version);
  const reply = xmlReply(
    xml("CopyObjectResult", { LastModified: version.lastModifiedAt.toISOString(), ETag: version.etag }),
  );
  return { ...reply, headers: { ...reply.headers, ...versionHeaders(bucket, version) } };
}

async function copyOf(call: Call, original: Version) {
  const [writer, md5] = [call.surroundings.bodies(), hasher("MD5")];
  for await (const piece of original.body.read(0, original.body.length)) {
    md5.update(piece);
    writer.write(piece);
  }
  return { body: writer.end(), md5: Buffer.from(md5.digest()).toString("hex") };
}
