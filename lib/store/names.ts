/**
 * Which texts are names of objects. One strict rule for every store, so that a name can be a path, an S3 key and a URL
 * without escaping, on any system: no `..`, no leading or trailing dot (hidden files, NFS left-overs, Windows), nothing
 * absolute, nothing empty. `tmp/` is a directory's own spool and `CACHEDIR.TAG` its mark for other backup programs; no
 * store has objects there, in any spelling, since some file systems do not tell `tmp` from `TMP`.
 */
const segmentPattern = /^[A-Za-z0-9_-](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?$/;
const maximumSegmentLength = 255;
const maximumNameLength = 1024;

/** The folder inside a directory store where unfinished objects are. */
export const spoolFolder = "tmp";

/** The file that tells other backup programs to leave a directory alone. */
export const cacheTagName = "CACHEDIR.TAG";

/** Whether a text is one part of a name. */
export function isSegment(text: string): boolean {
  return text.length <= maximumSegmentLength && segmentPattern.test(text) && !text.includes("..");
}

/** Whether a text can be the name of an object. */
export function isObjectName(text: string): boolean {
  return text.length <= maximumNameLength && text.split("/").every(isSegment) && !isReserved(text);
}

/** Throws a TypeError unless `name` can be the name of an object. */
export function requireObjectName(name: string): void {
  if (!isObjectName(name)) throw new TypeError(`Not the name of an object: ${JSON.stringify(name)}`);
}

/** Throws a TypeError unless some name of an object could begin with `prefix`. */
export function requirePrefix(prefix: string): void {
  const folders = prefix.split("/");
  const rest = folders.pop() ?? "";
  const restFits = rest === "" || (/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(rest) && !rest.includes(".."));
  if (!folders.every(isSegment) || !restFits || prefix.length > maximumNameLength) {
    throw new TypeError(`No object's name begins like this: ${JSON.stringify(prefix)}`);
  }
}

function isReserved(name: string): boolean {
  const first = name.split("/", 1)[0] ?? "";
  return first.toLowerCase() === spoolFolder || name.toLowerCase() === cacheTagName.toLowerCase();
}
