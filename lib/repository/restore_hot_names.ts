/**
 * What may come out of a bundle. Whoever owns the cold store chooses what its bundles hold, so only names that are objects of
 * a repository leave one, and none is larger than its readers take. Marks of a prune are not among them: they speak of a
 * store that is gone.
 */
import { LEDGER_OBJECT_LIMIT, LIMITS } from "../brick/mod.ts";
import { SLOT_LIMIT_BYTES, slotLabel } from "../crypto/mod.ts";
import {
  CONFIG_NAME,
  parseBrickObject,
  parseIndexObject,
  parseLedgerObject,
  RECORDS_PREFIX,
  stampTime,
} from "./names.ts";

const KIB = 1024;
const INDEX_LIMIT_BYTES = 16 * KIB * KIB;

/** In the order in which they are written: what names other objects comes after them. */
export const MEMBER_KINDS = ["brick", "ledger", "record", "index", "slot", "config"] as const;
export type MemberKind = typeof MEMBER_KINDS[number];

const LIMIT_BYTES: Readonly<Record<MemberKind, number>> = {
  brick: LIMITS.brickBytes,
  ledger: LEDGER_OBJECT_LIMIT,
  record: INDEX_LIMIT_BYTES,
  index: INDEX_LIMIT_BYTES,
  slot: SLOT_LIMIT_BYTES,
  config: 64 * KIB,
};

/** What an object of this name is; undefined: nothing that a bundle gives back. */
export function memberKind(name: string): MemberKind | undefined {
  if (name === CONFIG_NAME) return "config";
  if (parseBrickObject(name) !== undefined) return "brick";
  if (parseLedgerObject(name) !== undefined) return "ledger";
  if (parseIndexObject(name) !== undefined) return "index";
  if (slotLabel(name) !== undefined) return "slot";
  return isRecord(name) ? "record" : undefined;
}

/** Whether an object of this kind may have so many bytes. */
export function fits(kind: MemberKind, bytes: number): boolean {
  return bytes >= 1 && bytes <= LIMIT_BYTES[kind];
}

function isRecord(name: string): boolean {
  const [, stamp = ""] =
    /^[a-z]+-(.+)\.json$/.exec(name.startsWith(RECORDS_PREFIX) ? name.slice(RECORDS_PREFIX.length) : "") ?? [];
  return stampTime(stamp) !== undefined;
}
