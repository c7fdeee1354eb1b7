/** A call to a vault. */
import { type Call, header } from "../call.ts";
import { ServiceError } from "../errors.ts";
import { account, authorize } from "../users.ts";
import type { Vault, Vaults } from "./vault.ts";

export interface VaultCall extends Call {
  vaults: Vaults;
  /** Empty where the call is about none. */
  vaultName: string;
  /** What the path names behind the vault: an archive, upload or job. */
  id: string;
}

export function vaultArn(call: VaultCall, name = call.vaultName): string {
  return `arn:aws:glacier:${call.surroundings.region}:${account}:vaults/${name}`;
}

/** Refuses what the user may not do. */
export function need(call: VaultCall, action: string, resource = vaultArn(call)): void {
  const context = new Map([["aws:securetransport", "false"], ["aws:username", call.user.name]]);
  authorize(call.user, { action: `glacier:${action}`, resource, context });
}

/** The vault that a call is about. */
export function vaultOf(call: VaultCall): Vault {
  const vault = call.vaults.get(call.vaultName);
  if (!vault) throw notFound("Vault", vaultArn(call));
  return vault;
}

export function notFound(what: string, name: string): ServiceError {
  return new ServiceError(404, "ResourceNotFoundException", `${what} not found for ID: ${name}`);
}

export function invalid(message: string): ServiceError {
  return new ServiceError(400, "InvalidParameterValueException", message);
}

/** A header that has to be there. */
export function requiredHeader(call: VaultCall, name: string): string {
  const value = header(call, name);
  if (value === undefined || value === "") {
    throw new ServiceError(400, "MissingParameterValueException", `Required parameter missing: ${name}`);
  }
  return value;
}

/** The description of an archive: printable ASCII. */
export function descriptionOf(call: VaultCall): string {
  const description = header(call, "x-amz-archive-description") ?? "";
  if (description.length > 1024 || /[^\x20-\x7e]/.test(description)) {
    throw invalid(`Invalid x-amz-archive-description: ${description.length} characters, or not all printable ASCII`);
  }
  return description.trimStart();
}

/** A time as vaults write it. */
export function time(date: Date | undefined): string | null {
  return date?.toISOString() ?? null;
}

/** Path of something in a vault, as Location headers have it. */
export function locationOf(call: VaultCall, ...path: string[]): string {
  return ["", account, "vaults", call.vaultName, ...path].join("/");
}
