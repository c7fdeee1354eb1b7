/**
 * Which bucket, and how to reach it. In words it is `s3://bucket/prefix`; endpoint, region and profile belong to the machine
 * that uses it and are said beside it.
 */
import { isSegment } from "../names.ts";

/** A bucket, or what is below a prefix in it. */
export interface BucketPlace {
  bucket: string;
  /** `""` or `"a/b/"`. */
  prefix: string;
  /** The URL of an S3-compatible server; undefined: Amazon's, or what $AWS_ENDPOINT_URL_S3 says. */
  endpoint?: string;
  region?: string;
  /** A profile in the AWS configuration files. */
  profile?: string;
  /** `https://server/bucket/key` instead of `https://bucket.server/key`; undefined: wherever an endpoint is given. */
  pathStyle?: boolean;
}

/** Whether a text means a bucket and no directory. */
export function isBucketLocation(text: string): boolean {
  return /^s3:\/\//i.test(text);
}

/** Reads `s3://bucket/prefix`; the error's message says what would have been right. */
export function parseBucketLocation(text: string): Pick<BucketPlace, "bucket" | "prefix"> {
  const [, bucket = "", path = ""] = /^s3:\/\/([^/?#]*)\/?([^?#]*)$/i.exec(text) ?? [];
  const segments = path.split("/").filter((segment) => segment !== "");
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket) || !segments.every(isSegment)) {
    throw new Error(
      `"${text}" is not a place in a bucket. Write s3://BUCKET or s3://BUCKET/PREFIX, with a prefix of letters, digits ` +
        'and "._-"; another server is named with --endpoint URL',
    );
  }
  return { bucket, prefix: segments.map((segment) => `${segment}/`).join("") };
}

/** The place as people write it. */
export function bucketLocation({ bucket, prefix }: Pick<BucketPlace, "bucket" | "prefix">): string {
  return `s3://${bucket}/${prefix}`.replace(/\/$/, "");
}
