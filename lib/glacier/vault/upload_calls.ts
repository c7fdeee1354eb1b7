/** The requests of an upload in parts. */
import type { Part } from "./parts.ts";
import { byteRange, id, list, object, optionalText, size, text, treeHash } from "./answers.ts";
import type { VaultClient } from "./client.ts";
import { BrokenAnswerError } from "./errors.ts";
import { pagesOf } from "./pages.ts";
import type { Answer } from "./answer.ts";

/** An upload that was begun and not completed. */
export interface OpenUpload {
  id: string;
  description: string;
  partBytes: number;
}

/** A part that the vault holds. */
export interface HeldPart extends Part {
  treeHash: string;
}

const folder = "multipart-uploads";
const smallLimit = 64 * 1024;
const listLimit = 8 * 1024 * 1024;

/** Begins an upload; its id. Not idempotent: `recheck` says whether an earlier try did begin one. */
export function initiateUpload(
  client: VaultClient,
  options: {
    description: string;
    partBytes: number;
    signal: AbortSignal;
    recheck: () => Promise<string | undefined>;
  },
): Promise<string> {
  const { description, partBytes, signal, recheck } = options;
  return client.ask({
    what: "begin an upload",
    method: "POST",
    path: [folder],
    headers: { "x-amz-archive-description": description, "x-amz-part-size": String(partBytes) },
    success: [201],
    limit: smallLimit,
  }, { signal, recheck, read: (answer) => id(answer.header("x-amz-multipart-upload-id"), "the id of the upload") });
}

/** Sends a part. Sending it again replaces it. */
export function uploadPart(
  client: VaultClient,
  options: { upload: string; from: number; body: Uint8Array; sha256: string; treeHash: string; signal: AbortSignal },
): Promise<void> {
  const { upload, from, body, sha256, signal } = options;
  const end = from + body.length - 1;
  return client.ask({
    what: `upload bytes ${from} to ${end}`,
    method: "PUT",
    path: [folder, upload],
    headers: {
      "content-range": `bytes ${from}-${end}/*`,
      "content-type": "application/octet-stream",
      "x-amz-sha256-tree-hash": options.treeHash,
    },
    body,
    bodySha256: sha256,
    success: [204],
    limit: smallLimit,
  }, { signal, read: (answer) => requireTreeHash(answer, options.treeHash) });
}

/** Makes an archive of an upload; its id. May be repeated for a short while after it has succeeded. */
export function completeUpload(
  client: VaultClient,
  options: { upload: string; bytes: number; treeHash: string; signal: AbortSignal },
): Promise<string> {
  return client.ask({
    what: "complete an upload",
    method: "POST",
    path: [folder, options.upload],
    headers: { "x-amz-archive-size": String(options.bytes), "x-amz-sha256-tree-hash": options.treeHash },
    success: [201],
    limit: smallLimit,
  }, {
    signal: options.signal,
    read: (answer) => {
      if (answer.header("x-amz-sha256-tree-hash") !== undefined) requireTreeHash(answer, options.treeHash);
      return id(answer.header("x-amz-archive-id"), "the id of the archive");
    },
  });
}

/** The part size of an upload and the parts that the vault has of it. */
export async function listParts(
  client: VaultClient,
  options: { upload: string; signal: AbortSignal },
): Promise<{ partBytes: number; description: string; parts: HeldPart[] }> {
  const parts: HeldPart[] = [];
  let partBytes = 0;
  let description = "";
  const pages = pagesOf(client, {
    what: "list the parts of an upload",
    path: [folder, options.upload],
    limit: listLimit,
    signal: options.signal,
    read: (page) => ({
      partBytes: size(page.PartSizeInBytes, "the part size of the upload"),
      description: optionalText(page.ArchiveDescription, "the description of the upload") ?? "",
      parts: list(page.Parts, "the list of parts").map((entry) => {
        const { RangeInBytes, SHA256TreeHash } = object(entry, "a part");
        return {
          ...byteRange(RangeInBytes, "the range of a part"),
          treeHash: treeHash(SHA256TreeHash, "the tree hash of a part"),
        };
      }),
    }),
  });
  for await (const page of pages) {
    ({ partBytes, description } = page);
    parts.push(...page.parts);
  }
  return { partBytes, description, parts };
}

/** All uploads that were begun in this vault and neither completed nor given up. */
export async function listUploads(client: VaultClient, options: { signal: AbortSignal }): Promise<OpenUpload[]> {
  const uploads: OpenUpload[] = [];
  const pages = pagesOf(client, {
    what: "list the unfinished uploads",
    path: [folder],
    limit: listLimit,
    signal: options.signal,
    read: (page) =>
      list(page.UploadsList, "the list of uploads").map((entry) => {
        const upload = object(entry, "an upload");
        return {
          id: id(upload.MultipartUploadId, "the id of an upload"),
          description: optionalText(upload.ArchiveDescription, "the description of an upload") ?? "",
          partBytes: size(upload.PartSizeInBytes, "the part size of an upload"),
        };
      }),
  });
  for await (const page of pages) uploads.push(...page);
  return uploads;
}

function requireTreeHash(answer: Answer, expected: string): void {
  const found = text(answer.header("x-amz-sha256-tree-hash"), "the tree hash in the answer");
  if (found.toLowerCase() !== expected) {
    throw new BrokenAnswerError(`the service says that these bytes have the tree hash ${found}, they have ${expected}`);
  }
}
