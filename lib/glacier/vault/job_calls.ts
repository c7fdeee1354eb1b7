/** The requests of retrievals and inventories: jobs that take hours, and their output. */
import type { Tier } from "../cold.ts";
import { TreeHasher } from "../tree_hash.ts";
import { byteRange, date, id, list, type Members, membersOf, object, optionalText, size, text } from "./answers.ts";
import type { VaultClient } from "./client.ts";
import { BrokenAnswerError } from "./errors.ts";
import { pagesOf } from "./pages.ts";
import type { Answer } from "./answer.ts";

/** A job, as the vault tells of it. */
export interface Job {
  id: string;
  status: "InProgress" | "Succeeded" | "Failed";
  createdAt: Date;
  completedAt: Date | undefined;
  tier: Tier | undefined;
  work:
    /** `from` and `length`: the part of the archive that is retrieved. */
    | { kind: "archive"; archive: string; archiveBytes: number; from: number; length: number }
    /** `whole`: of all archives and as JSON. */
    | { kind: "inventory"; whole: boolean; bytes: number | undefined }
    | { kind: "other" };
}

const smallLimit = 64 * 1024;
const listLimit = 8 * 1024 * 1024;
const encoder = new TextEncoder();
const tierNames: Record<Tier, string> = { bulk: "Bulk", standard: "Standard", expedited: "Expedited" };

/** Asks for an archive, or for a range of whole MiB of it; the job's id. Each such request is paid: see `recheck`. */
export function initiateRetrieval(
  client: VaultClient,
  options: {
    archive: string;
    range?: { from: number; length: number };
    tier: Tier;
    signal: AbortSignal;
    recheck: () => Promise<string | undefined>;
  },
): Promise<string> {
  const { archive, range, tier } = options;
  const parameters = {
    Type: "archive-retrieval",
    ArchiveId: archive,
    Tier: tierNames[tier],
    ...(range && { RetrievalByteRange: `${range.from}-${range.from + range.length - 1}` }),
  };
  return initiate(client, { ...options, what: "ask for an archive", parameters });
}

/** Asks for an inventory of the whole vault, as JSON; the job's id. */
export function initiateInventory(
  client: VaultClient,
  options: { signal: AbortSignal; recheck: () => Promise<string | undefined> },
): Promise<string> {
  const parameters = { Type: "inventory-retrieval", Format: "JSON" };
  return initiate(client, { ...options, what: "ask for an inventory", parameters });
}

function initiate(
  client: VaultClient,
  options: {
    what: string;
    parameters: Record<string, string>;
    signal: AbortSignal;
    recheck: () => Promise<string | undefined>;
  },
): Promise<string> {
  const { what, parameters, signal, recheck } = options;
  return client.ask({
    what,
    method: "POST",
    path: ["jobs"],
    headers: { "content-type": "application/json" },
    body: encoder.encode(JSON.stringify(parameters)),
    success: [202],
    limit: smallLimit,
  }, { signal, recheck, read: (answer) => id(answer.header("x-amz-job-id"), "the id of the job") });
}

/** One job. */
export function describeJob(client: VaultClient, options: { job: string; signal: AbortSignal }): Promise<Job> {
  return client.ask({
    what: "look at a job",
    method: "GET",
    path: ["jobs", options.job],
    success: [200],
    limit: smallLimit,
  }, { signal: options.signal, read: ({ body }) => jobOf(membersOf(body)) });
}

/** All jobs that the vault still knows. */
export async function listJobs(client: VaultClient, options: { signal: AbortSignal }): Promise<Job[]> {
  const jobs: Job[] = [];
  const pages = pagesOf(client, {
    what: "list the jobs",
    path: ["jobs"],
    limit: listLimit,
    signal: options.signal,
    read: (page) => list(page.JobList, "the list of jobs").map((entry) => jobOf(object(entry, "a job"))),
  });
  for await (const page of pages) jobs.push(...page);
  return jobs;
}

/** `length` bytes of a job's output, compared with their tree hash where the service tells it. */
export function jobOutput(
  client: VaultClient,
  options: { job: string; range: { from: number; length: number }; signal: AbortSignal },
): Promise<Uint8Array<ArrayBuffer>> {
  const { job, range, signal } = options;
  const end = range.from + range.length - 1;
  return client.ask({
    what: `read bytes ${range.from} to ${end} of a job's output`,
    method: "GET",
    path: ["jobs", job, "output"],
    headers: { range: `bytes=${range.from}-${end}` },
    success: [200, 206],
    limit: range.length,
  }, { signal, read: (answer) => outputOf(answer, range) });
}

/** Removes an archive; one that is gone already is a success. */
export function deleteArchive(client: VaultClient, options: { archive: string; signal: AbortSignal }): Promise<void> {
  return client.ask({
    what: "remove an archive",
    method: "DELETE",
    path: ["archives", options.archive],
    success: [204],
    limit: smallLimit,
  }, { signal: options.signal, read: () => {} });
}

/** When the vault's last inventory was made; undefined: it has none yet. */
export function describeVault(
  client: VaultClient,
  options: { signal: AbortSignal },
): Promise<{ lastInventoryAt: Date | undefined }> {
  return client.ask({ what: "look at the vault", method: "GET", path: [], success: [200], limit: smallLimit }, {
    signal: options.signal,
    read: ({ body }) => {
      const { LastInventoryDate } = membersOf(body);
      const told = optionalText(LastInventoryDate, "the date of the last inventory");
      return { lastInventoryAt: told === undefined ? undefined : date(told, "the date of the last inventory") };
    },
  });
}

function outputOf(answer: Answer, { from, length }: { from: number; length: number }): Uint8Array<ArrayBuffer> {
  const { status, body } = answer;
  if (status === 206) {
    const told = answer.header("content-range") ?? "";
    const [, first, last] = /^bytes (\d+)-(\d+)\/(?:\d+|\*)$/.exec(told) ?? [];
    if (Number(first) !== from || Number(last) !== from + length - 1) {
      throw new BrokenAnswerError(`${length} bytes from ${from} on were asked for, the answer has "${told}"`);
    }
  } else if (from !== 0) throw new BrokenAnswerError("a range was asked for, the answer is the whole");
  if (body.length !== length) throw new BrokenAnswerError(`${body.length} of ${length} bytes came`);
  const told = answer.header("x-amz-sha256-tree-hash");
  if (told !== undefined) {
    const hasher = new TreeHasher();
    hasher.update(body);
    const found = hasher.digest().toHex();
    if (found !== told.toLowerCase()) {
      throw new BrokenAnswerError(`the bytes have the tree hash ${found}, the service says ${told}`);
    }
  }
  return body;
}

function jobOf(members: Members): Job {
  const { Action, ArchiveId, ArchiveSizeInBytes, RetrievalByteRange, InventorySizeInBytes } = members;
  const completed = optionalText(members.CompletionDate, "the completion date of a job");
  return {
    id: id(members.JobId, "the id of a job"),
    status: statusOf(members.StatusCode),
    createdAt: date(members.CreationDate, "the creation date of a job"),
    completedAt: completed === undefined ? undefined : date(completed, "the completion date of a job"),
    tier: tierOf(optionalText(members.Tier, "the tier of a job")),
    work: workOf(),
  };

  function workOf(): Job["work"] {
    if (Action === "ArchiveRetrieval") {
      const archiveBytes = size(ArchiveSizeInBytes, "the size of an archive");
      const range = optionalText(RetrievalByteRange, "the range of a job");
      return {
        kind: "archive",
        archive: id(ArchiveId, "the id of an archive"),
        archiveBytes,
        ...(range === undefined ? { from: 0, length: archiveBytes } : byteRange(range, "the range of a job")),
      };
    }
    if (Action !== "InventoryRetrieval") return { kind: "other" };
    const filter = object(members.InventoryRetrievalParameters ?? {}, "the parameters of an inventory");
    const { Format, StartDate, EndDate, Limit, Marker } = filter;
    return {
      kind: "inventory",
      whole: (Format ?? "JSON") === "JSON" && [StartDate, EndDate, Limit, Marker].every(isNothing),
      bytes: isNothing(InventorySizeInBytes) ? undefined : size(InventorySizeInBytes, "the size of an inventory"),
    };
  }
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}

function statusOf(value: unknown): Job["status"] {
  const status = text(value, "the status of a job");
  if (status === "InProgress" || status === "Succeeded" || status === "Failed") return status;
  throw new BrokenAnswerError(`the status of a job is ${JSON.stringify(status.slice(0, 100))}`);
}

function tierOf(name: string | undefined): Tier | undefined {
  return (Object.keys(tierNames) as Tier[]).find((tier) => tierNames[tier] === name);
}
