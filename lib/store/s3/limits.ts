/** How much a bucket may be used at once, how fast, and how long it may fail: one set for all transfers of a run. */

/** A clock that can wait. Tests hand in one that they move by hand. */
export interface Clock {
  nowMs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Keys to sign with. */
export interface AwsKeys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** What transfers may take. All of it may be left out. */
export interface TransferLimits {
  /** Bytes a second, of all transfers together. */
  uploadBytesPerSecond?: number;
  downloadBytesPerSecond?: number;
  /** Large objects under way at once (default 4). */
  parallel?: number;
  /** How long a failure may last before it is given up (default 6 hours). */
  patienceMs?: number;
  /** The same before the place has answered for the first time: a mistyped host should say so soon (default 15 s). */
  firstContactMs?: number;
  /** A transfer that moves no byte for so long is begun anew (default 60 s). */
  stallMs?: number;
  /** Hears of outages that last. */
  warn?: (message: string) => void;
  /** Ends everything that is under way. */
  signal?: AbortSignal;
  /** Whose keys sign the requests, asked anew after they have expired (default: the whole chain, see awsCredentials). */
  credentials?: () => Promise<AwsKeys>;
  clock?: Clock;
  /** From 0 to 1, for jitter. */
  random?: () => number;
}

/** The clock of this machine. */
export const machineClock: Clock = {
  nowMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal!.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    }),
};
