import assert from "node:assert/strict";
import project from "../../deno.json" with { type: "json" };
import { filesUnder } from "./sources.ts";

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

Deno.test("every campaign in tests/campaigns is a task, test:NAME, so that .ci/run finds it", async () => {
  const forgotten: string[] = [];
  for await (const path of campaigns()) {
    const name = path.slice(path.lastIndexOf("/") + 1, -".ts".length);
    if (!tasks[`test:${name}`]?.command.includes(path)) forgotten.push(path);
  }
  assert.deepEqual(forgotten, []);
});

/** The files of the folder itself; what campaigns share lies in folders below. */
async function* campaigns(): AsyncGenerator<string> {
  for await (const path of filesUnder("tests")) {
    if (/^tests\/campaigns\/[^/]+\.ts$/.test(path)) yield path;
  }
}
