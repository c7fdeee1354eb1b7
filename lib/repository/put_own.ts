import { equalBytes } from "../crypto/mod.ts";
import { ExistsError, type Store } from "../store/mod.ts";

/**
 * Stores an object that must not replace another one. What goes over a network may be sent twice, since only the answer was
 * lost: then the second finds what the first has stored, and that is no conflict.
 */
export async function putOwn(store: Store, name: string, bytes: Uint8Array): Promise<void> {
  try {
    await store.put(name, bytes, { once: true });
  } catch (error) {
    if (!(error instanceof ExistsError)) throw error;
    const there = await store.get(name, { from: 0, length: bytes.length + 1 });
    if (!equalBytes(there, bytes)) throw error;
  }
}
