/**
 * TypeScript source to words, strings and punctuation: enough to find imports, without being fooled by comments, strings,
 * templates and regular expressions. Only telling a regular expression from a division needs a guess, the usual one: by
 * what stands before. tests/project/imports_test.ts compares the outcome with what Deno itself finds.
 */

/** A piece of source. The text of a string is its content as written, without quotes; templates have no text. */
export interface Token {
  readonly kind: "word" | "string" | "template" | "number" | "regexp" | "mark";
  readonly text: string;
}

const wordPattern = /[\p{ID_Start}$_#][\p{ID_Continue}$]*/uy;
const numberPattern = /\.?[0-9](?:[eE][+-]|[0-9a-zA-Z_.])*/y;
const stringPattern = /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'/y;
const regexpPattern = /\/(?:[^\\/[\n]|\\.|\[(?:[^\\\]\n]|\\.)*\])+\/[a-z]*/y;
const blankPattern = /(?:\s|\/\/[^\n]*|\/\*[^]*?\*\/)+/y;

/** Words after which a slash begins a regular expression and no division. */
const beforeExpression = new Set(
  [
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "do",
    "else",
    "void",
    "delete",
    "throw",
    "new",
    "await",
    "yield",
    "instanceof",
  ],
);

/** The tokens of a source text. Throws where it is not TypeScript. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  // Where a "}" ends an expression inside a template, and how deep braces are nested in each.
  const templates: number[] = [];
  let at = 0;

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const takeTemplate = () => {
    while (at < source.length) {
      if (source[at] === "\\") at += 2;
      else if (source[at] === "`") return at++;
      else if (source.startsWith("${", at)) {
        at += 2;
        return templates.push(0);
      } else at++;
    }
    throw new Error("A template has no end");
  };

  while (at < source.length) {
    if (take(blankPattern)) continue;
    const word = take(wordPattern);
    if (word !== undefined) {
      tokens.push({ kind: "word", text: word });
      continue;
    }
    const number = take(numberPattern);
    if (number !== undefined) {
      tokens.push({ kind: "number", text: number });
      continue;
    }
    const string = take(stringPattern);
    if (string !== undefined) {
      tokens.push({ kind: "string", text: string.slice(1, -1) });
      continue;
    }
    const regexp = source[at] === "/" && expressionMayBegin(tokens.at(-1)) ? take(regexpPattern) : undefined;
    if (regexp !== undefined) {
      tokens.push({ kind: "regexp", text: regexp });
      continue;
    }
    const mark = source[at++]!;
    const depth = templates.at(-1);
    if (mark === "`") {
      tokens.push({ kind: "template", text: "" });
      takeTemplate();
    } else if (mark === "}" && depth === 0) {
      templates.pop();
      takeTemplate();
    } else {
      if (depth !== undefined && mark === "{") templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && mark === "}") templates[templates.length - 1] = depth - 1;
      tokens.push({ kind: "mark", text: mark });
    }
  }
  if (templates.length > 0) throw new Error("A template has no end");
  return tokens;
}

function expressionMayBegin(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === "word") return beforeExpression.has(before.text);
  return before.kind === "mark" && ![")", "]", "}"].includes(before.text);
}
