/** What a job has brought: GetJobOutput. */
import { partOf } from "../bodies.ts";
import { header, type Reply } from "../call.ts";
import { bytesBody } from "../http/answer.ts";
import { invalid, need, type VaultCall, vaultOf } from "./call.ts";
import { treeHeader } from "./archives.ts";
import { type Job, jobOf, statusOf } from "./jobs.ts";
import { type ByteRange, isTreeAligned, rangeTreeHash } from "./tree_hash.ts";

export function getJobOutput(call: VaultCall): Reply {
  need(call, "GetJobOutput");
  const job = jobOf(call, vaultOf(call));
  if (statusOf(job, call.surroundings.clock.now()) !== "Succeeded") {
    throw invalid(`The job is not currently available for download: ${job.id}`);
  }
  const { archive, inventory } = job;
  const total = archive ? job.range.to - job.range.from + 1 : inventory!.bytes.length;
  const range = readRange(header(call, "range"), total);
  const { from, to } = range ?? { from: 0, to: total - 1 };
  const headers: Record<string, string> = { "Accept-Ranges": "bytes" };
  if (range) headers["Content-Range"] = `bytes ${from}-${to}/${total}`;
  const status = range ? 206 : 200;
  if (!archive) {
    headers["Content-Type"] = job.question?.format === "CSV" ? "text/csv" : "application/json";
    return { status, headers, body: bytesBody(inventory!.bytes.subarray(from, to + 1)) };
  }
  headers["Content-Type"] = "application/octet-stream";
  if (archive.description !== "") headers["x-amz-archive-description"] = archive.description;
  Object.assign(headers, hashHeader(call, job, { from: job.range.from + from, to: job.range.from + to }));
  return { status, headers, body: partOf(archive.body, job.range.from + from, to - from + 1) };
}

/** The hash of what is sent, if both what was retrieved and what is sent are whole subtrees of the archive. */
function hashHeader(call: VaultCall, job: Job, sent: ByteRange): Record<string, string> {
  const archive = job.archive!;
  const hash = isTreeAligned(job.range, archive.length) ? rangeTreeHash(sent, archive) : undefined;
  return hash === undefined ? {} : treeHeader(call, hash);
}

/** Counted from the beginning of what the job retrieved. */
function readRange(text: string | undefined, total: number): ByteRange | undefined {
  if (text === undefined) return undefined;
  const [, from, to] = text.match(/^bytes=(\d+)-(\d+)$/) ?? [];
  const range = { from: Number(from), to: Number(to) };
  if (from === undefined || range.to < range.from || range.to >= total) throw invalid(`Invalid Range: ${text}`);
  return range;
}
