/** One vault, asked request by request: signed, sent, asked again while that makes sense, and the refusal explained. */
import { createHash } from "node:crypto";
import type { AwsKeys } from "../../store/mod.ts";
import { type Answer, ConnectionError } from "./answer.ts";
import { membersOf } from "./answers.ts";
import { BrokenAnswerError, refusalError, VaultError } from "./errors.ts";
import { Rate } from "../../store/mod.ts";
import { type Pace, persistently, type Verdict } from "./retry.ts";
import { type CredentialSource, signed } from "./sign.ts";
import { Transport } from "./transport.ts";

/** A request to the vault. */
export interface Question {
  /** As in `Cannot ${what}`. */
  what: string;
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the vault, a segment each. */
  path: readonly string[];
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: Uint8Array;
  /** SHA-256 of the body, hex, where the caller has it. */
  bodySha256?: string;
  /** The statuses of success. */
  success: readonly number[];
  /** The longest answer that is read. */
  limit: number;
}

/** How a question is asked; `recheck` as in `persistently`, after failures that may have taken effect. */
export interface Asking<T> {
  signal: AbortSignal;
  /** Makes the result of the answer; a BrokenAnswerError asks again. */
  read: (answer: Answer) => T;
  recheck?: () => Promise<T | undefined>;
}

const apiVersion = "2012-06-01";
const warnEveryMs = 10 * 60_000;
const refusalLimit = 64 * 1024;
const emptySha256 = createHash("sha256").digest("hex");

/** There are no keys to sign with, now. */
class CredentialsError extends Error {
  override name = "CredentialsError";
}

/** A vault's service: questions in, answers out. */
export class VaultClient {
  /** As the user writes it: `glacier://region/vault`. */
  readonly location: string;
  readonly pace: Pace;
  readonly #transport: Transport;
  readonly #region: string;
  readonly #vault: string;
  readonly #credentials: CredentialSource;
  #expired: string | undefined;
  readonly #signal: AbortSignal;
  #contacted = false;

  constructor(options: {
    region: string;
    vault: string;
    endpoint: URL;
    credentials: CredentialSource;
    pace: Pace;
    idleMs: number;
    signal: AbortSignal;
    uploadBytesPerSecond?: number;
    downloadBytesPerSecond?: number;
  }) {
    this.location = `glacier://${options.region}/${options.vault}`;
    this.pace = { ...options.pace, warn: onceIn(warnEveryMs, options.pace) };
    this.#region = options.region;
    this.#vault = options.vault;
    this.#credentials = options.credentials;
    this.#signal = options.signal;
    this.#transport = new Transport(options.endpoint, {
      idleMs: options.idleMs,
      upload: new Rate(options.uploadBytesPerSecond, this.pace),
      download: new Rate(options.downloadBytesPerSecond, this.pace),
    });
  }

  /** Asks until there is an answer or a refusal that trying again does not change. */
  async ask<T>(question: Question, asking: Asking<T>): Promise<T> {
    const { recheck } = asking;
    const signal = AbortSignal.any([asking.signal, this.#signal]);
    let maybeDone = false;
    const attempt = async () => {
      try {
        const answer = await this.#send(question, signal);
        this.#contacted = true;
        if (question.success.includes(answer.status)) return asking.read(answer);
        throw this.#refusal(question.what, answer);
      } catch (error) {
        maybeDone ||= tookEffectMaybe(error);
        if (error instanceof ConnectionError || error instanceof BrokenAnswerError) throw this.#named(question, error);
        throw error;
      }
    };
    return await persistently(attempt, {
      pace: this.pace,
      signal,
      judge: (error) => this.#judge(error),
      patienceMs: () => this.#contacted ? this.pace.patienceMs : this.pace.firstContactMs,
      ...(recheck === undefined ? {} : { recheck: async () => maybeDone ? await recheck() : undefined }),
    });
  }

  /** Throws unless an answer is about this vault. */
  requireOwnVault(arn: string): void {
    if (arn.endsWith(`:vaults/${this.#vault}`)) return;
    throw new BrokenAnswerError(`The answer is about another vault than ${this.location}: ${arn.slice(0, 300)}`);
  }

  async #send(question: Question, signal: AbortSignal): Promise<Answer> {
    const { method, body } = question;
    const path = ["", "-", "vaults", this.#vault, ...question.path].map(encodeURIComponent).join("/");
    const headers: Record<string, string> = {
      host: this.#transport.host,
      "x-amz-glacier-version": apiVersion,
      "x-amz-content-sha256": question.bodySha256 ??
        (body === undefined ? emptySha256 : createHash("sha256").update(body).digest("hex")),
      ...(method === "GET" ? {} : { "content-length": String(body?.length ?? 0) }),
      ...question.headers,
    };
    const query = question.query ?? {};
    const credentials = await this.#currentCredentials();
    const at = this.pace.now();
    const signedHeaders = await signed(
      { method, hostname: this.#transport.hostname, path, query, headers },
      { service: "glacier", region: this.#region, credentials, at },
    );
    const search = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
    const answer = await this.#transport.exchange(
      { method, target: search === "" ? path : `${path}?${search}`, headers: signedHeaders, body },
      { signal, limit: Math.max(question.limit, refusalLimit) },
    );
    const expired = answer.status === 403 && /^ExpiredToken/.test(refusalOf(answer).code);
    if (expired) this.#expired = nameOf(credentials);
    else if (this.#expired === nameOf(credentials)) this.#expired = undefined;
    return answer;
  }

  /** Those of the source; fresh ones where the service has refused these as expired. */
  async #currentCredentials(): Promise<AwsKeys> {
    try {
      const current = await this.#credentials();
      return nameOf(current) === this.#expired ? await this.#credentials({ forceRefresh: true }) : current;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CredentialsError(
        `Cannot use ${this.location}: no credentials (${reason}). Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a ` +
          "profile, or log in",
        { cause: error },
      );
    }
  }

  #refusal(what: string, answer: Answer): VaultError {
    const { code, message } = refusalOf(answer);
    const servedAt = Date.parse(answer.header("date") ?? "");
    const clockAheadMs = Number.isNaN(servedAt) ? undefined : this.pace.now().getTime() - servedAt;
    return refusalError({ what: `${what} (${this.location})`, status: answer.status, code, message, clockAheadMs });
  }

  #named(question: Question, error: Error): Error {
    const Kind = error instanceof BrokenAnswerError ? BrokenAnswerError : ConnectionError;
    return new Kind(`Cannot ${question.what} (${this.location}): ${error.message}`, { cause: error });
  }

  #judge(error: unknown): Verdict {
    if (error instanceof ConnectionError) return /certificate/i.test(error.message) ? "few" : "patient";
    if (error instanceof BrokenAnswerError || error instanceof CredentialsError) return "few";
    if (!(error instanceof VaultError)) return "never";
    const { status, code } = error;
    if (/^ExpiredToken/.test(code)) return "few";
    if (/^(InsufficientCapacity|NoLongerSupported)/.test(code)) return "never";
    if (/^(Throttling|RequestTimeout|ServiceUnavailable|RequestLimitExceeded)/.test(code)) return "patient";
    return status === 408 || status === 429 || status >= 500 ? "patient" : "never";
  }
}

/** Many requests fail at once, and people need to hear of it once. */
function onceIn(ms: number, pace: Pace): (message: string) => void {
  let warnedMs = -Infinity;
  return (message) => {
    if (pace.nowMs() - warnedMs < ms) return;
    warnedMs = pace.nowMs();
    pace.warn(message);
  };
}

/** What tells one set of credentials from another, without the secret. */
function nameOf({ accessKeyId, sessionToken }: AwsKeys): string {
  return `${accessKeyId} ${sessionToken ?? ""}`;
}

/** Whether a request that ended so may have done what it was to do. */
function tookEffectMaybe(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof BrokenAnswerError) return true;
  return error instanceof VaultError && (error.status >= 500 || error.status === 408);
}

/** Code and message of a refusal; proxies and load balancers answer in HTML. */
function refusalOf({ status, header, body }: Answer): { code: string; message: string } {
  const unknown = { code: header("x-amzn-errortype")?.split(":", 1)[0] ?? `HTTP ${status}`, message: "" };
  try {
    const { code, message } = membersOf(body);
    return {
      code: typeof code === "string" && /^[\w.-]{1,100}$/.test(code) ? code : unknown.code,
      message: typeof message === "string" ? message : "",
    };
  } catch (error) {
    if (error instanceof BrokenAnswerError) return unknown;
    throw error;
  }
}
