/** Bundles, one after the other, from a cold store into a hot one. */
import { DamageError, UnsupportedError } from "../crypto/mod.ts";
import { type ColdStore, NotThawedError } from "../glacier/mod.ts";
import {
  type BundleMember,
  fetchBundle,
  type FoundBundle,
  parseConfig,
  rangesOf,
  readMembers,
  type ReadRange,
  severalRepositories,
  unpackMembers,
} from "../repository/mod.ts";
import { RunFolder, type Store } from "../store/mod.ts";
import type { BundleMemory } from "./bundle_memory.ts";
import type { VerbSession } from "./session.ts";

export interface UnpackerOptions {
  cold: ColdStore;
  store: Store;
  /** The repository that is wanted, where that is known; a bundle of another one is left alone. */
  repository: string | undefined;
  memory: BundleMemory;
  /** Where a bundle lies while it is unpacked. */
  folder: string;
}

/** Unpacks bundles; sentences about those that cannot be had are in `problems`. */
export class BundleUnpacker {
  readonly problems: string[] = [];
  readonly #session: VerbSession;
  readonly #options: UnpackerOptions;
  readonly #scratch: RunFolder;
  /** Handles that the cold store does not give, and why. */
  readonly #refused = new Map<string, Error>();
  #repository: string | undefined;
  #bytesDone = 0;

  private constructor(session: VerbSession, options: UnpackerOptions, scratch: RunFolder) {
    this.#session = session;
    this.#options = options;
    this.#repository = options.repository;
    this.#scratch = scratch;
  }

  static async begin(session: VerbSession, options: UnpackerOptions): Promise<BundleUnpacker> {
    for (const dead of await RunFolder.dead(options.folder)) await dead.remove();
    return new BundleUnpacker(session, options, await RunFolder.claim(options.folder));
  }

  async end(): Promise<void> {
    await this.#scratch.remove();
  }

  /**
   * The cold store, except that what cannot be thawed is no failure: an inventory may be a day older than a removal, and one
   * bundle that is gone must not keep anybody from the others.
   */
  forgiving(cold: ColdStore): ColdStore {
    const { signal } = this.#session;
    return {
      ...{ location: cold.location, class: cold.class },
      upload: (object, options) => cold.upload(object, options),
      confirm: (objects, options) => cold.confirm(objects, options),
      list: (options) => cold.list(options),
      states: async (objects, options) => {
        const asked = objects.filter(({ handle }) => !this.#refused.has(handle));
        const states = await cold.states(asked, options);
        return objects.map((object) => states[asked.indexOf(object)] ?? { state: "direct" });
      },
      thaw: async (object, options) => {
        try {
          return await cold.thaw(object, options);
        } catch (error) {
          if (signal.aborted || !(error instanceof Error)) throw error;
          this.#refused.set(object.handle, error);
          return { state: "direct" };
        }
      },
      read: (object, options) => cold.read(object, options),
      remove: (handle, options) => cold.remove(handle, options),
      close: () => cold.close(),
    };
  }

  /** Throws where not one of so many bundles can be had: then it is not the bundles. */
  refuseNothing(bundles: number): void {
    const [first] = this.#refused.values();
    if (first !== undefined && this.#refused.size === bundles) throw first;
  }

  /** Unpacks a bundle, unless no copy of it can be read now. */
  async unpack(bundle: FoundBundle): Promise<"done" | "asleep"> {
    const { cold } = this.#options;
    const { signal, progress } = this.#session;
    const refusal = this.#refused.get(bundle.handle);
    if (refusal !== undefined) return this.#passOver(refusal.message);
    const path = `${this.#scratch.path}/bundle`;
    try {
      const onBytes = (bytes: number) => {
        this.#bytesDone += bytes;
        progress.update({ phase: "fetching bundles", bytesDone: this.#bytesDone });
      };
      const treeHash = await fetchBundle(cold, bundle, { path, signal, onBytes });
      await this.#unpackFile(bundle, { path, treeHash });
      return "done";
    } catch (error) {
      if (error instanceof NotThawedError) return "asleep";
      if (error instanceof DamageError || error instanceof UnsupportedError) return this.#passOver(error.message);
      throw error;
    }
  }

  async #unpackFile(bundle: FoundBundle, { path, treeHash }: { path: string; treeHash: string }): Promise<void> {
    const { store, memory, cold } = this.#options;
    const what = `bundle ${bundle.sha256} of ${cold.location}`;
    using file = await Deno.open(path, { read: true });
    const read = rangesOf(file);
    const { members, passedOver } = await readMembers(read, { bytes: bundle.bytes, what });
    if (!await this.#isWanted(members, read)) {
      // Of another repository: not to be read again for nothing.
      return await memory.add(bundle.sha256, { bytes: bundle.bytes, treeHash, problems: [], members: [], slots: [] });
    }
    const { problems } = await unpackMembers(store, { members, read, what }, { signal: this.#session.signal });
    if (passedOver > 0) problems.push(`${passedOver} members of ${what} are no objects of a repository`);
    const spoilt = new Set(problems.length === 0 ? [] : await notThere(store, members));
    await memory.add(bundle.sha256, {
      ...{ bytes: bundle.bytes, treeHash, problems },
      members: members.filter(({ name }) => !spoilt.has(name)).map(({ name, bytes, offset }) => ({
        name,
        bytes,
        offset,
      })),
      slots: members.flatMap(({ kind, name }) => kind === "slot" ? [name] : []),
    });
  }

  /** In a bucket only the settings in a bundle say whose it is. The first one decides where nobody was told. */
  async #isWanted(members: readonly BundleMember[], read: ReadRange): Promise<boolean> {
    const config = members.find(({ kind }) => kind === "config");
    if (config === undefined) return true;
    const bytes = await read({ from: config.offset, length: config.bytes });
    const { repository } = parseConfig(new TextDecoder().decode(bytes), "tarzan.json in a bundle");
    this.#repository ??= repository;
    if (repository === this.#repository) return true;
    if (this.#options.repository !== undefined) return false;
    throw severalRepositories(this.#options.cold.location, [this.#repository, repository]);
  }

  #passOver(problem: string): "done" {
    this.problems.push(problem);
    return "done";
  }
}

/** Members that the hot store does not hold as they are. */
async function notThere(store: Store, members: readonly BundleMember[]): Promise<string[]> {
  const missing: string[] = [];
  for (const { name, bytes } of members) if ((await store.head(name))?.size !== bytes) missing.push(name);
  return missing;
}
