/**
 * Gives memory back at once. The garbage collector sees small objects that hold megabytes elsewhere, and comes by too
 * seldom: at a gigabyte a second, hundreds of megabytes would be waiting for it in every thread.
 */

/** Arrays that are smaller may share their memory with others (node's pool), and are not worth it. */
const LEAST_BYTES = 64 * 1024;

/** Ends the use of an array that has its memory for itself: it, and every view of it, has length 0 afterwards. */
export function free({ buffer }: Uint8Array | Int32Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > LEAST_BYTES) buffer.transfer(0);
}
