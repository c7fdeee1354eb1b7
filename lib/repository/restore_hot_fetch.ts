/** Bundles out of cold storage into a file, whole and proved, before anything in them is looked at. */
import { beginSha256, DamageError, toHex } from "../crypto/mod.ts";
import { type ColdStore, TreeHasher } from "../glacier/mod.ts";
import type { ReadRange } from "./restore_hot_members.ts";

const STEP_BYTES = 8 * 1024 * 1024;

/** Copies a bundle to the file at `path`; its tree hash. DamageError when its bytes are not those of its name. */
export async function fetchBundle(
  cold: ColdStore,
  { handle, bytes, sha256 }: { handle: string; bytes: number; sha256: string },
  { path, signal, onBytes }: { path: string; signal: AbortSignal; onBytes: (bytes: number) => void },
): Promise<string> {
  const hash = beginSha256();
  const tree = new TreeHasher();
  const step = (from: number) => {
    const piece = cold.read({ handle, bytes }, { range: { from, length: Math.min(STEP_BYTES, bytes - from) }, signal });
    // It is awaited later, or never when what comes before it fails.
    piece.catch(() => {});
    return piece;
  };
  using file = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  let next = step(0);
  for (let from = 0; from < bytes; from += STEP_BYTES) {
    const piece = await next;
    signal.throwIfAborted();
    if (from + STEP_BYTES < bytes) next = step(from + STEP_BYTES);
    hash.update(piece);
    tree.update(piece);
    for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
    onBytes(piece.length);
  }
  const found = toHex(hash.digest());
  if (found === sha256) return toHex(tree.digest());
  throw new DamageError(`Bundle ${sha256} in ${cold.location} was altered: its SHA-256 is ${found}`);
}

/** Ranges of a file; fewer bytes only at its end. One after the other, please: the file has one position. */
export function rangesOf(file: Deno.FsFile): ReadRange {
  return async ({ from, length }) => {
    await file.seek(from, Deno.SeekMode.Start);
    const bytes = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const count = await file.read(bytes.subarray(at));
      if (count === null) break;
      at += count;
    }
    return bytes.subarray(0, at);
  };
}
