/** What can go wrong with a vault, each in a sentence that says what to do. */

/** The service refused: what it was asked, its code, and what that means. */
export class VaultError extends Error {
  override name = "VaultError";
  constructor(message: string, readonly status: number, readonly code: string) {
    super(message);
  }
}

/** What came back is no answer to what was asked: cut short, not JSON, of another length or hash. Asked again a few times. */
export class BrokenAnswerError extends Error {
  override name = "BrokenAnswerError";
}

/** An answer with a status of failure, as far as it can be told. */
export interface Refusal {
  /** What was being done, as in `Cannot ${what}`. */
  what: string;
  status: number;
  code: string;
  message: string;
  /** How far this machine's clock is ahead of the service's. */
  clockAheadMs: number | undefined;
}

const tolerableSkewMs = 5 * 60_000;

/** The error that tells a refusal. */
export function refusalError(refusal: Refusal): VaultError {
  const { what, status, code } = refusal;
  return new VaultError(`Cannot ${what}: ${meaning(refusal)} (${status} ${code})`, status, code);
}

function meaning({ status, code, message, clockAheadMs }: Refusal): string {
  if (/^NoLongerSupported/.test(code)) {
    return "Amazon Glacier has taken no new customers since 2025-12-15. Vaults of accounts that used it before keep " +
      "working; others store bricks in S3's own archive class: s3://bucket/prefix?class=DEEP_ARCHIVE";
  }
  // What Amazon says of signatures repeats the signed headers, the session token among them: it is never shown.
  if (/Signature|Skewed|RequestExpired|RequestInTheFuture/.test(code)) {
    if (clockAheadMs !== undefined && Math.abs(clockAheadMs) > tolerableSkewMs) {
      const minutes = Math.round(Math.abs(clockAheadMs) / 60_000);
      return `this machine's clock is ${minutes} minutes ${clockAheadMs > 0 ? "fast" : "slow"}; set it and try again`;
    }
    return "the signature is refused; the secret access key does not belong to the access key, or is for another region";
  }
  if (/^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId)/.test(code)) {
    return "the credentials have expired or are unknown to Amazon; sign in again or renew them";
  }
  if (status === 403) return `these credentials may not do this; the vault's owner must allow it. ${told(message)}`;
  if (/^PolicyEnforced/.test(code)) {
    return "the account's data retrieval policy does not allow to retrieve so much now; wait, or change the policy";
  }
  if (/^InsufficientCapacity/.test(code)) {
    return "Amazon has no capacity for expedited retrievals now; ask for the standard or the bulk tier";
  }
  return told(message);
}

/** The service's own words, as one short printable line. */
function told(message: string): string {
  // deno-lint-ignore no-control-regex
  return message.replace(/[\u0000-\u001f\u007f-\uffff]+/g, " ").trim().slice(0, 300) || "no reason was given";
}
