/** Asking a vault for something and waiting hours for it: InitiateJob, DescribeJob, ListJobs. */
import type { Reply } from "../call.ts";
import { dayMs, hourMs, minuteMs } from "../clock.ts";
import { ServiceError } from "../errors.ts";
import { invalid, locationOf, need, notFound, time, vaultArn, type VaultCall, vaultOf } from "./call.ts";
import { type Inventory, inventoryOf, type InventoryQuestion, readInventoryQuestion } from "./inventory.ts";
import { jsonReply, pageOf } from "./paging.ts";
import { type ByteRange, isMebibyteAligned, rangeTreeHash } from "./tree_hash.ts";
import { type Archive, opaqueId, type Vault } from "./vault.ts";

type Tier = "Expedited" | "Standard" | "Bulk";

export interface Job {
  id: string;
  description: string | null;
  topic: string | null;
  createdAt: Date;
  readyAt: Date;
  tier: Tier | null;
  /** What is retrieved: bytes of an archive, … */
  archive: Archive | undefined;
  range: ByteRange;
  /** … or an inventory. */
  question: InventoryQuestion | undefined;
  inventory: Inventory | undefined;
}

/** The longest that AWS gives for each. */
export const jobMs: Readonly<Record<Tier | "inventory", number>> = {
  Expedited: 5 * minuteMs,
  Standard: 5 * hourMs,
  Bulk: 12 * hourMs,
  inventory: 5 * hourMs,
};
/** How long what a job brought can be downloaded. */
export const outputMs = dayMs;

export function initiateJob(call: VaultCall): Reply {
  need(call, "InitiateJob");
  const vault = vaultOf(call);
  const parameters = readParameters(call);
  const text = (name: string): string | null => {
    const value = parameters[name];
    if (value === undefined || value === null) return null;
    if (typeof value !== "string") throw invalid(`Invalid ${name}: it is no text`);
    return value;
  };
  const type = text("Type");
  const description = text("Description");
  if (description !== null && (description.length > 1024 || /[^\x20-\x7e]/.test(description))) {
    throw invalid("Invalid Description: at most 1,024 printable characters of ASCII");
  }
  const now = call.surroundings.clock.now();
  const job: Job = {
    ...{ id: opaqueId(92), description, topic: text("SNSTopic"), createdAt: now, readyAt: now, tier: null },
    ...{ archive: undefined, range: { from: 0, to: 0 }, question: undefined, inventory: undefined },
  };
  if (type === "archive-retrieval") beginRetrieval(call, vault, { job, text });
  else if (type === "inventory-retrieval") {
    if (text("ArchiveId") !== null || text("Tier") !== null) throw invalid("An inventory has no ArchiveId and no Tier");
    job.question = readInventoryQuestion(text("Format"), parameters["InventoryRetrievalParameters"]);
    job.inventory = inventoryOf(call, vault, job.question);
    job.readyAt = new Date(now.getTime() + jobMs.inventory);
  } else if (type === null) {
    throw new ServiceError(400, "MissingParameterValueException", "Required parameter missing: Type");
  } else throw invalid(`Invalid Type: ${type}`);
  vault.jobs.set(job.id, job);
  call.log.id = job.id;
  return { status: 202, headers: { "x-amz-job-id": job.id, Location: locationOf(call, "jobs", job.id) } };
}

function readParameters(call: VaultCall): Record<string, unknown> {
  let parameters: unknown;
  try {
    parameters = JSON.parse(new TextDecoder().decode(call.earlyBody));
  } catch {
    parameters = undefined;
  }
  if (typeof parameters !== "object" || parameters === null || Array.isArray(parameters)) {
    throw new ServiceError(400, "SerializationException", "Invalid request body: it is no JSON object");
  }
  const known = [
    ...["Type", "ArchiveId", "Tier", "RetrievalByteRange", "Description", "SNSTopic", "Format"],
    "InventoryRetrievalParameters",
  ];
  const strange = Object.keys(parameters).filter((name) => !known.includes(name));
  if (strange.length > 0) throw invalid(`Invalid request body: unknown ${strange.join(", ")}`);
  return parameters as Record<string, unknown>;
}

function beginRetrieval(
  call: VaultCall,
  vault: Vault,
  { job, text }: { job: Job; text: (name: string) => string | null },
): void {
  const { switches } = call.surroundings;
  const archiveId = text("ArchiveId");
  if (archiveId === null) {
    throw new ServiceError(400, "MissingParameterValueException", "Required parameter missing: ArchiveId");
  }
  if (text("Format") !== null) throw invalid("Invalid Format: it is for inventories");
  const archive = vault.archives.get(archiveId);
  if (!archive) throw notFound("Archive", archiveId);
  const tier = text("Tier") ?? "Standard";
  if (tier !== "Expedited" && tier !== "Standard" && tier !== "Bulk") throw invalid(`Invalid Tier: ${tier}`);
  job.range = readRange(text("RetrievalByteRange"), archive);
  if (switches.has("retrieval-policy-enforced")) {
    throw new ServiceError(
      400,
      "PolicyEnforcedException",
      "InitiateJob request denied by current data retrieval policy.",
    );
  }
  if (tier === "Expedited" && switches.has("no-expedited-capacity")) {
    throw new ServiceError(
      503,
      "InsufficientCapacityException",
      "There is insufficient capacity to process this expedited request.",
    );
  }
  Object.assign(job, { archive, tier, readyAt: new Date(job.createdAt.getTime() + jobMs[tier]) });
}

function readRange(text: string | null, archive: Archive): ByteRange {
  if (text === null) return { from: 0, to: archive.length - 1 };
  const [, from, to] = text.match(/^(\d+)-(\d+)$/) ?? [];
  const range = { from: Number(from), to: Number(to) };
  const isWithin = from !== undefined && range.from <= range.to && range.to < archive.length;
  if (!isWithin || !isMebibyteAligned(range, archive.length)) throw invalid(`Invalid RetrievalByteRange: ${text}`);
  return range;
}

/** The state of a job now. One whose archive was gone before it was ready has failed. */
export function statusOf(job: Job, now: Date): "InProgress" | "Succeeded" | "Failed" {
  if (now < job.readyAt) return "InProgress";
  const deletedAt = job.archive?.deletedAt;
  return deletedAt !== undefined && deletedAt < job.readyAt ? "Failed" : "Succeeded";
}

/** The job of this id, as long as it lives. */
export function jobOf(call: VaultCall, vault: Vault): Job {
  const job = livingJobs(call, vault).find(({ id }) => id === call.id);
  if (!job) throw notFound("Job", call.id);
  return job;
}

function livingJobs(call: VaultCall, vault: Vault): Job[] {
  const now = call.surroundings.clock.now();
  return [...vault.jobs.values()].filter(({ readyAt }) => now.getTime() < readyAt.getTime() + outputMs);
}

export function describeJob(call: VaultCall): Reply {
  need(call, "DescribeJob");
  return jsonReply(describe(call, jobOf(call, vaultOf(call))));
}

export function listJobs(call: VaultCall): Reply {
  need(call, "ListJobs");
  const [completed, status] = [call.query.get("completed"), call.query.get("statuscode")];
  if (completed !== undefined && !/^(true|false)$/.test(completed)) throw invalid(`Invalid completed: ${completed}`);
  if (status !== undefined && !/^(InProgress|Succeeded|Failed)$/.test(status)) {
    throw invalid(`Invalid statuscode: ${status}`);
  }
  const jobs = livingJobs(call, vaultOf(call)).map((job) => describe(call, job)).filter((job) =>
    (completed === undefined || String(job.Completed) === completed) &&
    (status === undefined || job.StatusCode === status)
  );
  const { rows, marker } = pageOf(call, jobs);
  return jsonReply({ JobList: rows, Marker: marker });
}

function describe(call: VaultCall, job: Job) {
  const { archive, question, inventory } = job;
  const status = statusOf(job, call.surroundings.clock.now());
  const isDone = status !== "InProgress";
  const isWhole = archive && job.range.from === 0 && job.range.to === archive.length - 1;
  const isTold = archive && !(isWhole && !isDone);
  const lies = call.surroundings.hostile.has("lies-about-size") ? 1 : 0;
  return {
    JobId: job.id,
    JobDescription: job.description,
    Action: archive ? "ArchiveRetrieval" : "InventoryRetrieval",
    ArchiveId: archive?.id ?? null,
    VaultARN: vaultArn(call),
    CreationDate: time(job.createdAt),
    Completed: isDone,
    StatusCode: status,
    StatusMessage: status === "InProgress" ? null : status === "Failed" ? "ResourceNotFound" : status,
    ArchiveSizeInBytes: archive ? archive.length - lies : null,
    InventorySizeInBytes: inventory && status === "Succeeded" ? inventory.bytes.length : null,
    SNSTopic: job.topic,
    CompletionDate: isDone ? time(job.readyAt) : null,
    SHA256TreeHash: isTold ? rangeTreeHash(job.range, archive) ?? null : null,
    ArchiveSHA256TreeHash: archive?.treeHash ?? null,
    RetrievalByteRange: archive ? `${job.range.from}-${job.range.to}` : null,
    Tier: job.tier,
    InventoryRetrievalParameters: question
      ? {
        StartDate: question.startDate ?? null,
        EndDate: question.endDate ?? null,
        Format: question.format,
        Limit: question.limit === undefined ? null : String(question.limit),
        Marker: isDone ? inventory?.marker ?? null : question.marker ?? null,
      }
      : null,
    JobOutputPath: null,
    OutputLocation: null,
    SelectParameters: null,
  };
}
