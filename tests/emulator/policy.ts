/**
 * IAM's decision, as far as backups need it: a statement that denies wins, then one that allows, else the answer is no.
 * An element or operator that is not known here fails at the start instead of being skipped.
 */

/** A policy document as AWS writes it. */
export interface Policy {
  Version?: string;
  Id?: string;
  Statement: Statement | Statement[];
}

export interface Statement {
  Sid?: string;
  Effect: "Allow" | "Deny";
  Action?: string | string[];
  NotAction?: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Condition?: Record<string, Record<string, string | boolean | number | (string | boolean | number)[]>>;
}

/** Something that somebody wants to do. */
export interface Attempt {
  /** `s3:PutObject` */
  action: string;
  /** An ARN. */
  resource: string;
  /** Condition keys of this request, names in lower case; absent ones are absent. */
  context: ReadonlyMap<string, string>;
}

type Operator = (actual: string, wanted: string) => boolean;
const number = (compare: (a: number, b: number) => boolean): Operator => (a, b) => compare(Number(a), Number(b));
const date = (compare: (a: number, b: number) => boolean): Operator => (a, b) => compare(Date.parse(a), Date.parse(b));

/** Each with whether it is a negation: that holds only if no wanted value fits, and where the key is absent. */
const operators: Record<string, [Operator, "negated"?]> = {
  StringEquals: [(a, b) => a === b],
  StringNotEquals: [(a, b) => a === b, "negated"],
  StringEqualsIgnoreCase: [(a, b) => a.toLowerCase() === b.toLowerCase()],
  StringLike: [(a, b) => pattern(b).test(a)],
  StringNotLike: [(a, b) => pattern(b).test(a), "negated"],
  Bool: [(a, b) => a.toLowerCase() === b.toLowerCase()],
  NumericEquals: [number((a, b) => a === b)],
  NumericLessThan: [number((a, b) => a < b)],
  NumericLessThanEquals: [number((a, b) => a <= b)],
  NumericGreaterThan: [number((a, b) => a > b)],
  NumericGreaterThanEquals: [number((a, b) => a >= b)],
  DateLessThan: [date((a, b) => a < b)],
  DateLessThanEquals: [date((a, b) => a <= b)],
  DateGreaterThan: [date((a, b) => a > b)],
  DateGreaterThanEquals: [date((a, b) => a >= b)],
};

/** Whether the policy lets this happen. */
export function allows(policy: Policy, attempt: Attempt): boolean {
  const applying = [policy.Statement].flat().filter((statement) => applies(statement, attempt));
  return applying.some(({ Effect }) => Effect === "Allow") && !applying.some(({ Effect }) => Effect === "Deny");
}

/** Fails when the policy has something that would not be understood. */
export function checkPolicy(policy: Policy): void {
  const known = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
  for (const statement of [policy.Statement].flat()) {
    const strange = Object.keys(statement).filter((name) => !known.includes(name));
    if (strange.length > 0) throw new Error(`A policy has ${strange.join(", ")}, which the emulator does not know`);
    if (!["Allow", "Deny"].includes(statement.Effect)) throw new Error(`A policy has the Effect ${statement.Effect}`);
    if ((statement.Action ?? statement.NotAction) === undefined) throw new Error("A policy's statement has no Action");
    if ((statement.Resource ?? statement.NotResource) === undefined) {
      throw new Error("A policy's statement has no Resource");
    }
    for (const name of Object.keys(statement.Condition ?? {})) {
      if (name !== "Null" && !operators[name.replace(/IfExists$/, "")]) {
        throw new Error(`A policy has the condition ${name}, which the emulator does not know`);
      }
    }
  }
}

function applies(statement: Statement, attempt: Attempt): boolean {
  const fits = (wanted: string | string[] | undefined, actual: string) =>
    [wanted ?? []].flat().some((text) => pattern(text).test(actual));
  const action = attempt.action.toLowerCase();
  const lower = (wanted: string | string[] | undefined) => [wanted ?? []].flat().map((text) => text.toLowerCase());
  if (statement.Action !== undefined && !fits(lower(statement.Action), action)) return false;
  if (statement.NotAction !== undefined && fits(lower(statement.NotAction), action)) return false;
  if (statement.Resource !== undefined && !fits(statement.Resource, attempt.resource)) return false;
  if (statement.NotResource !== undefined && fits(statement.NotResource, attempt.resource)) return false;
  return Object.entries(statement.Condition ?? {}).every(([name, keys]) =>
    Object.entries(keys).every(([key, wanted]) =>
      holds(name, attempt.context.get(key.toLowerCase()), [wanted].flat().map(String))
    )
  );
}

function holds(name: string, actual: string | undefined, wanted: string[]): boolean {
  if (name === "Null") return wanted.some((value) => (value.toLowerCase() === "true") === (actual === undefined));
  const [operator, negated] = operators[name.replace(/IfExists$/, "")]!;
  if (actual === undefined) return name.endsWith("IfExists") || negated !== undefined;
  const fits = wanted.some((value) => operator(actual, value));
  return negated ? !fits : fits;
}

/** `*` is any text, `?` one character. */
function pattern(text: string): RegExp {
  const source = [...text].map((char) => char === "*" ? "[^]*" : char === "?" ? "[^]" : char.replace(/[^\w]/u, "\\$&"));
  return new RegExp(`^${source.join("")}$`);
}
