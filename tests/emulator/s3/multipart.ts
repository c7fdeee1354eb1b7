/** Objects in parts, as clients send them that find a file too long for one request. */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { type Body, joined } from "../bodies.ts";
import { header, type Reply, wholeNumber } from "../call.ts";
import { ServiceError } from "../errors.ts";
import { addVersion, type Bucket, newVersionId, type Version } from "./bucket.ts";
import { bucketArn, bucketOfCall, need, objectArn, ownerElement, type S3Call } from "./call.ts";
import { type Checksum, checksumHeader, type ChecksumName, checksumNames, hasher } from "./checksums.ts";
import { xmlReply } from "./lock.ts";
import { takeDocument, takePayload } from "./payload.ts";
import { checkConditions, errorInside, putHeaders, settingsOfPut, unquoted } from "./put.ts";
import { childText, type Element, parseXml, xml } from "./xml.ts";

interface Part {
  body: Body;
  md5: Uint8Array;
  checksum: Checksum | undefined;
  arrivedAt: Date;
}

/** An upload that is not finished. */
export interface MultipartUpload {
  id: string;
  settings: ReturnType<typeof settingsOfPut>;
  /** What the parts' checksums are, and how they make the whole's. */
  checksum: { name: ChecksumName; type: Checksum["type"] } | undefined;
  parts: Map<number, Part>;
}

const smallestPartBytes = 5 * 1024 ** 2;

export function createMultipartUpload(call: S3Call): Reply {
  const bucket = bucketOfCall(call);
  const settings = settingsOfPut(call, bucket);
  const name = header(call, "x-amz-checksum-algorithm")?.toUpperCase() as ChecksumName | undefined;
  if (name !== undefined && !checksumNames.includes(name)) {
    throw new ServiceError(400, "InvalidRequest", "Checksum algorithm provided is unsupported.");
  }
  const usual = name === "CRC64NVME" ? "FULL_OBJECT" : "COMPOSITE";
  const type = (header(call, "x-amz-checksum-type")?.toUpperCase() ?? usual) as Checksum["type"];
  const isWrong = name === "CRC64NVME" ? type === "COMPOSITE" : name?.startsWith("SHA") && type === "FULL_OBJECT";
  if (isWrong) throw new ServiceError(400, "InvalidRequest", `The ${type} checksum type cannot be used with ${name}.`);
  const id = randomBytes(48).toString("base64url");
  bucket.uploads.set(id, { id, settings, checksum: name && { name, type }, parts: new Map() });
  const reply = xmlReply(xml("InitiateMultipartUploadResult", { Bucket: bucket.name, Key: call.key, UploadId: id }));
  const headers: Record<string, string> = name ? { "x-amz-checksum-algorithm": name, "x-amz-checksum-type": type } : {};
  return { ...reply, headers: { ...reply.headers, ...headers } };
}

function uploadOf(call: S3Call, bucket: Bucket): MultipartUpload {
  const upload = bucket.uploads.get(call.query.get("uploadId") ?? "");
  if (upload?.settings.key === call.key) return upload;
  const message =
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
  throw new ServiceError(404, "NoSuchUpload", message);
}

export async function uploadPart(call: S3Call): Promise<Reply> {
  need(call, "PutObject", objectArn(call), { "s3:objectcreationoperation": "false" });
  if (header(call, "x-amz-copy-source")) throw new ServiceError(501, "NotImplemented", "The emulator copies no parts");
  const bucket = bucketOfCall(call);
  const upload = uploadOf(call, bucket);
  const bounds = { name: "partNumber", from: 1, to: 10_000, code: "InvalidArgument" };
  const number = wholeNumber(call.query.get("partNumber") ?? "", bounds);
  const payload = await takePayload(call);
  const wanted = upload.checksum?.name;
  const isOther = wanted !== undefined && payload.checksum !== undefined && payload.checksum.name !== wanted;
  if (isOther || !bucket.uploads.has(upload.id)) {
    payload.body.drop();
    if (!isOther) uploadOf(call, bucket);
    const message =
      `Checksum Type mismatch occurred, expected checksum Type: ${wanted}, actual checksum Type: ${payload.checksum?.name}`;
    throw new ServiceError(400, "InvalidRequest", message);
  }
  upload.parts.get(number)?.body.drop();
  upload.parts.set(number, { ...payload, arrivedAt: call.surroundings.clock.now() });
  const { checksum } = payload;
  const headers: Record<string, string> = checksum ? { [checksumHeader(checksum.name)]: checksum.value } : {};
  return { status: 200, headers: { ETag: quotedHex(payload.md5), ...headers } };
}

export async function completeMultipartUpload(call: S3Call): Promise<Reply> {
  need(call, "PutObject", objectArn(call), { "s3:objectcreationoperation": "true" });
  const bucket = bucketOfCall(call);
  const document = parseXml(await takeDocument(call), "CompleteMultipartUpload");
  const upload = uploadOf(call, bucket);
  const parts = chosenParts(upload, document.children.filter(({ name }) => name === "Part"));
  const body = joined(parts.map((part) => part.body));
  const size = header(call, "x-amz-mp-object-size");
  if (size !== undefined && Number(size) !== body.length) {
    throw new ServiceError(
      400,
      "InvalidRequest",
      `The provided 'x-amz-mp-object-size' header value ${size} does not match`,
    );
  }
  const checksum = upload.checksum && await wholeChecksum(upload.checksum, parts, body);
  const given = checksum && header(call, checksumHeader(checksum.name));
  if (given !== undefined && given !== checksum?.value) {
    throw new ServiceError(
      400,
      "BadDigest",
      `The ${checksum?.name} you specified did not match the calculated checksum.`,
    );
  }
  uploadOf(call, bucket); // Two may have come here at once.
  checkConditions(call, bucket);
  if (call.surroundings.hostile.has("ok-with-error-inside")) return errorInside();
  const kept = new Set(parts);
  for (const part of upload.parts.values()) if (!kept.has(part)) part.body.drop();
  bucket.uploads.delete(upload.id);
  const md5 = hasher("MD5");
  for (const part of parts) md5.update(part.md5);
  const version: Version = {
    ...upload.settings,
    versionId: newVersionId(bucket),
    lastModifiedAt: call.surroundings.clock.now(),
    body,
    etag: `"${Buffer.from(md5.digest()).toString("hex")}-${parts.length}"`,
    checksum,
    parts: parts.map((part) => ({ length: part.body.length, checksum: upload.checksum && part.checksum })),
  };
  addVersion(bucket, version);
  const content = {
    Location: `http://${header(call, "host")}/${bucket.name}/${encodeURIComponent(call.key)}`,
    Bucket: bucket.name,
    Key: call.key,
    ETag: version.etag,
    ...(checksum ? { [`Checksum${checksum.name}`]: checksum.value, ChecksumType: checksum.type } : {}),
  };
  const reply = xmlReply(xml("CompleteMultipartUploadResult", content));
  return { ...reply, headers: { ...reply.headers, ...putHeaders(bucket, { ...version, checksum: undefined }) } };
}

/** The parts that the client names, each held against what is here. */
function chosenParts(upload: MultipartUpload, elements: Element[]): Part[] {
  if (elements.length === 0) throw new ServiceError(400, "MalformedXML", "There are no parts");
  const numbers = elements.map((element) => Number(childText(element, "PartNumber")));
  if (!numbers.every((number, index) => number > (numbers[index - 1] ?? 0))) {
    throw new ServiceError(400, "InvalidPartOrder", "The list of parts was not in ascending order.");
  }
  return elements.map((element, index) => {
    const number = numbers[index]!;
    const part = upload.parts.get(number);
    const etag = childText(element, "ETag");
    const isSame = part && etag !== undefined && unquoted(etag) === unquoted(quotedHex(part.md5));
    const given = part?.checksum && childText(element, `Checksum${part.checksum.name}`);
    const isComposite = upload.checksum?.type === "COMPOSITE";
    const isRight = given === undefined ? !(isComposite && part?.checksum) : given === part?.checksum?.value;
    if (!isSame || !isRight) {
      throw new ServiceError(400, "InvalidPart", `Part ${number} could not be found or differs.`);
    }
    if (index < elements.length - 1 && part.body.length < smallestPartBytes) {
      throw new ServiceError(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size");
    }
    return part;
  });
}

async function wholeChecksum(
  { name, type }: NonNullable<MultipartUpload["checksum"]>,
  parts: Part[],
  body: Body,
): Promise<Checksum> {
  const hash = hasher(name);
  if (type === "COMPOSITE") {
    for (const part of parts) hash.update(Buffer.from(part.checksum?.value ?? "", "base64"));
    return { name, type, value: `${Buffer.from(hash.digest()).toString("base64")}-${parts.length}` };
  }
  for await (const piece of body.read(0, body.length)) hash.update(piece);
  return { name, type, value: Buffer.from(hash.digest()).toString("base64") };
}

export function abortMultipartUpload(call: S3Call): Reply {
  need(call, "AbortMultipartUpload", objectArn(call));
  const bucket = bucketOfCall(call);
  const upload = uploadOf(call, bucket);
  for (const { body } of upload.parts.values()) body.drop();
  bucket.uploads.delete(upload.id);
  return { status: 204 };
}

export function listParts(call: S3Call): Reply {
  need(call, "ListMultipartUploadParts", objectArn(call));
  const bucket = bucketOfCall(call);
  const upload = uploadOf(call, bucket);
  const bounds = { name: "max-parts", from: 1, to: 2 ** 31 - 1, code: "InvalidArgument" };
  const most = Math.min(1000, wholeNumber(call.query.get("max-parts") ?? "1000", bounds));
  const marker = Number(call.query.get("part-number-marker") ?? "0");
  const after = [...upload.parts].sort(([a], [b]) => a - b).filter(([number]) => number > marker);
  const shown = after.slice(0, most);
  return xmlReply(xml("ListPartsResult", {
    Bucket: bucket.name,
    Key: call.key,
    UploadId: upload.id,
    Initiator: ownerElement,
    Owner: ownerElement,
    StorageClass: upload.settings.storageClass,
    PartNumberMarker: marker,
    NextPartNumberMarker: shown.at(-1)?.[0] ?? 0,
    MaxParts: most,
    IsTruncated: shown.length < after.length,
    ChecksumAlgorithm: upload.checksum?.name,
    ChecksumType: upload.checksum?.type,
    Part: shown.map(([PartNumber, { body, md5, checksum, arrivedAt }]) => ({
      PartNumber,
      LastModified: arrivedAt.toISOString(),
      ETag: quotedHex(md5),
      Size: body.length,
      ...(checksum && upload.checksum ? { [`Checksum${checksum.name}`]: checksum.value } : {}),
    })),
  }));
}

export function listMultipartUploads(call: S3Call): Reply {
  need(call, "ListBucketMultipartUploads", bucketArn(call));
  const bucket = bucketOfCall(call);
  const prefix = call.query.get("prefix") ?? "";
  const uploads = [...bucket.uploads.values()].filter(({ settings }) => settings.key.startsWith(prefix));
  return xmlReply(xml("ListMultipartUploadsResult", {
    Bucket: bucket.name,
    Prefix: prefix,
    MaxUploads: 1000,
    IsTruncated: false,
    Upload: uploads.map(({ id, settings, checksum }) => ({
      UploadId: id,
      Key: settings.key,
      Initiated: settings.lastModifiedAt.toISOString(),
      StorageClass: settings.storageClass,
      Owner: ownerElement,
      Initiator: ownerElement,
      ChecksumAlgorithm: checksum?.name,
      ChecksumType: checksum?.type,
    })),
  }));
}

function quotedHex(md5: Uint8Array): string {
  return `"${Buffer.from(md5).toString("hex")}"`;
}
