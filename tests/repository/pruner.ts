/**
 * The pruner's half of "announce, then look" (DESIGN.md, "Commit and prune"), as short as it can be written: it removes every
 * brick that no index names. It waits for no grace, so whoever it races with has the worst of it.
 */
import { sha256, toHex } from "../../lib/crypto/mod.ts";
import { parseBrickObject, publish, type Repository } from "../../lib/repository/mod.ts";
import { openSealed, verifyIndex } from "../../lib/snapshot/mod.ts";
import { NotFoundError, type Store } from "../../lib/store/mod.ts";

const EMPTY = new Uint8Array();

/** Removes all bricks that are not needed. */
export async function prune(repository: Repository, needs: IndexReader): Promise<void> {
  const { store } = repository;
  const condemned = (name: string) => `condemned/${name}`;
  const sentence = (name: string) => `condemned/${name}.sentence`;

  const bricks = await bricksIn(store);
  let needed = await needs.all(repository);
  const doomed = new Map([...bricks].filter(([name]) => !needed.has(name)));
  for (const name of doomed.keys()) await store.put(condemned(name), EMPTY);

  needed = await needs.all(repository);
  for (const name of [...doomed.keys()]) {
    if (needed.has(name)) {
      doomed.delete(name);
      await store.delete(condemned(name));
    } else await store.put(sentence(name), EMPTY);
  }

  needed = await needs.all(repository);
  const gone: string[] = [];
  for (const [name, object] of doomed) {
    if (needed.has(name)) await store.delete(sentence(name));
    else {
      await store.delete(object);
      gone.push(name);
    }
  }
  if (gone.length > 0) {
    const domain = repository.keyring.defaultDomain.id;
    await publish(repository, domain, gone.map((name) => ({ type: "gone", name })));
  }
  for (const name of doomed.keys()) {
    await store.delete(sentence(name));
    await store.delete(condemned(name));
  }
}

/** All bricks of a store, by name, and what object each is. */
export async function bricksIn(store: Store): Promise<Map<string, string>> {
  const bricks = new Map<string, string>();
  for (const folder of ["bricks/", "meta/"]) {
    for await (const { name: object } of store.list(folder)) {
      const brick = parseBrickObject(object);
      if (brick !== undefined) bricks.set(brick.name, object);
    }
  }
  return bricks;
}

/** Reads which bricks indexes need, each version of an index once. */
export class IndexReader {
  readonly #known = new Map<string, Promise<string[]>>();

  /** All bricks that any index needs, finished or not. An index that vanishes meanwhile may have been finished: once more. */
  async all(repository: Repository): Promise<Set<string>> {
    for (;;) {
      const needed = new Set<string>();
      try {
        for await (const { name } of repository.store.list("index/")) {
          for (const brick of await this.one(repository, await repository.store.get(name))) needed.add(brick);
        }
        return needed;
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    }
  }

  /** The bricks that an index needs: few enough for all to stand in the index itself. */
  one({ keyring }: Repository, bytes: Uint8Array): Promise<string[]> {
    const version = toHex(sha256(bytes));
    const known = this.#known.get(version) ?? (async () => {
      const { macIndex } = await keyring.shapeKeys(keyring.defaultDomain.id);
      const sealed = await openSealed(
        verifyIndex(bytes, { macIndex, what: "an index" }),
        (await keyring.metaIdentity())!,
      );
      if (sealed.brickList.length > 0) throw new Error("This backup is too large for this test");
      return sealed.lastBricks;
    })();
    this.#known.set(version, known);
    return known;
  }
}
