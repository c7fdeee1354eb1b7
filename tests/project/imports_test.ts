import assert from "node:assert/strict";
import { importsOf } from "./imports.ts";
import { root, sourcesUnder } from "./sources.ts";

function found(source: string): string[] {
  return importsOf(source).map(({ kind, specifier }) => `${kind} ${specifier}`);
}

Deno.test("every way to import is found", () => {
  assert.deepEqual(
    found(`
      import a, { b as c, type D } from "./a.ts";
      import type { E } from './b.ts';
      import type F from "./c.ts";
      import type from "./d.ts";
      import * as g from "./e.ts";
      import "./f.ts";
      import h from "../h.json" with { type: "json" };
      export * from "./g.ts";
      export * as name from "./i.ts";
      export type * from "./j.ts";
      export { b, type D } from "./k.ts";
      export type { E } from "./l.ts";
      type M = typeof import("./m.ts");
      const n = await import("./n.ts"), o = import("./o.ts", { with: { type: "json" } });
      const p = \`text \${(await import("./p.ts")).x + \`\${{ a: "}" }.a}\`} import("./not.ts") \`;
      new Worker(new URL("./q.ts", import.meta.url), { type: "module" });
    `),
    [
      ...["static ./a.ts", "type ./b.ts", "type ./c.ts", "static ./d.ts", "static ./e.ts", "static ./f.ts"],
      ...["static ../h.json", "static ./g.ts", "static ./i.ts", "type ./j.ts", "static ./k.ts", "type ./l.ts"],
      ...["dynamic ./m.ts", "dynamic ./n.ts", "dynamic ./o.ts", "dynamic ./p.ts", "worker ./q.ts"],
    ],
  );
});

Deno.test("what only looks like an import is none", () => {
  assert.deepEqual(
    found(`
      // import "./a.ts"
      /* import "./b.ts" */
      const text = "import './c.ts'", other = 'it\\'s import("./d.ts")';
      const pattern = /[/"]import "\\/e.ts"/g, half = text.length / 2 / other.length;
      export { text };
      export type G = { from: "./f.ts" };
      export const from = (import.meta.url, { import: 1 }.import);
      for (const x of /"/.exec(text) ?? []) loader.import("./h.ts");
      export default { from };
    `),
    [],
  );
});

Deno.test("an import or a worker whose file nobody can tell is an error", () => {
  assert.throws(() => importsOf("await import(name)"), /import\(…\) does not name its file/);
  assert.throws(() => importsOf('await import("./a" + b)'), /does not name its file/);
  assert.throws(() => importsOf("new Worker(url)"), /new Worker\(…\) does not name its file/);
});

Deno.test("in this project the same imports are found as Deno finds", async () => {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "main.ts"],
    cwd: root,
    stderr: "inherit",
  }).output();
  assert.ok(success);
  interface Module {
    readonly specifier: string;
    readonly kind: string;
    readonly dependencies?: readonly { readonly specifier: string }[];
  }
  const modules: readonly Module[] = JSON.parse(new TextDecoder().decode(stdout)).modules;
  const sources = new Map((await sourcesUnder("main.ts", "lib")).map((source) => [source.url, source]));
  let compared = 0;
  for (const { specifier, dependencies } of modules) {
    const source = sources.get(specifier);
    if (source === undefined) continue;
    const ours = importsOf(source.text).filter(({ kind }) => kind !== "worker").map(({ specifier }) => specifier);
    const denos = (dependencies ?? []).map(({ specifier }) => specifier);
    assert.deepEqual([...new Set(ours)].sort(), [...new Set(denos)].sort(), source.path);
    compared++;
  }
  assert.ok(compared > 100, `${compared} files compared`);
});
