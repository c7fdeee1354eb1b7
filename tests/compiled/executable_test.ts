/** What is inside an executable: it carries a list of its files and permissions as JSON behind Deno's own machine code. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { basename } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { executable } from "./program.ts";

const ignore = executable === undefined;
/** More than the program and its packages take; in front of it stands Deno itself. */
const mostBytes = 40e6;
const bytes = executable === undefined
  ? Buffer.alloc(0)
  : Buffer.from(Deno.readFileSync(executable)).subarray(-mostBytes);

/** Whether a file or folder of this name is embedded, at any depth. */
function embeds(name: string): boolean {
  return bytes.includes(`{"n":"${name}"`);
}

/** Whether parts of this package are in a bundle: there a comment names the file of each part. */
function holds(name: string): boolean {
  return bytes.includes(`/node_modules/${name}/`);
}

Deno.test("the executable has what runs as a thread, and the kernel", { ignore }, () => {
  for (const path of [...project.compile.include, "main.ts"]) assert.ok(embeds(`${basename(path, ".ts")}.js`), path);
  assert.ok(bytes.includes("\n// kernel/wasm.ts\n"));
});

Deno.test("the executable has the packages that the program imports, and none for development", { ignore }, () => {
  for (const name of Object.keys(project.imports)) {
    assert.ok(holds(name), name);
  }
  for (const name of ["fast-check", "pure-rand", "@aws-sdk/client-glacier", "assemblyscript", "binaryen", "esbuild"]) {
    assert.equal(holds(name), false, name);
  }
  for (const name of ["lib", "tests", "scripts", ".deno_compile_node_modules"]) assert.equal(embeds(name), false, name);
});

Deno.test(
  "the executable may read, write, run programs, reach the network, ask what system this is, and nothing more",
  { ignore },
  () => {
    const [text] = bytes.toString("latin1").match(/(?<="permissions":){"allow_env"[^}]*}/) ?? assert.fail("no list");
    const allowed = Object.entries(JSON.parse(text)).filter(([name, value]) => {
      // Deno itself adds hosts to import from, but an executable has nobody who could fetch a module.
      return name.startsWith("allow_") && name !== "allow_import" && value !== null;
    });
    assert.deepEqual(allowed.sort(), [
      ...["allow_env", "allow_net", "allow_read", "allow_run"].map((name) => [name, []]),
      ["allow_sys", project.permissions.tarzan.sys],
      ["allow_write", []],
    ]);
    assert.equal(bytes.includes('"prompt":true'), false);
  },
);

Deno.test("the executable loads no machine code from a cache that others could write", { ignore }, () => {
  assert.ok(bytes.includes('"code_cache_key":null'));
});

Deno.test("the executable is smaller than 100 MB", { ignore }, () => {
  assert.ok(Deno.statSync(executable!).size < 100e6);
});
