// The door of the WebAssembly kernel, written in AssemblyScript (https://www.assemblyscript.org), a TypeScript that
// compiles to WebAssembly. Deno's own checker does not know it: `kernel/build.ts` compiles this folder.
//
// The memory is imported and shared by several instances in several threads. So nothing here may own memory: no data
// segments, no statics, no allocation. The caller lays the memory out and gives every address.

export { gearHash, gearScan } from "./gear";
export { blake3Keyed, blake3KeyedBatch } from "./blake3";
export { scryptRoMix } from "./scrypt";

/** Copies `length` bytes; the two places may overlap. */
export function copy(from: usize, length: usize, to: usize): void {
  memory.copy(to, from, length);
}
