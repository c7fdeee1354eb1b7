/** A tar of one very large file, made while it is read: noise, which no compression helps with, and which comes again. */

/** So much is new, then everything is known: a disk need not hold the rest. */
const NEW_BYTES = 4 * 2 ** 30;
const BLOCK = 512;

/** The shell command that writes the tar, and the programs that it runs. */
export function bigFile(bytes: number): { command: string; programs: string[] } {
  const header = `truncate -s ${bytes} "$TMP/big" && tar -c --format=gnu -C "$TMP" big 2>/dev/null | head -c ${BLOCK}`;
  const noise = `head -c ${NEW_BYTES} /dev/zero | openssl enc -aes-128-ctr -K ${"5a".repeat(16)} -iv ${
    "00".repeat(16)
  }`;
  const body = `while :; do ${noise} || break; done 2>/dev/null | head -c ${bytes}`;
  const command = `{ TMP=$(mktemp -d); ${header}; rm -r "$TMP"; ${body}; head -c ${2 * BLOCK} /dev/zero; }`;
  return { command: `sh -c '${command}'`, programs: ["openssl", "head", "tar", "sh"] };
}
