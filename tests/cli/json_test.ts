import assert from "node:assert/strict";
import { jsonLine } from "../../lib/cli/json.ts";

Deno.test("an object is one line that begins with its schema and leaves out what is not known", () => {
  assert.equal(jsonLine("tarzan.x/1", { a: "line\nend", b: undefined }), '{"schema":"tarzan.x/1","a":"line\\nend"}\n');
});

Deno.test("nothing in a line of JSON can take over a terminal, and all of it is read back as it was", () => {
  const nasty = "\x1b[2J\x07\x7f\x9b2J\u202eb\u2066\u200f\u2028ü日";
  const line = jsonLine("tarzan.x/1", { nasty });
  // deno-lint-ignore no-control-regex
  assert.match(line, /^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]*\n$/);
  assert.equal(JSON.parse(line).nasty, nasty);
});
