/** How objects of a repository are called. Names that do not match are not ours: left alone, never listed as damage. */
import { randomBytes, toHex } from "../crypto/mod.ts";
import type { BrickKind } from "../brick/mod.ts";

export const CONFIG_NAME = "tarzan.json";
export const KEYS_PREFIX = "keys/";
export const CONDEMNED_PREFIX = "condemned/";
export const RECORDS_PREFIX = "records/";

const STAMP = /^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z-[0-9a-f]{8}$/;
const HASH = /^[0-9a-f]{64}$/;
const DOMAIN = /^[0-9a-f]{32}$/;

/**
 * A new name for something that happens at `at`: a time and a random part. Names of snapshots, ledger objects and records
 * ascend with time.
 */
export function newStamp(at: Date): string {
  return `${timeText(at)}-${toHex(randomBytes(4))}`;
}

/**
 * The time in a name that `newStamp` made. Anything else is undefined, also what is no time at all: whoever can write into
 * the store can call objects as they like.
 */
export function stampTime(text: string): Date | undefined {
  const iso = STAMP.test(text) ? text.replace(STAMP, "$1-$2-$3T$4:$5:$6Z") : "";
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? undefined : at;
}

/** `at` as names have it: UTC, whole seconds. */
export function timeText(at: Date): string {
  return at.toISOString().replace(/[-:]|\.[0-9]+/g, "");
}

const BRICK_FOLDERS: Record<BrickKind, string> = { D: "bricks/", M: "meta/" };
export const BRICK_KINDS: BrickKind[] = ["D", "M"];

export function brickFolder(kind: BrickKind): string {
  return BRICK_FOLDERS[kind];
}

export function brickObject(kind: BrickKind, name: string): string {
  return `${BRICK_FOLDERS[kind]}${name.slice(0, 2)}/${name}`;
}

/** Kind and name of a brick from its object's name. */
export function parseBrickObject(object: string): { kind: BrickKind; name: string } | undefined {
  const [folder, fan, name, ...rest] = object.split("/");
  const kind = BRICK_KINDS.find((kind) => BRICK_FOLDERS[kind] === `${folder}/`);
  if (kind === undefined || name === undefined || rest.length > 0 || !HASH.test(name) || name.slice(0, 2) !== fan) {
    return;
  }
  return { kind, name };
}

export function ledgerFolder(domain: string): string {
  return `ledger/${domain}/`;
}

export function indexFolder(domain: string): string {
  return `index/${domain}/`;
}

/** Name of a snapshot's index: complete, or as far as it is (`.open`). */
export function indexObject(domain: string, snapshot: string, ending: ".json" | ".open"): string {
  return `${indexFolder(domain)}${snapshot}${ending}`;
}

export function parseIndexObject(
  object: string,
): { domain: string; snapshot: string; ending: ".json" | ".open" } | undefined {
  const match = /^index\/([^/]+)\/([^/]+)(\.json|\.open)$/.exec(object);
  if (match === null || !DOMAIN.test(match[1]!) || stampTime(match[2]!) === undefined) return;
  return { domain: match[1]!, snapshot: match[2]!, ending: match[3] as ".json" | ".open" };
}

/** The domain and the stamp of a ledger object from its name. */
export function parseLedgerObject(object: string): { domain: string; stamp: string } | undefined {
  const match = /^ledger\/([^/]+)\/([^/]+)$/.exec(object);
  if (match === null || !DOMAIN.test(match[1]!) || stampTime(match[2]!) === undefined) return;
  return { domain: match[1]!, stamp: match[2]! };
}

/** The domain in the name of a ledger object or an index, if it is one. */
export function domainOf(object: string): string | undefined {
  const domain = /^(?:ledger|index)\/([^/]+)\//.exec(object)?.[1];
  return domain !== undefined && DOMAIN.test(domain) ? domain : undefined;
}

/** The brick that a mark in condemned/ is about, and whether it is a sentence. */
export function parseCondemned(object: string): { name: string; sentence: boolean } | undefined {
  const match = /^condemned\/([0-9a-f]{64})(\.sentence)?$/.exec(object);
  return match === null ? undefined : { name: match[1]!, sentence: match[2] !== undefined };
}
