import { type Token, tokensOf } from "./tokens.ts";

/** What one file takes from elsewhere. */
export interface Import {
  /** `type` is gone when the program runs; `dynamic` happens when it is reached; `worker` starts a thread. */
  readonly kind: "static" | "type" | "dynamic" | "worker";
  readonly specifier: string;
}

/**
 * All imports in a source text: import and export … from, import(…), also in types, and new Worker(new URL(…)).
 * Throws on import(…) and new Worker(…) that do not name their file as a string, since nobody could say what they load.
 */
export function importsOf(source: string): Import[] {
  const tokens = tokensOf(source);
  const found: Import[] = [];
  const is = (at: number, text: string) => tokens[at]?.text === text && tokens[at]?.kind !== "string";
  tokens.forEach((token, at) => {
    if (token.kind !== "word" || is(at - 1, ".")) return;
    if (token.text === "import" && is(at + 1, "(")) {
      found.push({ kind: "dynamic", specifier: literal(tokens, at + 2, "import") });
    } else if (token.text === "import" && !is(at + 1, ".") && !is(at + 1, ":")) {
      found.push(statement(tokens, at));
    } else if (token.text === "export" && (is(at + 1, "*") || is(at + 1, "{") || isTypeList(tokens, at + 1))) {
      const from = fromClause(tokens, at + 1);
      if (from !== undefined) found.push({ kind: is(at + 1, "type") ? "type" : "static", specifier: from });
    } else if (token.text === "new" && is(at + 1, "Worker")) {
      const isUrl = is(at + 2, "(") && is(at + 3, "new") && is(at + 4, "URL") && is(at + 5, "(");
      found.push({ kind: "worker", specifier: literal(tokens, isUrl ? at + 6 : at + 3, "new Worker") });
    }
  });
  return found;
}

function statement(tokens: readonly Token[], at: number): Import {
  const next = tokens[at + 1];
  if (next?.kind === "string") return { kind: "static", specifier: next.text };
  const specifier = fromClause(tokens, at + 1);
  if (specifier === undefined) throw new Error("An import without from");
  const [first, second] = [tokens[at + 1]?.text, tokens[at + 2]?.text];
  return { kind: first === "type" && second !== "from" && second !== "," ? "type" : "static", specifier };
}

/** `export type { … }` and `export type * from`, but not `export type Name = …`. */
function isTypeList(tokens: readonly Token[], at: number): boolean {
  return tokens[at]?.text === "type" && ["{", "*"].includes(tokens[at + 1]?.text ?? "");
}

/** The specifier after the names of an import or export; undefined when no `from` follows the list of names. */
function fromClause(tokens: readonly Token[], start: number): string | undefined {
  for (let at = start; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!;
    if (kind === "word" && text === "from" && tokens[at + 1]?.kind === "string") return tokens[at + 1]!.text;
    if (kind === "mark" && text === "}" && tokens[at + 1]?.text !== "from") return undefined;
    if (kind === "mark" && ![",", "{", "}", "*"].includes(text)) return undefined;
  }
  return undefined;
}

function literal(tokens: readonly Token[], at: number, what: string): string {
  const [token, next] = [tokens[at], tokens[at + 1]];
  if (token?.kind === "string" && (next?.text === ")" || next?.text === ",")) return token.text;
  throw new Error(`${what}(…) does not name its file as a string`);
}
