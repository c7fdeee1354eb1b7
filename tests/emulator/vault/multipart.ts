/**
 * Archives in parts. Parts may come in any order and again; a short one that is not the last is noticed only at the end;
 * the end may be repeated for a while; an upload that nothing comes for is forgotten after a day.
 */
import { type Body, joined } from "../bodies.ts";
import { header, type Reply } from "../call.ts";
import { dayMs, minuteMs } from "../clock.ts";
import { addArchive, takeBytes, treeHeader } from "./archives.ts";
import {
  descriptionOf,
  invalid,
  locationOf,
  need,
  notFound,
  requiredHeader,
  time,
  vaultArn,
  type VaultCall,
  vaultOf,
} from "./call.ts";
import { jsonReply, pageOf } from "./paging.ts";
import { type Leaves, mebibyte, treeHash } from "./tree_hash.ts";
import { opaqueId, type Vault } from "./vault.ts";

interface Part {
  body: Body;
  leaves: Leaves;
  treeHash: string;
}

/** An upload that goes on, or that ended a short while ago. */
export interface VaultUpload {
  id: string;
  partSize: number;
  description: string;
  createdAt: Date;
  /** When the last part came. */
  activeAt: Date;
  /** By where in the archive they begin. */
  parts: Map<number, Part>;
  ended: { at: Date; archiveId: string | undefined; size: number; treeHash: string } | undefined;
}

/** How long the end of an upload may be repeated. */
export const repeatableMs = 10 * minuteMs;
/** How long an upload lives that no part comes for. */
export const idleMs = dayMs;
const mostParts = 10_000;
const largestPartBytes = 4 * 1024 ** 3;

export function initiateMultipartUpload(call: VaultCall): Reply {
  need(call, "InitiateMultipartUpload");
  const vault = vaultOf(call);
  const text = requiredHeader(call, "x-amz-part-size");
  const partSize = Number(text);
  const mebibytes = partSize / mebibyte;
  if (
    !/^[0-9]+$/.test(text) || !Number.isInteger(Math.log2(mebibytes)) || mebibytes < 1 || partSize > largestPartBytes
  ) {
    throw invalid(`Invalid part size: ${text}. It must be a power of two of MiB, from 1 MiB to 4 GiB`);
  }
  const now = call.surroundings.clock.now();
  const upload: VaultUpload = {
    id: opaqueId(92),
    partSize,
    description: descriptionOf(call),
    createdAt: now,
    activeAt: now,
    parts: new Map(),
    ended: undefined,
  };
  vault.uploads.set(upload.id, upload);
  call.log.id = upload.id;
  const Location = locationOf(call, "multipart-uploads", upload.id);
  return { status: 201, headers: { "x-amz-multipart-upload-id": upload.id, Location } };
}

/** Forgets the uploads whose time is over. */
function forgetOld(vault: Vault, now: Date): void {
  for (const upload of vault.uploads.values()) {
    const endsMs = upload.ended ? upload.ended.at.getTime() + repeatableMs : upload.activeAt.getTime() + idleMs;
    if (now.getTime() < endsMs) continue;
    if (!upload.ended) { for (const { body } of upload.parts.values()) body.drop(); }
    vault.uploads.delete(upload.id);
  }
}

/** The upload of this id, also one that has ended when that is wanted. */
function uploadOf(call: VaultCall, vault: Vault, options: { ended?: boolean } = {}): VaultUpload {
  forgetOld(vault, call.surroundings.clock.now());
  const upload = vault.uploads.get(call.id);
  if (!upload || (upload.ended && !options.ended)) throw notFound("Upload", call.id);
  return upload;
}

export async function uploadMultipartPart(call: VaultCall): Promise<Reply> {
  need(call, "UploadMultipartPart");
  const vault = vaultOf(call);
  const upload = uploadOf(call, vault);
  const [, first, last] = requiredHeader(call, "content-range").match(/^bytes (\d+)-(\d+)\/\*$/) ?? [];
  if (first === undefined || last === undefined) {
    throw invalid(`Invalid Content-Range: ${header(call, "content-range")}`);
  }
  const [from, to] = [Number(first), Number(last)];
  if (from % upload.partSize !== 0 || to < from || to - from + 1 > upload.partSize) {
    throw invalid(`Invalid Content-Range: ${from}-${to} is no part of ${upload.partSize} bytes`);
  }
  if (from / upload.partSize >= mostParts) throw invalid(`Invalid Content-Range: more than ${mostParts} parts`);
  if (call.request.body.announcedLength !== to - from + 1) throw invalid("Content-Length does not match Content-Range");
  const part = await takeBytes(call);
  try {
    uploadOf(call, vault); // It may have ended while the bytes came.
  } catch (error) {
    part.body.drop();
    throw error;
  }
  if (call.surroundings.hostile.has("does-nothing")) {
    part.body.drop();
    return { status: 204, headers: treeHeader(call, part.treeHash) };
  }
  upload.parts.get(from)?.body.drop();
  upload.parts.set(from, part);
  upload.activeAt = call.surroundings.clock.now();
  return { status: 204, headers: treeHeader(call, part.treeHash) };
}

export function completeMultipartUpload(call: VaultCall): Reply {
  need(call, "CompleteMultipartUpload");
  const vault = vaultOf(call);
  const upload = uploadOf(call, vault, { ended: true });
  const size = Number(requiredHeader(call, "x-amz-archive-size"));
  const wanted = requiredHeader(call, "x-amz-sha256-tree-hash");
  const done = (archiveId: string): Reply => {
    const Location = locationOf(call, "archives", archiveId);
    return { status: 201, headers: { "x-amz-archive-id": archiveId, Location } };
  };
  if (upload.ended) {
    const { archiveId } = upload.ended;
    if (archiveId === undefined || upload.ended.size !== size || upload.ended.treeHash !== wanted) {
      throw notFound("Upload", call.id);
    }
    return done(archiveId);
  }
  const parts = wholeArchive(upload, size);
  const leaves = parts.flatMap((part) => part.leaves);
  const tree = treeHash(leaves);
  if (tree !== wanted) throw invalid(`Invalid x-amz-sha256-tree-hash: computed ${tree}, expected ${wanted}`);
  const createdAt = call.surroundings.clock.now();
  const body = joined(parts.map((part) => part.body));
  const { description } = upload;
  const archive = addArchive(vault, { body, length: size, leaves, treeHash: tree, description, createdAt });
  upload.ended = { at: createdAt, archiveId: archive.id, size, treeHash: tree };
  return done(archive.id);
}

/** The parts in order, when they are the whole of `size` bytes. */
function wholeArchive(upload: VaultUpload, size: number): Part[] {
  const parts = [...upload.parts].sort(([a], [b]) => a - b);
  if (parts.length === 0) throw invalid("The upload has no parts");
  parts.forEach(([from, { body }], index) => {
    if (from !== index * upload.partSize) {
      throw invalid(`Missing bytes: there is no part at ${index * upload.partSize}`);
    }
    if (index < parts.length - 1 && body.length !== upload.partSize) {
      throw invalid(`The part at ${from} has ${body.length} bytes, and only the last may be short`);
    }
  });
  const length = parts.reduce((sum, [, { body }]) => sum + body.length, 0);
  if (length !== size) throw invalid(`Invalid x-amz-archive-size: the parts have ${length} bytes, expected ${size}`);
  return parts.map(([, part]) => part);
}

export function abortMultipartUpload(call: VaultCall): Reply {
  need(call, "AbortMultipartUpload");
  const vault = vaultOf(call);
  const upload = uploadOf(call, vault, { ended: true });
  if (upload.ended?.archiveId !== undefined) throw notFound("Upload", call.id);
  if (upload.ended) return { status: 204 };
  for (const { body } of upload.parts.values()) body.drop();
  upload.ended = { at: call.surroundings.clock.now(), archiveId: undefined, size: 0, treeHash: "" };
  return { status: 204 };
}

export function listParts(call: VaultCall): Reply {
  need(call, "ListParts");
  const upload = uploadOf(call, vaultOf(call));
  const parts = [...upload.parts].sort(([a], [b]) => a - b);
  const { rows, marker } = pageOf(call, parts);
  const lost = call.surroundings.hostile.has("loses-checksum");
  return jsonReply({
    ...describe(call, upload),
    Parts: rows.map(([from, part]) => ({
      RangeInBytes: `${from}-${from + part.body.length - 1}`,
      SHA256TreeHash: lost ? null : part.treeHash,
    })),
    Marker: marker,
  });
}

export function listMultipartUploads(call: VaultCall): Reply {
  need(call, "ListMultipartUploads");
  const vault = vaultOf(call);
  forgetOld(vault, call.surroundings.clock.now());
  // In no order that means anything: sorted by id.
  const uploads = [...vault.uploads.values()].filter(({ ended }) => !ended).sort((a, b) => a.id < b.id ? -1 : 1);
  const { rows, marker } = pageOf(call, uploads);
  return jsonReply({ UploadsList: rows.map((upload) => describe(call, upload)), Marker: marker });
}

function describe(call: VaultCall, upload: VaultUpload) {
  return {
    MultipartUploadId: upload.id,
    PartSizeInBytes: upload.partSize,
    ArchiveDescription: upload.description === "" ? null : upload.description,
    CreationDate: time(upload.createdAt),
    VaultARN: vaultArn(call),
  };
}
