/**
 * Memory that goes round. `free` gives it back at once: the garbage collector sees small objects that hold megabytes
 * elsewhere, and comes by too seldom; at a gigabyte a second, hundreds of megabytes would be waiting for it in every thread.
 */

/** Arrays that are smaller may share their memory with others (node's pool), and are not worth it. */
const LEAST_BYTES = 64 * 1024;

/** Ends the use of an array that has its memory for itself: it, and every view of it, has length 0 afterwards. */
export function free({ buffer }: Uint8Array | Int32Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > LEAST_BYTES) buffer.transfer(0);
}

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
