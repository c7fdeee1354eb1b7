import assert from "node:assert/strict";
import { generateX25519Identity } from "age-encryption";
import { armorSlot } from "../../lib/crypto/armor.ts";
import { formatBundle } from "../../lib/crypto/bundle.ts";
import { createFullBundle } from "../../lib/crypto/grants.ts";
import { recogniseKeyFile } from "../../lib/crypto/key_file.ts";
import { encodeText } from "../../lib/crypto/text.ts";
import { AGE_VECTORS } from "./age_vectors.ts";

Deno.test("each kind of key file is known for what it is", async () => {
  const bundle = await createFullBundle({ repository: "ab".repeat(16), domainName: "home", config: "{}\n" });
  const slot = AGE_VECTORS.scrypt.file;
  assert.equal(recogniseKeyFile(encodeText(formatBundle(bundle))), "bundle");
  assert.equal(recogniseKeyFile(slot), "slot");
  assert.equal(recogniseKeyFile(encodeText(await armorSlot(slot))), "slot");
  assert.equal(recogniseKeyFile(encodeText(`my sheet:\n${await armorSlot(slot)}`)), "slot");
  assert.equal(recogniseKeyFile(encodeText(`# mine\n${await generateX25519Identity()}\n`)), "identities");
});

Deno.test("anything else is unknown", () => {
  for (const text of ["", "correct horse battery staple", "{}", '{"format":"tarzan index"}', "# AGE-SECRET-KEY-1"]) {
    assert.equal(recogniseKeyFile(encodeText(text)), "unknown", text);
  }
  assert.equal(recogniseKeyFile(new Uint8Array([0xff, 0xd8, 0xff])), "unknown");
});
