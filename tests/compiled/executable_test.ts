/** What is inside an executable: it carries a list of its files and permissions as JSON behind Deno's own machine code. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import project from "../../deno.json" with { type: "json" };
import { executable } from "./program.ts";

const ignore = executable === undefined;
const bytes = executable === undefined ? Buffer.alloc(0) : Buffer.from(Deno.readFileSync(executable));

/** The JSON object that begins with these characters, where they are last in the executable. */
function embeddedObject(beginning: string): Record<string, unknown> {
  const start = bytes.lastIndexOf(beginning) + beginning.lastIndexOf("{");
  return JSON.parse(bytes.toString("utf8", start, bytes.indexOf("}", start) + 1));
}

/** Whether a file or folder of this name is embedded, at any depth. */
function embeds(name: string): boolean {
  return bytes.includes(`{"n":"${name}"`);
}

Deno.test("the executable has what runs as a thread, and the kernel", { ignore }, () => {
  for (const path of [...project.compile.include, "kernel/wasm.ts", "main.ts"]) {
    assert.ok(embeds(path.slice(path.lastIndexOf("/") + 1)), path);
  }
});

Deno.test("the executable has the packages that the program imports, and none for development", { ignore }, () => {
  for (const name of ["age-encryption", "hash-wasm", "@optique"]) assert.ok(embeds(name), name);
  for (const name of ["fast-check", "pure-rand", "assemblyscript", "binaryen", "tests", "scripts", "build.ts"]) {
    assert.equal(embeds(name), false, name);
  }
});

Deno.test(
  "the executable may read, write, run programs and ask for its host and home, and nothing more",
  { ignore },
  () => {
    const permissions = Object.entries(embeddedObject('"permissions":{'));
    const allowed = permissions.filter(([name, value]) => name.startsWith("allow_") && value !== null);
    assert.deepEqual(Object.fromEntries(allowed.filter(([name]) => name !== "allow_import")), { // where there is nobody to load code
      ...{ allow_env: [], allow_read: [], allow_write: [], allow_run: [] },
      allow_sys: ["homedir", "hostname"],
    });
    assert.equal(bytes.includes('"prompt":true'), false);
  },
);

Deno.test("the executable loads no machine code from a cache that others could write", { ignore }, () => {
  assert.ok(bytes.includes('"code_cache_key":null'));
});

Deno.test("the executable is smaller than 120 MB", { ignore }, () => {
  assert.ok(bytes.length < 120e6, `${bytes.length} bytes`);
});
