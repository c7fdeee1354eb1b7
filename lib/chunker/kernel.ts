// The cut kernel over one WebAssembly.Memory. It keeps nothing in that memory: whoever made the memory says where tables
// and data are, and several threads may each run their own kernel over the same one.

import { kernelRuns, startKernel } from "../../kernel/wasm.ts";
import { gearTable, scanGear, TABLE_BYTES } from "./gear.ts";

/** What `scan` starts from: the offset of the gear table, the hash so far, and the bits that are zero at a cut. */
export interface ScanStart {
  table: number;
  hash: bigint;
  mask: bigint;
}

interface KernelExports {
  gearScan(table: number, from: number, to: number, hash: bigint, mask: bigint): number;
  gearHash(): bigint;
  copy(from: number, length: number, to: number): void;
}

/** The kernel of one thread. Without a memory it makes a small one of its own, which can be grown. */
export class Kernel {
  readonly memory: WebAssembly.Memory;
  readonly #wasm: KernelExports | undefined;
  #hash = 0n;

  /** `memory` must be shared. `portable` runs the TypeScript form, which is the default where the engine lacks SIMD. */
  constructor(memory?: WebAssembly.Memory, options: { portable?: boolean } = {}) {
    this.memory = memory ?? new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true });
    if (!(this.memory.buffer instanceof SharedArrayBuffer)) {
      throw new TypeError("Cannot run the cut kernel: its memory must be made with { shared: true }");
    }
    if (options.portable ?? !kernelRuns()) return;
    this.#wasm = startKernel<KernelExports>(this.memory);
  }

  /** The offset of the first byte of [from, to) after which the hash has no bit of the mask, or `to`. */
  scan(from: number, to: number, start: ScanStart): number {
    if (this.#wasm) {
      const at = this.#wasm.gearScan(start.table, from, to, start.hash, start.mask) >>> 0;
      if (at === to) this.#hash = this.#wasm.gearHash();
      return at;
    }
    const data = new Uint8Array(this.memory.buffer);
    const table = gearTable(data.subarray(start.table, start.table + TABLE_BYTES));
    const { at, hash } = scanGear(data, from, to, { ...start, table });
    this.#hash = hash;
    return at;
  }

  /**
   * Copies bytes of the memory to another place in it. JavaScript's own ways do that as well, but in shared memory byte by
   * byte, a tenth as fast, unless both places are aligned alike.
   */
  copy(from: number, length: number, to: number): void {
    if (this.#wasm) this.#wasm.copy(from, length, to);
    else new Uint8Array(this.memory.buffer).copyWithin(to, from, from + length);
  }

  /** The hash after a scan that returned `to`: what the next one over the same chunk starts with. */
  get hash(): bigint {
    return BigInt.asUintN(64, this.#hash);
  }
}
