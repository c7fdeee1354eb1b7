/** What goes into the executable, seen from the source; tests/compiled looks into the executable itself. */
import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import kernelProject from "../../kernel/deno.json" with { type: "json" };
import scriptsProject from "../../scripts/deno.json" with { type: "json" };
import { packagesOf } from "../../scripts/licenses.ts";
import { type Lock, productLock, stageProduct } from "../../scripts/product.ts";
import { importsOf } from "./imports.ts";
import { root, sourcesUnder } from "./sources.ts";

const developmentPackages = [
  ...Object.values(project.scopes).flatMap((scope) => Object.keys(scope)),
  ...Object.keys(kernelProject.imports),
  ...Object.keys(scriptsProject.imports),
];

Deno.test("the files that run as threads are exactly those that deno compile is told to include", async () => {
  const started = (await sourcesUnder("lib")).flatMap(({ url, text }) =>
    importsOf(text).filter(({ kind }) => kind === "worker").map(({ specifier }) => new URL(specifier, url).href)
  );
  const included = project.compile.include.map((path) => new URL(`../../${path}`, import.meta.url).href);
  assert.deepEqual(started.sort(), included.sort());
});

Deno.test("the product needs nothing but itself: it loads from a folder that has nothing else", async () => {
  const stage = await Deno.makeTempDir();
  try {
    await stageProduct(root, stage);
    for (const entry of ["main.ts", ...project.compile.include]) {
      const { modules, packages } = await graphOf(entry, stage);
      assert.deepEqual(modules.filter(({ error }) => error !== undefined), [], entry);
      assert.ok(modules.some(({ specifier }) => specifier.endsWith("/kernel/wasm.ts")), `${entry} loads the kernel`);
      assert.deepEqual(packages.filter((name) => developmentPackages.includes(name)), [], entry);
    }
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
});

interface Graph {
  readonly modules: readonly { readonly specifier: string; readonly error?: string }[];
  /** Names of the packages in the lock that was read. */
  readonly packages: readonly string[];
}

async function graphOf(entry: string, folder: string): Promise<Graph> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: folder,
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const { modules, npmPackages } = JSON.parse(new TextDecoder().decode(stdout));
  const packages = Object.values(npmPackages as Record<string, { readonly name: string }>);
  return { modules, packages: packages.map(({ name }) => name) };
}

Deno.test("the lock of the product has what it imports, directly or not, in the versions of the whole lock", () => {
  const lock: Lock = {
    version: "5",
    specifiers: { "npm:a@1.0.0": "1.0.0", "npm:@b/c@2.0.0": "2.0.0", "npm:tool@3.0.0": "3.0.0" },
    npm: {
      "a@1.0.0": { integrity: "sha512-a", dependencies: ["d@1.0.0", "e"] },
      "@b/c@2.0.0": { integrity: "sha512-c" },
      "d@1.0.0": { integrity: "sha512-d1", dependencies: ["a"] },
      "d@2.0.0": { integrity: "sha512-d2" },
      "e@4.0.0": { integrity: "sha512-e" },
      "tool@3.0.0": { integrity: "sha512-t", dependencies: ["d@2.0.0"] },
    },
    workspace: { dependencies: ["npm:@b/c@2.0.0", "npm:a@1.0.0", "npm:tool@3.0.0"] },
  };
  const product = productLock(lock, { imports: { a: "npm:a@1.0.0", "@b/c": "npm:@b/c@2.0.0" } });
  assert.deepEqual(Object.keys(product.npm).sort(), ["@b/c@2.0.0", "a@1.0.0", "d@1.0.0", "e@4.0.0"]);
  assert.deepEqual(product.npm["d@1.0.0"], lock.npm["d@1.0.0"]);
  assert.deepEqual(product.specifiers, { "npm:a@1.0.0": "1.0.0", "npm:@b/c@2.0.0": "2.0.0" });
  assert.deepEqual(product.workspace.dependencies, ["npm:@b/c@2.0.0", "npm:a@1.0.0"]);
});

Deno.test("a package that the lock does not have is an error that says what to do", () => {
  const lock: Lock = { version: "5", specifiers: {}, npm: {}, workspace: { dependencies: [] } };
  assert.throws(() => productLock(lock, { imports: { a: "npm:a@1.0.0" } }), /npm:a@1\.0\.0.*deno install/);
});

Deno.test("the packages of bundled files are told apart, whatever folders they lie in", () => {
  const deep = "node_modules/.deno/@a+b@1.0.0/node_modules/@a/b";
  assert.deepEqual(
    packagesOf([
      "lib/x.ts",
      `${deep}/dist/i.js`,
      `${deep}/node_modules/c/d.js`,
      "node_modules/e/f.js",
      "node_modules/e/g.js",
    ]),
    [deep, `${deep}/node_modules/c`, "node_modules/e"],
  );
});
