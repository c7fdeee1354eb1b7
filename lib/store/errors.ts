/** The object is not in the store, or the store itself is gone; the message says which. */
export class NotFoundError extends Error {
  override name = "NotFoundError";
}

/** The name is taken, and the caller asked to be the first. */
export class ExistsError extends Error {
  override name = "ExistsError";
}

/** The store has no room for more. What was finished before is safe. */
export class StoreFullError extends Error {
  override name = "StoreFullError";
}

/** The store cannot be written to by this user, or at all. */
export class StoreReadOnlyError extends Error {
  override name = "StoreReadOnlyError";
}

/** The object is in an archive class and no readable copy of it has been asked for, or none is there yet. */
export class ArchivedError extends Error {
  override name = "ArchivedError";
}
