/** The client of Amazon Glacier's vaults. Loaded only when a vault is used. */
export { ordinaryClock } from "./clock.ts";
export { type VaultOptions, VaultStore } from "./vault_store.ts";
