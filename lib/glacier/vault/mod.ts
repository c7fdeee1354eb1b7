/** The client of Amazon Glacier's vaults. Loaded only when a vault is used. */
export { type VaultOptions, VaultStore } from "./vault_store.ts";
