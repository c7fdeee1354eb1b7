/** What tests of buckets share: an emulator of their own, places in it, and a clock that nobody waits for. */
import { createHash } from "node:crypto";
import {
  type Bucket,
  type BucketPlace,
  type Clock,
  createS3Store,
  openBucket,
  openS3Store,
  type S3StoreOptions,
  type Store,
  type TransferLimits,
} from "../../lib/store/mod.ts";
import { type Emulator, type EmulatorOptions, startEmulator } from "../emulator/mod.ts";
import type { StoreUnderTest } from "./conformance.ts";

/** The bucket that every test finds. */
export const BUCKET = "backups";

/** An emulator with a bucket, and a folder for spools. */
export interface S3Site {
  readonly emulator: Emulator;
  readonly folder: string;
  place(prefix?: string): BucketPlace;
  /** Limits with the owner's keys and a clock that only counts the waiting. */
  limits(more?: TransferLimits): TransferLimits;
  bucket(more?: TransferLimits, prefix?: string): Promise<Bucket>;
  /** A store that is closed at the end of the test. */
  store(options?: Partial<S3StoreOptions>, prefix?: string): Promise<Store>;
  close(): Promise<void>;
}

/** Starts an emulator for one test. */
export async function startSite(options: EmulatorOptions & { objectLock?: boolean } = {}): Promise<S3Site> {
  const { objectLock = false, ...rest } = options;
  const emulator = await startEmulator(rest);
  emulator.createBucket(BUCKET, { objectLock });
  const folder = await Deno.makeTempDir({ prefix: "tarzan-s3-" });
  const opened: { close(): Promise<void> }[] = [];
  const place = (prefix = "p/") => ({ bucket: BUCKET, prefix, endpoint: emulator.endpoint, region: emulator.region });
  const limits = (more: TransferLimits = {}): TransferLimits => ({
    clock: countingClock(),
    credentials: () => Promise.resolve(ownerKeys(emulator)),
    random: () => 0.5,
    ...more,
  });
  return {
    emulator,
    folder,
    place,
    limits,
    async bucket(more, prefix) {
      const bucket = await openBucket(place(prefix), limits(more));
      opened.push(bucket);
      return bucket;
    },
    async store(more = {}, prefix) {
      const store = await openS3Store(place(prefix), {
        spoolFolder: `${folder}/spool`,
        ...more,
        limits: limits(more.limits),
      });
      opened.push(store);
      return store;
    },
    async close() {
      for (const one of opened) await one.close();
      await emulator.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** Runs a test with an emulator of its own. */
export async function withSite(
  test: (site: S3Site) => Promise<void>,
  options: Parameters<typeof startSite>[0] = {},
): Promise<void> {
  const site = await startSite(options);
  try {
    await test(site);
  } finally {
    await site.close();
  }
}

/** A fresh store for the conformance suite. */
export async function makeS3Store(): Promise<StoreUnderTest> {
  const site = await startSite();
  const options = { spoolFolder: `${site.folder}/spool`, limits: site.limits() };
  const first = await createS3Store(site.place(), options);
  return {
    store: first,
    reopen: () => site.store(),
    async dispose() {
      await first.close();
      await site.close();
    },
  };
}

export function ownerKeys({ accessKeyId, secretAccessKey }: Emulator) {
  return { accessKeyId, secretAccessKey };
}

/** A clock that stands still but for those who sleep by it. */
export function countingClock(): Clock & { sleptMs: number } {
  const clock = {
    sleptMs: 0,
    nowMs: () => clock.sleptMs,
    sleep(ms: number, signal?: AbortSignal): Promise<void> {
      signal?.throwIfAborted();
      clock.sleptMs += ms;
      return Promise.resolve();
    },
  };
  return clock;
}

/** Bytes as something to put. */
export function bodyOf(bytes: Uint8Array<ArrayBuffer>) {
  return {
    bytes: bytes.length,
    sha256: sha256(bytes),
    read: ({ from, length }: { from: number; length: number }) => Promise.resolve(bytes.slice(from, from + length)),
  };
}

/** SHA-256 in hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What was asked of the emulator: `PutObject p/a` and so on. */
export function askedOf({ requests }: Emulator): string[] {
  return requests.map(({ operation, key }) => key === undefined ? operation : `${operation} ${key}`);
}
