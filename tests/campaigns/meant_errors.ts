/** Which errors may come of a damaged repository: those that docs/ARCHITECTURE.md names, and plain sentences. */
import assert from "node:assert/strict";

const meant = new Set([
  "DamageError",
  "UnsupportedError",
  "WrongKeyError",
  "NoRepositoryError",
  "ConflictError",
  "IncompleteInputError",
  "Error",
]);

/** That an error is meant for people; the name of its class. */
export function assertMeant(error: unknown, doing: string): string {
  assert.ok(error instanceof Error, `${doing}: ${error}`);
  const told = `${doing}: ${error.stack}`;
  assert.ok(!(error instanceof assert.AssertionError) && meant.has(error.name), told);
  assert.equal(error.constructor.name, error.name, told);
  assert.match(error.message, /^["A-Z0-9].{9}/, told);
  assert.ok(!/is a bug|undefined|null|\[object|NaN|not a function|os error/.test(error.message), told);
  return error.name;
}

/** Does something that may fail as errors are meant to; undefined if it did. */
export async function tolerate<T>(doing: string, work: () => Promise<T>): Promise<{ value?: T; failure?: string }> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return { failure: assertMeant(error, doing) };
  }
}
