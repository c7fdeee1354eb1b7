/**
 * The way of a request: told what it is, met by the faults that are planned for it, checked for who signed it, done,
 * answered, and written down.
 */
import { createHash, randomUUID } from "node:crypto";
import { type Call, parseQuery, type Reply, type Surroundings } from "./call.ts";
import { errorAnswer, errorXml, type Service, ServiceError } from "./errors.ts";
import { type FaultPlan, FaultPlans, refusalOf } from "./faults.ts";
import { type Answer, textBody, writeAnswer } from "./http/answer.ts";
import { type Connection, ConnectionLostError, type HttpRequest } from "./http/connection.ts";
import { BrokenOffError } from "./http/request_body.ts";
import type { LoggedRequest } from "./log.ts";
import type { Buckets } from "./s3/bucket.ts";
import { routeS3 } from "./s3/routes.ts";
import { type Authorization, checkSignature, readAuthorization } from "./signature.ts";
import { account, type User } from "./users.ts";
import { bodyOperations, routeVault } from "./vault/routes.ts";
import type { Vaults } from "./vault/vault.ts";

/** All that there is behind one address. */
export interface Site {
  surroundings: Surroundings;
  buckets: Buckets;
  vaults: Vaults;
  users: ReadonlyMap<string, User>;
  requests: LoggedRequest[];
  faults: FaultPlans;
  /** Answers what is asked of the emulator itself. */
  admin(request: HttpRequest): Promise<Answer>;
}

/** What a request is, and how it is done once it is known to be allowed. */
interface Routed {
  log: LoggedRequest;
  run(call: Call): Reply | Promise<Reply>;
}

const longestDocumentBytes = 1024 * 1024;
const emptyHash = createHash("sha256").digest("hex");

/** Serves one connection until either side has enough. */
export async function serveConnection(site: Site, connection: Connection): Promise<void> {
  try {
    for (let goesOn = true; goesOn;) {
      const request = await connection.request();
      if (!request) return;
      goesOn = await serveRequest(site, connection, request);
    }
  } catch (error) {
    if (!(error instanceof ConnectionLostError || error instanceof BrokenOffError)) throw error;
  } finally {
    connection.close();
  }
}

/** Serves one request; whether the connection goes on afterwards. */
async function serveRequest(site: Site, connection: Connection, request: HttpRequest): Promise<boolean> {
  if (request.path.startsWith("/_emulator/")) {
    await writeAnswer(connection, await site.admin(request), { method: request.method, closes: true });
    return false;
  }
  const authorization = readAuthorization(request.headers.get("authorization") ?? "");
  const isVault = authorization?.service === "glacier" || request.headers.has("x-amz-glacier-version");
  const service: Service = isVault ? "glacier" : "s3";
  const requestId = randomUUID().replaceAll("-", "").slice(0, 16).toUpperCase();
  const log: LoggedRequest = {
    ...{ at: site.surroundings.clock.now(), service, operation: "Unknown" },
    ...{ status: 0, bytesIn: 0, bytesOut: 0, confirmed: false },
  };
  site.requests.push(log);
  let fault: FaultPlan | undefined;
  let answer: Answer;
  try {
    const query = parseQuery(request.query);
    const routed = route(site, request, { service, query, log });
    fault = site.faults.for(log, site.surroundings.clock);
    if (fault) log.fault = fault.action;
    if (fault?.action === "stall") {
      await request.body.drain();
      log.bytesIn = request.body.receivedBytes;
      await connection.gone();
      return false;
    }
    answer = await befall(fault, request, { service, requestId }) ??
      common(service, requestId, await run(site, request, { routed, query, service, authorization }));
  } catch (error) {
    log.bytesIn = request.body.receivedBytes;
    if (!(error instanceof ServiceError)) throw error;
    log.code = error.code;
    answer = errorAnswer(service, error, requestId);
  }
  log.status = answer.status;
  log.bytesIn = request.body.receivedBytes;
  if (fault?.action === "drop-answer") return false;
  const held = request.body.isHeldBack;
  if (!held) await request.body.drain();
  log.bytesIn = request.body.receivedBytes;
  answer.headers["Date"] = site.surroundings.clock.now().toUTCString();
  const closes = held || /\bclose\b/i.test(request.headers.get("connection") ?? "") || fault?.action === "short-body";
  const length = answer.body?.length ?? 0;
  const cutAt = fault?.action === "short-body" ? fault.afterBytes ?? Math.floor(length / 2) : Infinity;
  const flips = fault?.action === "flip-bit";
  log.bytesOut = await writeAnswer(connection, answer, { method: request.method, closes, cutAt, flips });
  log.confirmed = log.bytesOut === length || request.method === "HEAD";
  return !closes && fault?.action !== "close-idle";
}

/** Finds out what is asked. */
function route(site: Site, request: HttpRequest, known: {
  service: Service;
  query: ReadonlyMap<string, string>;
  log: LoggedRequest;
}): Routed {
  const { method, path, headers } = request;
  const { service, query, log } = known;
  const part = headers.get("content-range")?.match(/^bytes (\d+-\d+)\/\*$/)?.[1];
  const range = part ?? headers.get("range") ?? query.get("partNumber");
  if (range !== undefined) log.range = range;
  const missing = () => {
    throw new ServiceError(501, "NotImplemented", `The emulator has no ${method} ${path}?${request.query}`);
  };
  if (service === "s3") {
    const { bucketName, key, operation, run } = routeS3(method, path, query, (name) => headers.has(name));
    Object.assign(log, { operation, ...(bucketName && { bucket: bucketName }), ...(key && { key }) });
    return { log, run: (call) => (run ?? missing)({ ...call, buckets: site.buckets, bucketName, key }) };
  }
  const { owner, vaultName, id, operation, run } = routeVault(method, path);
  Object.assign(log, { operation, ...(vaultName && { vault: vaultName }), ...(id && { id }) });
  return {
    log,
    run: (call) => {
      if (owner !== "-" && owner !== account) {
        throw new ServiceError(403, "AccessDeniedException", `Not account ${owner}`);
      }
      return (run ?? missing)({ ...call, vaults: site.vaults, vaultName, id });
    },
  };
}

/** What a fault does before the request is looked at; an answer, if that is all. */
async function befall(
  fault: FaultPlan | undefined,
  request: HttpRequest,
  { service, requestId }: { service: Service; requestId: string },
): Promise<Answer | undefined> {
  if (!fault) return undefined;
  const refusal = refusalOf(fault.action, service);
  if (refusal) throw refusal;
  if (fault.action === "drop-request") throw new BrokenOffError("The plan of faults drops this request");
  const { announcedLength = 0, isChunked } = request.body;
  if (fault.action === "reset" && announcedLength === 0 && !isChunked) {
    throw new BrokenOffError("There is no body to break");
  }
  if (fault.action === "reset") request.body.failAfter(Math.min(fault.afterBytes ?? 1, announcedLength || Infinity));
  if (fault.action === "delay") await new Promise((resolve) => setTimeout(resolve, fault.delayMs ?? 0));
  if (fault.action !== "error-inside") return undefined;
  await request.body.drain();
  const message = "We encountered an internal error. Please try again.";
  const body = textBody(errorXml({ code: "InternalError", message, details: {} }, requestId));
  return { status: 200, headers: { "Content-Type": "application/xml" }, body };
}

/** Checks who asks, and does it. */
async function run(site: Site, request: HttpRequest, known: {
  routed: Routed;
  query: ReadonlyMap<string, string>;
  service: Service;
  authorization: Authorization | undefined;
}): Promise<Reply> {
  const { routed: { log, run }, query, service, authorization } = known;
  const { surroundings } = site;
  if (service === "glacier") checkVaultHeaders(site, request);
  if (!authorization) {
    if (service === "glacier") {
      throw new ServiceError(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    }
    throw new ServiceError(403, "AccessDenied", "Access Denied");
  }
  const user = userOf(site, request, { authorization, service });
  log.user = user.name;
  const given = request.headers.get("x-amz-content-sha256");
  if (service === "s3" && given === undefined) {
    throw new ServiceError(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  }
  const isDocument = service === "glacier" && !bodyOperations.includes(log.operation);
  const earlyBody = isDocument ? await request.body.whole(longestDocumentBytes) ?? tooLong() : undefined;
  const actual = earlyBody && createHash("sha256").update(earlyBody).digest("hex");
  const payloadHash = given ?? actual ?? emptyHash;
  const hashes = /^([0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-[A-Z0-9-]+)$/;
  if (service === "s3" ? !hashes.test(payloadHash) : !/^[0-9a-f]{64}$/.test(payloadHash)) {
    throw new ServiceError(
      400,
      "InvalidArgument",
      "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, or a valid sha256 value.",
    );
  }
  const { region, clock } = surroundings;
  const times = [[new Date(), new Date()], [clock.startedAt, clock.now()]] as const;
  checkSignature(request, authorization, { service, region, secret: user.secretAccessKey, payloadHash, times });
  if (actual !== undefined && actual !== payloadHash) {
    throw new ServiceError(400, "InvalidParameterValueException", "x-amz-content-sha256 is not that of the body");
  }
  return await run({ service, request, query, user, log, payloadHash, earlyBody, surroundings });
}

function checkVaultHeaders(site: Site, request: HttpRequest): void {
  const version = request.headers.get("x-amz-glacier-version");
  if (version === undefined) {
    throw new ServiceError(400, "MissingParameterValueException", "Required parameter missing: x-amz-glacier-version");
  }
  if (version !== "2012-06-01") {
    throw new ServiceError(400, "InvalidParameterValueException", `Invalid x-amz-glacier-version: ${version}`);
  }
  if (site.surroundings.switches.has("vaults-no-longer-supported")) {
    throw new ServiceError(400, "NoLongerSupportedException", "Amazon Glacier is no longer supported for this account");
  }
}

function userOf(site: Site, request: HttpRequest, known: { authorization: Authorization; service: Service }): User {
  const user = site.users.get(known.authorization.accessKeyId);
  const token = request.headers.get("x-amz-security-token");
  const isS3 = known.service === "s3";
  if (!user) {
    const message = "The AWS Access Key Id you provided does not exist in our records.";
    throw isS3
      ? new ServiceError(403, "InvalidAccessKeyId", message)
      : new ServiceError(403, "UnrecognizedClientException", message);
  }
  if (token !== user.sessionToken) {
    const message = "The provided token is malformed or otherwise invalid.";
    throw isS3
      ? new ServiceError(400, "InvalidToken", message)
      : new ServiceError(403, "UnrecognizedClientException", message);
  }
  if (user.expiresAt && user.expiresAt <= site.surroundings.clock.now()) {
    throw refusalOf("expired-token", known.service)!;
  }
  return user;
}

function tooLong(): never {
  throw new ServiceError(400, "SerializationException", "The request body is too long");
}

/** The headers that a service's answers all have. */
function common(service: Service, requestId: string, reply: Reply): Answer {
  const headers: Record<string, string> = service === "s3"
    ? { "x-amz-request-id": requestId, "x-amz-id-2": `${requestId}+`, Server: "AmazonS3" }
    : { "x-amzn-RequestId": requestId };
  return { status: reply.status, headers: { ...headers, ...reply.headers }, ...(reply.body && { body: reply.body }) };
}
