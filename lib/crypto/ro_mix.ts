/** The costly middle of scrypt, by the WebAssembly kernel: with SIMD128, and in half the usual memory. */
import { startKernel } from "../../kernel/wasm.ts";

const PAGE_BYTES = 65_536;

interface KernelExports {
  scryptRoMix(block: number, size: number, n: number, scratch: number): void;
}

/** The memory that ROMix of `size` bytes with cost `n` takes. */
export function roMixMemoryBytes(size: number, n: number): number {
  return (1 + n / 2 + 4) * size;
}

/**
 * ROMix of RFC 7914, section 5, of 128 r bytes; `n` is a power of two, at least 2. Only the garbage collector gives the
 * memory back, some day, or the end of the thread, at once.
 */
export function roMix(block: Uint8Array, n: number): Uint8Array<ArrayBuffer> {
  const size = block.length;
  const pages = Math.ceil(roMixMemoryBytes(size, n) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const kernel = startKernel<KernelExports>(memory);
  const bytes = new Uint8Array(memory.buffer, 0, size);
  bytes.set(block);
  kernel.scryptRoMix(0, size, n, size);
  return Uint8Array.from(bytes);
}
