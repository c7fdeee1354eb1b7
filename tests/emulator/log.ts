/** What was asked of the emulator and what came of it: tests assert on it. */
import type { Service } from "./errors.ts";

/** One request, from the moment it could be told what it is. */
export interface LoggedRequest {
  /** By the emulator's clock. */
  at: Date;
  service: Service;
  /** Amazon's name of it: `PutObject`, `UploadMultipartPart`, … */
  operation: string;
  /** The name of the user whose key signed it. */
  user?: string;
  bucket?: string;
  key?: string;
  vault?: string;
  /** An archive's, an upload's or a job's id. */
  id?: string;
  /** Bytes of a vault part ("0-1048575"), or the Range header of a download, or the number of an S3 part. */
  range?: string;
  /** What was answered, or would have been; 0: the request broke off before there was anything to answer. */
  status: number;
  /** The code of the error that was answered. */
  code?: string;
  /** Bytes of body that came in and went out. */
  bytesIn: number;
  bytesOut: number;
  /** The whole answer went out: the client could know of it. A 2xx that is not confirmed was done all the same. */
  confirmed: boolean;
  /** The fault that was played on it. */
  fault?: string;
}
