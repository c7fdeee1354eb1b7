/**
 * From where bricks sleep to the store that is there. How this machine reaches it (endpoint, region, profile) is said in the
 * place itself (`?endpoint=…`), else on the command line where the repository is no bucket, else remembered from before, else
 * known to the repository's settings.
 */
import { type ColdStore, isColdLocation, openColdStore, parseColdLocation } from "../glacier/mod.ts";
import { type ColdAccess, coldAccess } from "../repository/mod.ts";
import { bucketLocation, isBucketLocation } from "../store/mod.ts";
import { type BucketConnection, connectionOf, readBucketSettings, rememberBucketSettings } from "./bucket_settings.ts";
import type { VerbSession } from "./session.ts";

/** Access to cold stores for a repository; nothing is opened before it is needed. */
export function openColdAccess(
  session: VerbSession,
  repository: { location: string; cold: string | undefined },
): ColdAccess {
  return coldAccess((location) => openCold(session, { location, repository }), { signal: session.signal });
}

/** The place of a cold store as `placed` records write it, without class and endpoint. */
export function bareColdLocation(location: string): string {
  if (!isColdLocation(location)) return location;
  const cold = parseColdLocation(location);
  return cold.kind === "bucket" ? bucketLocation(cold.place) : `glacier://${cold.region}/${cold.vault}`;
}

async function openCold(
  session: VerbSession,
  { location, repository }: { location: string; repository: { location: string; cold: string | undefined } },
): Promise<ColdStore> {
  const bare = bareColdLocation(location);
  const config = session.places.config();
  const remembered = await readBucketSettings(config, bare);
  const known = repository.cold !== undefined && bareColdLocation(repository.cold) === bare
    ? repository.cold
    : undefined;
  const said = isBucketLocation(repository.location) ? {} : connectionOf(session.bucket ?? {});
  const connection: BucketConnection = {
    ...(known === undefined ? {} : connectionIn(known)),
    ...connectionOf(remembered),
    ...said,
    ...connectionIn(location),
  };
  const url = withConnection(isColdLocation(location) ? location : known ?? location, connection);
  const cold = await openers(session)(url, connection.profile);
  if (JSON.stringify(connection) === JSON.stringify(connectionOf(remembered))) return cold;
  return onceAnswered(cold, () => rememberBucketSettings(config, { ...remembered, ...connection }));
}

/** The same store; `then` is done when it has answered for the first time: only what led there is worth remembering. */
function onceAnswered(cold: ColdStore, then: () => Promise<void>): ColdStore {
  let done: Promise<void> | undefined;
  const after = async <T>(asking: Promise<T>): Promise<T> => {
    const answer = await asking;
    await (done ??= then());
    return answer;
  };
  return {
    location: cold.location,
    class: cold.class,
    upload: (object, options) => after(cold.upload(object, options)),
    confirm: (objects, options) => after(cold.confirm(objects, options)),
    list: (options) => after(cold.list(options)),
    states: (objects, options) => after(cold.states(objects, options)),
    thaw: (object, options) => after(cold.thaw(object, options)),
    read: (object, options) => after(cold.read(object, options)),
    remove: (handle, options) => after(cold.remove(handle, options)),
    close: () => cold.close(),
  };
}

function openers(session: VerbSession): (url: string, profile: string | undefined) => Promise<ColdStore> {
  const { bucket = {}, openCold } = session;
  if (openCold !== undefined) return (url) => openCold(url);
  const { uploadBytesPerSecond, downloadBytesPerSecond, limits } = bucket;
  return (url, profile) =>
    openColdStore(url, {
      ...(profile === undefined ? {} : { profile }),
      limits: {
        signal: session.signal,
        warn: (message) => session.warn(message),
        ...limits,
        ...(uploadBytesPerSecond === undefined ? {} : { uploadBytesPerSecond }),
        ...(downloadBytesPerSecond === undefined ? {} : { downloadBytesPerSecond }),
      },
      now: session.now,
    });
}

function connectionIn(location: string): BucketConnection {
  const options = new URLSearchParams(location.split("?")[1] ?? "");
  const [endpoint, region] = [options.get("endpoint"), options.get("region")];
  return { ...(endpoint === null ? {} : { endpoint }), ...(region === null ? {} : { region }) };
}

/** The place with everything that its text can say. A class matters only to what is stored, so any will do for reading. */
function withConnection(location: string, { endpoint, region }: BucketConnection): string {
  const [place = "", search] = location.split("?");
  const options = new URLSearchParams(search);
  if (endpoint !== undefined) options.set("endpoint", endpoint);
  if (isBucketLocation(place)) {
    if (region !== undefined) options.set("region", region);
    if (!options.has("class")) options.set("class", "DEEP_ARCHIVE");
  }
  return options.size === 0 ? place : `${place}?${options}`;
}
