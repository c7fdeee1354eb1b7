/** Who may sign requests, and what for. */
import { ServiceError } from "./errors.ts";
import { allows, type Attempt, checkPolicy, type Policy } from "./policy.ts";

export interface User {
  /** For the request log. */
  name: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Given: the keys are temporary, and requests must bring this along. */
  sessionToken?: string;
  /** When temporary keys end, by the emulator's clock. */
  expiresAt?: Date;
  /** Left out: everything is allowed. */
  policy?: Policy;
}

/** The account that all buckets and vaults belong to. */
export const account = "123456789012";

/** The one who may do everything, whose keys `startEmulator` gives. */
export const owner: User = {
  name: "owner",
  accessKeyId: "AKIAEMULATOROWNER000",
  secretAccessKey: "emulator/owner/secret/key/of/no/worth/00",
};

/** Looks users up by access key. */
export function userTable(users: readonly User[]): ReadonlyMap<string, User> {
  for (const { policy } of users) if (policy) checkPolicy(policy);
  return new Map([owner, ...users].map((user) => [user.accessKeyId, user]));
}

/** Refuses what the user's policy does not allow. */
export function authorize(user: User, attempt: Attempt): void {
  if (isAllowed(user, attempt)) return;
  const { action, resource } = attempt;
  throw new ServiceError(
    403,
    action.startsWith("s3:") ? "AccessDenied" : "AccessDeniedException",
    `User: arn:aws:iam::${account}:user/${user.name} is not authorized to perform: ${action} on resource: "${resource}"`,
  );
}

export function isAllowed(user: User, attempt: Attempt): boolean {
  return user.policy === undefined || allows(user.policy, attempt);
}
