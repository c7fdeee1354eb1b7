/**
 * What a failed request means: whether it is worth another try, and in words what to do. Amazon's codes and those of the
 * servers that imitate it, down to the sockets below.
 */
import { ArchivedError, NotFoundError, StoreFullError, StoreReadOnlyError } from "../errors.ts";

/** A transfer that stood still or was cut short. */
export class TransferError extends Error {
  override name = "TransferError";
}

/** An answer that makes no sense. It may have been an accident, but not for hours. */
export class OddAnswerError extends Error {
  override name = "OddAnswerError";
}

/** The server keeps something else than it was given. Trying again would not help. */
export class UnfaithfulError extends Error {
  override name = "UnfaithfulError";
}

/** Whether to try again: `long` for hours, `few` times, `refresh` the credentials first (and a few times). */
export interface Verdict {
  again: "long" | "few" | "refresh" | "never";
  /** The server has answered, so it exists. */
  answered: boolean;
  unknownHost: boolean;
}

const throttled =
  /^(SlowDown|Throttl\w*|RequestLimitExceeded|TooManyRequests\w*|BandwidthLimitExceeded|EC2Throttled\w*)$/;
const overLong = new Set([
  ...["RequestTimeout", "RequestTimeoutException", "IncompleteBody", "InternalError", "ServiceUnavailable"],
  ...["ConditionalRequestConflict", "OperationAborted"],
]);
/** Bytes that were spoilt on the way, and a clock that runs wrong, which the SDK corrects once it was told. */
const inFew = new Set([
  ...["BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "RequestTimeTooSkewed"],
  ...["RequestExpired", "InvalidChunkSizeError"],
]);
/** Only another tier, or another day, would help. */
const notToday = new Set(["GlacierExpeditedRetrievalNotAvailable"]);
const expired = new Set(["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"]);
const ourMistakes = ["TypeError", "ReferenceError", "RangeError", "UnfaithfulError", "NotCapable"];

/** Whether another try makes sense. */
export function judge(error: unknown): Verdict {
  const status = statusOf(error);
  const code = codeOf(error);
  const verdict = (again: Verdict["again"]) => ({ again, answered: status !== undefined, unknownHost: false });
  if (notToday.has(code)) return verdict("never");
  if (throttled.test(code) || overLong.has(code)) return verdict("long");
  if (expired.has(code)) return verdict("refresh");
  if (inFew.has(code) || (status === 400 && code === "Unknown")) return verdict("few");
  if (status !== undefined && status >= 400) {
    return verdict(status === 408 || status === 429 || (status >= 500 && status !== 501) ? "long" : "never");
  }
  if (error instanceof TransferError) return verdict("long");
  if (error instanceof OddAnswerError) return verdict("few");
  const system = systemCodeOf(error);
  const unknownHost = system === "ENOTFOUND";
  if (!(error instanceof Error) || isExplained(error) || ourMistakes.includes(error.name)) return verdict("never");
  if (isCertificateTrouble(error) || isCredentialTrouble(error)) return verdict("never");
  // What came was no answer of such a server: a proxy's page, perhaps.
  if (status !== undefined || error.name === "SyntaxError") return verdict("few");
  return { again: "long", answered: false, unknownHost };
}

/** The HTTP status of an answer that the SDK made an error of. */
export function statusOf(error: unknown): number | undefined {
  const metadata = (error as { $metadata?: { httpStatusCode?: unknown } } | undefined)?.$metadata;
  return typeof metadata?.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}

/** The server's own word for it: `NoSuchKey`. */
export function codeOf(error: unknown): string {
  const { Code, name } = (error ?? {}) as { Code?: unknown; name?: unknown };
  return typeof Code === "string" ? Code : typeof name === "string" ? name : "";
}

function systemCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : systemCodeOf(error.cause);
}

function isCertificateTrouble({ message }: Error): boolean {
  return /certificate|self.signed|UnknownIssuer|CertNotValid|InvalidContentType|wrong version number/i.test(message);
}

function isCredentialTrouble({ name }: Error): boolean {
  return /^(CredentialsProviderError|TokenProviderError|ProviderError)$/.test(name);
}

function isExplained(error: Error): boolean {
  return /^(NotFound|Exists|StoreFull|StoreReadOnly|Archived|Abort)Error$/.test(error.name);
}

/** Says in words why `doing` (say, `write s3://bucket/keys/a.age`) failed. `writing` tells a denied write from a denied read. */
export function explain(
  error: unknown,
  { doing, bucket, endpoint, writing = false }: {
    doing: string;
    bucket: string;
    endpoint: string | undefined;
    writing?: boolean;
  },
): Error {
  if (!(error instanceof Error)) return new Error(`Cannot ${doing}: ${String(error)}`);
  if (isExplained(error)) return error;
  const cause = { cause: error };
  const status = statusOf(error);
  const code = codeOf(error);
  const said = status === undefined ? error.message : `${status} ${code}${error.message ? `: ${error.message}` : ""}`;
  if (code === "NoSuchBucket") {
    return new NotFoundError(
      `Cannot ${doing}: there is no bucket "${bucket}". Create it first, or check the name, --endpoint and --region`,
      cause,
    );
  }
  if (code === "InvalidObjectState") {
    return new ArchivedError(
      `Cannot ${doing}: the object is archived and must be restored before it can be read`,
      cause,
    );
  }
  if (code === "NoSuchKey" || status === 404) return new NotFoundError(`Cannot ${doing}: it does not exist`, cause);
  if (/^(QuotaExceeded\w*|XMinioStorageFull|InsufficientStorage|EntityTooLarge)$/.test(code) || status === 507) {
    return new StoreFullError(`Cannot ${doing}: the store has no room (${said})`, cause);
  }
  if (expired.has(code)) {
    return new Error(
      `Cannot ${doing}: the credentials have expired and no newer ones are to be had (${said}). Log in again ` +
        '("aws sso login", say), then run the same command again',
      cause,
    );
  }
  if (/^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|AuthorizationHeaderMalformed)$/.test(code)) {
    return new Error(
      `Cannot ${doing}: the server does not accept the credentials (${said}). Check the access key, --profile, --region ` +
        "and --endpoint",
      cause,
    );
  }
  if (status === 403) {
    const message =
      `Cannot ${doing}: access denied (${said}). Check what these credentials may do in bucket "${bucket}" ` +
      "(docs/S3.md has policies)";
    return writing ? new StoreReadOnlyError(message, cause) : new Error(message, cause);
  }
  if (status === 301 || status === 307) {
    return new Error(
      `Cannot ${doing}: bucket "${bucket}" is in another region (${said}). Name it with --region`,
      cause,
    );
  }
  if (isCredentialTrouble(error)) {
    return new Error(
      `Cannot ${doing}: no credentials (${error.message}). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a ` +
        "--profile, or log in",
      cause,
    );
  }
  if (systemCodeOf(error) === "ENOTFOUND") {
    return new Error(
      `Cannot ${doing}: there is no server of that name (${error.message}). Check --endpoint and --region, and the network`,
      cause,
    );
  }
  if (status === undefined && systemCodeOf(error) !== "" && !(error instanceof RangeError)) {
    return new Error(
      `Cannot ${doing}: nobody answers at ${
        endpoint ?? "Amazon S3"
      } (${said}). Check --endpoint and the network, then run ` +
        "the same command again; what was finished is kept",
      cause,
    );
  }
  return new Error(`Cannot ${doing}: ${said}`, cause);
}
