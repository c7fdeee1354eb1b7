/** The indexes of a repository: which snapshots there are, and what each says. */
import { DamageError } from "../crypto/mod.ts";
import {
  openSealed,
  sealedFromText,
  type SealedIndex,
  sealedToText,
  type VerifiedIndex,
  verifyIndex,
} from "../snapshot/mod.ts";
import { indexFolder, indexObject, parseIndexObject } from "./names.ts";
import { type Repository, visibleDomains } from "./repository.ts";

/** Indexes are some KB; brick lists and recipes are elsewhere. */
const INDEX_LIMIT_BYTES = 16 * 1024 * 1024;

/** An index that is there. An `.open` one is what an unfinished run left, or is still writing. */
export interface IndexName {
  domain: string;
  snapshot: string;
  ending: ".json" | ".open";
}

/** All indexes of the domains that the key can see, oldest first; an `.open` whose `.json` exists is left out. */
export async function listIndexes(repository: Repository): Promise<IndexName[]> {
  const found: IndexName[] = [];
  for (const domain of await visibleDomains(repository)) {
    for await (const { name } of repository.store.list(indexFolder(domain))) {
      const index = parseIndexObject(name);
      if (index === undefined) continue;
      // In a listing ".json" comes before ".open".
      const finished = index.ending === ".open" && found.at(-1)?.snapshot === index.snapshot;
      if (!finished) found.push(index);
    }
  }
  return found.sort((a, b) => a.snapshot < b.snapshot ? -1 : a.snapshot > b.snapshot ? 1 : 0);
}

/** Name of the newest complete or incomplete index of a domain; null where there is none. */
export async function newestIndex({ store }: Repository, domain: string): Promise<string | null> {
  let newest: string | null = null;
  for await (const { name } of store.list(indexFolder(domain))) {
    const index = parseIndexObject(name);
    if (index?.ending === ".json") newest = index.snapshot;
  }
  return newest;
}

/** Reads an index and checks its MAC. */
export async function readIndex(repository: Repository, index: IndexName): Promise<VerifiedIndex> {
  const { store, keyring } = repository;
  const name = indexObject(index.domain, index.snapshot, index.ending);
  const size = (await store.head(name))?.size ?? 0;
  if (size > INDEX_LIMIT_BYTES) throw new DamageError(`Cannot read index ${name}: it is ${size} bytes long`);
  const { macIndex } = await keyring.shapeKeys(index.domain);
  const verified = verifyIndex(await store.get(name), { macIndex, what: `index ${name}`, name: index.snapshot });
  if (verified.domain !== index.domain) {
    throw new DamageError(`Cannot trust index ${name}: it belongs to another domain`);
  }
  // What was seen once is missed when it is withheld later.
  if (index.ending === ".json") repository.catalog.keepOpenedIndex(`seen ${index.domain} ${index.snapshot}`, "");
  return verified;
}

/** Checks an index that somebody holds as a file. */
export async function verifyIndexFile(
  repository: Repository,
  options: { bytes: Uint8Array; domain: string; what: string },
): Promise<VerifiedIndex> {
  const { macIndex } = await repository.keyring.shapeKeys(options.domain);
  return verifyIndex(options.bytes, { macIndex, what: options.what });
}

/** The sealed part of an index; needs a key that may list. What was opened once is remembered by the catalogue. */
export async function openIndex(repository: Repository, index: VerifiedIndex): Promise<SealedIndex> {
  const { keyring, catalog } = repository;
  const identity = await keyring.metaIdentity();
  if (identity === undefined) {
    throw new DamageError("Cannot open an index: this key may not list. Use a key with the role full or list");
  }
  const note = `index ${index.domain} ${index.snapshot} ${index.complete}`;
  const what = `the index of snapshot ${index.snapshot}`;
  const known = index.complete ? catalog.openedIndex(note) : undefined;
  if (known !== undefined) return sealedFromText(known, what);
  const sealed = await openSealed(index, identity);
  if (index.complete) catalog.keepOpenedIndex(note, sealedToText(sealed));
  return sealed;
}
