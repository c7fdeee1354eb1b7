import assert from "node:assert/strict";
import { documentedSchemas } from "./documented_json.ts";

const sources = new URL("../../../lib/cli/", import.meta.url);

/** All files below a folder. */
function* filesBelow(folder: URL): Generator<URL> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) yield* filesBelow(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}

Deno.test("docs/JSON.md describes every schema that is printed, and no other", () => {
  const printed = new Set<string>();
  for (const file of filesBelow(sources)) {
    for (const [, schema = ""] of Deno.readTextFileSync(file).matchAll(/"(tarzan\.[a-z-]+\/\d+)"/g)) {
      printed.add(schema);
    }
  }
  // These two are put together from their kind, in the session.
  for (const kind of ["warning", "note"]) printed.add(`tarzan.${kind}/1`);
  assert.deepEqual([...printed].sort(), [...documentedSchemas].sort());
});
