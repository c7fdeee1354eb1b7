/**
 * tarzan.json: what a reader must know before it has a key. Its exact text stands in every slot too: whoever has a key
 * compares, so it needs no MAC, and a lost one is written anew.
 */
import { DamageError, isHex, parseUnverified, UnsupportedError } from "../crypto/mod.ts";
import { checkSizes, type ChunkSizes } from "../snapshot/mod.ts";

export const CONFIG_FORMAT = "tarzan repository";

/** The parsed tarzan.json. */
export interface Config {
  /** The repository's id: 32 digits of hex. */
  repository: string;
  created: string;
  chunks: ChunkSizes;
  /** Where bricks go to sleep, as people write it (see lib/glacier/cold_location.ts); undefined: they stay. */
  cold?: string;
}

/** The text of tarzan.json. */
export function formatConfig(config: Config): string {
  const { repository, created, chunks, cold } = config;
  const { min, average, max } = chunks;
  return JSON.stringify({
    format: CONFIG_FORMAT,
    version: 1,
    requires: [],
    repository,
    created,
    chunks: { min, average, max },
    ...(cold === undefined ? {} : { cold }),
  }) + "\n";
}

/** Reads the text of tarzan.json; `what` names it in errors. */
export function parseConfig(text: string, what: string): Config {
  const json = parseUnverified(new TextEncoder().encode(text), what);
  const bad = (why: string) => new DamageError(`Cannot read ${what}: ${why}`);
  if (json.format !== CONFIG_FORMAT) throw bad("it does not describe a repository of tarzan");
  if (!Number.isSafeInteger(json.version) || (json.version as number) < 1) throw bad("it has no version");
  if (json.version !== 1) {
    throw new UnsupportedError(
      `Cannot use ${what}: its version ${json.version} is newer than this tarzan. Update tarzan`,
    );
  }
  if (!Array.isArray(json.requires)) throw bad('it has no list "requires"');
  if (json.requires.length > 0) {
    throw new UnsupportedError(
      `Cannot use ${what}: it requires ${
        JSON.stringify(json.requires)
      }, which this tarzan does not know. Update tarzan`,
    );
  }
  if (!isHex(json.repository, 16)) throw bad("it has no repository id");
  const { min, average, max } = (json.chunks ?? {}) as Record<string, unknown>;
  if (!isSize(min) || !isSize(average) || !isSize(max)) throw bad("it has no chunk sizes");
  const sizes = { min, average, max };
  try {
    checkSizes(sizes);
  } catch (cause) {
    throw new DamageError(`Cannot read ${what}: ${(cause as Error).message}`, { cause });
  }
  const cold = coldPlace(json.cold, bad);
  return { repository: json.repository, created: String(json.created), chunks: sizes, ...(cold && { cold }) };
}

/** A kind of place that is not known here is no reason to refuse the rest: nothing can be uploaded, that is all. */
function coldPlace(value: unknown, bad: (why: string) => Error): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && /^[!-~]{1,1024}$/.test(value)) return value;
  throw bad('its "cold" is no place');
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
