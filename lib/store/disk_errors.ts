import { ExistsError, NotFoundError, StoreFullError, StoreReadOnlyError } from "./errors.ts";

/** What the operating system called a failure ("ENOSPC"), or "" when it was not the operating system. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : "";
}

/** Says in words why `doing` (say, `write /srv/backup/keys/a.age`) failed, as one of the store's own errors where one fits. */
export function writeFailure(error: unknown, doing: string): Error {
  const system = error instanceof Error ? error.message : "";
  switch (systemCode(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return new StoreFullError(
        `Cannot ${doing}: the disk or quota is full (${system}). Free space there and run the command again; what was finished is kept`,
        { cause: error },
      );
    case "EROFS":
      return new StoreReadOnlyError(
        `Cannot ${doing}: the file system is mounted read-only (${system}). Mount it writable and run the command again`,
        { cause: error },
      );
    case "EACCES":
    case "EPERM":
      return new StoreReadOnlyError(
        `Cannot ${doing}: permission denied (${system}). Run as the user who owns the repository, or give this user write access`,
        { cause: error },
      );
    default:
      return readFailure(error, doing);
  }
}

/** The same for what only reads: there, a denied permission says nothing about writing. */
export function readFailure(error: unknown, doing: string): Error {
  if (isExplained(error)) return error;
  if (systemCode(error) === "ENOENT") return new NotFoundError(`Cannot ${doing}: it does not exist`, { cause: error });
  return new Error(`Cannot ${doing}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

function isExplained(error: unknown): error is Error {
  return error instanceof NotFoundError || error instanceof ExistsError || error instanceof StoreFullError ||
    error instanceof StoreReadOnlyError;
}
