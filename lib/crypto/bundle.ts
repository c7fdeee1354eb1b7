/**
 * A key bundle: what stands inside a key slot and in the key file of a machine.
 *
 * The text is deterministic (members in a fixed order, no blanks, one line feed at the end), so the bundles of one role and
 * domain are the same bytes in every slot. A client pins the hash of that text: it survives a new passphrase, and a slot
 * that somebody else made, which anyone can do for a public recipient, does not pass for it.
 */
import { DamageError, UnsupportedError } from "./errors.ts";
import { fromHex, isHex, toHex } from "./hex.ts";
import { DOMAIN_ID_BYTES, type Key } from "./keys.ts";
import { SECRET_BYTES } from "./derive.ts";
import { isName } from "./names.ts";
import { encodeText } from "./text.ts";

/** The `format` member by which a bundle is known. */
export const BUNDLE_FORMAT = "tarzan key";
/** No slot, and so no bundle, is longer. */
export const SLOT_LIMIT_BYTES = 64 * 1024;

/** Machines that share deduplication: an id in hex, and the name that it follows from. */
export interface Domain {
  readonly id: string;
  readonly name: string;
}

/** What every bundle says. */
interface BundleHead {
  /** The repository's id: 32 digits of hex. */
  readonly repository: string;
  /** The domain into which this key writes unless told otherwise. */
  readonly domain: Domain;
  /** The exact text of the repository's tarzan.json. */
  readonly config: string;
}

/** May do everything: holds the root. */
export interface FullBundle extends BundleHead {
  readonly role: "full";
  readonly root: Key;
}

/** May list everything and read no body. */
export interface ListBundle extends BundleHead {
  readonly role: "list";
  readonly shapes: Key;
  readonly metaIdentity: string;
  readonly dataRecipient: string;
}

/** May add to one domain and read nothing. */
export interface WriteBundle extends BundleHead {
  readonly role: "write";
  readonly shapeSecret: Key;
  readonly bodySecret: Key;
  readonly dataRecipient: string;
  readonly metaRecipient: string;
}

/** The parsed content of a slot or key file. */
export type KeyBundle = FullBundle | ListBundle | WriteBundle;
/** What a key is allowed to do. */
export type Role = KeyBundle["role"];

/** The text of a bundle: always the same bytes for the same content. */
export function formatBundle(bundle: KeyBundle): string {
  const { role, repository, domain, config } = bundle;
  const text = JSON.stringify({
    format: BUNDLE_FORMAT,
    version: 1,
    requires: [],
    role,
    repository,
    domain: { id: domain.id, name: domain.name },
    config,
    ...secretMembers(bundle),
  });
  return `${text}\n`;
}

function secretMembers(bundle: KeyBundle): Record<string, string> {
  switch (bundle.role) {
    case "full":
      return { root: toHex(bundle.root) };
    case "list":
      return {
        shapes: toHex(bundle.shapes),
        metaIdentity: bundle.metaIdentity,
        dataRecipient: bundle.dataRecipient,
      };
    case "write":
      return {
        shapeSecret: toHex(bundle.shapeSecret),
        bodySecret: toHex(bundle.bodySecret),
        dataRecipient: bundle.dataRecipient,
        metaRecipient: bundle.metaRecipient,
      };
  }
}

/** Reads the text of a bundle; `what` names it in errors, which never repeat a part of it. */
export function parseBundle(text: string, what = "the key"): KeyBundle {
  const bad = (why: string) => new DamageError(`Cannot read ${what}: ${why}`);
  const newer = (why: string) => new UnsupportedError(`Cannot use ${what}: ${why}. Update tarzan`);
  if (encodeText(text).length > SLOT_LIMIT_BYTES) throw bad(`it is longer than ${SLOT_LIMIT_BYTES} bytes`);
  const members = parseMembers(text);
  if (members?.format !== BUNDLE_FORMAT) throw bad("it is not a tarzan key");
  const { version, requires, role, repository, config } = members;
  if (!Number.isSafeInteger(version) || (version as number) < 1) throw bad("it has no version");
  if (version !== 1) throw newer(`its version ${version} is newer than this tarzan`);
  if (!Array.isArray(requires) || !requires.every((entry) => typeof entry === "string")) {
    throw bad('its "requires" is not a list of words');
  }
  if (requires.length > 0) throw newer(`it requires ${JSON.stringify(requires)}, which this tarzan does not know`);
  if (typeof role !== "string") throw bad("it has no role");
  if (role !== "full" && role !== "list" && role !== "write") {
    throw newer(`its role ${JSON.stringify(role)} is not known`);
  }

  const secret = (name: string): Key => {
    const value = members[name];
    if (!isHex(value, SECRET_BYTES)) throw bad(`its "${name}" is not ${2 * SECRET_BYTES} digits of lower-case hex`);
    return fromHex(value);
  };
  const ageKey = (name: string, form: RegExp): string => {
    const value = members[name];
    if (typeof value !== "string" || !form.test(value)) throw bad(`its "${name}" is not a hybrid age key`);
    return value;
  };
  if (!isHex(repository, 16)) throw bad('its "repository" is not 32 digits of lower-case hex');
  if (typeof config !== "string") throw bad('its "config" is not a text');
  const head: BundleHead = { repository, domain: parseDomain(members.domain, bad), config };
  switch (role) {
    case "full":
      return { ...head, role, root: secret("root") };
    case "list":
      return {
        ...head,
        role,
        shapes: secret("shapes"),
        metaIdentity: ageKey("metaIdentity", HYBRID_IDENTITY),
        dataRecipient: ageKey("dataRecipient", HYBRID_RECIPIENT),
      };
    case "write":
      return {
        ...head,
        role,
        shapeSecret: secret("shapeSecret"),
        bodySecret: secret("bodySecret"),
        dataRecipient: ageKey("dataRecipient", HYBRID_RECIPIENT),
        metaRecipient: ageKey("metaRecipient", HYBRID_RECIPIENT),
      };
  }
}

/** The form of a seed of 32 bytes and of a public key of 1,216 bytes in Bech32; the age package checks the checksum. */
const HYBRID_IDENTITY = /^AGE-SECRET-KEY-PQ-1[02-9AC-HJ-NP-Z]{58}$/;
const HYBRID_RECIPIENT = /^age1pq1[02-9ac-hj-np-z]{1952}$/;

function parseMembers(text: string): Record<string, unknown> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Not JSON, so not a key; the parser's own message would repeat secrets.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
}

function parseDomain(value: unknown, bad: (why: string) => Error): Domain {
  const { id, name } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  if (!isHex(id, DOMAIN_ID_BYTES) || !isName(name)) throw bad('its "domain" has no id of 32 digits of hex and a name');
  return { id, name };
}
