/** Numbers that stand in several places are the same in all of them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import project from "../../deno.json" with { type: "json" };
import kernelProject from "../../kernel/deno.json" with { type: "json" };
import scriptsProject from "../../scripts/deno.json" with { type: "json" };
import { filesUnder, root } from "./sources.ts";

const exactVersion = /^npm:((?:@[\w.-]+\/)?[\w.-]+)@\d+\.\d+\.\d+$/;

async function text(path: string): Promise<string> {
  return await Deno.readTextFile(join(root, path));
}

Deno.test("the newest version in the changelog is that of deno.json", async () => {
  const [newest] = (await text("CHANGELOG.md")).match(/(?<=^## )\S+/m) ?? [];
  assert.equal(newest, project.version);
});

Deno.test("everybody is told to run the same version of Deno", async () => {
  const found = new Map<string, string[]>();
  for (const path of ["README.md", "docs", ".ci/run", "deno.json", "scripts"]) {
    for await (const file of filesUnder(path)) {
      for (const [, version] of (await text(file)).matchAll(/\bdeno@([\w.-]+\w)/g)) {
        found.set(version!, [...(found.get(version!) ?? []), file]);
      }
    }
  }
  assert.equal(found.size, 1, [...found].map(([version, files]) => `${version}: ${files}`).join("; "));
  assert.ok([...found.values()].flat().includes("README.md"));
});

for (
  const [folder, imports] of [
    [".", { ...project.imports, ...project.scopes["./tests/"] }],
    ["kernel", kernelProject.imports],
    ["scripts", scriptsProject.imports],
  ] as const
) {
  Deno.test(`packages of ${folder}/deno.json are named with exact versions, which its lock has`, async () => {
    const lock = JSON.parse(await text(`${folder}/deno.lock`));
    for (const [name, specifier] of Object.entries<string>(imports)) {
      assert.equal(specifier.match(exactVersion)?.[1], name, specifier);
      assert.ok(specifier in lock.specifiers, `${specifier} is not in ${folder}/deno.lock`);
    }
    assert.deepEqual(Object.keys(lock.specifiers).sort(), Object.values(imports).sort());
  });
}

Deno.test("no lock is written to by the way", () => {
  for (const { lock } of [project, kernelProject, scriptsProject]) {
    assert.deepEqual(lock, { path: "deno.lock", frozen: true });
  }
});
