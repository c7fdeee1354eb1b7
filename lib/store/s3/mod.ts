/** Buckets: S3 and servers that speak like it. The AWS SDK is loaded when the first one is opened. */
export type { BucketObject, RestoreState } from "./answers.ts";
export { awsCredentials } from "./connection.ts";
export { Bucket, type BucketEntry, type ObjectLock, openBucket, type PutOptions } from "./bucket.ts";
export { type AwsKeys, type Clock, machineClock, type TransferLimits } from "./limits.ts";
export { bucketLocation, type BucketPlace, isBucketLocation, parseBucketLocation } from "./place.ts";
export { Rate } from "./rate.ts";
export { createS3Store, type LockPolicy, openS3Store, type S3StoreOptions } from "./s3_store.ts";
