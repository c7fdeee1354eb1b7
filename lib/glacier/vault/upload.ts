/**
 * Sending an archive so that no death on the way costs more than the parts in flight. Nothing is kept here: the open upload
 * is found by its description, what it holds by ListParts, and the bytes are read again and hashed, so a part is skipped
 * only when the vault's tree hash of it is that of the bytes as they are now. Uploads die after a day without activity;
 * then it begins anew. None is ever given up: it may be another process's, and it dies by itself.
 *
 * Completing is the step that counts. It is repeated while its answer is lost, and `earlier`, the id that a caller kept
 * from the run before, lets the next process repeat it too: otherwise an archive whose answer died with the process is
 * stored a second time and the next inventory shows both.
 */
import { createHash } from "node:crypto";
import type { ColdUpload } from "../cold.ts";
import { LEAF_BYTES, TreeHasher } from "../tree_hash.ts";
import type { ByteBudget } from "./byte_budget.ts";
import type { VaultClient } from "./client.ts";
import { describe } from "./description.ts";
import { VaultError } from "./errors.ts";
import type { OpenUploads } from "./open_uploads.ts";
import { isUsablePartSize, type Part, partBytesFor, partsOf } from "./parts.ts";
import { completeUpload, type HeldPart, initiateUpload, listParts, uploadPart } from "./upload_calls.ts";

export interface Uploading {
  signal: AbortSignal;
  budget: ByteBudget;
  /** At least so large are all parts but the last. */
  partBytes: number;
  open: OpenUploads;
  sent?: (bytes: number) => void;
  earlier?: string;
  began?: (id: string) => void | Promise<void>;
}

/** An upload that goes on: what the vault has of it, by where the parts begin. */
interface Upload {
  id: string;
  partBytes: number;
  held: Map<number, HeldPart>;
}

const maximumRestarts = 5;

/** Stores an object as an archive; the archive's id. */
export async function uploadArchive(
  client: VaultClient,
  object: ColdUpload,
  options: Uploading,
): Promise<string> {
  if (object.bytes < 1) {
    throw new Error(`Cannot store ${object.name} in ${client.location}: a vault takes nothing empty`);
  }
  const description = describe(object);
  const { open, signal } = options;
  let earlier = options.earlier;
  let told = 0;
  for (let restarts = 0;; restarts++) {
    const found = await findUpload(client, { ...options, object, description, earlier, again: restarts > 0 });
    if ("archive" in found) return found.archive;
    earlier = undefined;
    await options.began?.(found.id);
    // Bytes that were told before a restart are not told again.
    let arrived = 0;
    const sent = (bytes: number) => {
      arrived += bytes;
      if (arrived > told) options.sent?.(arrived - told);
      told = Math.max(told, arrived);
    };
    try {
      const { id } = found;
      await sendParts(client, object, { ...options, upload: found, sent });
      const archive = await completeUpload(client, {
        upload: id,
        bytes: object.bytes,
        treeHash: object.treeHash,
        signal,
      });
      open.remove(description, id);
      return archive;
    } catch (error) {
      if (!isOfUpload(error) || restarts === maximumRestarts) throw error;
      if (error.status === 404) open.remove(description, found.id);
    }
  }
}

/** The open upload of which the vault has most, or a new one; or the archive, where an earlier upload was completed. */
async function findUpload(
  client: VaultClient,
  options: {
    object: ColdUpload;
    description: string;
    open: OpenUploads;
    partBytes: number;
    signal: AbortSignal;
    earlier: string | undefined;
    again: boolean;
  },
): Promise<Upload | { archive: string }> {
  const { object, description, open, signal, earlier } = options;
  if (earlier !== undefined) {
    const upload = await held(client, { id: earlier, object, description, signal });
    if (upload !== undefined) return upload;
    const archive = await unlessRefused(
      completeUpload(client, { upload: earlier, bytes: object.bytes, treeHash: object.treeHash, signal }),
    );
    if (archive !== undefined) return { archive };
    open.remove(description, earlier);
  }
  let best: Upload | undefined;
  const find = async (again: boolean) => {
    for (const id of await open.find(description, { signal, again })) {
      const upload = await held(client, { id, object, description, signal });
      if (upload === undefined) open.remove(description, id);
      else if (best === undefined || heldBytes(upload) > heldBytes(best)) best = upload;
    }
    return best;
  };
  const found = await find(options.again);
  if (found !== undefined) return found;
  const partBytes = partBytesFor(object.bytes, options.partBytes);
  const recheck = async () => (await find(true))?.id;
  const id = await initiateUpload(client, { description, partBytes, signal, recheck });
  open.add(description, id);
  return best ?? { id, partBytes, held: new Map() };
}

/** What the vault has of an upload; undefined where it is gone or cannot be gone on with. */
async function held(
  client: VaultClient,
  options: { id: string; object: ColdUpload; description: string; signal: AbortSignal },
): Promise<Upload | undefined> {
  const { id, object, description, signal } = options;
  const listed = await unlessRefused(listParts(client, { upload: id, signal }));
  if (listed === undefined || listed.description !== description) return undefined;
  if (!isUsablePartSize(listed.partBytes, object.bytes)) return undefined;
  return { id, partBytes: listed.partBytes, held: new Map(listed.parts.map((part) => [part.from, part])) };
}

/** Reads and hashes everything and sends what the vault does not have. */
async function sendParts(
  client: VaultClient,
  object: ColdUpload,
  options: Uploading & { upload: Upload; sent: (bytes: number) => void },
): Promise<void> {
  const { upload, budget, sent } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const whole = new TreeHasher();
  const sending = new Set<Promise<void>>();
  try {
    for (const part of partsOf(object.bytes, upload.partBytes)) {
      // A part that is read, hashed or on its way is in memory. Hashes are of parts in order, so reading is too.
      const release = await budget.take(part.length, signal);
      let handedOn = false;
      try {
        const body = await object.read(part);
        if (body.length !== part.length) {
          throw new Error(
            `Cannot read ${object.name}: ${body.length} of ${part.length} bytes came from ${part.from} on`,
          );
        }
        const treeHash = addPart(whole, body);
        if (isSame(upload.held.get(part.from), { ...part, treeHash })) sent(part.length);
        else {
          const sha256 = createHash("sha256").update(body).digest("hex");
          const one = uploadPart(client, { upload: upload.id, from: part.from, body, sha256, treeHash, signal })
            .then(() => sent(part.length))
            .finally(() => {
              sending.delete(one);
              release();
            });
          one.catch((error) => stop.abort(error));
          sending.add(one);
          handedOn = true;
        }
      } finally {
        if (!handedOn) release();
      }
    }
    await Promise.all(sending);
    // A part that failed before the last one was read is no longer among them.
    stop.signal.throwIfAborted();
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(sending);
    throw error;
  }
  const found = whole.digest().toHex();
  if (found !== object.treeHash) {
    throw new Error(
      `Cannot store ${object.name} in ${client.location}: its bytes have the tree hash ${found}, it should be ` +
        `${object.treeHash}. The local copy is damaged: run "tarzan verify --bricks"`,
    );
  }
}

/** Adds a part's leaves to the whole; the tree hash of the part alone. */
function addPart(whole: TreeHasher, body: Uint8Array): string {
  const part = new TreeHasher();
  for (let at = 0; at < body.length; at += LEAF_BYTES) {
    const leaf = createHash("sha256").update(body.subarray(at, at + LEAF_BYTES)).digest();
    part.addLeaf(leaf);
    whole.addLeaf(leaf);
  }
  return part.digest().toHex();
}

function isSame(held: HeldPart | undefined, part: Part & { treeHash: string }): boolean {
  return held?.length === part.length && held.treeHash === part.treeHash;
}

function heldBytes(upload: Upload): number {
  return upload.held.values().reduce((sum, { length }) => sum + length, 0);
}

/** The result, or undefined where there is no such upload (any more), or it is not what it should be. */
async function unlessRefused<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isOfUpload(error)) return undefined;
    throw error;
  }
}

/** 404: the upload is gone. 400: what the vault has of it does not make up the archive, which ListParts tells. */
function isOfUpload(error: unknown): error is VaultError {
  return error instanceof VaultError && (error.status === 404 || error.code.startsWith("InvalidParameter"));
}
