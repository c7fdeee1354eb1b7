/**
 * What this machine remembers of bundles that it has unpacked: reading one again would cost money. It only saves that: a bundle
 * whose objects are not all in the hot store is read again, whatever is remembered.
 */
import { sha256, toHex } from "../crypto/mod.ts";
import type { BundleMember, ReadBundle } from "../repository/mod.ts";
import type { Store } from "../store/mod.ts";

/** A bundle that was unpacked. */
export interface KnownBundle {
  bytes: number;
  treeHash: string;
  members: Pick<BundleMember, "name" | "bytes" | "offset">[];
  problems: string[];
  /** Slots that it held. */
  slots: string[];
}

const FORMAT = "tarzan unpacked bundles 1";

export class BundleMemory {
  readonly #path: string;
  readonly #bundles: Map<string, KnownBundle>;

  private constructor(path: string, bundles: Map<string, KnownBundle>) {
    this.#path = path;
    this.#bundles = bundles;
  }

  /** What is known of bundles from one place that were unpacked into another. */
  static async open(folder: string, { from, store }: { from: string; store: Store }): Promise<BundleMemory> {
    const path = `${folder}/${toHex(sha256(`${from}\n${store.location}`)).slice(0, 32)}.json`;
    const known = new Map<string, KnownBundle>();
    const bundles = await readKnown(path);
    if (bundles.length > 0) {
      const there = new Map<string, number>();
      for await (const { name, size } of store.list("")) there.set(name, size);
      for (const [hash, bundle] of bundles) {
        if (bundle.members.every(({ name, bytes }) => there.get(name) === bytes)) known.set(hash, bundle);
      }
    }
    return new BundleMemory(path, known);
  }

  get(hash: string): KnownBundle | undefined {
    return this.#bundles.get(hash);
  }

  async add(hash: string, bundle: KnownBundle): Promise<void> {
    this.#bundles.set(hash, bundle);
    const text = JSON.stringify({ format: FORMAT, bundles: [...this.#bundles] });
    await Deno.writeTextFile(`${this.#path}.new`, text + "\n", { mode: 0o600 });
    await Deno.rename(`${this.#path}.new`, this.#path);
  }
}

/** A file that is not as it was written is as good as none. */
async function readKnown(path: string): Promise<[string, KnownBundle][]> {
  try {
    const { format, bundles } = JSON.parse(await Deno.readTextFile(path)) ?? {};
    return format === FORMAT ? bundles : [];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return [];
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
