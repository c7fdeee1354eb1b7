/** How the C library is told to keep what it gets back. */
import { free } from "../crypto/mod.ts";

/** Just under the largest size (32 MiB) that the C library takes a hint from. */
const HINT_BYTES = 31 * 1024 * 1024;
let hinted = false;

/**
 * Has the C library keep what is freed, up to twice the size of the hint, for the next array. Otherwise it hands each MiB
 * back to the system and gets it anew, page by page: some 400,000 page faults for a restore of 1.4 GiB, a twelfth of its
 * time. Freeing one large array, never touched, is how that is said: mallopt(3), M_MMAP_THRESHOLD. Elsewhere than in glibc
 * it says nothing and does no harm.
 */
export function keepFreedMemory(): void {
  if (hinted) return;
  hinted = true;
  free(new Uint8Array(HINT_BYTES));
}
