/** What is asked of vaults themselves. */
import type { Reply } from "../call.ts";
import { invalid, locationOf, need, time, vaultArn, type VaultCall, vaultOf } from "./call.ts";
import { jsonReply, pageOf } from "./paging.ts";
import { addVault, archivesAt, changedAfter, inventoryAt, type Vault } from "./vault.ts";

export function createVault(call: VaultCall): Reply {
  need(call, "CreateVault");
  if (!/^[A-Za-z0-9_.-]{1,255}$/.test(call.vaultName)) throw invalid(`Invalid vault name: ${call.vaultName}`);
  addVault(call.vaults, call.vaultName, call.surroundings.clock.now());
  return { status: 201, headers: { Location: locationOf(call) } };
}

export function describeVault(call: VaultCall): Reply {
  need(call, "DescribeVault");
  return jsonReply(describe(call, vaultOf(call)));
}

export function listVaults(call: VaultCall): Reply {
  need(call, "ListVaults", vaultArn(call, "*"));
  const vaults = [...call.vaults.values()].sort((a, b) => a.name < b.name ? -1 : 1);
  const { rows, marker } = pageOf(call, vaults, { usual: 10 });
  return jsonReply({ VaultList: rows.map((vault) => describe(call, vault)), Marker: marker });
}

/** Counts are of the last inventory, and unknown before the first. */
function describe(call: VaultCall, vault: Vault) {
  const at = inventoryAt(vault, call.surroundings.clock.now());
  const archives = at && archivesAt(vault, at);
  return {
    CreationDate: time(vault.createdAt),
    LastInventoryDate: time(at),
    NumberOfArchives: archives?.length ?? null,
    SizeInBytes: archives?.reduce((sum, { length }) => sum + length, 0) ?? null,
    VaultARN: vaultArn(call, vault.name),
    VaultName: vault.name,
  };
}

/** Only when the last inventory was empty and nothing was written since. */
export function deleteVault(call: VaultCall): Reply {
  need(call, "DeleteVault");
  const vault = call.vaults.get(call.vaultName);
  if (!vault) return { status: 204 };
  const at = inventoryAt(vault, call.surroundings.clock.now());
  const isEmpty = at ? archivesAt(vault, at).length === 0 && !changedAfter(vault, at) : vault.archives.size === 0;
  if (!isEmpty) throw invalid(`Vault not empty or recently written to: ${vaultArn(call)}`);
  call.vaults.delete(vault.name);
  return { status: 204 };
}
