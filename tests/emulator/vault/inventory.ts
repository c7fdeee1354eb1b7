/** What a vault says is in it: a picture that is up to a day old, and never of now. */
import { ServiceError } from "../errors.ts";
import { invalid, time, vaultArn, type VaultCall } from "./call.ts";
import { type Archive, archivesAt, inventoryAt, type Vault } from "./vault.ts";

/** Which archives, and in what form. */
export interface InventoryQuestion {
  format: "JSON" | "CSV";
  /** As it was given. */
  startDate: string | undefined;
  endDate: string | undefined;
  limit: number | undefined;
  marker: string | undefined;
}

export interface Inventory {
  bytes: Uint8Array;
  /** Of the next page; undefined on the last. */
  marker: string | undefined;
}

/** Reads the parts of an inventory job's parameters. */
export function readInventoryQuestion(format: string | null, parameters: unknown): InventoryQuestion {
  if (format !== null && format !== "JSON" && format !== "CSV") throw invalid(`Invalid Format: ${format}`);
  const given = (parameters ?? {}) as Record<string, unknown>;
  const text = (name: string) => given[name] === undefined || given[name] === null ? undefined : String(given[name]);
  const strange = Object.keys(given).filter((name) => !["StartDate", "EndDate", "Limit", "Marker"].includes(name));
  if (strange.length > 0) throw invalid(`Invalid InventoryRetrievalParameters: unknown ${strange.join(", ")}`);
  for (const name of ["StartDate", "EndDate"]) {
    if (text(name) !== undefined && Number.isNaN(Date.parse(text(name)!))) {
      throw invalid(`Invalid ${name}: ${text(name)}`);
    }
  }
  const limit = text("Limit");
  if (limit !== undefined && !(/^[0-9]{1,5}$/.test(limit) && Number(limit) >= 1 && Number(limit) <= 10_000)) {
    throw invalid(`Invalid Limit: ${limit}`);
  }
  return {
    format: format ?? "JSON",
    startDate: text("StartDate"),
    endDate: text("EndDate"),
    limit: limit === undefined ? undefined : Number(limit),
    marker: text("Marker"),
  };
}

/** The newest inventory that there is; none before the first has been made. */
export function inventoryOf(call: VaultCall, vault: Vault, question: InventoryQuestion): Inventory {
  const at = inventoryAt(vault, call.surroundings.clock.now());
  if (!at) {
    const message = `Inventory not found for vault ${
      vaultArn(call)
    }: the first is made about a day after the first upload`;
    throw new ServiceError(404, "ResourceNotFoundException", message);
  }
  const { startDate, endDate, limit, marker } = question;
  const matching = archivesAt(vault, at).filter(({ createdAt }) =>
    !(startDate !== undefined && createdAt < new Date(startDate)) &&
    !(endDate !== undefined && createdAt >= new Date(endDate))
  );
  const from = marker === undefined ? 0 : matching.findIndex(({ id }) => marker === markerBefore(id));
  if (from < 0) throw invalid(`Invalid Marker: ${marker}`);
  const next = limit === undefined ? undefined : matching[from + limit];
  const archives = matching.slice(from, limit === undefined ? undefined : from + limit);
  const lies = call.surroundings.hostile.has("lies-about-size") ? 1 : 0;
  const rows = archives.map((archive) => row(archive, lies));
  const text = question.format === "CSV"
    ? csv(rows)
    : JSON.stringify({ VaultARN: vaultArn(call), InventoryDate: time(at), ArchiveList: rows });
  return { bytes: new TextEncoder().encode(text), marker: next && markerBefore(next.id) };
}

function row(archive: Archive, lies: number) {
  return {
    ArchiveId: archive.id,
    ArchiveDescription: archive.description,
    CreationDate: time(archive.createdAt)!,
    Size: archive.length - lies,
    SHA256TreeHash: archive.treeHash,
  };
}

/** Quotes are escaped by a backslash, and the backslash itself is not: as the real service has it. */
function csv(rows: readonly ReturnType<typeof row>[]): string {
  const line = (cells: readonly (string | number)[]) =>
    cells.map((cell) => typeof cell === "number" ? cell : `"${cell.replaceAll('"', '\\"')}"`).join(",");
  const names = "ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash";
  return [names, ...rows.map((row) => line(Object.values(row)))].map((text) => `${text}\r\n`).join("");
}

/** Says nothing of what it marks. */
function markerBefore(id: string): string {
  return btoa(`before ${id.slice(0, 40)}`).replaceAll("=", "");
}
