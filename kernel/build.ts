// Compiles the AssemblyScript in kernel/assembly. The result is committed twice: as `tarzan.wasm`, to look at with
// WebAssembly tools, and as base64 in `wasm.ts`, which every Deno embeds in a compiled executable and loads without a read
// permission. A test compiles again and compares, so neither can drift from the source.
//
//   deno task kernel            into kernel/
//   deno task kernel FOLDER     somewhere else, to compare
//
// The compiler has a deno.json and a lock of its own beside this file: it weighs 100 MB, which nobody should have to
// download who only wants to run TARzan.

import { pathToFileURL } from "node:url";
import { main } from "assemblyscript/asc";

const FLAGS = [
  ...["--optimizeLevel", "3", "--noAssert", "--runtime", "stub"],
  ...["--enable", "simd,threads,bulk-memory"],
  ...["--importMemory", "--noExportMemory", "--sharedMemory", "--initialMemory", "1", "--maximumMemory", "65536"],
];

/** The bytes of the module that kernel/assembly compiles to; throws what the compiler printed if it does not. */
async function compileKernel(): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const folder = new URL("assembly/", import.meta.url);
  const { error, stderr } = await main(["index.ts", "--outFile", "tarzan.wasm", ...FLAGS], {
    readFile: (name) => Deno.readTextFile(new URL(name, folder)).catch(() => null),
    writeFile: (_name, contents) => {
      if (contents instanceof Uint8Array) wasm = contents;
    },
    listFiles: () => [],
  });
  if (error || !wasm) throw new Error(`Cannot compile ${folder}: ${error?.message ?? "no output"}\n${stderr}`);
  return wasm;
}

/** The text of `wasm.ts` for a module. */
function moduleSource(wasm: Uint8Array): string {
  const base64 = btoa(String.fromCharCode(...wasm)).replace(/.{1,120}/g, "$&\n");
  return `// Made by kernel/build.ts from kernel/assembly; do not edit. ${wasm.length} bytes of WebAssembly as base64.

// The line breaks mean nothing.
const BASE64 = \`
${base64}\`;

let bytes: Uint8Array<ArrayBuffer> | undefined;
let compiled: WebAssembly.Module | undefined;
let runs: boolean | undefined;

function kernelBytes(): Uint8Array<ArrayBuffer> {
  return bytes ??= Uint8Array.from(atob(BASE64), (char) => char.charCodeAt(0));
}

/** Whether this engine takes the kernel: it needs SIMD, which a very old processor lacks. */
export function kernelRuns(): boolean {
  return runs ??= WebAssembly.validate(kernelBytes());
}

/** The kernel's WebAssembly module, compiled once a thread. Its memory is imported as \`env.memory\`, shared. */
export function kernelModule(): WebAssembly.Module {
  return compiled ??= new WebAssembly.Module(kernelBytes());
}

/** The kernel at work on a memory, which must be shared; \`Exports\` are those of its functions that the caller uses. */
export function startKernel<Exports>(memory: WebAssembly.Memory): Exports {
  return new WebAssembly.Instance(kernelModule(), { env: { memory } }).exports as unknown as Exports;
}
`;
}

const folder = Deno.args[0] === undefined ? import.meta.url : pathToFileURL(`${Deno.args[0]}/`);
const wasm = await compileKernel();
await Deno.writeFile(new URL("tarzan.wasm", folder), wasm);
await Deno.writeTextFile(new URL("wasm.ts", folder), moduleSource(wasm));
