/**
 * What this machine remembers of bundles that it has unpacked: reading one again would cost money. It only saves that: a bundle
 * whose objects are not all in the hot store is read again, whatever is remembered.
 */
import { sha256, toHex } from "../crypto/mod.ts";
import type { BundleMember, ReadBundle } from "../repository/mod.ts";
import type { Store } from "../store/mod.ts";
import { ownFolder } from "./local_state.ts";

/** A bundle that was unpacked. */
export interface KnownBundle {
  bytes: number;
  treeHash: string;
  members: Pick<BundleMember, "name" | "bytes" | "offset">[];
  problems: string[];
  /** Slots that it held. */
  slots: string[];
}

const FORMAT = "tarzan unpacked bundle 1";

export class BundleMemory {
  readonly #folder: string;
  readonly #bundles: Map<string, KnownBundle>;

  private constructor(folder: string, bundles: Map<string, KnownBundle>) {
    this.#folder = folder;
    this.#bundles = bundles;
  }

  /** What is known of bundles from one place that were unpacked into another. */
  static async open(state: string, { from, store }: { from: string; store: Store }): Promise<BundleMemory> {
    const place = toHex(sha256(`${from}\n${store.location}`)).slice(0, 32);
    const folder = await ownFolder(`${state}/from-cold/unpacked/${place}`);
    const known = new Map<string, KnownBundle>();
    let there: Map<string, number> | undefined;
    for await (const { name } of Deno.readDir(folder)) {
      const [, hash] = /^([0-9a-f]{64})\.json$/.exec(name) ?? [];
      const bundle = hash === undefined ? undefined : await readKnown(`${folder}/${name}`);
      if (bundle === undefined) continue;
      const sizes = there ??= await sizesIn(store);
      if (bundle.members.every(({ name, bytes }) => sizes.get(name) === bytes)) known.set(hash!, bundle);
    }
    return new BundleMemory(folder, known);
  }

  get(hash: string): KnownBundle | undefined {
    return this.#bundles.get(hash);
  }

  async add(hash: string, bundle: KnownBundle): Promise<void> {
    this.#bundles.set(hash, bundle);
    const path = `${this.#folder}/${hash}.json`;
    await Deno.writeTextFile(`${path}.new`, JSON.stringify({ format: FORMAT, ...bundle }) + "\n", { mode: 0o600 });
    await Deno.rename(`${path}.new`, path);
  }
}

async function sizesIn(store: Store): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { name, size } of store.list("")) sizes.set(name, size);
  return sizes;
}

/** A file that is not as it was written is as good as none. */
async function readKnown(path: string): Promise<KnownBundle | undefined> {
  try {
    const { format, ...bundle } = JSON.parse(await Deno.readTextFile(path)) ?? {};
    return format === FORMAT ? bundle : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A known bundle as `placed` records tell of it. */
export function asRead(
  { bytes, treeHash, members }: KnownBundle,
  found: Omit<ReadBundle, "bytes" | "treeHash" | "bricks">,
  brickOf: (object: string) => { kind: "D" | "M"; name: string } | undefined,
): ReadBundle {
  const bricks = members.flatMap(({ name, bytes, offset }) => {
    const brick = brickOf(name);
    return brick === undefined ? [] : [{ ...brick, offset, bytes }];
  });
  return { ...found, bytes, treeHash, bricks };
}
