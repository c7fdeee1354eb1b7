/** Lists: of buckets, of keys (both versions of the call) and of versions. */
import { header, type Reply, wholeNumber } from "../call.ts";
import { ServiceError } from "../errors.ts";
import { type Bucket, type Version } from "./bucket.ts";
import { bucketArn, bucketOfCall, need, ownerElement, type S3Call, toldLength } from "./call.ts";
import { xmlReply } from "./lock.ts";
import { restoreOf } from "./restore.ts";
import { xml } from "./xml.ts";

type Element = Record<string, unknown>;

/** What all three lists are asked with. */
function question(call: S3Call) {
  const text = (name: string) => call.query.get(name) ?? "";
  const encodes = call.query.get("encoding-type") === "url";
  const asked = call.query.get("max-keys");
  const bounds = { name: "max-keys", from: 0, to: Number.MAX_SAFE_INTEGER, code: "InvalidArgument" };
  const most = Math.min(1000, asked ? wholeNumber(asked, bounds) : 1000);
  const show = (name: string) =>
    encodes
      ? encodeURIComponent(name).replaceAll("%2F", "/").replace(
        /[!'()]/g,
        (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
      )
      : name;
  return { prefix: text("prefix"), delimiter: text("delimiter"), most, show, encodes };
}

/** Rows and common prefixes in order, from behind a place on; `row` of a key gives as many as it has. */
function page<Row>(bucket: Bucket, options: {
  prefix: string;
  delimiter: string;
  most: number;
  rows: (versions: readonly Version[], key: string) => Row[];
  isBefore: (key: string) => boolean;
}): { rows: Row[]; prefixes: string[]; last: string; isTruncated: boolean } {
  const found: { rows: Row[]; prefixes: string[]; last: string; isTruncated: boolean } = {
    rows: [],
    prefixes: [],
    last: "",
    isTruncated: false,
  };
  for (const key of sortedKeys(bucket)) {
    if (!key.startsWith(options.prefix) || options.isBefore(key)) continue;
    const { delimiter, prefix } = options;
    const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    const common = end < 0 ? undefined : key.slice(0, end + delimiter.length);
    if (common !== undefined && (options.isBefore(common) || found.prefixes.at(-1) === common)) continue;
    const rows = options.rows(bucket.keys.get(key)!, key);
    if (rows.length === 0) continue;
    const room = options.most - found.rows.length - found.prefixes.length;
    if (room <= 0) {
      found.isTruncated = options.most > 0;
      break;
    }
    if (common === undefined) found.rows.push(...rows.slice(0, room));
    else found.prefixes.push(common);
    found.last = common ?? key;
    if (common === undefined && rows.length > room) {
      found.isTruncated = true;
      break;
    }
  }
  return found;
}

const sorted = new WeakMap<Bucket, { count: number; keys: string[] }>();

/** In the order of UTF-8, sorted again only when a key came or went. */
function sortedKeys(bucket: Bucket): string[] {
  const known = sorted.get(bucket);
  const isSame = known?.count === bucket.keys.size && known.keys.every((key) => bucket.keys.has(key));
  if (known && isSame) return known.keys;
  const keys = [...bucket.keys.keys()].sort(byUtf8);
  sorted.set(bucket, { count: keys.length, keys });
  return keys;
}

/** Surrogates sort behind all other units in UTF-8, unlike in UTF-16. */
function byUtf8(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const weight = (unit: number) => Number.isNaN(unit) ? -1 : unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
  return weight(a.charCodeAt(at)) - weight(b.charCodeAt(at));
}

function contents(call: S3Call, version: Version, show: (key: string) => string): Element {
  const now = call.surroundings.clock.now();
  const wantsRestore = /\bRestoreStatus\b/.test(header(call, "x-amz-optional-object-attributes") ?? "");
  const restore = wantsRestore ? restoreOf(version, now) : undefined;
  const isOngoing = restore !== undefined && restore.readyAt > now;
  return {
    Key: show(version.key),
    LastModified: version.lastModifiedAt.toISOString(),
    ETag: version.etag,
    ChecksumAlgorithm: version.checksum?.name,
    ChecksumType: version.checksum?.type,
    Size: toldLength(call, version),
    StorageClass: version.storageClass,
    RestoreStatus: restore && {
      IsRestoreInProgress: isOngoing,
      RestoreExpiryDate: isOngoing ? undefined : restore.expiresAt.toISOString(),
    },
  };
}

export function listObjectsV2(call: S3Call): Reply {
  need(call, "ListBucket", bucketArn(call));
  const bucket = bucketOfCall(call);
  const { prefix, delimiter, most, show, encodes } = question(call);
  const token = call.query.get("continuation-token");
  const after = token === undefined ? call.query.get("start-after") ?? "" : readToken(token);
  const found = page(bucket, {
    ...{ prefix, delimiter, most },
    rows: (versions) => current(versions).map((version) => contents(call, version, show)),
    isBefore: (key) => after !== "" && byUtf8(key, after) <= 0,
  });
  const content = {
    Name: bucket.name,
    Prefix: show(prefix),
    Delimiter: delimiter === "" ? undefined : show(delimiter),
    MaxKeys: most,
    EncodingType: encodes ? "url" : undefined,
    KeyCount: found.rows.length + found.prefixes.length,
    IsTruncated: found.isTruncated,
    ContinuationToken: token,
    NextContinuationToken: found.isTruncated ? writeToken(found.last) : undefined,
    StartAfter: call.query.has("start-after") ? show(call.query.get("start-after")!) : undefined,
    Contents: found.rows.map((row) => call.query.get("fetch-owner") === "true" ? { ...row, Owner: ownerElement } : row),
    CommonPrefixes: found.prefixes.map((Prefix) => ({ Prefix: show(Prefix) })),
  };
  return xmlReply(xml("ListBucketResult", content as Parameters<typeof xml>[1]));
}

export function listObjects(call: S3Call): Reply {
  need(call, "ListBucket", bucketArn(call));
  const bucket = bucketOfCall(call);
  const { prefix, delimiter, most, show, encodes } = question(call);
  const marker = call.query.get("marker") ?? "";
  const found = page(bucket, {
    ...{ prefix, delimiter, most },
    rows: (versions) => current(versions).map((version) => contents(call, version, show)),
    isBefore: (key) => marker !== "" && byUtf8(key, marker) <= 0,
  });
  const content = {
    Name: bucket.name,
    Prefix: show(prefix),
    Marker: show(marker),
    NextMarker: found.isTruncated && delimiter !== "" ? show(found.last) : undefined,
    Delimiter: delimiter === "" ? undefined : show(delimiter),
    MaxKeys: most,
    EncodingType: encodes ? "url" : undefined,
    IsTruncated: found.isTruncated,
    Contents: found.rows.map((row) => ({ ...row, Owner: ownerElement })),
    CommonPrefixes: found.prefixes.map((Prefix) => ({ Prefix: show(Prefix) })),
  };
  return xmlReply(xml("ListBucketResult", content as Parameters<typeof xml>[1]));
}

export function listObjectVersions(call: S3Call): Reply {
  need(call, "ListBucketVersions", bucketArn(call));
  const bucket = bucketOfCall(call);
  const { prefix, delimiter, most, show, encodes } = question(call);
  const [keyMarker, versionMarker] = [call.query.get("key-marker") ?? "", call.query.get("version-id-marker") ?? ""];
  const found = page(bucket, {
    ...{ prefix, delimiter, most },
    rows: (versions, key) => {
      const newestFirst = versions.toReversed();
      const from = key === keyMarker ? newestFirst.findIndex(({ versionId }) => versionId === versionMarker) + 1 : 0;
      return newestFirst.slice(from).map((version) => ({ version, isLatest: version === versions.at(-1) }));
    },
    isBefore: (key) =>
      keyMarker !== "" && (versionMarker === "" ? byUtf8(key, keyMarker) <= 0 : byUtf8(key, keyMarker) < 0),
  });
  const elements = (markers: boolean) =>
    found.rows.filter(({ version }) => version.isMarker === markers).map(({ version, isLatest }) => {
      const common = { VersionId: version.versionId, IsLatest: isLatest, Owner: ownerElement };
      return markers
        ? { Key: show(version.key), LastModified: version.lastModifiedAt.toISOString(), ...common }
        : { ...contents(call, version, show), ...common };
    });
  const lastRow = found.rows.at(-1)?.version;
  const content = {
    Name: bucket.name,
    Prefix: show(prefix),
    KeyMarker: show(keyMarker),
    VersionIdMarker: versionMarker,
    NextKeyMarker: found.isTruncated ? show(found.last) : undefined,
    NextVersionIdMarker: found.isTruncated && lastRow?.key === found.last ? lastRow.versionId : undefined,
    Delimiter: delimiter === "" ? undefined : show(delimiter),
    MaxKeys: most,
    EncodingType: encodes ? "url" : undefined,
    IsTruncated: found.isTruncated,
    Version: elements(false),
    DeleteMarker: elements(true),
    CommonPrefixes: found.prefixes.map((Prefix) => ({ Prefix: show(Prefix) })),
  };
  return xmlReply(xml("ListVersionsResult", content as Parameters<typeof xml>[1]));
}

function current(versions: readonly Version[]): Version[] {
  const newest = versions.at(-1);
  return newest && !newest.isMarker ? [newest] : [];
}

/** Opaque to clients, so that nobody takes one for a key. */
function writeToken(key: string): string {
  return btoa(`1 ${encodeURIComponent(key)}`);
}

function readToken(token: string): string {
  try {
    return decodeURIComponent(atob(token).replace(/^1 /, ""));
  } catch {
    throw new ServiceError(400, "InvalidArgument", "The continuation token provided is incorrect");
  }
}
