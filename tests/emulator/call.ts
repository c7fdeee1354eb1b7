/** A request that has been told what it is, with all that an operation needs to do it. */
import type { AnswerBody } from "./http/answer.ts";
import type { Bodies } from "./bodies.ts";
import type { Clock } from "./clock.ts";
import { type Service, ServiceError } from "./errors.ts";
import type { HttpRequest } from "./http/connection.ts";
import type { LoggedRequest } from "./log.ts";
import type { User } from "./users.ts";

/** Ways in which a server can be worse than Amazon's. */
export type Hostility =
  /** Writes over what is there. */
  | "ignores-if-none-match"
  /** Keeps the framing of aws-chunked as if it were content. */
  | "stores-aws-chunked"
  /** Neither checks nor keeps checksums. */
  | "loses-checksum"
  /** Answers 200 with an error inside, and has done nothing. */
  | "ok-with-error-inside"
  /** Answers a PutObject or a vault's part as if all were well, and keeps nothing. */
  | "does-nothing"
  /** HEAD, LIST, inventories and jobs say one byte less than there is. */
  | "lies-about-size";

/** States of the services that callers cannot see coming. */
export type Switch =
  /** Expedited retrievals are refused: InsufficientCapacityException, GlacierExpeditedRetrievalNotAvailable. */
  | "no-expedited-capacity"
  /** The account's retrieval policy forbids retrievals from vaults: PolicyEnforcedException. */
  | "retrieval-policy-enforced"
  /** Every call to a vault: NoLongerSupportedException. */
  | "vaults-no-longer-supported";

/** What all operations share. */
export interface Surroundings {
  clock: Clock;
  bodies: Bodies;
  hostile: ReadonlySet<Hostility>;
  switches: ReadonlySet<Switch>;
  region: string;
}

/** One call. */
export interface Call {
  service: Service;
  request: HttpRequest;
  query: ReadonlyMap<string, string>;
  user: User;
  log: LoggedRequest;
  /** What the signature says of the payload: a hash, or that it is unsigned. */
  payloadHash: string;
  /** Given where the body had to be read before the signature could be checked. */
  earlyBody: Uint8Array | undefined;
  surroundings: Surroundings;
}

/** What an operation answers with. */
export interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: AnswerBody;
}

/** A request's header. */
export function header(call: Call, name: string): string | undefined {
  return call.request.headers.get(name);
}

/** The parameters of a query, decoded. */
export function parseQuery(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const text of query.split("&").filter((text) => text !== "")) {
    const at = text.indexOf("=");
    const [name, value] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
    try {
      parameters.set(decodeURIComponent(name), decodeURIComponent(value));
    } catch {
      throw new ServiceError(400, "InvalidURI", "Couldn't parse the specified URI.");
    }
  }
  return parameters;
}

/** A whole number from a header or query; refused with `code` when it is none or out of bounds. */
export function wholeNumber(text: string, bounds: { name: string; from: number; to: number; code: string }): number {
  const { name, from, to, code } = bounds;
  if (!/^[0-9]{1,16}$/.test(text) || Number(text) < from || Number(text) > to) {
    throw new ServiceError(400, code, `Invalid ${name}: ${text}`);
  }
  return Number(text);
}
