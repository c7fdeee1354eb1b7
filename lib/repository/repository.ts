/** An opened repository: a store, a key and the catalogue that remembers what the ledger says. */
import type { Catalog } from "../catalog/mod.ts";
import { DamageError, type Keyring } from "../crypto/mod.ts";
import { NotFoundError, type Store } from "../store/mod.ts";
import type { ColdAccess } from "./cold_access.ts";
import { type Config, parseConfig } from "./config.ts";
import { NoRepositoryError } from "./errors.ts";
import { CONFIG_NAME, domainOf } from "./names.ts";
import { readBounded } from "./bounded.ts";
import { putOwn } from "./put_own.ts";

const CONFIG_LIMIT_BYTES = 64 * 1024;

/** What every part of this folder works on. */
export interface Repository {
  store: Store;
  keyring: Keyring;
  catalog: Catalog;
  config: Config;
  /** Without it, what is in cold storage only cannot be read. */
  cold?: ColdAccess;
}

/** The text of tarzan.json, which nobody has proved yet. Throws NoRepositoryError where there is none. */
export async function readConfigText(store: Store): Promise<string> {
  try {
    const what = `${CONFIG_NAME} in ${store.location}`;
    return new TextDecoder().decode(await readBounded(store, CONFIG_NAME, { limit: CONFIG_LIMIT_BYTES, what }));
  } catch (cause) {
    if (!(cause instanceof NotFoundError)) throw cause;
    throw new NoRepositoryError(
      `There is no repository at ${store.location} (no ${CONFIG_NAME}). ` +
        'Make one with "tarzan init", or name another place with --repository',
      { cause },
    );
  }
}

/** Opens a repository with a key that was opened already. A lost tarzan.json is no obstacle: the key knows its text. */
export async function openRepository(
  options: { store: Store; keyring: Keyring; catalog: Catalog; cold?: ColdAccess },
): Promise<Repository> {
  const { store, keyring } = options;
  const config = parseConfig(keyring.config, "the repository's settings in the key");
  let text: string | undefined;
  try {
    text = await readConfigText(store);
  } catch (error) {
    if (!(error instanceof NoRepositoryError)) throw error;
  }
  if (text !== undefined && text !== keyring.config) {
    // A newer one says so itself.
    parseConfig(text, `${CONFIG_NAME} in ${store.location}`);
    throw new DamageError(
      `Cannot trust ${CONFIG_NAME} in ${store.location}: it is not the text that this key was made with. Somebody or ` +
        "something changed it, or this is another repository. It never changes by itself: if you are sure of the place, " +
        "remove the file, and the next backup writes it as the key has it",
    );
  }
  return { ...options, config };
}

/** Writes tarzan.json again where it was lost. */
export async function restoreConfig({ store, keyring }: Repository): Promise<void> {
  if (await store.head(CONFIG_NAME) === undefined) {
    await putOwn(store, CONFIG_NAME, new TextEncoder().encode(keyring.config));
  }
}

/** The domains that this key can see: its own, or all that have a ledger or an index. */
export async function visibleDomains({ store, keyring }: Repository): Promise<string[]> {
  const domains = new Set([keyring.defaultDomain.id]);
  if (keyring.role === "write") return [...domains];
  for (const folder of ["ledger/", "index/"]) {
    for (let after: string | undefined = folder; after !== undefined;) after = await nextDomain(after);
  }
  return [...domains];

  /** Notes the next domain that is listed, and passes over all that it has: there may be very many. */
  async function nextDomain(after: string): Promise<string | undefined> {
    const folder = after.slice(0, after.indexOf("/") + 1);
    for await (const { name } of store.list(folder, { after })) {
      const domain = domainOf(name);
      if (domain === undefined) continue;
      domains.add(domain);
      // "0" is next to "/": behind all names in the domain's folder.
      return `${folder}${domain}0`;
    }
    return undefined;
  }
}
