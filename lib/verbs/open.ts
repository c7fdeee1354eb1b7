/** Opens a repository with whatever key the user gave: the store, the key, the pin, the catalogue. */
import { Catalog } from "../catalog/mod.ts";
import {
  type Ability,
  DamageError,
  inspectSlot,
  Keyring,
  openSlot,
  parseBundle,
  parseIdentityFile,
  readSlotInput,
  recogniseKeyFile,
  WrongKeyError,
} from "../crypto/mod.ts";
import {
  checkPin,
  KEYS_PREFIX,
  learn,
  listSlots,
  NoRepositoryError,
  openFirstSlot,
  openRepository,
  parseConfig,
  readConfigText,
  type Repository,
  visibleDomains,
} from "../repository/mod.ts";
import { NotFoundError, type Store } from "../store/mod.ts";
import { ownFolder, stateFolder } from "./local_state.ts";
import { openColdAccess } from "./open_cold.ts";
import { openStore, storeAt } from "./open_store.ts";
import type { VerbSession } from "./session.ts";

/** An opened repository and what lies beside it on this machine. */
export interface Opened {
  repository: Repository;
  /** Folder of the local state of this repository. */
  state: string;
  /** The text of the bundle that opened it. */
  bundle: string;
  /** Name of the slot, unless a key file was used. */
  slot: string | undefined;
  close(): Promise<void>;
}

/** Whether there is a repository, or what an interrupted `init` left of one: a key slot is written before the rest. */
export async function isFounded(session: VerbSession): Promise<boolean> {
  let store: Store;
  try {
    store = await storeAt(session, session.places.repository());
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
  try {
    return await hasConfig(store) || (await listSlots(store)).slots.length > 0;
  } finally {
    await store.close();
  }
}

async function hasConfig(store: Store): Promise<boolean> {
  try {
    await readConfigText(store);
    return true;
  } catch (error) {
    if (error instanceof NoRepositoryError) return false;
    throw error;
  }
}

export interface OpenOptions {
  location?: string;
  need?: Ability;
  freshCatalog?: boolean;
  memory?: Store;
  /** Called once, when another thread derives the key from a passphrase, or at first where none is derived. */
  meanwhile?: () => void;
}

/**
 * Opens the repository at `location` for somebody who needs to be able to do `need`. With a `memory` of its store that is
 * read, and no cold store can be asked for anything.
 */
export async function open(
  session: VerbSession,
  options: OpenOptions = {},
): Promise<Opened> {
  const store = options.memory ?? await openStore(session, options.location);
  try {
    await refuseEmpty(store);
    const key = await openKey(withMeanwhile(session, options.meanwhile), store);
    const keyring = new Keyring(parseBundle(key.bundle));
    if (parseConfig(keyring.config, "the key's settings").repository !== keyring.repository) {
      throw new DamageError("Cannot use this key: it contradicts itself about the repository it belongs to");
    }
    if (options.need !== undefined) refuseUnless(keyring, options.need);
    const state = await ownFolder(stateFolder(session.places.state(), keyring.repository));
    await Deno.writeTextFile(`${state}/location`, store.location + "\n", { mode: 0o600 });
    if (options.freshCatalog) await removeCatalog(`${state}/catalog.sqlite`);
    const catalog = Catalog.open(`${state}/catalog.sqlite`, { repository: keyring.repository });
    try {
      const { cold: place } = parseConfig(keyring.config, "the key's settings");
      const cold = openColdAccess(session, { location: store.location, cold: place });
      const repository = await openRepository({
        ...{ store, keyring, catalog },
        ...(options.memory === undefined ? { cold } : {}),
      });
      const close = async () => {
        await cold.close();
        catalog.close();
        await store.close();
      };
      return { repository, state, bundle: key.bundle, slot: key.slot, close };
    } catch (error) {
      catalog.close();
      throw error;
    }
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * A lost tarzan.json is no obstacle, since the key knows its text. But where nothing at all is, a disk is not mounted, and
 * backups must not go into the folder that waits for it.
 */
async function refuseEmpty(store: Store): Promise<void> {
  if (await hasConfig(store)) return;
  for (const folder of ["index/", "ledger/", KEYS_PREFIX]) for await (const _ of store.list(folder)) return;
  await readConfigText(store);
}

async function removeCatalog(path: string): Promise<void> {
  for (const part of [path, `${path}-wal`, `${path}-shm`]) {
    await Deno.remove(part).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}

const ABILITY_WORDS: Record<Ability, string> = {
  create: "add backups",
  list: "list backups",
  extract: "read contents",
  control: "sign records or change keys",
};

function refuseUnless(keyring: Keyring, need: Ability): void {
  if (keyring.can(need)) return;
  throw new WrongKeyError(
    `This key has the role "${keyring.role}", which cannot ${ABILITY_WORDS[need]}. Use another key (--identity)`,
  );
}

/** The catalogue's note of when it was last compared with the ledger of a domain. */
const LEDGER_READ = "ledger read";

/** When this machine last read the ledger of a domain; undefined: never, since the catalogue was begun. */
export function ledgerReadAt({ catalog }: Repository, domain: string): Date | undefined {
  const text = catalog.openedIndex(`${LEDGER_READ} ${domain}`);
  return text === undefined ? undefined : new Date(text);
}

/** Reads what the ledgers say that this machine does not know yet; tells of what could not be read. */
export async function catchUp(session: VerbSession, repository: Repository, domains?: string[]): Promise<void> {
  for (const domain of domains ?? await visibleDomains(repository)) {
    const problems = await learn(repository, domain, {
      progress: (done, total) =>
        session.progress.update({ phase: "reading the ledger", itemsDone: done, itemsTotal: total }),
    });
    for (const problem of problems) session.warn(`${problem.message}. Bricks that only it tells of are not known now`);
    repository.catalog.keepOpenedIndex(`${LEDGER_READ} ${domain}`, session.now().toISOString());
  }
}

/** A session that calls `meanwhile` at the right moment. */
function withMeanwhile(session: VerbSession, meanwhile: (() => void) | undefined): VerbSession {
  if (meanwhile === undefined) return session;
  const { secrets } = session;
  if (secrets.identities.length > 0) {
    meanwhile();
    return session;
  }
  const passphrase: typeof secrets.passphrase = async (purpose, options) => {
    const words = await secrets.passphrase(purpose, options);
    // After what goes on from here, which is the beginning of the derivation.
    setTimeout(meanwhile);
    return words;
  };
  return { ...session, secrets: { ...secrets, passphrase } };
}

async function openKey(session: VerbSession, store: Store): Promise<{ bundle: string; slot: string | undefined }> {
  const { secrets } = session;
  const identities: string[] = [];
  const slots: Uint8Array[] = [];
  for (const text of secrets.identities) {
    const bytes = new TextEncoder().encode(text);
    switch (recogniseKeyFile(bytes)) {
      case "bundle":
        return { bundle: text, slot: undefined };
      case "slot":
        slots.push(bytes);
        break;
      case "identities":
        identities.push(...parseIdentityFile(text));
        break;
      case "unknown":
        throw new WrongKeyError(
          "A file given with --identity is neither an age identity nor a tarzan key file nor a key slot",
        );
    }
  }
  if (slots.length > 0) {
    return { bundle: await openOwnSlot(session, store, { bytes: slots[0]!, identities }), slot: undefined };
  }
  const configured = await hasConfig(store);
  if (!configured && (await listSlots(store)).slots.length === 0) await readConfigText(store);
  const { name, bundle } = await openFirstSlot(store, {
    keys: {
      identities,
      passphrase: () => secrets.passphrase(`to open ${store.location}`, { confirm: false }),
    },
    accept: async ({ bundle, proved }) => {
      await checkPin({ bundle, proved, repository: parseBundle(bundle).repository }, pinOptions(session, store));
      return true;
    },
  });
  if (!configured) session.note(`tarzan.json is missing in ${store.location}; the key knows what it said.`);
  return { bundle, slot: name };
}

/** A slot that was kept elsewhere: on paper, or in a file. */
async function openOwnSlot(
  session: VerbSession,
  store: Store,
  { bytes, identities }: { bytes: Uint8Array; identities: string[] },
): Promise<string> {
  const what = "the key slot given with --identity";
  const slot = await readSlotInput(bytes, what);
  const proved = inspectSlot(slot, what).kind === "passphrase";
  const opener = proved
    ? { passphrase: await session.secrets.passphrase("to open the key slot", { confirm: false }) }
    : { identities };
  const bundle = await openSlot(slot, opener, what);
  await checkPin({ bundle, proved, repository: parseBundle(bundle).repository }, pinOptions(session, store));
  return bundle;
}

/** How this session compares a key with what the machine remembers. */
export function pinOptions(session: VerbSession, store: Store) {
  const { pin } = session.secrets;
  return {
    folder: `${session.places.config()}/pins`,
    location: store.location,
    ...(pin === undefined ? {} : { code: pin }),
    confirm: (code: string) =>
      session.askYes(
        `The key of ${store.location} has the code ${code}, which this machine has not seen before.\n` +
          "Is that the code on your recovery sheet?",
        "--pin CODE",
      ).catch((error: Error) => {
        // Nobody to ask is an answer: the refusal tells the code and the option.
        if (error.name === "UsageError") return false;
        throw error;
      }),
  };
}
