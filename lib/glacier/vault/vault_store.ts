/** An Amazon Glacier vault as a cold store. */
import {
  type ColdObject,
  type ColdStore,
  type ColdUpload,
  type Confirmation,
  type Listing,
  NotThawedError,
  type Thaw,
  type Tier,
} from "../cold.ts";
import { tierRefusal } from "../tiers.ts";
import { ByteBudget } from "./byte_budget.ts";
import { VaultClient } from "./client.ts";
import { VaultError } from "./errors.ts";
import { confirmBy, type Expected, type Inventory, newestInventory, requestInventory } from "./inventory.ts";
import { deleteArchive, describeVault, initiateRetrieval, jobOutput } from "./job_calls.ts";
import { type ArchiveJob, expectedAt, JobBook, readableUntil } from "./jobs.ts";
import { OpenUploads } from "./open_uploads.ts";
import { PART_BYTES } from "./parts.ts";
import { piecesOf } from "./pieces.ts";
import type { Pace } from "./retry.ts";
import type { CredentialSource } from "./sign.ts";
import { uploadArchive } from "./upload.ts";

export interface VaultOptions {
  region: string;
  vault: string;
  endpoint: URL;
  credentials: CredentialSource;
  pace: Pace;
  /** A connection on which nothing moves for so long is given up. */
  stallMs: number;
  /** Parts of all uploads that may be in memory at once. */
  budgetBytes: number;
  /** The size of the parts of an archive, a power of two MiB; more where that makes many. */
  partBytes?: number;
  /** Bytes a second, of all transfers together; undefined: as fast as it goes. */
  uploadBytesPerSecond?: number;
  downloadBytesPerSecond?: number;
  /** Ends everything that is under way. */
  signal?: AbortSignal;
}

export class VaultStore implements ColdStore {
  readonly location: string;
  readonly class = "VAULT";
  readonly #client: VaultClient;
  readonly #budget: ByteBudget;
  readonly #partBytes: number;
  readonly #open: OpenUploads;
  readonly #book: JobBook;
  readonly #closing = new AbortController();

  constructor(options: VaultOptions) {
    const signals = [this.#closing.signal, ...(options.signal ? [options.signal] : [])];
    const signal = AbortSignal.any(signals);
    this.#client = new VaultClient({ ...options, idleMs: options.stallMs, signal });
    this.location = this.#client.location;
    this.#budget = new ByteBudget(options.budgetBytes);
    this.#partBytes = options.partBytes ?? PART_BYTES;
    this.#open = new OpenUploads(this.#client);
    this.#book = new JobBook(this.#client);
  }

  async upload(
    object: ColdUpload,
    options: {
      signal: AbortSignal;
      sent?: (bytes: number) => void;
      earlier?: string;
      began?: (token: string) => void | Promise<void>;
    },
  ): Promise<string> {
    const { signal, sent, began } = options;
    const earlier = uploadOf(options.earlier, object);
    return await uploadArchive(this.#client, object, {
      signal,
      budget: this.#budget,
      partBytes: this.#partBytes,
      open: this.#open,
      ...(sent && { sent }),
      ...(earlier !== undefined && { earlier }),
      ...(began && { began: (id: string) => began(tokenOf(id, object)) }),
    });
  }

  async confirm(objects: readonly Expected[], options: { signal: AbortSignal }): Promise<Confirmation[]> {
    const { signal } = options;
    const inventory = await newestInventory(this.#client, { book: this.#book, signal });
    if (inventory !== undefined) return await confirmBy(inventory, { expected: objects, signal });
    return objects.map(() => ({ found: "unknown", why: "the vault has no inventory that can be read now" }));
  }

  async list(
    options: { signal: AbortSignal; since?: Date },
  ): Promise<{ ready: true; listing: Listing } | { ready: false; readyAt: Date | undefined }> {
    const asking = { ...options, book: this.#book };
    const inventory = await newestInventory(this.#client, asking);
    if (inventory !== undefined) return { ready: true, listing: listingOf(inventory, options.signal) };
    return { ready: false, readyAt: await requestInventory(this.#client, asking) };
  }

  async states(
    objects: readonly { handle: string; bytes: number }[],
    options: { signal: AbortSignal },
  ): Promise<Thaw[]> {
    const { signal } = options;
    await this.#book.all({ signal, again: true });
    return await Promise.all(objects.map((object) => this.#state(object, signal)));
  }

  async thaw(
    object: { handle: string; bytes: number },
    options: { tier: Tier; days: number; signal: AbortSignal },
  ): Promise<Thaw> {
    const { handle, bytes } = object;
    const { tier, signal } = options;
    const refusal = tierRefusal({ class: "VAULT", bytes }, tier);
    if (refusal !== undefined) throw new Error(`Cannot thaw an archive of ${this.location}: ${refusal}`);
    const known = await this.#state(object, signal);
    if (known.state !== "cold") return known;
    const job = await initiateRetrieval(this.#client, {
      archive: handle,
      tier,
      signal,
      recheck: () => this.#runningJob(object, signal),
    });
    const begun: ArchiveJob = {
      id: job,
      status: "InProgress",
      createdAt: this.#client.pace.now(),
      completedAt: undefined,
      tier,
      work: { kind: "archive", archive: handle, archiveBytes: bytes, from: 0, length: bytes },
    };
    this.#book.add(begun);
    return { state: "thawing", tier, readyAt: expectedAt(begun) };
  }

  async read(
    object: { handle: string; bytes: number },
    options: { range: { from: number; length: number }; signal: AbortSignal },
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { range, signal } = options;
    if (!(range.from >= 0 && range.length >= 0 && range.from + range.length <= object.bytes)) {
      throw new RangeError(`${range.length} bytes from ${range.from} are not in an archive of ${object.bytes} bytes`);
    }
    const job = await this.#readableJob(object, { range, signal });
    const bytes = new Uint8Array(range.length);
    for (const { from, length } of range.length === 0 ? [] : piecesOf(range, object.bytes)) {
      const piece = { from: from - job.work.from, length };
      try {
        bytes.set(await jobOutput(this.#client, { job: job.id, range: piece, signal }), from - range.from);
      } catch (error) {
        // The copy's day is over.
        if (error instanceof VaultError && error.status === 404) throw this.#notThawed(object, error);
        throw error;
      }
    }
    return bytes;
  }

  async remove(handle: string, options: { signal: AbortSignal }): Promise<void> {
    const { signal } = options;
    try {
      await deleteArchive(this.#client, { archive: handle, signal });
    } catch (error) {
      if (!(error instanceof VaultError) || error.status !== 404) throw error;
      // Either the archive is gone, as it should be, or the vault is, which this question tells.
      await describeVault(this.#client, { signal });
    }
  }

  close(): Promise<void> {
    this.#closing.abort(new Error(`The store ${this.location} was closed`));
    return Promise.resolve();
  }

  async #state(object: { handle: string; bytes: number }, signal: AbortSignal): Promise<Thaw> {
    const whole = { from: 0, length: object.bytes };
    const jobs = (await this.#book.ofArchive(object.handle, { signal })).filter((job) => covers(job, whole));
    const now = this.#client.pace.now();
    const until = jobs.map((job) => readableUntil(job, now)).find((until) => until !== undefined);
    if (until !== undefined) return { state: "ready", until };
    const running = jobs.find(({ status }) => status === "InProgress");
    if (running !== undefined) return { state: "thawing", tier: running.tier, readyAt: expectedAt(running) };
    return { state: "cold" };
  }

  /** A retrieval that was begun although its answer was lost. */
  async #runningJob({ handle, bytes }: { handle: string; bytes: number }, signal: AbortSignal) {
    const jobs = await this.#book.ofArchive(handle, { signal, again: true });
    return jobs.find((job) => job.status === "InProgress" && covers(job, { from: 0, length: bytes }))?.id;
  }

  async #readableJob(
    object: { handle: string; bytes: number },
    { range, signal }: { range: { from: number; length: number }; signal: AbortSignal },
  ): Promise<ArchiveJob> {
    for (const again of [false, true]) {
      const now = this.#client.pace.now();
      const jobs = await this.#book.ofArchive(object.handle, { signal, again });
      const job = jobs.find((job) => covers(job, range) && readableUntil(job, now) !== undefined);
      if (job === undefined) continue;
      if (job.work.archiveBytes === object.bytes) return job;
      throw new Error(
        `Cannot read an archive of ${this.location}: it has ${job.work.archiveBytes} bytes instead of ${object.bytes}`,
      );
    }
    throw this.#notThawed(object);
  }

  #notThawed({ handle }: { handle: string }, cause?: unknown): NotThawedError {
    const message = `Cannot read archive ${handle.slice(0, 12)}… of ${this.location}: no copy of it can be read now; ` +
      'ask for one with "tarzan thaw"';
    return new NotThawedError(message, { cause });
  }
}

function covers({ work }: ArchiveJob, range: { from: number; length: number }): boolean {
  return work.from <= range.from && work.from + work.length >= range.from + range.length;
}

function listingOf(inventory: Inventory, signal: AbortSignal): Listing {
  return {
    at: inventory.at,
    objects: { [Symbol.asyncIterator]: (): AsyncIterator<ColdObject> => inventory.archives(signal) },
  };
}

/** What a caller keeps of an upload: its id, and of which bytes it is, so that it is never taken for another's. */
function tokenOf(upload: string, { treeHash }: ColdUpload): string {
  return `${treeHash} ${upload}`;
}

function uploadOf(token: string | undefined, { treeHash }: ColdUpload): string | undefined {
  const [hash, upload = ""] = token?.split(" ") ?? [];
  return hash === treeHash && /^[A-Za-z0-9_-]{1,256}$/.test(upload) ? upload : undefined;
}
