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
}

/** The text of tarzan.json. */
export function formatConfig(config: Config): string {
  const { repository, created, chunks } = config;
  const { min, average, max } = chunks;
  return JSON.stringify({
    format: CONFIG_FORMAT,
    version: 1,
    requires: [],
    repository,
    created,
    chunks: { min, average, max },
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
  return { repository: json.repository, created: String(json.created), chunks: sizes };
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
