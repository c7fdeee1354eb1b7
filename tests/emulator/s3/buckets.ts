/** What is asked of buckets themselves. */
import { type Reply } from "../call.ts";
import { ServiceError } from "../errors.ts";
import { addBucket } from "./bucket.ts";
import { bucketArn, bucketOfCall, need, ownerElement, type S3Call } from "./call.ts";
import { takeCheckedDocument, xmlReply } from "./lock.ts";
import { takeDocument } from "./payload.ts";
import { childText, parseXml, xml } from "./xml.ts";

export function listBuckets(call: S3Call): Reply {
  need(call, "ListAllMyBuckets", "*");
  const buckets = [...call.buckets.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  const elements = buckets.map(({ name, createdAt }) => ({ Name: name, CreationDate: createdAt.toISOString() }));
  return xmlReply(xml("ListAllMyBucketsResult", { Owner: ownerElement, Buckets: { Bucket: elements } }));
}

export async function createBucket(call: S3Call): Promise<Reply> {
  need(call, "CreateBucket", bucketArn(call));
  if ((call.request.body.announcedLength ?? 0) > 0) {
    const document = parseXml(await takeDocument(call), "CreateBucketConfiguration");
    const place = childText(document, "LocationConstraint");
    if (place !== undefined && place !== call.surroundings.region) {
      throw new ServiceError(400, "InvalidLocationConstraint", "The specified location-constraint is not valid");
    }
  }
  const objectLock = call.request.headers.get("x-amz-bucket-object-lock-enabled")?.toLowerCase() === "true";
  addBucket(call.buckets, call.bucketName, { at: call.surroundings.clock.now(), objectLock });
  return { status: 200, headers: { Location: `/${call.bucketName}` } };
}

export function headBucket(call: S3Call): Reply {
  bucketOfCall(call);
  need(call, "ListBucket", bucketArn(call));
  return {
    status: 200,
    headers: { "x-amz-bucket-region": call.surroundings.region, "Content-Type": "application/xml" },
  };
}

export function deleteBucket(call: S3Call): Reply {
  need(call, "DeleteBucket", bucketArn(call));
  const bucket = bucketOfCall(call);
  if (bucket.keys.size > 0) {
    throw new ServiceError(409, "BucketNotEmpty", "The bucket you tried to delete is not empty");
  }
  for (const { parts } of bucket.uploads.values()) for (const { body } of parts.values()) body.drop();
  call.buckets.delete(bucket.name);
  return { status: 204 };
}

export function getBucketLocation(call: S3Call): Reply {
  need(call, "GetBucketLocation", bucketArn(call));
  bucketOfCall(call);
  const { region } = call.surroundings;
  return xmlReply(xml("LocationConstraint", region === "us-east-1" ? undefined : region));
}

export function getBucketVersioning(call: S3Call): Reply {
  need(call, "GetBucketVersioning", bucketArn(call));
  return xmlReply(xml("VersioningConfiguration", { Status: bucketOfCall(call).versioning }));
}

export async function putBucketVersioning(call: S3Call): Promise<Reply> {
  need(call, "PutBucketVersioning", bucketArn(call));
  const bucket = bucketOfCall(call);
  const status = childText(parseXml(await takeCheckedDocument(call), "VersioningConfiguration"), "Status");
  if (status !== "Enabled" && status !== "Suspended") {
    throw new ServiceError(400, "MalformedXML", "Versioning is Enabled or Suspended");
  }
  if (bucket.objectLock && status === "Suspended") {
    const message =
      "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.";
    throw new ServiceError(409, "InvalidBucketState", message);
  }
  bucket.versioning = status;
  return { status: 200 };
}
