/**
 * What a vault keeps beside an archive: at most 1,024 printable ASCII characters, for ever unchangeable, and the only
 * thing in an inventory that says what the archive is. Ours is one line of JSON without spaces, these members, in this
 * order:
 *
 *     {"tarzan":1,"repository":"<id>","name":"bricks/ab/<64 hex>","bytes":134217728,"sha256":"<64 hex>","treeHash":"<64 hex>"}
 *
 * So one inventory gives back every `placed` record with nothing else at hand. It is public to whoever reads the vault,
 * and says no more than the names of objects in a bucket would. A reader takes members in any order, ignores unknown
 * ones, and leaves versions alone that it does not know.
 */
import { isObjectName } from "../../store/mod.ts";

/** What a description says of its archive. */
export interface Description {
  repository: string;
  name: string;
  bytes: number;
  sha256: string;
  treeHash: string;
}

const version = 1;
const maximumLength = 1024;
const hashPattern = /^[0-9a-f]{64}$/;
const repositoryPattern = /^[\x21-\x7e]{1,128}$/;

/** The description of an object: the same text whenever it is the same object. */
export function describe(object: Description): string {
  const { repository, name, bytes, sha256, treeHash } = object;
  const text = JSON.stringify({ tarzan: version, repository, name, bytes, sha256, treeHash });
  if (text.length > maximumLength || !/^[\x20-\x7e]*$/.test(text) || parseDescription(text) === undefined) {
    throw new TypeError(`No description of an archive can say this: ${text.slice(0, 200)}`);
  }
  return text;
}

/** What a description says; undefined: not one of ours, or of a version that is not known here. */
export function parseDescription(text: string): Description | undefined {
  if (text.length > maximumLength || !text.startsWith("{")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { tarzan, repository, name, bytes, sha256, treeHash } = value as Record<string, unknown>;
  if (tarzan !== version || !matches(repository, repositoryPattern)) return undefined;
  if (typeof name !== "string" || !isObjectName(name)) return undefined;
  if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 1) return undefined;
  if (!matches(sha256, hashPattern) || !matches(treeHash, hashPattern)) return undefined;
  return { repository, name, bytes, sha256, treeHash };
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === "string" && pattern.test(value);
}
