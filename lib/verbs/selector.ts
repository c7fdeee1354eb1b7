/**
 * Paths and globs that say which entries are meant. `etc` means that entry and everything below it; `*` and `?` stop at
 * slashes, `**` does not, `[a-z]` is one of these. A leading "./" or "/" and a trailing "/" make no difference, for tars
 * are made both ways.
 */

/** Chooses entries, and remembers which patterns have chosen any. */
export interface Selector {
  matches(name: string): boolean;
  /** The patterns that nothing matched so far. */
  missing(): string[];
}

/** An entry's name for comparing: bytes as Latin-1 so that nothing is lost, without "./", "/" in front and "/" behind. */
export function plainName(name: Uint8Array): string {
  let text = "";
  for (let at = 0; at < name.length; at += 4096) text += String.fromCharCode(...name.subarray(at, at + 4096));
  return strip(text);
}

function strip(name: string): string {
  return name.replace(/^(?:\.?\/+)+/, "").replace(/\/+$/, "");
}

/** A selector for what a user wrote. */
export function selector(patterns: readonly string[]): Selector {
  const tests = patterns.map((pattern) => ({ pattern, test: testFor(pattern), hit: false }));
  return {
    matches(name) {
      let any = false;
      for (const one of tests) {
        if (!one.test(name)) continue;
        one.hit = true;
        any = true;
      }
      return any;
    },
    missing: () => tests.filter(({ hit }) => !hit).map(({ pattern }) => pattern),
  };
}

function testFor(pattern: string): (name: string) => boolean {
  // Names are compared byte by byte.
  const plain = strip(plainName(new TextEncoder().encode(pattern)));
  if (plain === "" || plain === ".") return () => true;
  if (!/[*?[]/.test(plain)) return (name) => name === plain || name.startsWith(`${plain}/`);
  const expression = new RegExp(`^${globSource(plain)}(?:/.*)?$`, "s");
  return (name) => expression.test(name);
}

function globSource(glob: string): string {
  let source = "";
  for (let i = 0; i < glob.length; i++) {
    const character = glob[i]!;
    const set = character === "[" ? /^\[(!|\^)?(\]?[^\]]*)\]/.exec(glob.slice(i)) : null;
    if (set !== null) {
      source += `[${set[1] === undefined ? "" : "^"}${set[2]!.replace(/[\\\]^[]/g, "\\$&")}]`;
      i += set[0].length - 1;
    } else if (character === "*" && glob[i + 1] === "*") {
      // "a/**/b" matches "a/b" too.
      const wholePart = glob[i + 2] === "/";
      source += wholePart ? "(?:.*/)?" : ".*";
      i += wholePart ? 2 : 1;
    } else if (character === "*") source += "[^/]*";
    else if (character === "?") source += "[^/]";
    else source += character.replace(/[\\^$.|+(){}\[\]]/g, "\\$&");
  }
  return source;
}
