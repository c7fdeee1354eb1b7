import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import { choice } from "@optique/core/valueparser";
import { flag, option } from "@optique/core/primitives";
import { number, size, storageClass, url, word } from "./values.ts";

const kib = 1024;
const gib = 1024 ** 3;

/** How a repository in a bucket is reached; undefined: as this machine remembers, else as the environment says. */
export interface BucketRequest {
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly profile: string | undefined;
  readonly pathStyle: true | undefined;
  readonly uploadBytesPerSecond: number | undefined;
  readonly downloadBytesPerSecond: number | undefined;
}

/** How bricks are kept in a bucket. */
export interface BucketWriterRequest {
  readonly dataClass: string | undefined;
  readonly metaClass: string | undefined;
  readonly lockMode: "GOVERNANCE" | "COMPLIANCE" | undefined;
  readonly lockDays: number | undefined;
  readonly spoolBytes: number | undefined;
}

/** The options for reaching a bucket. */
export function bucketOptions(use: "shown" | "hidden") {
  const rate = { min: kib, max: 1024 * gib };
  return map(
    object("If it is in a bucket (s3://BUCKET/PREFIX)", {
      endpoint: optional(option("--endpoint", url(), {
        description: message`The server, if it is not Amazon's (default: as before on this machine).`,
      })),
      region: optional(option("--region", word("REGION"), {
        description: message`Its region (default: as before, else $AWS_REGION or what the profile says).`,
      })),
      profile: optional(option("--profile", word("PROFILE"), {
        description:
          message`Whose credentials: a profile of the AWS configuration (default: as before, else $AWS_PROFILE).`,
      })),
      pathStyle: optional(flag("--path-style", {
        description: message`Ask for ENDPOINT/BUCKET and not for BUCKET.ENDPOINT (default: with --endpoint).`,
      })),
      uploadBytesPerSecond: optional(option("--limit-upload", size(rate), {
        description: message`Send no more than this in a second.`,
      })),
      downloadBytesPerSecond: optional(option("--limit-download", size(rate), {
        description: message`Fetch no more than this in a second.`,
      })),
    }, { hidden: use === "shown" ? false : "help" }),
    (bucket): { bucket: BucketRequest } => ({ bucket }),
  );
}

/** The options for bricks in a bucket. */
export function bucketWriterOptions() {
  return map(
    object("For bricks in a bucket", {
      dataClass: optional(option("--class", storageClass(), {
        description: message`Storage class of data bricks (default: as "init" was told, else STANDARD).`,
      })),
      metaClass: optional(option("--meta-class", storageClass(), {
        description: message`Storage class of meta bricks (default: as "init" was told, else STANDARD).`,
      })),
      lockDays: optional(option("--lock-days", number({ min: 1, max: 36500 }), {
        description:
          message`Lock bricks with Object Lock for so many days, and again while backups need them. The bucket must allow it.`,
      })),
      lockMode: optional(option("--lock-mode", choice(["governance", "compliance"], { metavar: "MODE" }), {
        description:
          message`"governance" (default): who has a special permission can undo it; "compliance": nobody can, you included.`,
      })),
      spoolBytes: optional(option("--spool-limit", size({ min: 64 * kib * kib, max: 1024 * gib }), {
        description: message`How much may wait on this machine's disk for its upload (default: 2GiB).`,
      })),
    }),
    ({ lockMode, ...rest }): { brickStorage: BucketWriterRequest } => ({
      brickStorage: { ...rest, lockMode: lockMode?.toUpperCase() as BucketWriterRequest["lockMode"] },
    }),
  );
}
