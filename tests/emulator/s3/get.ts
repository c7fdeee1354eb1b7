/** Objects on their way out: GetObject, HeadObject, GetObjectAttributes. */
import { partOf } from "../bodies.ts";
import { header, type Reply } from "../call.ts";
import { ServiceError } from "../errors.ts";
import { type Bucket, type Version, versionOf } from "./bucket.ts";
import { bucketOfCall, hidingAbsence, may, need, objectArn, type S3Call, toldLength, versionHeaders } from "./call.ts";
import { checksumHeader } from "./checksums.ts";
import { xmlReply } from "./lock.ts";
import { unquoted } from "./put.ts";
import { checkReadable, restoreHeader } from "./restore.ts";
import { xml } from "./xml.ts";

export function headObject(call: S3Call): Reply {
  const { bucket, version } = found(call);
  const conditional = conditionalReply(call, version);
  if (conditional) return conditional;
  const range = rangeOf(call, toldLength(call, version));
  return {
    status: range ? 206 : 200,
    headers: objectHeaders(call, bucket, version, range ?? toldRange(call, version)),
  };
}

export function getObject(call: S3Call): Reply {
  const { bucket, version } = found(call);
  const message = "The operation is not valid for the object's storage class";
  const conditional = conditionalReply(call, version);
  if (conditional) return conditional;
  checkReadable(version, call.surroundings.clock.now(), message);
  const range = rangeOf(call, version.body.length);
  const whole = { from: 0, length: version.body.length, total: version.body.length, isPart: false };
  const { from, length } = range ?? whole;
  return {
    status: range ? 206 : 200,
    headers: objectHeaders(call, bucket, version, range ?? whole),
    body: partOf(version.body, from, length),
  };
}

function found(call: S3Call): { bucket: Bucket; version: Version } {
  const versionId = call.query.get("versionId");
  need(call, versionId === undefined ? "GetObject" : "GetObjectVersion", objectArn(call));
  if (call.query.has("partNumber")) {
    throw new ServiceError(501, "NotImplemented", "The emulator knows no partNumber here");
  }
  const bucket = bucketOfCall(call);
  return { bucket, version: hidingAbsence(call, () => versionOf(bucket, call.key, versionId)) };
}

interface Range {
  from: number;
  length: number;
  total: number;
  isPart: boolean;
}

function toldRange(call: S3Call, version: Version): Range {
  const length = toldLength(call, version);
  return { from: 0, length, total: length, isPart: false };
}

/** The range that is asked for; undefined when it is none, or none that can be understood. */
function rangeOf(call: S3Call, total: number): Range | undefined {
  const [, first, last] = header(call, "range")?.match(/^bytes=(\d*)-(\d*)$/) ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return undefined;
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  const from = first === "" ? Math.max(0, total - Number(last)) : Number(first);
  const to = first === "" || last === "" ? total - 1 : Math.min(Number(last), total - 1);
  if (from >= total || (first === "" && Number(last) === 0)) {
    throw new ServiceError(416, "InvalidRange", "The requested range is not satisfiable", {
      "Content-Range": `bytes */${total}`,
    });
  }
  return { from, length: to - from + 1, total, isPart: true };
}

function conditionalReply(call: S3Call, version: Version): Reply | undefined {
  const [match, noneMatch] = [header(call, "if-match"), header(call, "if-none-match")];
  if (match !== undefined && match !== "*" && unquoted(match) !== unquoted(version.etag)) {
    throw new ServiceError(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
  }
  if (noneMatch !== undefined && (noneMatch === "*" || unquoted(noneMatch) === unquoted(version.etag))) {
    return { status: 304, headers: { ETag: version.etag } };
  }
  return undefined;
}

function objectHeaders(call: S3Call, bucket: Bucket, version: Version, range: Range): Record<string, string> {
  const now = call.surroundings.clock.now();
  const { checksum, retention, legalHold } = version;
  const headers: Record<string, string> = {
    ...version.headers,
    "Content-Length": String(range.length),
    "Accept-Ranges": "bytes",
    "Last-Modified": version.lastModifiedAt.toUTCString(),
    ETag: version.etag,
    "x-amz-server-side-encryption": "AES256",
    ...versionHeaders(bucket, version),
    ...restoreHeader(version, now),
  };
  if (range.isPart) headers["Content-Range"] = `bytes ${range.from}-${range.from + range.length - 1}/${range.total}`;
  if (version.storageClass !== "STANDARD") headers["x-amz-storage-class"] = version.storageClass;
  if (checksum && !range.isPart && header(call, "x-amz-checksum-mode")?.toUpperCase() === "ENABLED") {
    headers[checksumHeader(checksum.name)] = checksum.value;
    headers["x-amz-checksum-type"] = checksum.type;
  }
  if (retention && may(call, "GetObjectRetention", objectArn(call))) {
    headers["x-amz-object-lock-mode"] = retention.mode;
    headers["x-amz-object-lock-retain-until-date"] = retention.until.toISOString();
  }
  if (legalHold && may(call, "GetObjectLegalHold", objectArn(call))) headers["x-amz-object-lock-legal-hold"] = "ON";
  return headers;
}

export function getObjectAttributes(call: S3Call): Reply {
  const { bucket, version } = found(call);
  need(call, call.query.has("versionId") ? "GetObjectVersionAttributes" : "GetObjectAttributes", objectArn(call));
  const wanted = (header(call, "x-amz-object-attributes") ?? "").split(",").map((name) => name.trim());
  const known = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];
  if (wanted.some((name) => !known.includes(name))) {
    throw new ServiceError(400, "InvalidArgument", "Invalid attribute name specified.");
  }
  const { checksum, parts } = version;
  const content: Record<string, Parameters<typeof xml>[1]> = {
    ETag: unquoted(version.etag),
    Checksum: checksum && { [`Checksum${checksum.name}`]: checksum.value, ChecksumType: checksum.type },
    ObjectParts: parts.length === 0 ? undefined : {
      PartsCount: parts.length,
      Part: parts.map((part, index) => ({
        PartNumber: index + 1,
        Size: part.length,
        ...(part.checksum ? { [`Checksum${part.checksum.name}`]: part.checksum.value } : {}),
      })),
    },
    StorageClass: version.storageClass,
    ObjectSize: toldLength(call, version),
  };
  const chosen = Object.fromEntries(known.filter((name) => wanted.includes(name)).map((name) => [name, content[name]]));
  const reply = xmlReply(xml("GetObjectAttributesResponse", chosen));
  const more = { "Last-Modified": version.lastModifiedAt.toUTCString(), ...versionHeaders(bucket, version) };
  return { ...reply, headers: { ...reply.headers, ...more } };
}
