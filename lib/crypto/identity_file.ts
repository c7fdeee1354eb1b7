/** age identity files, as age-keygen writes them: one secret key a line, comments, blank lines. */
import { startsAsAge } from "./age_header.ts";
import { WrongKeyError } from "./errors.ts";
import { encodeText } from "./text.ts";

/** The identities in the text of such a file, at least one. Errors name the line and never repeat it. */
export function parseIdentityFile(text: string, what = "the identity file"): string[] {
  if (startsAsAge(encodeText(text.slice(0, 64))) || /^\s*-----BEGIN AGE ENCRYPTED FILE-----/.test(text)) {
    throw new WrongKeyError(`Cannot use ${what}: it is itself encrypted. Decrypt it first: age -d`);
  }
  if (/^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw new WrongKeyError(`Cannot use ${what}: SSH keys are not supported. Make an age key: age-keygen`);
  }
  const identities: string[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("AGE-PLUGIN-")) {
      throw new WrongKeyError(`Cannot use line ${index + 1} of ${what}: age plugins are not supported`);
    }
    if (!/^AGE-SECRET-KEY-(PQ-)?1[02-9AC-HJ-NP-Z]{58}$/.test(line)) {
      throw new WrongKeyError(`Cannot use line ${index + 1} of ${what}: it is not an age identity (AGE-SECRET-KEY-…)`);
    }
    identities.push(line);
  }
  if (identities.length === 0) throw new WrongKeyError(`Cannot use ${what}: there is no age identity in it`);
  return identities;
}
