/** Which operation a request to a vault is. */
import type { Reply } from "../call.ts";
import { deleteArchive, uploadArchive } from "./archives.ts";
import type { VaultCall } from "./call.ts";
import { describeJob, initiateJob, listJobs } from "./jobs.ts";
import {
  abortMultipartUpload,
  completeMultipartUpload,
  initiateMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadMultipartPart,
} from "./multipart.ts";
import { getJobOutput } from "./output.ts";
import { createVault, deleteVault, describeVault, listVaults } from "./vaults.ts";

type Operation = (call: VaultCall) => Reply | Promise<Reply>;

/** Method, path behind `/{account}/vaults`, name and operation. */
const routes: readonly [string, RegExp, string, Operation][] = [
  ["GET", /^\/?$/, "ListVaults", listVaults],
  ["PUT", /^\/([^/]+)$/, "CreateVault", createVault],
  ["GET", /^\/([^/]+)$/, "DescribeVault", describeVault],
  ["DELETE", /^\/([^/]+)$/, "DeleteVault", deleteVault],
  ["POST", /^\/([^/]+)\/archives$/, "UploadArchive", uploadArchive],
  ["DELETE", /^\/([^/]+)\/archives\/([^/]+)$/, "DeleteArchive", deleteArchive],
  ["POST", /^\/([^/]+)\/multipart-uploads$/, "InitiateMultipartUpload", initiateMultipartUpload],
  ["GET", /^\/([^/]+)\/multipart-uploads$/, "ListMultipartUploads", listMultipartUploads],
  ["PUT", /^\/([^/]+)\/multipart-uploads\/([^/]+)$/, "UploadMultipartPart", uploadMultipartPart],
  ["POST", /^\/([^/]+)\/multipart-uploads\/([^/]+)$/, "CompleteMultipartUpload", completeMultipartUpload],
  ["DELETE", /^\/([^/]+)\/multipart-uploads\/([^/]+)$/, "AbortMultipartUpload", abortMultipartUpload],
  ["GET", /^\/([^/]+)\/multipart-uploads\/([^/]+)$/, "ListParts", listParts],
  ["POST", /^\/([^/]+)\/jobs$/, "InitiateJob", initiateJob],
  ["GET", /^\/([^/]+)\/jobs$/, "ListJobs", listJobs],
  ["GET", /^\/([^/]+)\/jobs\/([^/]+)$/, "DescribeJob", describeJob],
  ["GET", /^\/([^/]+)\/jobs\/([^/]+)\/output$/, "GetJobOutput", getJobOutput],
];

/** Operations whose bodies are too long to be read before they are understood. */
export const bodyOperations: readonly string[] = ["UploadArchive", "UploadMultipartPart"];

/** The operation and what it is about; undefined: the emulator has none like it. */
export function routeVault(method: string, path: string) {
  const [, owner = "", rest = ""] = path.match(/^\/([^/]+)\/vaults(\/.*)?$/) ?? [];
  for (const [verb, pattern, operation, run] of routes) {
    const match = verb === method && owner !== "" ? rest.match(pattern) : null;
    if (match) return { owner, vaultName: decodeURIComponent(match[1] ?? ""), id: match[2] ?? "", operation, run };
  }
  return { owner, vaultName: "", id: "", operation: "Unknown", run: undefined };
}
