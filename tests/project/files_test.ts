/** How files are named, and what none of them may say. */
import assert from "node:assert/strict";
import { basename } from "node:path/posix";
import { filesUnder, sourcesUnder } from "./sources.ts";

const folders = ["lib", "tests", "scripts", "kernel", "bench"];

Deno.test("files and folders of source are named in snake_case", async () => {
  const wrong: string[] = [];
  for (const folder of folders) {
    for await (const path of filesUnder(folder)) {
      if (path.endsWith(".ts") && !/^[a-z0-9_/]+\.ts$/.test(path)) wrong.push(path);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("no file is a drawer: each is named for its idea", async () => {
  const drawers = ["utils", "util", "helpers", "helper", "common", "misc", "types"];
  const sources = await sourcesUnder(...folders);
  assert.deepEqual(sources.map(({ path }) => path).filter((path) => drawers.includes(basename(path, ".ts"))), []);
});

Deno.test("nothing is put off: no source says TODO", async () => {
  const marks = /\b(TODO|FIXME|XXX)\b/;
  const sources = (await sourcesUnder("main.ts", ...folders)).filter(({ path }) =>
    path !== "tests/project/files_test.ts"
  );
  assert.deepEqual(sources.filter(({ text }) => marks.test(text)).map(({ path }) => path), []);
});

Deno.test("no test is chosen alone", async () => {
  const sources = await sourcesUnder("tests");
  const alone = sources.filter(({ text }) => /Deno\.test\.only\(|\bonly: true\b/.test(text));
  assert.deepEqual(alone.map(({ path }) => path).filter((path) => path !== "tests/project/files_test.ts"), []);
});
