import assert from "node:assert/strict";
import { generateHybridIdentity, generateX25519Identity } from "age-encryption";
import { WrongKeyError } from "../../lib/crypto/errors.ts";
import { parseIdentityFile } from "../../lib/crypto/identity_file.ts";

const classic = await generateX25519Identity();
const hybrid = await generateHybridIdentity();

Deno.test("an identity file gives its identities, without comments and blank lines", () => {
  const text = `# created: 2025-01-01\r\n# public key: age1...\n${classic}\r\n\n  ${hybrid}  \n#end`;
  assert.deepEqual(parseIdentityFile(text), [classic, hybrid]);
  assert.deepEqual(parseIdentityFile(classic), [classic]);
});

Deno.test("a file with anything else is refused, with the line and without its text", () => {
  const broken = classic.slice(0, -2);
  assert.throws(() => parseIdentityFile(`# x\n${broken}\n`, "key.txt"), (error: Error) => {
    assert.ok(error instanceof WrongKeyError);
    assert.match(error.message, /line 2 of key.txt/);
    assert.ok(!error.message.includes(broken.slice(18)));
    return true;
  });
  assert.throws(() => parseIdentityFile(`${classic}\n${classic.toLowerCase()}`), /line 2/);
});

Deno.test("other kinds of key files are refused by name", () => {
  const cases: [string, RegExp][] = [
    ["", /no age identity in it/],
    ["# only a comment\n", /no age identity in it/],
    ["AGE-PLUGIN-YUBIKEY-1QQQ", /plugins/],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\nabc", /SSH keys/],
    ["-----BEGIN AGE ENCRYPTED FILE-----\nabc", /itself encrypted/],
    ["age-encryption.org/v1\n-> scrypt", /itself encrypted/],
  ];
  for (const [text, message] of cases) assert.throws(() => parseIdentityFile(text), message);
});
