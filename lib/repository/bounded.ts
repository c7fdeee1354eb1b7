/** Small objects, read whole. */
import { DamageError } from "../crypto/mod.ts";
import type { Store } from "../store/mod.ts";

/** An object of at most `limit` bytes. What the store says of its length is not believed: no more than that is asked for. */
export async function readBounded(
  store: Store,
  name: string,
  options: { limit: number; what: string },
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await store.get(name, { from: 0, length: options.limit + 1 });
  if (bytes.length <= options.limit) return bytes;
  throw new DamageError(`Cannot read ${options.what}: it is longer than ${options.limit} bytes`);
}
