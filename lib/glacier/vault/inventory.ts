/**
 * What a vault holds, from its inventories. Amazon makes one about once a day, and only when something has changed; it can
 * be read hours after it was asked for. It is a picture of the past: what is in it was there then, what is not in it may
 * have come later or be too new for it.
 */
import type { ColdObject, Confirmation } from "../cold.ts";
import { date, id, type Members, object, optionalText, size, text, treeHash } from "./answers.ts";
import type { VaultClient } from "./client.ts";
import { parseDescription } from "./description.ts";
import { BrokenAnswerError, VaultError } from "./errors.ts";
import { inventoryItems } from "./inventory_text.ts";
import { describeJob, describeVault, initiateInventory, jobOutput } from "./job_calls.ts";
import { expectedAt, type InventoryJob, type JobBook, readableUntil } from "./jobs.ts";

/** An inventory that can be read. */
export interface Inventory {
  /** What there was at this moment. */
  at: Date;
  /** When it was asked for: the newest that there was then. */
  askedAt: Date;
  archives(signal: AbortSignal): AsyncGenerator<ColdObject>;
}

/** An archive that a caller asks about. */
export interface Expected {
  handle: string;
  bytes: number;
  treeHash: string;
  storedAt: Date;
}

const pieceBytes = 4 * 1024 * 1024;
/** So long after it was stored an archive may be missing in an inventory. */
const lateMs = 48 * 3_600_000;
const hourMs = 3_600_000;

/** The newest inventory that can be read now, of those that were asked for since then; undefined: none. */
export async function newestInventory(
  client: VaultClient,
  options: { book: JobBook; signal: AbortSignal; since?: Date },
): Promise<Inventory | undefined> {
  const { book, signal, since } = options;
  const now = client.pace.now();
  const { inventories } = await book.all({ signal, again: true });
  const job = inventories.findLast((job) => isSince(job, since) && readableUntil(job, now) !== undefined);
  return job && await opened(client, { job, signal });
}

/**
 * Asks for an inventory unless one is on its way; when it should be ready. Undefined where nobody can say: a new vault has
 * no inventory for a day, and there is nothing to ask for.
 */
export async function requestInventory(
  client: VaultClient,
  options: { book: JobBook; signal: AbortSignal; since?: Date },
): Promise<Date | undefined> {
  const { book, signal, since } = options;
  const running = async (again: boolean) => {
    const { inventories } = await book.all({ signal, again });
    return inventories.findLast((job) => job.status === "InProgress" && isSince(job, since));
  };
  const job = await running(false);
  if (job !== undefined) return expectedAt(job);
  try {
    await initiateInventory(client, { signal, recheck: async () => (await running(true))?.id });
  } catch (error) {
    if (!(error instanceof VaultError) || error.status !== 404) throw error;
    // A 404 for a vault that is there: it has no inventory yet.
    if ((await describeVault(client, { signal })).lastInventoryAt !== undefined) throw error;
    return undefined;
  }
  return new Date(client.pace.now().getTime() + 5 * hourMs);
}

/** What an inventory says of archives, in the same order. */
export async function confirmBy(
  inventory: Inventory,
  options: { expected: readonly Expected[]; signal: AbortSignal },
): Promise<Confirmation[]> {
  const { expected, signal } = options;
  const wanted = new Set(expected.map(({ handle }) => handle));
  const found = new Map<string, ColdObject>();
  for await (const archive of inventory.archives(signal)) {
    if (wanted.has(archive.handle)) found.set(archive.handle, archive);
  }
  return expected.map((one) => confirmation(one, { inventory, archive: found.get(one.handle) }));
}

function confirmation(
  expected: Expected,
  { inventory, archive }: { inventory: Inventory; archive: ColdObject | undefined },
): Confirmation {
  const { at, askedAt } = inventory;
  if (archive !== undefined) {
    if (archive.bytes !== expected.bytes) {
      return { found: "other", why: `the archive has ${archive.bytes} bytes instead of ${expected.bytes}` };
    }
    if (archive.treeHash !== expected.treeHash) {
      return {
        found: "other",
        why: `the archive has the tree hash ${archive.treeHash} instead of ${expected.treeHash}`,
      };
    }
    return { found: "same", class: "VAULT", at };
  }
  if (at < expected.storedAt) return { found: "unknown", why: "it was stored after the newest inventory" };
  if (askedAt.getTime() - expected.storedAt.getTime() < lateMs) {
    return { found: "unknown", why: "it was stored less than two days before the newest inventory" };
  }
  return { found: "absent" };
}

async function opened(
  client: VaultClient,
  options: { job: InventoryJob; signal: AbortSignal },
): Promise<Inventory> {
  const { id } = options.job;
  const { work } = await describeJob(client, { job: id, signal: options.signal });
  const length = work.kind === "inventory" ? work.bytes : undefined;
  if (length === undefined) {
    throw new BrokenAnswerError(`Cannot read an inventory (${client.location}): it has no size`);
  }
  const items = (signal: AbortSignal) => inventoryItems(pieces(client, { job: id, length, signal }));
  for await (const item of items(options.signal)) {
    if (item.kind !== "member" || item.name !== "InventoryDate") continue;
    return {
      at: date(item.value, "the date of the inventory"),
      askedAt: options.job.createdAt,
      archives: async function* (signal) {
        for await (const item of items(signal)) {
          if (item.kind === "archive") yield archiveOf(object(item.value, "an archive in the inventory"));
          else if (item.name === "VaultARN") client.requireOwnVault(text(item.value, "the vault of the inventory"));
        }
      },
    };
  }
  throw new BrokenAnswerError(`Cannot read an inventory (${client.location}): it has no date`);
}

async function* pieces(
  client: VaultClient,
  options: { job: string; length: number; signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const { job, length, signal } = options;
  for (let from = 0; from < length; from += pieceBytes) {
    yield await jobOutput(client, { job, range: { from, length: Math.min(pieceBytes, length - from) }, signal });
  }
}

/** An archive as the store's users know it. What a description says that does not fit its archive is not believed. */
function archiveOf(members: Members): ColdObject {
  const bytes = size(members.Size, "the size of an archive in the inventory");
  const hash = treeHash(members.SHA256TreeHash, "the tree hash of an archive in the inventory");
  const description = optionalText(members.ArchiveDescription, "the description of an archive in the inventory") ?? "";
  const said = parseDescription(description);
  const ours = said?.bytes === bytes && said.treeHash === hash ? said : undefined;
  return {
    handle: id(members.ArchiveId, "the id of an archive in the inventory"),
    name: ours?.name,
    repository: ours?.repository,
    bytes,
    sha256: ours?.sha256,
    treeHash: hash,
    class: "VAULT",
    storedAt: date(members.CreationDate, "the date of an archive in the inventory"),
  };
}

function isSince(job: InventoryJob, since: Date | undefined): boolean {
  return since === undefined || job.createdAt >= since;
}
