/**
 * Which jobs there are. They are the vault's own memory of what was asked for, so nothing about them is kept here: whoever
 * comes next, on whatever machine, finds what runs and what is ready. Listing all of them takes many requests when a whole
 * backup is being retrieved, so one listing serves all questions of the next minute, and longer where it takes long.
 */
import { thawTime } from "../tiers.ts";
import type { VaultClient } from "./client.ts";
import { type Job, listJobs } from "./job_calls.ts";
import { SharedQuestion } from "./shared_question.ts";

/** Output is kept for at least so long. */
const outputKeptMs = 24 * 3_600_000;
const listingValidMs = 60_000;
/** So long after it was begun a job may be missing in a listing. */
const lateMs = 10 * 60_000;

export type ArchiveJob = Job & { work: Extract<Job["work"], { kind: "archive" }> };
export type InventoryJob = Job & { work: Extract<Job["work"], { kind: "inventory" }> };

/** Jobs in order of their beginning: those that retrieve archives by archive, and those for whole inventories. */
export interface Jobs {
  archives: Map<string, ArchiveJob[]>;
  inventories: InventoryJob[];
}

/** The question serves whoever asks; it ends with the client. */
const never = new AbortController().signal;

export class JobBook {
  readonly #client: VaultClient;
  readonly #listed: SharedQuestion<Jobs>;
  #listedMs = -Infinity;
  #tookMs = 0;
  readonly #begun = new Map<string, ArchiveJob[]>();

  constructor(client: VaultClient) {
    this.#client = client;
    this.#listed = new SharedQuestion(async () => {
      this.#listedMs = client.pace.nowMs();
      const since = new Date(client.pace.now().getTime() - lateMs);
      const jobs = sorted(await listJobs(client, { signal: never }));
      this.#tookMs = client.pace.nowMs() - this.#listedMs;
      for (const [archive, begun] of this.#begun) {
        const listed = new Set(jobs.archives.get(archive)?.map(({ id }) => id));
        const late = begun.filter(({ id, createdAt }) => createdAt > since && !listed.has(id));
        if (late.length === 0) this.#begun.delete(archive);
        else this.#begun.set(archive, late);
      }
      return jobs;
    });
  }

  /** All jobs, as of a short while ago; `again`: as of now. */
  async all(options: { signal: AbortSignal; again?: boolean }): Promise<Jobs> {
    const old = this.#client.pace.nowMs() - this.#listedMs > Math.max(listingValidMs, 10 * this.#tookMs);
    if (options.again || old) this.#listed.forget();
    return await this.#listed.get(options.signal);
  }

  /** The jobs that retrieve an archive, the newest first. */
  async ofArchive(archive: string, options: { signal: AbortSignal; again?: boolean }): Promise<ArchiveJob[]> {
    const { archives } = await this.all(options);
    return [...(archives.get(archive) ?? []), ...(this.#begun.get(archive) ?? [])].reverse();
  }

  /** A job was begun here: known without asking for all of them again. */
  add(job: ArchiveJob): void {
    const { archive } = job.work;
    this.#begun.set(archive, [...(this.#begun.get(archive) ?? []), job]);
  }
}

/** Until when a job's output can surely be read; undefined where there is none, or not any more. */
export function readableUntil(job: Job, now: Date): Date | undefined {
  if (job.status !== "Succeeded" || job.completedAt === undefined) return undefined;
  const until = new Date(job.completedAt.getTime() + outputKeptMs);
  return until > now ? until : undefined;
}

/** When a running job should be done at the latest. */
export function expectedAt(job: Job): Date | undefined {
  const time = thawTime("VAULT", job.tier ?? "standard");
  return time && new Date(job.createdAt.getTime() + time.mostMs);
}

function sorted(jobs: Job[]): Jobs {
  const inOrder = jobs.toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime());
  const archives = inOrder.filter((job): job is ArchiveJob => job.work.kind === "archive");
  const inventories = inOrder.filter((job): job is InventoryJob => job.work.kind === "inventory" && job.work.whole);
  return { archives: Map.groupBy(archives, ({ work }) => work.archive), inventories };
}
