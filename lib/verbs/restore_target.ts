/** Where a hot store is made anew: an empty place, or one where that was begun before. */
import { NoRepositoryError, parseConfig, readConfigText } from "../repository/mod.ts";
import { ExistsError, NotFoundError, type Store } from "../store/mod.ts";
import { createStore, storeAt } from "./open_store.ts";
import type { VerbSession } from "./session.ts";

/** What a repository in the making has in it at least. */
const FOLDERS = ["bricks/", "meta/", "ledger/", "index/", "keys/"];

/** The repository that a place holds already, if any. */
export async function repositoryAt(session: VerbSession, location: string): Promise<string | undefined> {
  let store: Store;
  try {
    store = await storeAt(session, location);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
  try {
    return parseConfig(await readConfigText(store), `tarzan.json in ${store.location}`).repository;
  } catch (error) {
    if (error instanceof NoRepositoryError) return undefined;
    throw error;
  } finally {
    await store.close();
  }
}

/** A store to unpack into. What is at the place must be nothing, or a part of a repository. */
export async function newHotStore(session: VerbSession, location: string): Promise<Store> {
  try {
    return await createStore(session, location);
  } catch (error) {
    if (!(error instanceof ExistsError)) throw error;
    const store = await storeAt(session, location);
    for (const folder of FOLDERS) for await (const _ of store.list(folder)) return store;
    await store.close();
    throw error;
  }
}
