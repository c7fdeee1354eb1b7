/** Reading what the service answers: nothing is believed that does not look as it must. */
import { BrokenAnswerError } from "./errors.ts";

/** A JSON object, member by member. */
export type Members = Record<string, unknown>;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The JSON object in an answer's body. */
export function membersOf(body: Uint8Array): Members {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(body));
  } catch (error) {
    throw new BrokenAnswerError("the answer is not JSON", { cause: error });
  }
  return object(value, "the answer");
}

export function object(value: unknown, what: string): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw broken(what, value);
  return value as Members;
}

export function list(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw broken(what, value);
  return value;
}

export function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw broken(what, value);
  return value;
}

/** A text, or undefined where there is null or nothing. */
export function optionalText(value: unknown, what: string): string | undefined {
  return value === undefined || value === null ? undefined : text(value, what);
}

/** A number of bytes. */
export function size(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw broken(what, value);
  return value;
}

export function date(value: unknown, what: string): Date {
  const at = new Date(text(value, what));
  if (Number.isNaN(at.getTime())) throw broken(what, value);
  return at;
}

/** What the service calls an archive, an upload or a job: letters that need no escaping in a path, so no way out of it. */
export function id(value: unknown, what: string): string {
  if (typeof value !== "string" || !/^[A-Za-z0-9_-]{1,256}$/.test(value)) throw broken(what, value);
  return value;
}

export function treeHash(value: unknown, what: string): string {
  if (typeof value !== "string" || !/^[0-9a-f]{64}$/i.test(value)) throw broken(what, value);
  return value.toLowerCase();
}

/** A range as the service writes it, `0-4194303`. */
export function byteRange(value: unknown, what: string): { from: number; length: number } {
  const found = typeof value === "string" ? /^(\d{1,15})-(\d{1,15})$/.exec(value) : null;
  const from = Number(found?.[1]);
  const length = Number(found?.[2]) - from + 1;
  if (found === null || length < 1) throw broken(what, value);
  return { from, length };
}

function broken(what: string, value: unknown): BrokenAnswerError {
  const shown = JSON.stringify(value) ?? "nothing";
  return new BrokenAnswerError(`${what} is ${shown.length > 100 ? `${shown.slice(0, 100)}…` : shown}`);
}
