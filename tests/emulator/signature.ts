/**
 * AWS Signature Version 4, checked: "Signature Version 4 signing process" of the AWS General Reference, written from the
 * text and not with a package, so that it is a second opinion on what clients sign. The canonical path is encoded once for
 * S3 and twice for everybody else.
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { type Service, ServiceError } from "./errors.ts";

/** The parts of an Authorization header. */
export interface Authorization {
  accessKeyId: string;
  date: string;
  region: string;
  service: string;
  signedHeaders: string[];
  signature: string;
}

/** What is signed. */
export interface Signed {
  method: string;
  path: string;
  query: string;
  headers: ReadonlyMap<string, string>;
}

/** Reads an Authorization header; undefined: it is none of Signature Version 4. */
export function readAuthorization(header: string): Authorization | undefined {
  const [, fields] = header.match(/^AWS4-HMAC-SHA256 +(.*)$/) ?? [];
  if (fields === undefined) return undefined;
  const values = new Map(fields.split(",").map((field) => field.trim().split("=", 2) as [string, string]));
  const [accessKeyId, date, region, service, end, ...more] = (values.get("Credential") ?? "").split("/");
  const [signedHeaders, signature] = [values.get("SignedHeaders"), values.get("Signature")];
  if (!accessKeyId || !date || !region || !service || end !== "aws4_request" || more.length > 0) return undefined;
  if (!signedHeaders || !signature) return undefined;
  return { accessKeyId, date, region, service, signedHeaders: signedHeaders.split(";"), signature };
}

/** The text whose hash is signed. */
export function canonicalRequest(signed: Signed, options: {
  service: string;
  signedHeaders: readonly string[];
  payloadHash: string;
}): string {
  const { service, signedHeaders, payloadHash } = options;
  const path = signed.path.split("/").map((part) => encode(service === "s3" ? decode(part) : part)).join("/");
  const parameters = signed.query.split("&").filter((text) => text !== "").map((text) => {
    const at = text.indexOf("=");
    const [name, value] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    return [encode(decode(name)), encode(decode(value))] as const;
  });
  parameters.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  const headers = signedHeaders.map((name) =>
    `${name}:${(signed.headers.get(name) ?? "").replace(/ +/g, " ").trim()}\n`
  );
  return [
    signed.method,
    path,
    parameters.map(([name, value]) => `${name}=${value}`).join("&"),
    headers.join(""),
    signedHeaders.join(";"),
    payloadHash,
  ].join("\n");
}

/** The key that a day's requests to one service of one region are signed with. */
export function signingKey(secret: string, scope: { date: string; region: string; service: string }): Uint8Array {
  const steps = [scope.date, scope.region, scope.service, "aws4_request"];
  return steps.reduce<Uint8Array>((key, step) => hmac(key, step), Buffer.from(`AWS4${secret}`));
}

/** The signature of a request, hex. */
export function signature(
  signed: Signed,
  authorization: Authorization,
  options: { secret: string; at: string; payloadHash: string },
): string {
  const { date, region, service, signedHeaders } = authorization;
  const canonical = canonicalRequest(signed, { service, signedHeaders, payloadHash: options.payloadHash });
  const hash = createHash("sha256").update(canonical).digest("hex");
  const text = ["AWS4-HMAC-SHA256", options.at, `${date}/${region}/${service}/aws4_request`, hash].join("\n");
  return Buffer.from(hmac(signingKey(options.secret, authorization), text)).toString("hex");
}

/**
 * Checks a request's signature, and that it is of now: of the real now, or of a time that the emulator's clock has shown.
 * Amazon's clients set their own clocks by the Date of the last answer, which here may be from before the clock was moved.
 */
export function checkSignature(signed: Signed, authorization: Authorization, options: {
  service: Service;
  region: string;
  secret: string;
  payloadHash: string;
  /** Any time from the first to the second will do. */
  times: readonly (readonly [Date, Date])[];
}): void {
  const { service, region } = options;
  const wrong = service === "s3" ? "SignatureDoesNotMatch" : "InvalidSignatureException";
  const refuse = (message: string, code = wrong) => new ServiceError(403, code, message);
  if (authorization.service !== service) throw refuse(`Credential should be scoped to service "${service}"`);
  if (authorization.region !== region) {
    if (service === "glacier") {
      throw refuse(`Credential should be scoped to a valid region, not "${authorization.region}"`);
    }
    throw new ServiceError(
      400,
      "AuthorizationHeaderMalformed",
      `The authorization header is malformed; the region '${authorization.region}' is wrong; expecting '${region}'`,
      { "x-amz-bucket-region": region },
    );
  }
  const at = signed.headers.get("x-amz-date") ?? "";
  const [, ...digits] = at.match(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/) ?? [];
  if (digits.length === 0) {
    throw refuse("AWS authentication requires a valid Date or x-amz-date header", "AccessDenied");
  }
  if (!at.startsWith(authorization.date)) throw refuse("The date of the credential scope is not that of the request");
  const [year, month, day, ...time] = digits.map(Number) as [number, number, number, number, number, number];
  const atMs = Date.UTC(year, month - 1, day, ...time);
  const skewMs = 15 * 60_000;
  if (!options.times.some(([from, to]) => atMs >= from.getTime() - skewMs && atMs <= to.getTime() + skewMs)) {
    throw service === "s3"
      ? refuse("The difference between the request time and the current time is too large.", "RequestTimeTooSkewed")
      : refuse(`Signature expired or not yet current: ${at}`);
  }
  checkSignedHeaders(signed, authorization, refuse);
  const { secret, payloadHash } = options;
  const right = Buffer.from(signature(signed, authorization, { secret, at, payloadHash }));
  const given = Buffer.from(authorization.signature);
  if (right.length !== given.length || !timingSafeEqual(right, given)) {
    throw refuse("The request signature we calculated does not match the signature you provided.");
  }
}

/** `host` and every `x-amz-…` header must be under the signature. */
function checkSignedHeaders(
  signed: Signed,
  { signedHeaders }: Authorization,
  refuse: (message: string, code?: string) => ServiceError,
): void {
  if (signedHeaders.join(";") !== [...signedHeaders].sort(compare).join(";")) {
    throw refuse("SignedHeaders are not sorted");
  }
  if (!signedHeaders.includes("host")) throw refuse("'Host' must be a 'SignedHeader' in the AWS Authorization.");
  const unsigned = [...signed.headers.keys()].filter((name) =>
    name.startsWith("x-amz-") && !signedHeaders.includes(name)
  );
  if (unsigned.length > 0) {
    throw refuse(
      `There were headers present in the request which were not signed: ${unsigned.join(", ")}`,
      "AccessDenied",
    );
  }
}

/** Percent-decoding; a plus sign stays one: clients that mean a space write %20. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ServiceError(400, "InvalidURI", "Couldn't parse the specified URI.");
  }
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac("sha256", key).update(text).digest();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
