/** Named immutable objects: the contract, a directory and memory; and folders that runs have for themselves. */
export type { Staged, Store, StoredObject } from "./store.ts";
export { ExistsError, NotFoundError, StoreFullError, StoreReadOnlyError } from "./errors.ts";
export { isObjectName, requireObjectName } from "./names.ts";
export { createDirectoryStore } from "./create_directory.ts";
export { openDirectoryStore } from "./directory_store.ts";
export { createMemoryStore } from "./memory_store.ts";
export { RunFolder } from "./run_folder.ts";
