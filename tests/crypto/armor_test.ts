import assert from "node:assert/strict";
import fc from "fast-check";
import { armorSlot, readSlotInput } from "../../lib/crypto/armor.ts";
import { DamageError } from "../../lib/crypto/errors.ts";
import { encodeText } from "../../lib/crypto/text.ts";
import { AGE_VECTORS } from "./age_vectors.ts";

const { file } = AGE_VECTORS.scrypt;

Deno.test("a slot survives the way over paper", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (slot) => {
      assert.deepEqual(await readSlotInput(await armorSlot(slot)), new Uint8Array(slot));
    }),
    { numRuns: 30 },
  );
});

Deno.test("the text of a slot is that of age's armor", async () => {
  const text = await armorSlot(file);
  assert.match(
    text,
    /^-----BEGIN AGE ENCRYPTED FILE-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END AGE ENCRYPTED FILE-----\n$/,
  );
  assert.ok(
    text.startsWith(
      "-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCByRjAvTndibFVISFRwZ1Fn\n",
    ),
  );
});

Deno.test("a binary slot passes through as it is, also when it comes as bytes of a text", async () => {
  assert.deepEqual(await readSlotInput(file), file);
  assert.deepEqual(await readSlotInput(encodeText(await armorSlot(file))), file);
});

Deno.test("what pasting and typing do to a text is forgiven", async () => {
  const text = await armorSlot(file);
  const lines = text.trim().split("\n");
  for (
    const pasted of [
      text.replaceAll("\n", "\r\n"),
      lines.map((line) => `  ${line} `).join("\n\n"),
      `Recovery sheet, page 1\n\n${text}\nKeep it well`,
      [lines[0], lines.slice(1, -1).join("").replace(/(.{8})/g, "$1 "), lines.at(-1)].join("\n"),
    ]
  ) assert.deepEqual(await readSlotInput(pasted), file);
});

Deno.test("a text that is not whole is damage", async () => {
  const text = await armorSlot(file);
  for (
    const broken of [
      "",
      "hello",
      text.slice(30),
      text.slice(0, -20),
      text.replace("YWdl", "YW!l"),
      text.replace("YWdl", "YWd"),
      text.replace(/\n[^-]*\n/, "\n"),
    ]
  ) await assert.rejects(() => readSlotInput(broken, "the sheet"), DamageError, JSON.stringify(broken));
});
