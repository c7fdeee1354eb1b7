/**
 * Paths and globs that say which entries are meant. `etc` means that entry and everything below it; `*` and `?` stop at
 * slashes, `**` does not, `[a-z]` is one of these. Whatever its characters, a name means itself. A leading "./" or "/" and a
 * trailing "/" make no difference, for tars are made both ways.
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
  for (let at = 0; at < name.length; at += 4096) {
    text += String.fromCharCode.apply(null, name.subarray(at, at + 4096) as unknown as number[]);
  }
  return strip(text);
}

function strip(name: string): string {
  if (name[0] !== "/" && name[0] !== "." && !name.endsWith("/")) return name;
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
  const isNamed = (name: string) => name === plain || name.startsWith(`${plain}/`);
  if (!/[*?[]/.test(plain)) return isNamed;
  const expression = new RegExp(`^${globSource(plain)}(?:/.*)?$`, "s");
  return (name) => isNamed(name) || expression.test(name);
}

function globSource(glob: string): string {
  let source = "";
  for (let i = 0; i < glob.length; i++) {
    const character = glob[i]!;
    const set = character === "[" ? readSet(glob.slice(i)) : undefined;
    if (set !== undefined) {
      source += set.source;
      i += set.length - 1;
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

/** The set of characters that a glob begins with, if it does: `[abc]`, `[a-z]`, `[!abc]`. */
function readSet(glob: string): { source: string; length: number } | undefined {
  const set = /^\[(!|\^)?(\][^\]]*|[^\]]+)\]/.exec(glob);
  if (set === null) return undefined;
  const [whole, not, members] = set;
  const source = `(?!/)[${not === undefined ? "" : "^"}${members!.replace(/[\\\]^[]/g, "\\$&")}]`;
  try {
    new RegExp(source);
  } catch {
    // A range from back to front: no set, so these are the characters themselves.
    return undefined;
  }
  return { source, length: whole.length };
}
