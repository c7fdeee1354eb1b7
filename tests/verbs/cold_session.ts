/** Cold storage for tests of verbs: places in memory, reached as sessions reach real ones. */
import { createHash } from "node:crypto";
import { TreeHasher } from "../../lib/glacier/mod.ts";
import type { VerbSession } from "../../lib/verbs/mod.ts";
import { type ColdPlaceInMemory, openMemoryCold } from "../glacier/memory_cold.ts";
import { END, type Fields, member } from "../tar/archives.ts";
import { joined } from "../repository/machine.ts";

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** A session that reaches these places, and whose clock is that of the first. */
export function reaching(session: VerbSession, ...places: ColdPlaceInMemory[]): VerbSession {
  return {
    ...session,
    now: () => places[0]!.now(),
    openCold: (location) => {
      const place = places.find((place) => place.location === location.split("?")[0]);
      if (place === undefined) return Promise.reject(new Error(`${location} does not answer`));
      return Promise.resolve(openMemoryCold(place));
    },
  };
}

/** As people write the place of a cold store. */
export function placeText({ location, isVault, class: name }: ColdPlaceInMemory): string {
  return isVault ? location : `${location}?class=${name}`;
}

/** Reads of objects, of all that were asked of a place. */
export function readsOf({ calls }: ColdPlaceInMemory): string[] {
  return calls.filter((call) => call.startsWith("read "));
}

/** Stores bytes under a name in a cold place; the handle. */
export async function putCold(
  place: ColdPlaceInMemory,
  { name, bytes, repository = "" }: { name: string; bytes: Uint8Array; repository?: string },
): Promise<string> {
  const content = new Uint8Array(bytes);
  const tree = new TreeHasher();
  tree.update(content);
  const about = { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  const read = ({ from, length }: { from: number; length: number }) =>
    Promise.resolve(content.slice(from, from + length));
  const object = { name, repository, ...about, treeHash: tree.digest().toHex(), read };
  return await openMemoryCold(place).upload(object, { signal: new AbortController().signal });
}

/** A bundle of these members, stored under the name that it should have. */
export async function putBundle(
  place: ColdPlaceInMemory,
  members: readonly [name: string | Fields, content: Uint8Array | string][],
  options: { repository?: string; name?: string } = {},
): Promise<string> {
  const tar = joined([
    ...members.map(([fields, content]) => member(typeof fields === "string" ? { name: fields } : fields, content)),
    END,
  ]);
  const sha256 = createHash("sha256").update(tar).digest("hex");
  return await putCold(place, { name: `bundles/${sha256}.tar`, bytes: tar, ...options });
}
