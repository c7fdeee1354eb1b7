/** Opens a place where bricks sleep. What speaks with it is loaded only then. */
import { awsCredentials, type AwsKeys, machineClock, openBucket, type TransferLimits } from "../store/mod.ts";
import type { ColdStore } from "./cold.ts";
import { parseColdLocation } from "./cold_location.ts";

export interface ColdStoreOptions {
  /** A profile in the AWS configuration files. */
  profile?: string;
  /** Parallel transfers, patience, keys, warnings, the clock; as for buckets. */
  limits?: TransferLimits;
  /** The time of day. */
  now?: () => Date;
}

const partsInMemoryBytes = 64 * 1024 * 1024;
const patienceMs = 24 * 3_600_000;
const firstContactMs = 15_000;
const stallMs = 120_000;

/** Opens the cold store that `location` means (see parseColdLocation); nothing is asked of it yet. */
export async function openColdStore(location: string, options: ColdStoreOptions = {}): Promise<ColdStore> {
  const cold = parseColdLocation(location);
  const { profile, limits = {}, now = () => new Date() } = options;
  if (cold.kind === "bucket") {
    const { S3Cold } = await import("./s3_cold.ts");
    const bucket = await openBucket({ ...cold.place, ...(profile !== undefined && { profile }) }, limits);
    return new S3Cold(bucket, { class: cold.class, now });
  }
  const { VaultStore } = await import("./vault/mod.ts");
  const clock = limits.clock ?? machineClock;
  return new VaultStore({
    ...cold,
    credentials: limits.credentials ?? chain(profile),
    stallMs: limits.stallMs ?? stallMs,
    budgetBytes: partsInMemoryBytes,
    ...(limits.signal && { signal: limits.signal }),
    ...(limits.uploadBytesPerSecond !== undefined && { uploadBytesPerSecond: limits.uploadBytesPerSecond }),
    ...(limits.downloadBytesPerSecond !== undefined && { downloadBytesPerSecond: limits.downloadBytesPerSecond }),
    pace: {
      now,
      nowMs: () => clock.nowMs(),
      sleep: (ms, signal) => clock.sleep(ms, signal),
      random: limits.random ?? Math.random,
      patienceMs: limits.patienceMs ?? patienceMs,
      firstContactMs: limits.firstContactMs ?? firstContactMs,
      warn: limits.warn ?? (() => {}),
    },
  });
}

/** The usual chain of credentials, walked anew when those that it gave are refused as expired. */
function chain(profile: string | undefined): (options?: { forceRefresh?: boolean }) => Promise<AwsKeys> {
  let current = awsCredentials(profile);
  return async ({ forceRefresh = false } = {}) => {
    if (forceRefresh) current = awsCredentials(profile);
    return await current.credentials();
  };
}
