/** Buckets, and the versions of the objects in them. */
import { randomBytes } from "node:crypto";
import type { Body } from "../bodies.ts";
import { ServiceError } from "../errors.ts";
import type { Checksum } from "./checksums.ts";
import type { MultipartUpload } from "./multipart.ts";

export const storageClasses = [
  ...["STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY"],
  ...["GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"],
] as const;
export type StorageClass = typeof storageClasses[number];

/** Until when a version can be neither deleted nor overwritten in place. */
export interface Retention {
  mode: "GOVERNANCE" | "COMPLIANCE";
  until: Date;
}

/** A readable copy of an archived object, or one that is being made. */
export interface Restore {
  tier: "Expedited" | "Standard" | "Bulk";
  days: number;
  readyAt: Date;
  expiresAt: Date;
}

/** One version of an object, or a mark that it was deleted. */
export interface Version {
  key: string;
  versionId: string;
  isMarker: boolean;
  body: Body;
  /** With its quotes. */
  etag: string;
  lastModifiedAt: Date;
  storageClass: StorageClass;
  checksum: Checksum | undefined;
  /** Lengths and checksums of the parts it was made of. */
  parts: { length: number; checksum: Checksum | undefined }[];
  /** Content-Type, x-amz-meta-… and their like, as they are given back. */
  headers: Record<string, string>;
  retention: Retention | undefined;
  legalHold: boolean;
  restore: Restore | undefined;
}

export interface Bucket {
  name: string;
  createdAt: Date;
  versioning: "Enabled" | "Suspended" | undefined;
  objectLock: boolean;
  defaultRetention: { mode: Retention["mode"]; days: number } | undefined;
  /** Oldest version first. */
  keys: Map<string, Version[]>;
  uploads: Map<string, MultipartUpload>;
}

export type Buckets = Map<string, Bucket>;

/** Makes a bucket; the name is held to S3's rules. */
export function addBucket(buckets: Buckets, name: string, options: { at: Date; objectLock: boolean }): Bucket {
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || /\.\.|^\d+\.\d+\.\d+\.\d+$/.test(name)) {
    throw new ServiceError(400, "InvalidBucketName", "The specified bucket is not valid.");
  }
  if (buckets.has(name)) {
    throw new ServiceError(
      409,
      "BucketAlreadyOwnedByYou",
      "Your previous request to create the named bucket succeeded",
    );
  }
  const { at: createdAt, objectLock } = options;
  const versioning = objectLock ? "Enabled" : undefined;
  const bucket = { name, createdAt, versioning, objectLock, defaultRetention: undefined } as const;
  const made: Bucket = { ...bucket, keys: new Map(), uploads: new Map() };
  buckets.set(name, made);
  return made;
}

/** The bucket of that name. */
export function bucketOf(buckets: Buckets, name: string): Bucket {
  const bucket = buckets.get(name);
  if (!bucket) throw new ServiceError(404, "NoSuchBucket", "The specified bucket does not exist");
  return bucket;
}

/** The newest version of a key; undefined when there is none or it was deleted. */
export function currentVersion(bucket: Bucket, key: string): Version | undefined {
  const version = bucket.keys.get(key)?.at(-1);
  return version?.isMarker ? undefined : version;
}

/** The version that a request means: a certain one, or the newest. */
export function versionOf(bucket: Bucket, key: string, versionId: string | undefined): Version {
  if (versionId === undefined) {
    const newest = bucket.keys.get(key)?.at(-1);
    if (newest && !newest.isMarker) return newest;
    const marker = newest ? { "x-amz-delete-marker": "true", "x-amz-version-id": newest.versionId } : {};
    throw new ServiceError(404, "NoSuchKey", "The specified key does not exist.", marker);
  }
  const version = bucket.keys.get(key)?.find((one) => one.versionId === versionId);
  if (!version) throw new ServiceError(404, "NoSuchVersion", "The specified version does not exist.");
  if (version.isMarker) {
    throw new ServiceError(405, "MethodNotAllowed", "The specified method is not allowed against this resource.", {
      "x-amz-delete-marker": "true",
      Allow: "DELETE",
    });
  }
  return version;
}

/** Puts a version on top: beside the older ones, or in place of the one without a version. */
export function addVersion(bucket: Bucket, version: Version): void {
  const versions = bucket.keys.get(version.key) ?? [];
  bucket.keys.set(version.key, versions);
  if (version.versionId === "null") {
    const at = versions.findIndex(({ versionId }) => versionId === "null");
    if (at >= 0) versions.splice(at, 1)[0]!.body.drop();
  }
  versions.push(version);
}

/** Removes one version for good. */
export function removeVersion(bucket: Bucket, key: string, versionId: string): Version | undefined {
  const versions = bucket.keys.get(key) ?? [];
  const at = versions.findIndex((version) => version.versionId === versionId);
  if (at < 0) return undefined;
  const [removed] = versions.splice(at, 1);
  removed!.body.drop();
  if (versions.length === 0) bucket.keys.delete(key);
  return removed;
}

/** An id for a new version: "null" where versions are not kept. */
export function newVersionId(bucket: Bucket): string {
  return bucket.versioning === "Enabled" ? randomBytes(24).toString("base64url") : "null";
}
