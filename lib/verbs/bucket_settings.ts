/**
 * How this machine reaches and uses a bucket: what it is told on the command line, else what it remembers of the place. `init`
 * remembers everything it is told; whoever names an endpoint, a region or a profile later is remembered, too, once the
 * place has answered. So an index file finds its repository again, and a nightly job needs no options.
 */
import { sha256, toHex } from "../crypto/mod.ts";
import type { BucketPlace, LockPolicy, TransferLimits } from "../store/mod.ts";

/** How a bucket is reached. */
export type BucketConnection = Pick<BucketPlace, "endpoint" | "region" | "profile" | "pathStyle">;

/** How bricks are kept there. */
export interface BucketPolicy {
  /** Storage classes of data bricks and meta bricks. */
  dataClass?: string;
  metaClass?: string;
  lockMode?: LockPolicy["mode"];
  lockDays?: number;
}

/** What the user says now; what is left out was remembered, or is as usual. */
export interface BucketChoice extends BucketConnection, BucketPolicy {
  uploadBytesPerSecond?: number;
  downloadBytesPerSecond?: number;
  /** How much may wait on this machine for its upload. */
  spoolBytes?: number;
  /** What a test or a program around this one wants otherwise: whose keys sign, what clock waits, how long. */
  limits?: TransferLimits;
}

/** What a machine remembers of a place. */
export interface BucketSettings extends BucketConnection, BucketPolicy {
  location: string;
}

const texts = ["endpoint", "region", "profile", "dataClass", "metaClass"] as const;

/** What was remembered of the place at `location`; nothing, as a rule. */
export async function readBucketSettings(config: string, location: string): Promise<BucketSettings> {
  const path = settingsPath(config, location);
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { location };
    throw error;
  }
  return parse(text, { path, location });
}

/** Remembers it, in the place of what was remembered before. */
export async function rememberBucketSettings(config: string, settings: BucketSettings): Promise<void> {
  const path = settingsPath(config, settings.location);
  await Deno.mkdir(`${config}/buckets`, { recursive: true, mode: 0o700 });
  await Deno.writeTextFile(`${path}.new`, JSON.stringify(settings) + "\n", { mode: 0o600 });
  await Deno.rename(`${path}.new`, path);
}

/** The part of a choice that says how a bucket is reached. */
export function connectionOf({ endpoint, region, profile, pathStyle }: BucketConnection): BucketConnection {
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
    ...(pathStyle === undefined ? {} : { pathStyle }),
  };
}

/** The part that says how bricks are kept. */
export function policyOf({ dataClass, metaClass, lockMode, lockDays }: BucketPolicy): BucketPolicy {
  return {
    ...(dataClass === undefined ? {} : { dataClass }),
    ...(metaClass === undefined ? {} : { metaClass }),
    ...(lockMode === undefined ? {} : { lockMode }),
    ...(lockDays === undefined ? {} : { lockDays }),
  };
}

function settingsPath(config: string, location: string): string {
  return `${config}/buckets/${toHex(sha256(location)).slice(0, 32)}.json`;
}

function parse(text: string, { path, location }: { path: string; location: string }): BucketSettings {
  const refuse = (why: string, cause?: unknown) =>
    new Error(`Cannot use what is remembered of ${location} in ${path}: ${why}. Remove the file`, { cause });
  let given: Record<string, unknown>;
  try {
    given = JSON.parse(text);
  } catch (cause) {
    throw refuse((cause as Error).message, cause);
  }
  const { lockMode, lockDays, pathStyle } = given;
  const isText = (value: unknown) => value === undefined || (typeof value === "string" && value !== "");
  const isSound = given["location"] === location && texts.every((name) => isText(given[name])) &&
    (pathStyle === undefined || typeof pathStyle === "boolean") &&
    (lockMode === undefined || lockMode === "GOVERNANCE" || lockMode === "COMPLIANCE") &&
    (lockDays === undefined || (Number.isSafeInteger(lockDays) && (lockDays as number) > 0));
  if (!isSound) throw refuse("it is not what TARzan writes");
  const settings = given as BucketConnection & BucketPolicy;
  return { location, ...connectionOf(settings), ...policyOf(settings) };
}
