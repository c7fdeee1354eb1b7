/** What can go wrong with a repository as a whole; each has an exit code of its own. */

/** There is no repository here. */
export class NoRepositoryError extends Error {
  override name = "NoRepositoryError";
}

/** Another run changed something that this one relied on; running again settles it. */
export class ConflictError extends Error {
  override name = "ConflictError";
}
