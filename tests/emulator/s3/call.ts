/** A call to S3, and the headers that many of its answers share. */
import type { Call } from "../call.ts";
import { header } from "../call.ts";
import { ServiceError } from "../errors.ts";
import { account, authorize, isAllowed } from "../users.ts";
import { type Bucket, bucketOf, type Buckets, type Version } from "./bucket.ts";

export interface S3Call extends Call {
  buckets: Buckets;
  /** Empty where the call is about none. */
  bucketName: string;
  key: string;
}

/** The bucket that a call is about. */
export function bucketOfCall(call: S3Call): Bucket {
  return bucketOf(call.buckets, call.bucketName);
}

export function bucketArn(call: S3Call): string {
  return `arn:aws:s3:::${call.bucketName}`;
}

export function objectArn(call: S3Call, key = call.key): string {
  return `arn:aws:s3:::${call.bucketName}/${key}`;
}

/** What conditions of policies can be about. */
export function policyContext(call: S3Call, more: Record<string, string> = {}): Map<string, string> {
  const context = new Map(Object.entries({ "aws:securetransport": "false", "aws:username": call.user.name, ...more }));
  const take = (name: string, value: string | undefined) => {
    if (value !== undefined) context.set(name, value);
  };
  for (const name of ["x-amz-storage-class", "if-none-match", "if-match", "x-amz-content-sha256", "x-amz-acl"]) {
    take(`s3:${name}`, header(call, name));
  }
  take("s3:x-amz-metadata-directive", header(call, "x-amz-metadata-directive"));
  take("s3:x-amz-copy-source", header(call, "x-amz-copy-source"));
  take("s3:x-amz-server-side-encryption", header(call, "x-amz-server-side-encryption"));
  take("s3:object-lock-mode", header(call, "x-amz-object-lock-mode"));
  take("s3:object-lock-retain-until-date", header(call, "x-amz-object-lock-retain-until-date"));
  take("s3:object-lock-legal-hold", header(call, "x-amz-object-lock-legal-hold"));
  const until = header(call, "x-amz-object-lock-retain-until-date");
  if (until !== undefined) take("s3:object-lock-remaining-retention-days", remainingDays(call, new Date(until)));
  for (const name of ["prefix", "delimiter", "max-keys", "versionId"]) {
    take(`s3:${name.toLowerCase()}`, call.query.get(name));
  }
  return context;
}

/** Whole days from now until then, as the condition key counts them. */
export function remainingDays(call: S3Call, until: Date): string {
  return String(Math.ceil((until.getTime() - call.surroundings.clock.now().getTime()) / 86_400_000));
}

/** Refuses what the user may not do. */
export function need(call: S3Call, action: string, resource: string, more: Record<string, string> = {}): void {
  authorize(call.user, { action: `s3:${action}`, resource, context: policyContext(call, more) });
}

export function may(call: S3Call, action: string, resource: string): boolean {
  return isAllowed(call.user, { action: `s3:${action}`, resource, context: policyContext(call) });
}

/** Runs `find`; who may not list the bucket is told 403 and not that a key is missing. */
export function hidingAbsence<T>(call: S3Call, find: () => T): T {
  try {
    return find();
  } catch (error) {
    const isAbsent = error instanceof ServiceError && error.code === "NoSuchKey";
    if (isAbsent && !may(call, "ListBucket", bucketArn(call))) {
      throw new ServiceError(403, "AccessDenied", "Access Denied");
    }
    throw error;
  }
}

/** What most answers about a version say of it. */
export function versionHeaders(bucket: Bucket, version: Version): Record<string, string> {
  return bucket.versioning === undefined ? {} : { "x-amz-version-id": version.versionId };
}

/** Size as the server tells it. */
export function toldLength(call: S3Call, version: Version): number {
  const lies = call.surroundings.hostile.has("lies-about-size") && version.body.length > 0;
  return version.body.length - (lies ? 1 : 0);
}

export const ownerElement = { ID: account.padStart(64, "0"), DisplayName: "owner" };
