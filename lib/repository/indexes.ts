/** The indexes of a repository: which snapshots there are, and what each says. */
import { DamageError, UnsupportedError, WrongKeyError } from "../crypto/mod.ts";
import { readBounded } from "./bounded.ts";
import { NotFoundError } from "../store/mod.ts";
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

/**
 * Name of the newest finished index of a domain; null where there is none. Only a genuine one counts: the name of any other
 * would stand in the next index as its predecessor, and be missed for ever.
 */
export async function newestIndex(repository: Repository, domain: string): Promise<string | null> {
  const found: IndexName[] = [];
  for await (const { name } of repository.store.list(indexFolder(domain))) {
    const index = parseIndexObject(name);
    if (index?.ending === ".json") found.push(index);
  }
  for (const index of found.reverse()) {
    try {
      return (await readIndex(repository, index)).snapshot;
    } catch (error) {
      // Only somebody with the domain's key can make one that is newer than this program.
      if (error instanceof UnsupportedError) return index.snapshot;
      if (!(error instanceof DamageError || error instanceof NotFoundError)) throw error;
    }
  }
  return null;
}

/** An index that is stored under a name. */
export type StoredIndex = VerifiedIndex & { ending: IndexName["ending"] };

/** Reads an index and checks its MAC. */
export async function readIndex(repository: Repository, index: IndexName): Promise<StoredIndex> {
  const { store, keyring } = repository;
  const name = indexObject(index.domain, index.snapshot, index.ending);
  const { macIndex } = await keyring.shapeKeys(index.domain);
  const bytes = await readBounded(store, name, { limit: INDEX_LIMIT_BYTES, what: `index ${name}` });
  const verified = verifyIndex(bytes, { macIndex, what: `index ${name}`, name: index.snapshot });
  if (verified.domain !== index.domain || verified.repository !== repository.config.repository) {
    throw new DamageError(`Cannot trust index ${name}: it belongs to another domain or repository`);
  }
  if (index.ending === ".open" && verified.complete) {
    throw new DamageError(`Cannot trust index ${name}: it is a finished one under the name of an unfinished one`);
  }
  // What was seen once is missed when it is withheld later.
  const seen = `seen ${index.domain} ${index.snapshot}`;
  const { catalog } = repository;
  if (index.ending === ".json" && catalog.openedIndex(seen) === undefined) catalog.keepOpenedIndex(seen, "");
  return { ...verified, ending: index.ending };
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
export async function openIndex(
  repository: Repository,
  index: VerifiedIndex | StoredIndex,
): Promise<SealedIndex> {
  const { keyring, catalog } = repository;
  const identity = await keyring.metaIdentity();
  if (identity === undefined) {
    throw new WrongKeyError("Cannot open an index: this key may not list. Use a key with the role full or list");
  }
  const note = `index ${index.domain} ${index.snapshot} ${index.complete}`;
  const what = `the index of snapshot ${index.snapshot}`;
  const known = index.complete ? catalog.openedIndex(note) : undefined;
  if (known !== undefined) return sealedFromText(known, what);
  const sealed = await openSealed(index, identity);
  // A finished index says why it is incomplete; a checkpoint knows no reason.
  if ("ending" in index && index.ending === ".json" && !index.complete && sealed.incomplete === undefined) {
    throw new DamageError(`Cannot trust ${what}: it is a checkpoint of that run under the name of its finished index`);
  }
  if (index.complete) catalog.keepOpenedIndex(note, sealedToText(sealed));
  return sealed;
}
