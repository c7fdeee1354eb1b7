/**
 * What a file that somebody gives as "the key" is. A machine that may only write keeps the text of its bundle itself, in a
 * file that nobody else may read: it needs a secret on its disk anyway, and a slot in the repository would only give the
 * storage something to exchange.
 */
import { startsAsAge } from "./age_header.ts";
import { BUNDLE_FORMAT } from "./bundle.ts";
import { decodeText } from "./text.ts";

/** A bundle's own text, a slot (binary or armored), a list of age identities, or none of these. */
export type KeyFileKind = "bundle" | "slot" | "identities" | "unknown";

/** Tells by its first bytes what a key file is; reading it may still fail. */
export function recogniseKeyFile(bytes: Uint8Array): KeyFileKind {
  if (startsAsAge(bytes)) return "slot";
  const text = decodeText(bytes);
  if (text === undefined) return "unknown";
  if (text.includes("-----BEGIN AGE ENCRYPTED FILE-----")) return "slot";
  if (text.trimStart().startsWith("{")) return text.includes(`"${BUNDLE_FORMAT}"`) ? "bundle" : "unknown";
  return /^AGE-(SECRET-KEY|PLUGIN)-/m.test(text) ? "identities" : "unknown";
}
