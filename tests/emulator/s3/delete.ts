/** Deleting: for good where no versions are kept, else by a marker; a certain version only when no lock holds it. */
import { header, type Reply } from "../call.ts";
import { inMemory } from "../bodies.ts";
import { ServiceError } from "../errors.ts";
import { addVersion, type Bucket, currentVersion, newVersionId, removeVersion } from "./bucket.ts";
import { bucketOfCall, need, objectArn, type S3Call } from "./call.ts";
import { checkUnlocked, takeCheckedDocument, xmlReply } from "./lock.ts";
import { unquoted } from "./put.ts";
import { childText, parseXml, xml } from "./xml.ts";

/** What became of a key. */
interface Deleted {
  versionId: string | undefined;
  isMarker: boolean;
}

export function deleteObject(call: S3Call): Reply {
  const bucket = bucketOfCall(call);
  const match = header(call, "if-match");
  if (match !== undefined) {
    const current = currentVersion(bucket, call.key);
    if (!current || (match !== "*" && unquoted(match) !== unquoted(current.etag))) {
      throw new ServiceError(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
      );
    }
  }
  const { versionId, isMarker } = deleteOne(call, bucket, call.query.get("versionId"));
  const headers: Record<string, string> = {};
  if (versionId !== undefined) headers["x-amz-version-id"] = versionId;
  if (isMarker) headers["x-amz-delete-marker"] = "true";
  return { status: 204, headers };
}

function deleteOne(call: S3Call, bucket: Bucket, versionId: string | undefined): Deleted {
  need(call, versionId === undefined ? "DeleteObject" : "DeleteObjectVersion", objectArn(call));
  if (versionId !== undefined) {
    const version = bucket.keys.get(call.key)?.find((one) => one.versionId === versionId);
    if (version) checkUnlocked(call, version);
    const removed = removeVersion(bucket, call.key, versionId);
    return { versionId, isMarker: removed?.isMarker ?? false };
  }
  if (bucket.versioning === undefined) {
    removeVersion(bucket, call.key, "null");
    return { versionId: undefined, isMarker: false };
  }
  const marker = {
    key: call.key,
    versionId: newVersionId(bucket),
    isMarker: true,
    body: inMemory().end(),
    etag: "",
    lastModifiedAt: call.surroundings.clock.now(),
    storageClass: "STANDARD",
    checksum: undefined,
    parts: [],
    headers: {},
    retention: undefined,
    legalHold: false,
    restore: undefined,
  } as const;
  addVersion(bucket, { ...marker, parts: [] });
  return { versionId: marker.versionId, isMarker: true };
}

export async function deleteObjects(call: S3Call): Promise<Reply> {
  const bucket = bucketOfCall(call);
  const document = parseXml(await takeCheckedDocument(call), "Delete");
  const objects = document.children.filter(({ name }) => name === "Object");
  if (objects.length < 1 || objects.length > 1000) {
    throw new ServiceError(400, "MalformedXML", "A request deletes 1 to 1,000 objects");
  }
  const quiet = childText(document, "Quiet") === "true";
  const done: Record<string, string | boolean | undefined>[] = [];
  const failed: Record<string, string | undefined>[] = [];
  for (const object of objects) {
    const [Key, VersionId] = [object.children.find(({ name }) => name === "Key")?.text, childText(object, "VersionId")];
    if (Key === undefined || Key === "") throw new ServiceError(400, "MalformedXML", "An object without Key");
    try {
      if (call.surroundings.hostile.has("ok-with-error-inside")) {
        throw new ServiceError(500, "InternalError", "We encountered an internal error. Please try again.");
      }
      const { versionId, isMarker } = deleteOne({ ...call, key: Key }, bucket, VersionId);
      done.push(
        isMarker && VersionId === undefined
          ? { Key, DeleteMarker: true, DeleteMarkerVersionId: versionId }
          : { Key, VersionId, ...(isMarker ? { DeleteMarker: true, DeleteMarkerVersionId: versionId } : {}) },
      );
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      failed.push({ Key, VersionId, Code: error.code, Message: error.message });
    }
  }
  return xmlReply(xml("DeleteResult", { Deleted: quiet ? [] : done, Error: failed }));
}
