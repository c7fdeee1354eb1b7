/** Bytes on their way into a vault, and archives that are deleted. */
import type { Body } from "../bodies.ts";
import type { Reply } from "../call.ts";
import { ServiceError } from "../errors.ts";
import { descriptionOf, invalid, locationOf, need, notFound, requiredHeader, type VaultCall, vaultOf } from "./call.ts";
import { LeafHasher, type Leaves, treeHash } from "./tree_hash.ts";
import { type Archive, opaqueId, type Vault } from "./vault.ts";

const longestBytes = 4 * 1024 ** 3;

/** Takes in a body whose hashes, both of them, are told in the headers. */
export async function takeBytes(call: VaultCall): Promise<{ body: Body; leaves: Leaves; treeHash: string }> {
  const { body } = call.request;
  const wantedTree = requiredHeader(call, "x-amz-sha256-tree-hash");
  requiredHeader(call, "x-amz-content-sha256");
  if (body.isChunked || body.announcedLength === undefined) {
    throw new ServiceError(400, "MissingParameterValueException", "Required parameter missing: Content-Length");
  }
  if (body.announcedLength < 1 || body.announcedLength > longestBytes) {
    throw invalid(`Invalid Content-Length: ${body.announcedLength}`);
  }
  const [writer, hasher] = [call.surroundings.bodies(), new LeafHasher()];
  try {
    for (let piece; (piece = await body.read()) !== undefined;) {
      hasher.update(piece);
      writer.write(piece);
    }
    const { leaves, sha256 } = hasher.end();
    if (sha256 !== call.payloadHash) {
      throw invalid(`Invalid x-amz-content-sha256: the body's is ${sha256}, expected ${call.payloadHash}`);
    }
    const tree = treeHash(leaves);
    if (tree !== wantedTree) {
      throw invalid(`Invalid x-amz-sha256-tree-hash: computed ${tree}, expected ${wantedTree}`);
    }
    return { body: writer.end(), leaves, treeHash: tree };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/** The header with a tree hash; a server that loses checksums has none. */
export function treeHeader(call: VaultCall, hash: string): Record<string, string> {
  return call.surroundings.hostile.has("loses-checksum") ? {} : { "x-amz-sha256-tree-hash": hash };
}

/** Makes an archive of bytes that have arrived. */
export function addArchive(vault: Vault, parts: Omit<Archive, "id" | "deletedAt">): Archive {
  const archive: Archive = { ...parts, id: opaqueId(138), deletedAt: undefined };
  vault.archives.set(archive.id, archive);
  return archive;
}

export async function uploadArchive(call: VaultCall): Promise<Reply> {
  need(call, "UploadArchive");
  const vault = vaultOf(call);
  const description = descriptionOf(call);
  const taken = await takeBytes(call);
  const createdAt = call.surroundings.clock.now();
  const archive = addArchive(vault, { ...taken, length: taken.body.length, description, createdAt });
  call.log.id = archive.id;
  const headers = {
    "x-amz-archive-id": archive.id,
    Location: locationOf(call, "archives", archive.id),
    ...treeHeader(call, archive.treeHash),
  };
  return { status: 201, headers };
}

/** May be repeated. A retrieval that is done already can still be downloaded. */
export function deleteArchive(call: VaultCall): Reply {
  need(call, "DeleteArchive");
  const vault = vaultOf(call);
  const archive = vault.archives.get(call.id);
  if (!archive) throw notFound("Archive", call.id);
  if (archive.deletedAt !== undefined) return { status: 204 };
  const now = call.surroundings.clock.now();
  archive.deletedAt = now;
  const isRetrieved = [...vault.jobs.values()].some((job) => job.archive === archive && job.readyAt <= now);
  if (!isRetrieved) archive.body.drop();
  return { status: 204 };
}
