import { beginSha256, toHex } from "../../crypto/mod.ts";
import { NotFoundError, type Store } from "../../store/mod.ts";

const STEP_BYTES = 8 * 1024 * 1024;

/** The SHA-256 of an object of so many bytes; undefined where there is none. */
export async function hashOf(store: Store, object: string, bytes: number): Promise<string | undefined> {
  const sha256 = beginSha256();
  try {
    for (let from = 0; from < bytes; from += STEP_BYTES) {
      sha256.update(await store.get(object, { from, length: STEP_BYTES }));
    }
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
  return toHex(sha256.digest());
}
