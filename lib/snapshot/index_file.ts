/**
 * The JSON index: the one object that makes a backup. A clear part for every holder of the domain's keys to check, a
 * sealed part for those who may list, and a MAC over the bytes (docs/FORMAT.md, "The index").
 */
import {
  DamageError,
  decodeText,
  encodeText,
  isHex,
  type JsonObject,
  openJson,
  parseUnverified,
  signJson,
  unwrapKey,
  wrapKey,
} from "../crypto/mod.ts";
import { fromBase64, sealedFromText, type SealedIndex, sealedToText, toBase64 } from "./sealed_index.ts";

export const INDEX_FORMAT = "tarzan index";
/** The sealed part is padded to a multiple of this, so that its length tells nothing about labels. */
const SEALED_STEP_BYTES = 1024;
/** The form of the names of snapshots: a time and eight digits of hex. */
const SNAPSHOT = /^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}$/;

/** What anybody can read in an index. */
export interface ClearIndex {
  repository: string;
  domain: string;
  /** The index's own name: `<time>-<8 hex>`. */
  snapshot: string;
  created: string;
  complete: boolean;
  /** Name of the newest index of this domain that the writer saw; null for the first. */
  previous: string | null;
}

export interface Index extends ClearIndex {
  sealed: SealedIndex;
}

/** An index as text, MACed with the domain's "mac index" and sealed to the meta recipient. */
export async function encodeIndex(
  index: Index,
  options: { macIndex: Uint8Array; metaRecipient: string },
): Promise<Uint8Array<ArrayBuffer>> {
  const { sealed, ...clear } = index;
  const text = encodeText(sealedToText(sealed));
  const padded = new Uint8Array(Math.ceil(text.length / SEALED_STEP_BYTES) * SEALED_STEP_BYTES).fill(0x20);
  padded.set(text);
  const document = {
    format: INDEX_FORMAT,
    version: 1,
    requires: [],
    ...clear,
    sealed: toBase64(await wrapKey(padded, options.metaRecipient)),
  };
  return encodeText(signJson(document, options.macIndex));
}

/** An index whose MAC was checked; `open` needs the meta identity. */
export interface VerifiedIndex extends ClearIndex {
  sealedText: string;
}

/** Checks MAC, form and version of an index. `name` is that under which it is stored, if it is in a repository. */
export function verifyIndex(
  bytes: Uint8Array,
  options: { macIndex: Uint8Array; what: string; name?: string },
): VerifiedIndex {
  const index = clearPart(
    openJson(bytes, options.macIndex, { format: INDEX_FORMAT, what: options.what }),
    options.what,
  );
  if (options.name !== undefined && index.snapshot !== options.name) {
    throw new DamageError(
      `Cannot trust ${options.what}: it is the index of snapshot ${index.snapshot}, under another name`,
    );
  }
  return index;
}

/** Whose index this claims to be, which tells the key to check it with: nothing of it is proved. */
export function peekIndex(bytes: Uint8Array, what: string): Pick<ClearIndex, "repository" | "domain"> {
  const json = parseUnverified(bytes, what);
  requireMembers(json, ["format", "repository", "domain"], what);
  const { repository, domain } = json as unknown as ClearIndex;
  return { repository, domain };
}

const isSnapshot = (value: unknown) => typeof value === "string" && SNAPSHOT.test(value);

const FORMS = {
  format: (value: unknown) => value === INDEX_FORMAT,
  repository: (value: unknown) => isHex(value, 16),
  domain: (value: unknown) => isHex(value, 16),
  snapshot: isSnapshot,
  created: (value: unknown) => typeof value === "string",
  complete: (value: unknown) => typeof value === "boolean",
  previous: (value: unknown) => value === null || isSnapshot(value),
  sealed: (value: unknown) => typeof value === "string",
};

function requireMembers(json: JsonObject, members: Iterable<keyof typeof FORMS>, what: string): void {
  for (const member of members) {
    if (FORMS[member](json[member])) continue;
    throw new DamageError(
      member === "format"
        ? `Cannot read ${what}: it is no index of tarzan`
        : `Cannot read ${what}: its "${member}" is not what it should be`,
    );
  }
}

function clearPart(json: JsonObject, what: string): VerifiedIndex {
  requireMembers(json, Object.keys(FORMS) as (keyof typeof FORMS)[], what);
  const { repository, domain, snapshot, created, complete, previous, sealed } = json as unknown as
    & ClearIndex
    & { sealed: string };
  return { repository, domain, snapshot, created, complete, previous, sealedText: sealed };
}

/** Opens the sealed part of an index. */
export async function openSealed(index: VerifiedIndex, metaIdentity: string): Promise<SealedIndex> {
  const what = `the index of snapshot ${index.snapshot}`;
  const plain = await unwrapKey(fromBase64(index.sealedText, what), metaIdentity, what);
  const text = decodeText(plain);
  if (text === undefined) throw new DamageError(`Cannot read ${what}: what is sealed in it is no text`);
  return sealedFromText(text, what);
}
