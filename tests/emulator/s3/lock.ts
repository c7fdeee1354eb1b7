/** Object Lock: what nobody may delete for a while. */
import { header, type Reply } from "../call.ts";
import { dayMs } from "../clock.ts";
import { ServiceError } from "../errors.ts";
import { textBody } from "../http/answer.ts";
import { type Bucket, type Retention, type Version, versionOf } from "./bucket.ts";
import { bucketArn, bucketOfCall, hidingAbsence, may, need, objectArn, remainingDays, type S3Call } from "./call.ts";
import { bringsIntegrity, promisedChecksum, takeDocument } from "./payload.ts";
import { childText, parseXml, xml } from "./xml.ts";

const refuse = (code: string, message: string, status = 400) => new ServiceError(status, code, message);

/** The lock that a PUT asks for, or the bucket's own for new objects. */
export function lockOfPut(call: S3Call, bucket: Bucket): Pick<Version, "retention" | "legalHold"> {
  const mode = header(call, "x-amz-object-lock-mode");
  const until = header(call, "x-amz-object-lock-retain-until-date");
  const hold = header(call, "x-amz-object-lock-legal-hold");
  const asked = mode !== undefined || until !== undefined || hold !== undefined;
  if (asked && !bucket.objectLock) throw refuse("InvalidRequest", "Bucket is missing Object Lock Configuration");
  if ((mode === undefined) !== (until === undefined)) {
    throw refuse(
      "InvalidArgument",
      "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
    );
  }
  const isUpload = call.log.operation === "PutObject" || call.log.operation === "UploadPart";
  if (isUpload && (asked || bucket.defaultRetention) && !bringsIntegrity(call)) {
    const message =
      "Content-MD5 OR x-amz-sdk-checksum-algorithm HTTP header is required for Put Object requests with " +
      "Object Lock parameters";
    throw refuse("InvalidRequest", message);
  }
  if (hold !== undefined) need(call, "PutObjectLegalHold", objectArn(call));
  if (mode !== undefined) need(call, "PutObjectRetention", objectArn(call));
  const now = call.surroundings.clock.now();
  const byDefault: Retention | undefined = bucket.defaultRetention &&
    { mode: bucket.defaultRetention.mode, until: new Date(now.getTime() + bucket.defaultRetention.days * dayMs) };
  const retention = mode === undefined ? byDefault : readRetention(mode, until!, now);
  return { retention, legalHold: hold === "ON" };
}

function readRetention(mode: string, until: string, now: Date): Retention {
  if (mode !== "GOVERNANCE" && mode !== "COMPLIANCE") throw refuse("InvalidArgument", "Unknown wormMode directive.");
  const date = new Date(until);
  if (Number.isNaN(date.getTime())) {
    throw refuse("InvalidArgument", "The retain until date must be provided in ISO 8601 format");
  }
  if (date <= now) throw refuse("InvalidArgument", "The retain until date must be in the future!");
  return { mode, until: date };
}

/** Refuses to let go of a version that is locked. */
export function checkUnlocked(call: S3Call, version: Version): void {
  const denied = refuse("AccessDenied", "Access Denied because object protected by object lock.", 403);
  if (version.legalHold) throw denied;
  const { retention } = version;
  if (!retention || retention.until <= call.surroundings.clock.now()) return;
  if (retention.mode === "COMPLIANCE" || !bypasses(call)) throw denied;
}

function bypasses(call: S3Call): boolean {
  const asks = header(call, "x-amz-bypass-governance-retention")?.toLowerCase() === "true";
  return asks && may(call, "BypassGovernanceRetention", objectArn(call));
}

/** A document that S3 takes only with a checksum or Content-MD5. */
export function takeCheckedDocument(call: S3Call): Promise<Uint8Array> {
  if (header(call, "content-md5") === undefined && promisedChecksum(call) === undefined) {
    throw refuse("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
  return takeDocument(call);
}

export async function putObjectRetention(call: S3Call): Promise<Reply> {
  const document = parseXml(await takeCheckedDocument(call), "Retention");
  const bucket = lockedBucket(call);
  const version = hidingAbsence(call, () => versionOf(bucket, call.key, call.query.get("versionId")));
  const now = call.surroundings.clock.now();
  const [mode, until] = [childText(document, "Mode"), childText(document, "RetainUntilDate")];
  if ((mode === undefined) !== (until === undefined)) {
    throw refuse("MalformedXML", "Mode and RetainUntilDate go together");
  }
  const wanted = mode === undefined ? undefined : readRetention(mode, until!, now);
  const more = wanted
    ? {
      "s3:object-lock-mode": wanted.mode,
      "s3:object-lock-remaining-retention-days": remainingDays(call, wanted.until),
    }
    : {};
  need(call, "PutObjectRetention", objectArn(call), more);
  const held = version.retention && version.retention.until > now ? version.retention : undefined;
  const isLonger = wanted !== undefined && wanted.mode === held?.mode && wanted.until >= held.until;
  if (held && !isLonger && (held.mode === "COMPLIANCE" || !bypasses(call))) {
    throw refuse("AccessDenied", "Access Denied because object protected by object lock.", 403);
  }
  version.retention = wanted;
  return { status: 200 };
}

export function getObjectRetention(call: S3Call): Reply {
  need(call, "GetObjectRetention", objectArn(call));
  const version = versionOf(lockedBucket(call), call.key, call.query.get("versionId"));
  if (!version.retention) throw noLock();
  const { mode, until } = version.retention;
  return xmlReply(xml("Retention", { Mode: mode, RetainUntilDate: until.toISOString() }));
}

export async function putObjectLegalHold(call: S3Call): Promise<Reply> {
  need(call, "PutObjectLegalHold", objectArn(call));
  const status = childText(parseXml(await takeCheckedDocument(call), "LegalHold"), "Status");
  if (status !== "ON" && status !== "OFF") throw refuse("MalformedXML", "A legal hold is ON or OFF");
  versionOf(lockedBucket(call), call.key, call.query.get("versionId")).legalHold = status === "ON";
  return { status: 200 };
}

export function getObjectLegalHold(call: S3Call): Reply {
  need(call, "GetObjectLegalHold", objectArn(call));
  const version = versionOf(lockedBucket(call), call.key, call.query.get("versionId"));
  return xmlReply(xml("LegalHold", { Status: version.legalHold ? "ON" : "OFF" }));
}

export async function putObjectLockConfiguration(call: S3Call): Promise<Reply> {
  need(call, "PutBucketObjectLockConfiguration", bucketArn(call));
  const bucket = bucketOfCall(call);
  const document = parseXml(await takeCheckedDocument(call), "ObjectLockConfiguration");
  if (bucket.versioning !== "Enabled") {
    throw refuse("InvalidBucketState", "Versioning must be 'Enabled' on the bucket", 409);
  }
  const rule = document.children.find(({ name }) => name === "Rule");
  const [mode, days, years] = ["Mode", "Days", "Years"].map((name) =>
    rule && childText(rule, "DefaultRetention", name)
  );
  if (rule && ((mode !== "GOVERNANCE" && mode !== "COMPLIANCE") || (days === undefined) === (years === undefined))) {
    throw refuse("MalformedXML", "A default retention has a mode, and days or years");
  }
  bucket.objectLock = true;
  const length = days === undefined ? Number(years) * 365 : Number(days);
  bucket.defaultRetention = rule && { mode: mode as Retention["mode"], days: length };
  return { status: 200 };
}

export function getObjectLockConfiguration(call: S3Call): Reply {
  need(call, "GetBucketObjectLockConfiguration", bucketArn(call));
  const { objectLock, defaultRetention } = bucketOfCall(call);
  if (!objectLock) {
    throw refuse(
      "ObjectLockConfigurationNotFoundError",
      "Object Lock configuration does not exist for this bucket",
      404,
    );
  }
  const rule = defaultRetention && { DefaultRetention: { Mode: defaultRetention.mode, Days: defaultRetention.days } };
  return xmlReply(xml("ObjectLockConfiguration", { ObjectLockEnabled: "Enabled", Rule: rule }));
}

const noLock = () =>
  refuse("NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", 404);

function lockedBucket(call: S3Call): Bucket {
  const bucket = bucketOfCall(call);
  if (!bucket.objectLock) throw refuse("InvalidRequest", "Bucket is missing Object Lock Configuration");
  return bucket;
}

/** An answer of XML. */
export function xmlReply(text: string): Reply {
  return { status: 200, headers: { "Content-Type": "application/xml" }, body: textBody(text) };
}
