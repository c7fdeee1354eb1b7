import assert from "node:assert/strict";
import { join } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { importsOf } from "./imports.ts";
import { filesUnder, root, sourcesUnder } from "./sources.ts";

const tasks: Record<string, { readonly command: string }> = project.tasks;

Deno.test("every task says what it is for", () => {
  const silent = Object.entries(project.tasks).filter(([, { description }]) => !description).map(([name]) => name);
  assert.deepEqual(silent, []);
});

Deno.test("every file that a task runs is there", async () => {
  const files = new Set(await Array.fromAsync(filesUnder(".")));
  const named = Object.values(tasks).flatMap(({ command }) => command.match(/(?<=\s)[\w/]+\.(ts|json)\b/g) ?? []);
  assert.deepEqual(named.filter((path) => !files.has(path)), []);
  assert.ok(named.length > 3);
});

Deno.test("Deno runs TARzan with the same settings of its engine from the source, as an executable and in the bench", async () => {
  const files = ["deno.json", "scripts/compile.ts", "bench/own_process.ts"];
  const found = await Promise.all(files.map(async (file) => {
    return (await Deno.readTextFile(join(root, file))).match(/--v8-flags=[\w=,-]+/g) ?? [];
  }));
  assert.ok(found.every((flags) => flags.length > 0));
  assert.equal(new Set(found.flat()).size, 1, found.join(" "));
});

Deno.test("every campaign in tests/campaigns is a task, test:NAME, so that .ci/run finds it", async () => {
  const forgotten = (await campaigns()).filter((path) => {
    const name = path.slice(path.lastIndexOf("/") + 1, -".ts".length).replaceAll("_", "-");
    return !tasks[`test:${name}`]?.command.includes(path);
  });
  assert.deepEqual(forgotten, []);
});

/** The programs among the files of the folder: those that no other file imports or starts. */
async function campaigns(): Promise<string[]> {
  const sources = (await sourcesUnder("tests")).filter(({ path }) => path.startsWith("tests/campaigns/"));
  const used = new Set(sources.flatMap(({ url, text }) => {
    return importsOf(text).map(({ specifier }) => specifier.startsWith(".") ? new URL(specifier, url).href : specifier);
  }));
  return sources.filter(({ url, path }) => !used.has(url) && !path.endsWith("_test.ts")).map(({ path }) => path);
}
