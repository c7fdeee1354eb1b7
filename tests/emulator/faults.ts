/**
 * What goes wrong, by plan. A plan names requests (by operation, key, and which of those that match) and what befalls them.
 * The first plan that applies to a request is played; every plan counts the requests that match it all the same.
 */
import type { Clock } from "./clock.ts";
import { type Service, ServiceError } from "./errors.ts";
import type { LoggedRequest } from "./log.ts";

export type FaultAction =
  /** The request is done, and the connection closed without an answer. */
  | "drop-answer"
  /** The connection is closed before the request's body is read; nothing is done. */
  | "drop-request"
  /**
   * The connection breaks off in the middle of the request's body, after `afterBytes` (1 by default) or where it ends; nothing
   * is done. In the middle of an answer is "short-body".
   */
  | "reset"
  /** 503 SlowDown, or 400 ThrottlingException from a vault. */
  | "throttle"
  /** 500 InternalError; ServiceUnavailableException from a vault. */
  | "server-error"
  /** 409 ConditionalRequestConflict: another writer was at the same key. */
  | "conflict"
  /** 503 ServiceUnavailable. */
  | "unavailable"
  /** 408 RequestTimeout. */
  | "timeout"
  /** 403 ExpiredToken. */
  | "expired-token"
  /** 403 AccessDenied. */
  | "access-denied"
  /** The answer's body ends after `afterBytes` (half of it by default) of the promised ones. */
  | "short-body"
  /** One bit of the answer's body is wrong. */
  | "flip-bit"
  /** Nothing goes wrong, but only after `delayMs`. */
  | "delay"
  /** The request is taken in and never answered, as long as the client can bear it; nothing is done. */
  | "stall"
  /** Nothing goes wrong, but the connection that was to be kept is closed behind the answer. */
  | "close-idle"
  /** Status 200 with an `<Error>` inside, and nothing is done. */
  | "error-inside";

/** Which requests, and what befalls them. What is left out fits all. */
export interface FaultPlan {
  action: FaultAction;
  service?: Service;
  /** Amazon's name; `*` stands for any letters. */
  operation?: string;
  /** Of the object, or the vault's archive, upload or job: text that it has in it, or an expression. */
  key?: string | RegExp;
  /** The first one that it befalls, counted from 1 among those that match. */
  nth?: number;
  /** How many it befalls; 1 when `nth` is given, else all. */
  times?: number;
  /** An outage: only while the emulator's clock is within. */
  during?: { from: Date; until: Date };
  afterBytes?: number;
  delayMs?: number;
}

export interface Faults {
  add(plan: FaultPlan): void;
  clear(): void;
}

/** The plans, and what they say of a request. */
export class FaultPlans implements Faults {
  #plans: { plan: FaultPlan; matched: number }[] = [];

  add(plan: FaultPlan): void {
    this.#plans.push({ plan, matched: 0 });
  }

  clear(): void {
    this.#plans = [];
  }

  /** What befalls this request. */
  for(request: LoggedRequest, clock: Clock): FaultPlan | undefined {
    let chosen: FaultPlan | undefined;
    for (const entry of this.#plans) {
      if (!matches(entry.plan, request, clock.now())) continue;
      entry.matched++;
      const { nth = 1, times = entry.plan.nth === undefined ? Infinity : 1 } = entry.plan;
      if (entry.matched >= nth && entry.matched < nth + times) chosen ??= entry.plan;
    }
    return chosen;
  }
}

function matches(plan: FaultPlan, request: LoggedRequest, now: Date): boolean {
  if (plan.service !== undefined && plan.service !== request.service) return false;
  if (plan.operation !== undefined && !wildcard(plan.operation).test(request.operation)) return false;
  if (plan.during && !(now >= plan.during.from && now < plan.during.until)) return false;
  if (plan.key === undefined) return true;
  const { key } = plan;
  const names = [request.key, request.id, request.vault].filter((name) => name !== undefined);
  return names.some((name) => typeof key === "string" ? name.includes(key) : key.test(name));
}

function wildcard(text: string): RegExp {
  return new RegExp(`^${text.split("*").map((part) => part.replace(/\W/g, "\\$&")).join(".*")}$`);
}

/** The refusal that a fault is; undefined for those that are none. */
export function refusalOf(action: FaultAction, service: Service): ServiceError | undefined {
  const refusals: Partial<Record<FaultAction, Record<Service, [number, string, string]>>> = {
    throttle: {
      s3: [503, "SlowDown", "Please reduce your request rate."],
      glacier: [400, "ThrottlingException", "Rate exceeded"],
    },
    "server-error": {
      s3: [500, "InternalError", "We encountered an internal error. Please try again."],
      glacier: [500, "ServiceUnavailableException", "Internal server error"],
    },
    unavailable: {
      s3: [503, "ServiceUnavailable", "Service is unable to handle request."],
      glacier: [503, "ServiceUnavailableException", "Service unavailable"],
    },
    conflict: {
      s3: [409, "ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation."],
      glacier: [409, "ConflictException", "Conflict"],
    },
    timeout: {
      s3: [400, "RequestTimeout", "Your socket connection to the server was not read from or written to in time."],
      glacier: [408, "RequestTimeoutException", "Request timed out"],
    },
    "expired-token": {
      s3: [400, "ExpiredToken", "The provided token has expired."],
      glacier: [403, "ExpiredTokenException", "The security token included in the request is expired"],
    },
    "access-denied": {
      s3: [403, "AccessDenied", "Access Denied"],
      glacier: [403, "AccessDeniedException", "Access denied"],
    },
  };
  const refusal = refusals[action]?.[service];
  return refusal && new ServiceError(...refusal);
}
