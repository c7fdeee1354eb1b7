/** What the emulator's own tests have in common: an emulator with clients that nobody here wrote, and one that may break rules. */
import { GlacierClient } from "@aws-sdk/client-glacier";
import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { type Emulator, type EmulatorOptions, startEmulator, type User } from "./mod.ts";
import { signature } from "./signature.ts";

export interface Scene {
  emulator: Emulator;
  /** As the owner, one attempt a request. */
  s3: S3Client;
  glacier: GlacierClient;
  /** Another client of S3, for another user or with other settings. */
  s3Of(
    user: Pick<User, "accessKeyId" | "secretAccessKey"> & { sessionToken?: string },
    more?: S3ClientConfig,
  ): S3Client;
  /** The names and statuses of what was asked so far. */
  asked(): string[];
}

/** Runs a test with an emulator of its own, whose clock stands still at 2026-03-01 10:00 UTC. */
export async function withEmulator(
  test: (scene: Scene) => Promise<void>,
  options: EmulatorOptions = {},
): Promise<void> {
  const emulator = await startEmulator({ startAt: new Date("2026-03-01T10:00:00Z"), ...options });
  const s3Of: Scene["s3Of"] = ({ accessKeyId, secretAccessKey, sessionToken }, more = {}) => {
    const credentials = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    const { endpoint, region } = emulator;
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1, ...more });
    clients.push(client);
    return client;
  };
  const clients: { destroy(): void }[] = [];
  const credentials = { accessKeyId: emulator.accessKeyId, secretAccessKey: emulator.secretAccessKey };
  const glacier = new GlacierClient({
    endpoint: emulator.endpoint,
    region: emulator.region,
    credentials,
    maxAttempts: 1,
  });
  const asked = () => emulator.requests.map(({ operation, status }) => `${operation} ${status}`);
  try {
    await test({ emulator, s3: s3Of(emulator), glacier, s3Of, asked });
  } finally {
    for (const client of [...clients, glacier]) client.destroy();
    await emulator.close();
  }
}

/** A request as bytes, so that it can be wrong in every way. */
export interface RawRequest {
  method: string;
  /** With its query. */
  target: string;
  service: "s3" | "glacier";
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
  /** Instead of the right ones. */
  secret?: string;
  at?: Date;
  payloadHash?: string;
  region?: string;
  /** Sent, but not under the signature. */
  unsigned?: Record<string, string>;
}

/** Signs a request and sends it by itself; the answer as text. */
export async function send(
  emulator: Emulator,
  request: RawRequest,
): Promise<{ status: number; text: string; headers: Headers }> {
  const { path, headers } = signed(emulator, request);
  const init = { method: request.method, headers, ...(request.body ? { body: request.body } : {}) };
  const response = await fetch(`${emulator.endpoint}${path}`, init);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** The headers that a request goes with. */
export function signed(emulator: Emulator, request: RawRequest): { path: string; headers: Record<string, string> } {
  const [path, query = ""] = request.target.split("?", 2) as [string, string?];
  const body = request.body ?? new Uint8Array();
  const payloadHash = request.payloadHash ?? createHash("sha256").update(body).digest("hex");
  const at = (request.at ?? new Date()).toISOString().replace(/[-:]|\.\d+/g, "");
  const headers: Record<string, string> = {
    host: new URL(emulator.endpoint).host,
    "x-amz-date": at,
    "x-amz-content-sha256": payloadHash,
    ...(request.service === "glacier" ? { "x-amz-glacier-version": "2012-06-01" } : {}),
    ...request.headers,
  };
  const signedHeaders = Object.keys(headers).map((name) => name.toLowerCase()).sort();
  const scope = { date: at.slice(0, 8), region: request.region ?? emulator.region, service: request.service };
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const authorization = { ...scope, accessKeyId: emulator.accessKeyId, signedHeaders, signature: "" };
  const sign = signature({ method: request.method, path, query, headers: byName }, authorization, {
    secret: request.secret ?? emulator.secretAccessKey,
    at,
    payloadHash,
  });
  const credential = `${emulator.accessKeyId}/${scope.date}/${scope.region}/${scope.service}/aws4_request`;
  const text = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(";")}, Signature=${sign}`;
  return { path: request.target, headers: { ...headers, ...request.unsigned, authorization: text } };
}

/** Bytes that are no pattern of a power of two. */
export function someBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = at % 251;
  return bytes;
}

/** Runs what must be refused; the name of the error that the client made of it. */
export async function refusal(doing: Promise<unknown>): Promise<string> {
  try {
    await doing;
  } catch (error) {
    return (error as Error).name;
  }
  throw new Error("This should have been refused");
}
