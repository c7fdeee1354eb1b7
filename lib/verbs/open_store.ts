/** From what the user calls a place to the store that is there: a directory, or a bucket with all that belongs to it. */
import { sha256, toHex } from "../crypto/mod.ts";
import { NoRepositoryError } from "../repository/mod.ts";
import {
  bucketLocation,
  type BucketPlace,
  createDirectoryStore,
  createS3Store,
  isBucketLocation,
  NotFoundError,
  openDirectoryStore,
  openS3Store,
  parseBucketLocation,
  type S3StoreOptions,
  type Store,
} from "../store/mod.ts";
import {
  type BucketChoice,
  type BucketSettings,
  connectionOf,
  policyOf,
  readBucketSettings,
  rememberBucketSettings,
} from "./bucket_settings.ts";
import type { VerbSession } from "./session.ts";

/** Locks last for so long if nothing else was said: as long as an archive class bills at least. */
const LOCK_DAYS = 180;

/** The store at a place; `NotFoundError` where none is. */
export async function storeAt(session: VerbSession, location: string): Promise<Store> {
  if (!isBucketLocation(location)) return await openDirectoryStore(location);
  const { place, options, remembered, settings } = await bucketAt(session, location);
  const store = await openS3Store(place, options);
  // Only what has led to an answer is worth remembering.
  const connection = connectionOf(settings);
  if (JSON.stringify(connection) !== JSON.stringify(connectionOf(remembered))) {
    await rememberBucketSettings(session.places.config(), { ...remembered, ...connection });
  }
  return store;
}

/** The same, told as what it means to the user: there is no repository. */
export async function openStore(session: VerbSession, location = session.places.repository()): Promise<Store> {
  try {
    return await storeAt(session, location);
  } catch (cause) {
    if (!(cause instanceof NotFoundError)) throw cause;
    const why = isBucketLocation(location) ? ` (${cause.message})` : "";
    throw new NoRepositoryError(
      `There is no repository at ${location}${why}. Make one with "tarzan init", or name another place with --repository`,
      { cause },
    );
  }
}

/** An empty store at a place where nothing is. What was said of a bucket is remembered. */
export async function createStore(session: VerbSession, location: string): Promise<Store> {
  if (!isBucketLocation(location)) return await createDirectoryStore(location);
  const { place, options, settings } = await bucketAt(session, location);
  const store = await createS3Store(place, options);
  const { location: where } = store;
  await rememberBucketSettings(session.places.config(), {
    location: where,
    ...connectionOf(settings),
    ...policyOf(settings),
  });
  return store;
}

/** All that is known of a bucket: what the user says, then what this machine remembers. */
async function bucketAt(session: VerbSession, location: string): Promise<{
  place: BucketPlace;
  options: S3StoreOptions;
  remembered: BucketSettings;
  settings: BucketChoice;
}> {
  const parsed = parseBucketLocation(location);
  const where = bucketLocation(parsed);
  const remembered = await readBucketSettings(session.places.config(), where);
  const { location: _, ...rest } = remembered;
  const settings: BucketChoice = { ...rest, ...session.bucket };
  const place = { ...parsed, ...connectionOf(settings) };
  const {
    dataClass,
    metaClass,
    lockMode,
    lockDays,
    spoolBytes,
    uploadBytesPerSecond,
    downloadBytesPerSecond,
    limits,
  } = settings;
  const id = toHex(sha256(`${where}\n${place.endpoint ?? ""}`)).slice(0, 32);
  const options: S3StoreOptions = {
    spoolFolder: `${session.places.state()}/spool/${id}`,
    limits: {
      signal: session.signal,
      warn: (message) => session.warn(message),
      ...limits,
      ...(uploadBytesPerSecond === undefined ? {} : { uploadBytesPerSecond }),
      ...(downloadBytesPerSecond === undefined ? {} : { downloadBytesPerSecond }),
    },
    ...(dataClass === undefined ? {} : { dataClass }),
    ...(metaClass === undefined ? {} : { metaClass }),
    ...(spoolBytes === undefined ? {} : { spoolBytes }),
    ...(lockMode === undefined && lockDays === undefined
      ? {}
      : { lock: { mode: lockMode ?? "GOVERNANCE", days: lockDays ?? LOCK_DAYS } }),
  };
  return { place, options, remembered, settings };
}
