import assert from "node:assert/strict";
import { join } from "node:path";
import { kernelModule, kernelRuns } from "../../kernel/wasm.ts";

const folder = new URL("../../kernel/", import.meta.url);

Deno.test("compiling the AssemblyScript again gives the committed tarzan.wasm and wasm.ts, byte for byte", async () => {
  const made = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", "deno.json", "build.ts", made],
      cwd: folder,
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    for (const name of ["tarzan.wasm", "wasm.ts"]) {
      const [committed, compiled] = await Promise.all([
        Deno.readFile(new URL(name, folder)),
        Deno.readFile(join(made, name)),
      ]);
      assert.deepEqual(
        compiled,
        committed,
        `kernel/${name} is not what kernel/assembly compiles to; run: deno task kernel`,
      );
    }
  } finally {
    await Deno.remove(made, { recursive: true });
  }
});

Deno.test("the kernel imports only a shared memory and exports only functions", () => {
  assert.equal(kernelRuns(), true);
  assert.equal(kernelModule(), kernelModule());
  assert.deepEqual(
    WebAssembly.Module.imports(kernelModule()).map((
      { module, name, kind },
    ) => [module, name, kind]),
    [
      ["env", "memory", "memory"],
    ],
  );
  assert.deepEqual(
    WebAssembly.Module.exports(kernelModule()).map((
      { name, kind },
    ) => [name, kind]),
    [
      ["copy", "function"],
      ["gearHash", "function"],
      ["gearScan", "function"],
      ["blake3Keyed", "function"],
      ["blake3KeyedBatch", "function"],
      ["scryptRoMix", "function"],
    ],
  );
});

Deno.test("the kernel writes nothing into a memory by being there: it has no data, no start function, no table", async () => {
  const ids = sectionIds(await Deno.readFile(new URL("tarzan.wasm", folder)));
  // type, import, function, global (the hash of the thread), export, code; https://webassembly.github.io/spec/core/binary
  assert.deepEqual(ids, [1, 2, 3, 6, 7, 10]);
});

/** The ids of a module's sections, in order. */
function sectionIds(wasm: Uint8Array): number[] {
  const ids: number[] = [];
  let at = 8;
  while (at < wasm.length) {
    ids.push(wasm[at++]!);
    let length = 0;
    for (let shift = 0;; shift += 7) {
      const byte = wasm[at++]!;
      length |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    at += length;
  }
  assert.equal(at, wasm.length);
  return ids;
}
