/** The exit code of a command that did its work on an input, or a snapshot, that is incomplete. */
export const incompleteCode = 3;
/** The exit code of a command that did its work and found damage. */
export const damageCode = 4;
/** The exit code of a command that must be run again when cold storage is ready. */
export const thawCode = 7;

/**
 * Every error class has its exit code here and nowhere else. The key is `error.name`, not the class, so that starting
 * up imports no cryptography or storage code only to compare classes.
 */
const codes: ReadonlyMap<string, number> = new Map([
  ["UsageError", 2],
  ["IncompleteInputError", incompleteCode],
  ["DamageError", damageCode],
  ["NoRepositoryError", 5],
  ["WrongKeyError", 6],
  ["NeedsThawError", thawCode],
  ["StillColdError", thawCode],
  ["ConflictError", 8],
  ["CostCeilingError", 9],
  ["UnsupportedError", 10],
  ["InterruptedError", 130],
  ["ClosedOutputError", 141],
]);

/** What each exit code means, in the words of the help and the documentation. */
export const exitCodes: readonly { readonly code: number; readonly meaning: string }[] = [
  { code: 0, meaning: "done" },
  { code: 1, meaning: "failed" },
  { code: 2, meaning: "the command line was not understood" },
  { code: 3, meaning: "the input, or the backup that was read, is incomplete" },
  { code: 4, meaning: "damage was found" },
  { code: 5, meaning: "no such repository" },
  { code: 6, meaning: "wrong key, passphrase or pin" },
  { code: 7, meaning: "bricks must be thawed first" },
  { code: 8, meaning: "conflict with another run" },
  { code: 9, meaning: "it would cost more than you allowed" },
  { code: 10, meaning: "written by a newer TARzan" },
  { code: 130, meaning: "interrupted" },
  { code: 141, meaning: 'the reader of the output went away, as with "| head"' },
];

/** The exit code for an error, or for what is known by the name of its class: 1 for everything that has no code of its own. */
export function exitCodeOf(error: unknown): number {
  const { name } = (error ?? {}) as { name?: unknown };
  return codes.get(String(name)) ?? 1;
}
