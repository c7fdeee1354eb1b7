/** Opens a repository with whatever key the user gave: the store, the key, the pin, the catalogue. */
import { Catalog } from "../catalog/mod.ts";
import {
  type Ability,
  DamageError,
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
  learn,
  NoRepositoryError,
  openFirstSlot,
  openRepository,
  parseConfig,
  readConfigText,
  type Repository,
  visibleDomains,
} from "../repository/mod.ts";
import { NotFoundError, openDirectoryStore, type Store } from "../store/mod.ts";
import { ownFolder, stateFolder } from "./local_state.ts";
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

/** The store at a place; NoRepositoryError where nothing is. */
export async function openStore(location: string): Promise<Store> {
  try {
    return await openDirectoryStore(location);
  } catch (cause) {
    if (!(cause instanceof NotFoundError)) throw cause;
    throw new NoRepositoryError(
      `There is no repository at ${location}. Make one with "tarzan init", or name another place with --repository`,
      { cause },
    );
  }
}

/** Opens the repository at `location` for somebody who needs to be able to do `need`. */
export async function open(
  session: VerbSession,
  options: { location?: string; need?: Ability; freshCatalog?: boolean } = {},
): Promise<Opened> {
  const location = options.location ?? session.places.repository();
  const store = await openStore(location);
  try {
    const key = await openKey(session, store);
    const keyring = new Keyring(parseBundle(key.bundle));
    if (parseConfig(keyring.config, "the key's settings").repository !== keyring.repository) {
      throw new DamageError("Cannot use this key: it contradicts itself about the repository it belongs to");
    }
    if (options.need !== undefined) refuseUnless(keyring, options.need);
    const state = await ownFolder(stateFolder(session.places.state(), keyring.repository));
    await Deno.writeTextFile(`${state}/location`, location + "\n", { mode: 0o600 });
    if (options.freshCatalog) await removeCatalog(`${state}/catalog.sqlite`);
    const catalog = Catalog.open(`${state}/catalog.sqlite`, { repository: keyring.repository });
    try {
      const repository = await openRepository({ store, keyring, catalog });
      const close = async () => {
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

/** Reads what the ledgers say that this machine does not know yet; tells of what could not be read. */
export async function catchUp(session: VerbSession, repository: Repository, domains?: string[]): Promise<void> {
  for (const domain of domains ?? await visibleDomains(repository)) {
    const problems = await learn(repository, domain, {
      progress: (done, total) =>
        session.progress.update({ phase: "reading the ledger", bytesDone: done, bytesTotal: total }),
    });
    for (const problem of problems) session.warn(`${problem.message}. Bricks that only it tells of are not known now`);
  }
}

async function openKey(session: VerbSession, store: Store): Promise<{ bundle: string; slot: string | undefined }> {
  const { secrets } = session;
  const identities: string[] = [];
  for (const text of secrets.identities) {
    const bytes = new TextEncoder().encode(text);
    switch (recogniseKeyFile(bytes)) {
      case "bundle":
        return { bundle: text, slot: undefined };
      case "slot":
        return { bundle: await openPaperSlot(session, store, bytes), slot: undefined };
      case "identities":
        identities.push(...parseIdentityFile(text));
        break;
      case "unknown":
        throw new WrongKeyError(
          "A file given with --identity is neither an age identity nor a tarzan key file nor a key slot",
        );
    }
  }
  const configText = await readConfigText(store).catch((error) => {
    if (error instanceof NoRepositoryError) return undefined;
    throw error;
  });
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
  if (configText === undefined) {
    session.note(`tarzan.json is missing in ${store.location}; the key knows what it said.`);
  }
  return { bundle, slot: name };
}

/** A slot that was kept elsewhere: on paper, or in a file. */
async function openPaperSlot(session: VerbSession, store: Store, bytes: Uint8Array): Promise<string> {
  const slot = await readSlotInput(bytes, "the key slot given with --identity");
  const passphrase = await session.secrets.passphrase("to open the key slot", { confirm: false });
  const bundle = await openSlot(slot, { passphrase }, "the key slot given with --identity");
  await checkPin({ bundle, proved: true, repository: parseBundle(bundle).repository }, pinOptions(session, store));
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
      ),
  };
}
