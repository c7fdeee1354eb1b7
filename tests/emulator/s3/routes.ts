/** Which operation a request to S3 is: by method, by whether it names a key, and by the parameter that marks it. */
import type { Reply } from "../call.ts";
import { ServiceError } from "../errors.ts";
import { createBucket, deleteBucket, getBucketLocation, getBucketVersioning, headBucket } from "./buckets.ts";
import { listBuckets, putBucketVersioning } from "./buckets.ts";
import type { S3Call } from "./call.ts";
import { deleteObject, deleteObjects } from "./delete.ts";
import { getObject, getObjectAttributes, headObject } from "./get.ts";
import { listObjects, listObjectsV2, listObjectVersions } from "./list.ts";
import {
  getObjectLegalHold,
  getObjectLockConfiguration,
  getObjectRetention,
  putObjectLegalHold,
  putObjectLockConfiguration,
  putObjectRetention,
} from "./lock.ts";
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
} from "./multipart.ts";
import { copyObject, putObject } from "./put.ts";
import { restoreObject } from "./restore.ts";

type Operation = (call: S3Call) => Reply | Promise<Reply>;

/** [method, what the path names, parameter of the query or header that marks it, name, operation]; the first that fits. */
const routes: readonly [string, "" | "bucket" | "key", string, string, Operation][] = [
  ["GET", "", "", "ListBuckets", listBuckets],
  ["GET", "bucket", "location", "GetBucketLocation", getBucketLocation],
  ["GET", "bucket", "versioning", "GetBucketVersioning", getBucketVersioning],
  ["PUT", "bucket", "versioning", "PutBucketVersioning", putBucketVersioning],
  ["GET", "bucket", "object-lock", "GetObjectLockConfiguration", getObjectLockConfiguration],
  ["PUT", "bucket", "object-lock", "PutObjectLockConfiguration", putObjectLockConfiguration],
  ["GET", "bucket", "versions", "ListObjectVersions", listObjectVersions],
  ["GET", "bucket", "uploads", "ListMultipartUploads", listMultipartUploads],
  ["GET", "bucket", "list-type", "ListObjectsV2", listObjectsV2],
  ["POST", "bucket", "delete", "DeleteObjects", deleteObjects],
  ["GET", "bucket", "", "ListObjects", listObjects],
  ["PUT", "bucket", "", "CreateBucket", createBucket],
  ["HEAD", "bucket", "", "HeadBucket", headBucket],
  ["DELETE", "bucket", "", "DeleteBucket", deleteBucket],
  ["POST", "key", "restore", "RestoreObject", restoreObject],
  ["POST", "key", "uploads", "CreateMultipartUpload", createMultipartUpload],
  ["POST", "key", "uploadId", "CompleteMultipartUpload", completeMultipartUpload],
  ["PUT", "key", "uploadId", "UploadPart", uploadPart],
  ["GET", "key", "uploadId", "ListParts", listParts],
  ["DELETE", "key", "uploadId", "AbortMultipartUpload", abortMultipartUpload],
  ["GET", "key", "attributes", "GetObjectAttributes", getObjectAttributes],
  ["GET", "key", "retention", "GetObjectRetention", getObjectRetention],
  ["PUT", "key", "retention", "PutObjectRetention", putObjectRetention],
  ["GET", "key", "legal-hold", "GetObjectLegalHold", getObjectLegalHold],
  ["PUT", "key", "legal-hold", "PutObjectLegalHold", putObjectLegalHold],
  ["PUT", "key", "x-amz-copy-source", "CopyObject", copyObject],
  ["PUT", "key", "", "PutObject", putObject],
  ["GET", "key", "", "GetObject", getObject],
  ["HEAD", "key", "", "HeadObject", headObject],
  ["DELETE", "key", "", "DeleteObject", deleteObject],
];

/** Parameters that mark operations which the emulator does not have: better refused than taken for another one. */
const unknown = [
  ...["acl", "tagging", "policy", "lifecycle", "cors", "website", "logging", "notification", "encryption", "torrent"],
  ...["replication", "select", "publicAccessBlock", "ownershipControls", "accelerate", "requestPayment", "inventory"],
];

/** The operation and what it is about; undefined: the emulator has none like it. */
export function routeS3(
  method: string,
  path: string,
  query: ReadonlyMap<string, string>,
  hasHeader: (name: string) => boolean,
) {
  const slash = path.indexOf("/", 1);
  const bucketName = decoded(slash < 0 ? path.slice(1) : path.slice(1, slash));
  const key = slash < 0 ? "" : decoded(path.slice(slash + 1));
  const names = key !== "" ? "key" : bucketName !== "" ? "bucket" : "";
  const isUnknown = unknown.some((name) => query.has(name));
  const route = isUnknown
    ? undefined
    : routes.find(([m, n, mark]) => m === method && n === names && (mark === "" || query.has(mark) || hasHeader(mark)));
  return { bucketName, key, operation: route?.[3] ?? "Unknown", run: route?.[4] };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ServiceError(400, "InvalidURI", "Couldn't parse the specified URI.");
  }
}
