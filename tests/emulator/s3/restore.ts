/** What sleeps in an archive class, and how it is woken: RestoreObject and the states that follow. */
import type { Reply } from "../call.ts";
import { dayMs, hourMs, minuteMs } from "../clock.ts";
import { ServiceError } from "../errors.ts";
import { type Restore, type Version, versionOf } from "./bucket.ts";
import { bucketOfCall, hidingAbsence, need, objectArn, type S3Call } from "./call.ts";
import { takeDocument } from "./payload.ts";
import { childText, parseXml } from "./xml.ts";

/** The longest that AWS gives for each, which is what a caller must be able to wait for. */
export const restoreMs: Readonly<Record<"GLACIER" | "DEEP_ARCHIVE", Partial<Record<Restore["tier"], number>>>> = {
  GLACIER: { Expedited: 5 * minuteMs, Standard: 5 * hourMs, Bulk: 12 * hourMs },
  DEEP_ARCHIVE: { Standard: 12 * hourMs, Bulk: 48 * hourMs },
};
const speed: readonly Restore["tier"][] = ["Bulk", "Standard", "Expedited"];

/** The class if it is one whose objects cannot simply be read. */
export function archiveClass(version: Version): "GLACIER" | "DEEP_ARCHIVE" | undefined {
  const { storageClass } = version;
  return storageClass === "GLACIER" || storageClass === "DEEP_ARCHIVE" ? storageClass : undefined;
}

/** The restore that counts now: one whose copy has expired is as if it had never been. */
export function restoreOf(version: Version, now: Date): Restore | undefined {
  return version.restore && version.restore.expiresAt > now ? version.restore : undefined;
}

/** Refuses to give bytes that are not readable now. */
export function checkReadable(version: Version, now: Date, message: string): void {
  if (!archiveClass(version)) return;
  const restore = restoreOf(version, now);
  if (restore && restore.readyAt <= now) return;
  throw new ServiceError(403, "InvalidObjectState", message, {}, { StorageClass: version.storageClass });
}

/** The header `x-amz-restore`. */
export function restoreHeader(version: Version, now: Date): Record<string, string> {
  const restore = restoreOf(version, now);
  if (!restore) return {};
  if (restore.readyAt > now) return { "x-amz-restore": 'ongoing-request="true"' };
  return { "x-amz-restore": `ongoing-request="false", expiry-date="${restore.expiresAt.toUTCString()}"` };
}

export async function restoreObject(call: S3Call): Promise<Reply> {
  need(call, "RestoreObject", objectArn(call));
  const document = parseXml(await takeDocument(call), "RestoreRequest");
  const version = hidingAbsence(call, () => versionOf(bucketOfCall(call), call.key, call.query.get("versionId")));
  const storageClass = archiveClass(version);
  if (!storageClass) {
    const message = "Restore is not allowed for the object's current storage class";
    throw new ServiceError(403, "InvalidObjectState", message, {}, { StorageClass: version.storageClass });
  }
  const days = Number(childText(document, "Days") ?? "0");
  if (!Number.isInteger(days) || days < 1) {
    throw new ServiceError(400, "MalformedXML", "A restore needs Days, at least 1");
  }
  const tier = (childText(document, "GlacierJobParameters", "Tier") ?? "Standard") as Restore["tier"];
  if (!speed.includes(tier)) throw new ServiceError(400, "MalformedXML", `There is no tier ${tier}`);
  const takesMs = restoreMs[storageClass][tier];
  if (takesMs === undefined) {
    throw new ServiceError(400, "InvalidArgument", "Retrieval option is not supported by this storage class");
  }
  const { clock, switches } = call.surroundings;
  const now = clock.now();
  const before = restoreOf(version, now);
  if (before && before.readyAt <= now) {
    before.days = days;
    before.expiresAt = midnightAfter(now.getTime() + days * dayMs);
    return { status: 200 };
  }
  const isFaster = before && days === before.days && speed.indexOf(tier) > speed.indexOf(before.tier);
  if (before && !isFaster) {
    throw new ServiceError(409, "RestoreAlreadyInProgress", "Object restore is already in progress");
  }
  if (tier === "Expedited" && switches.has("no-expedited-capacity")) {
    const message = "Glacier expedited retrievals are currently not available, please try again later";
    throw new ServiceError(503, "GlacierExpeditedRetrievalNotAvailable", message);
  }
  const readyAt = new Date(Math.min(now.getTime() + takesMs, before?.readyAt.getTime() ?? Infinity));
  version.restore = { tier, days, readyAt, expiresAt: before?.expiresAt ?? expiry(now, readyAt, days) };
  return { status: 202 };
}

/** The days are counted from the request. A copy that would be gone before it can be read stays for a day. */
function expiry(now: Date, readyAt: Date, days: number): Date {
  return midnightAfter(Math.max(now.getTime() + days * dayMs, readyAt.getTime() + dayMs));
}

/** Rounded up to the next midnight of UTC. */
export function midnightAfter(ms: number): Date {
  return new Date(Math.ceil(ms / dayMs) * dayMs);
}
