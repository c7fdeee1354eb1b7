import assert from "node:assert/strict";
import { Encrypter } from "age-encryption";
import { openAge } from "../../lib/crypto/age.ts";
import { DamageError, WrongKeyError } from "../../lib/crypto/errors.ts";
import { AGE_VECTORS } from "./age_vectors.ts";

const options = { what: "a test", wrongKey: "another passphrase" };

async function sealed(passphrase: string): Promise<Uint8Array<ArrayBuffer>> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(4);
  return new Uint8Array(await encrypter.encrypt("tree"));
}

Deno.test("the file of age's own test vectors opens with its passphrase", async () => {
  const { file, passphrase } = AGE_VECTORS.scrypt;
  assert.ok((await openAge(file, { passphrase: passphrase! }, options)).length > 0);
});

Deno.test("what the age package sealed to a passphrase opens, also one that is no ASCII", async () => {
  for (const passphrase of ["three blind mice", "drei blinde Mäuse 🐭"]) {
    const opened = await openAge(await sealed(passphrase), { passphrase }, options);
    assert.equal(new TextDecoder().decode(opened), "tree");
  }
});

Deno.test("another passphrase is a wrong key", async () => {
  await assert.rejects(openAge(await sealed("mouse"), { passphrase: "mice" }, options), WrongKeyError);
});

Deno.test("a stanza that is not as age writes it is damage", async () => {
  const text = new TextDecoder("latin1").decode(await sealed("mouse"));
  const broken = [
    text.replace(/-> scrypt (\S+) 4/, "-> scrypt $1 04"),
    text.replace(/-> scrypt \S+ 4/, "-> scrypt AAAA 4"),
    text.replace(/-> scrypt (\S+) 4/, "-> scrypt $1 4 4"),
  ];
  for (const file of broken) {
    const bytes = Uint8Array.from(file, (character) => character.charCodeAt(0));
    await assert.rejects(openAge(bytes, { passphrase: "mouse" }, options), DamageError);
  }
});
