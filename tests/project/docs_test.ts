/** What the documentation points to is there. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path/posix";
import project from "../../deno.json" with { type: "json" };
import { filesUnder, root } from "./sources.ts";

interface Page {
  readonly path: string;
  readonly text: string;
}

async function pages(): Promise<Page[]> {
  const found: Page[] = [];
  for await (const path of filesUnder(".")) {
    if (path.endsWith(".md")) found.push({ path, text: await Deno.readTextFile(join(root, path)) });
  }
  return found;
}

/** Without code, in blocks or in line. */
function prose(text: string): string {
  return text.replace(/^(```+)[^]*?^\1/gm, "").replace(/(`+)[^]*?\1/g, "");
}

/** The names that a page's headings can be linked by, as GitHub and most others make them. */
function anchorsOf(text: string): string[] {
  const headings = [...text.replace(/^(```+)[^]*?^\1/gm, "").matchAll(/^#+ (.*)$/gm)];
  return headings.map(([, heading]) => {
    return heading!.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-");
  });
}

Deno.test("every link to a file of the project leads to one, and to a heading that it has", async () => {
  const all = await pages();
  const existing = new Set(await Array.fromAsync(filesUnder(".")));
  const broken: string[] = [];
  let links = 0;
  for (const { path, text } of all) {
    for (const [, target] of prose(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      links++;
      const [name, anchor] = target!.split("#");
      const file = name === "" ? path : join(dirname(path), name!);
      const page = all.find((page) => page.path === file);
      const isFolder = [...existing].some((other) => other.startsWith(`${file.replace(/\/$/, "")}/`));
      if (!existing.has(file) && !isFolder) broken.push(`${path}: ${target} is not there`);
      else if (anchor !== undefined && !(page && anchorsOf(page.text).includes(anchor))) {
        broken.push(`${path}: ${target} has no such heading`);
      }
    }
  }
  assert.deepEqual(broken, []);
  assert.ok(links > 0);
});

Deno.test("every task that the documentation names is there", async () => {
  const unknown: string[] = [];
  for (const { path, text } of await pages()) {
    for (const [words, task] of text.matchAll(/\bdeno(?:@[\d.]+)? task ([a-z][\w:]*)/g)) {
      if (!(task! in project.tasks)) unknown.push(`${path}: ${words}`);
    }
  }
  assert.deepEqual(unknown, []);
});
