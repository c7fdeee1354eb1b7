// The sheet to keep on paper.

import assert from "node:assert/strict";
import { recoverySheet } from "../../lib/verbs/recovery_sheet.ts";

const FACTS = {
  location: "/srv/backup",
  repository: "0123456789abcdef".repeat(2),
  code: "abcd-efgh-ijkl",
  slots: [{ name: "keys/a-0.age", text: "-----BEGIN\nAAAA\n-----END\n" }, { name: "keys/b-1.age", text: "BBBB" }],
};

Deno.test("a recovery sheet says where, which, the code, and every slot whole", () => {
  const sheet = recoverySheet(FACTS);
  const { location, repository, code, slots } = FACTS;
  for (const part of [location, repository, code, ...slots.flatMap(({ name, text }) => [name, text.trimEnd()])]) {
    assert.ok(sheet.includes(part), part);
  }
});

Deno.test("a recovery sheet says where cold storage is, if there is any", () => {
  assert.ok(!recoverySheet(FACTS).includes("Cold"));
  const sheet = recoverySheet({ ...FACTS, cold: "glacier://us-east-1/vault" });
  assert.match(sheet, /^Place {8}\/srv\/backup\nCold place {3}glacier:\/\/us-east-1\/vault\nRepository/m);
});

Deno.test("a recovery sheet fits on paper, and says what to do with it", () => {
  const sheet = recoverySheet(FACTS);
  for (const line of sheet.split("\n")) assert.ok(line.length <= 100, line);
  assert.match(sheet, /--pin/);
  assert.match(sheet, /--identity/);
  assert.match(sheet, /age -d/);
  assert.ok(sheet.endsWith("\n") && !sheet.endsWith("\n\n\n"));
});
