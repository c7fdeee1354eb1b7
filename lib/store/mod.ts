/** Named immutable objects: the contract, a directory, memory, buckets; and folders that runs have for themselves. */
export type { Staged, Store, StoredObject } from "./store.ts";
export { ExistsError, NotFoundError, StoreFullError, StoreReadOnlyError } from "./errors.ts";
export { isObjectName, requireObjectName } from "./names.ts";
export { createDirectoryStore } from "./create_directory.ts";
export { openDirectoryStore } from "./directory_store.ts";
export { createMemoryStore } from "./memory_store.ts";
export { RunFolder } from "./run_folder.ts";
export { ArchivedError } from "./errors.ts";
export {
  awsCredentials,
  type AwsKeys,
  Bucket,
  type BucketEntry,
  bucketLocation,
  type BucketObject,
  type BucketPlace,
  type Clock,
  createS3Store,
  isBucketLocation,
  type LockPolicy,
  machineClock,
  type ObjectLock,
  openBucket,
  openS3Store,
  parseBucketLocation,
  type PutOptions,
  Rate,
  type RestoreState,
  type S3StoreOptions,
  type TransferLimits,
} from "./s3/mod.ts";
