// Every cold store keeps the contract.

import { coldConformance } from "./cold_conformance.ts";
import { bucketWorld, memoryWorld, vaultWorld } from "./cold_worlds.ts";

coldConformance("a vault", vaultWorld);
for (const name of ["DEEP_ARCHIVE", "GLACIER", "GLACIER_IR", "STANDARD_IA"] as const) {
  coldConformance(`a bucket of ${name}`, () => bucketWorld(name));
}
for (const name of ["VAULT", "DEEP_ARCHIVE", "GLACIER_IR"] as const) {
  coldConformance(`${name} in memory`, () => memoryWorld(name));
}
