import { timingSafeEqual } from "node:crypto";

/** Whether two byte strings are equal, in a time that depends on their lengths alone: for MACs, hashes and pins. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
