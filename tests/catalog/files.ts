import assert from "node:assert/strict";
import { join } from "node:path";

/** Runs a test with the path of a database that does not exist yet, in folders that do not exist either. */
export async function withPath(test: (path: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "tarzan-catalog-" });
  try {
    await test(join(folder, "state", "repository", "catalog.db"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Lets another process do something (see child.ts) and waits for its end. */
export async function inChild(what: string, path: string, argument: string): Promise<void> {
  const script = new URL("./child.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--no-lock", "--no-check", script, what, path, argument];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "null", stderr: "piped" });
  assert.equal(new TextDecoder().decode((await child.output()).stderr), "");
}
