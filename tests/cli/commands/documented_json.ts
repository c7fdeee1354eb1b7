import assert from "node:assert/strict";

interface Form {
  readonly members: ReadonlySet<string>;
  readonly required: readonly string[];
}

const forms = readForms(await Deno.readTextFile(new URL("../../../docs/JSON.md", import.meta.url)));

/** The schemas that docs/JSON.md describes. */
export const documentedSchemas: readonly string[] = [...forms.keys()];

/** Parses a line of output; fails unless docs/JSON.md describes every member, and all that must be there are. */
export function checkAgainstDocs(line: string): Record<string, unknown> {
  const { schema, ...members } = JSON.parse(line) as Record<string, unknown>;
  const form = forms.get(String(schema)) ?? assert.fail(`docs/JSON.md does not know ${schema}: ${line}`);
  for (const name of Object.keys(members)) assert.ok(form.members.has(name), `${schema} has an undescribed "${name}"`);
  for (const name of form.required) assert.ok(name in members, `${schema} lacks "${name}": ${line}`);
  return { schema, ...members };
}

/** The tables of the page: a heading is a schema, a row is a member, and one with a question mark may be absent. */
function readForms(page: string): Map<string, Form> {
  const sections = page.split(/^## /m).slice(1);
  return new Map(sections.map((section) => {
    const rows = [...section.matchAll(/^\| `(\w+)`(\??) +\|/gm)].map(([, name = "", mark]) => ({ name, mark }));
    assert.ok(rows.length > 0, section);
    const required = rows.filter(({ mark }) => mark === "").map(({ name }) => name);
    return [section.split("\n")[0]!.trim(), { members: new Set(rows.map(({ name }) => name)), required }];
  }));
}
