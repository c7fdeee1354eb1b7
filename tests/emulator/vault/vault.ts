/** Vaults and what is in them. */
import { randomBytes } from "node:crypto";
import type { Body } from "../bodies.ts";
import { dayMs } from "../clock.ts";
import type { Job } from "./jobs.ts";
import type { VaultUpload } from "./multipart.ts";
import type { Leaves } from "./tree_hash.ts";

export interface Archive {
  id: string;
  body: Body;
  length: number;
  leaves: Leaves;
  /** Hex. */
  treeHash: string;
  description: string;
  createdAt: Date;
  /** Deleted archives are remembered: an older inventory still has them. */
  deletedAt: Date | undefined;
}

export interface Vault {
  name: string;
  createdAt: Date;
  archives: Map<string, Archive>;
  uploads: Map<string, VaultUpload>;
  jobs: Map<string, Job>;
}

export type Vaults = Map<string, Vault>;

/** Makes a vault; there is no harm in one that is there already. */
export function addVault(vaults: Vaults, name: string, createdAt: Date): void {
  if (vaults.has(name)) return;
  vaults.set(name, { name, createdAt, archives: new Map(), uploads: new Map(), jobs: new Map() });
}

/** An id of so many characters that says nothing. */
export function opaqueId(length: number): string {
  return randomBytes(length).toString("base64url").slice(0, length);
}

/**
 * When the vault was last taken stock of: a day after the first archive came, and every day since, but only when something
 * has changed; undefined before the first time.
 */
export function inventoryAt(vault: Vault, now: Date): Date | undefined {
  const changes = changesOf(vault);
  const [first] = changes;
  if (first === undefined) return undefined;
  const rounds = Math.floor((now.getTime() - first) / dayMs);
  if (rounds < 1) return undefined;
  const before = changes.filter((ms) => ms <= first + rounds * dayMs);
  return new Date(first + Math.max(1, Math.ceil((before.at(-1)! - first) / dayMs)) * dayMs);
}

/** What was in the vault at a moment, in order of arrival. */
export function archivesAt(vault: Vault, at: Date): Archive[] {
  return [...vault.archives.values()].filter(({ createdAt, deletedAt }) =>
    createdAt <= at && !(deletedAt !== undefined && deletedAt <= at)
  );
}

/** Whether archives came or went after a moment. */
export function changedAfter(vault: Vault, at: Date): boolean {
  return changesOf(vault).some((ms) => ms > at.getTime());
}

function changesOf(vault: Vault): number[] {
  const times = [...vault.archives.values()].flatMap(({ createdAt, deletedAt }) => [createdAt, deletedAt]);
  return times.flatMap((time) => time?.getTime() ?? []).sort((a, b) => a - b);
}
