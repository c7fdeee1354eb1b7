import assert from "node:assert/strict";
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from "age-encryption";
import { readSlotInput } from "../../lib/crypto/armor.ts";
import { formatBundle, parseBundle, SLOT_LIMIT_BYTES } from "../../lib/crypto/bundle.ts";
import { DamageError, UnsupportedError, WrongKeyError } from "../../lib/crypto/errors.ts";
import { createFullBundle } from "../../lib/crypto/grants.ts";
import { sha256 } from "../../lib/crypto/hash.ts";
import { toHex } from "../../lib/crypto/hex.ts";
import { bundleHash, pinCode } from "../../lib/crypto/pin.ts";
import { inspectSlot, isPostQuantum, openSlot, sealSlot } from "../../lib/crypto/slot.ts";
import { checkSlotName, slotLabel, slotName } from "../../lib/crypto/slot_name.ts";
import { encodeText } from "../../lib/crypto/text.ts";
import { AGE_VECTORS } from "./age_vectors.ts";

const text = formatBundle(await createFullBundle({ repository: "ab".repeat(16), domainName: "home", config: "{}\n" }));
const passphrase = "correct horse battery staple";
/** scrypt at its cheapest: only tests may. */
const workFactor = 1;
const slot = await sealSlot(text, { passphrase, workFactor });
const identity = await generateX25519Identity();
const hybrid = await generateHybridIdentity();

/** A full key of version 1 with the passphrase "three blind mice". It must open for ever. */
const GOLDEN_SLOT = `
-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBmS1lhUURZRmdzQTJrWjBR
aFQ0SG13IDEwClhMZzI3QVo4UnBJdlFEbW9Fbi9SMTJBdUYyS2hOTVNEM0xBNkM5
a2YwVWMKLS0tIFcyUGx1a1YwdERQTC9VZTBXelc0a2JjT3R1U2N3K3NlV0xjbnZV
YWg5K00KuPo+DYkNxoyLfFs70iNkb7I14Bpr6kBM7Q2hQ6GYd3AtrjYyRRfDCe61
hw1d+fI9Enu7DAZkrSJGwERYoRwGGGGyOZ6go1rnLhKKimG9PTNInmr7o5Ti/K/G
I+FIYVgDktTGfZwidKR1cM/DBkTpIpb002bEjAdhHwa6JReEfiF1KvVwzInas5Dv
ZSIS4m1uO0LWaZi4p2XzdT57YwLM1HNNQygVnSDDpqPssvGs0HSMEmJ5TPr/pWFU
Y1cd1/9reatjuFOsc3euH5VHSG+fxmrjmIi0v9zepNpjDRR9Djfwk5MiwrAakDZr
cKPD2pwTgPJChbxeazy4ykDslxCHYCt0T+ZZU4K9KLHj60QEdnZpZbbnhnwxELwX
m3bd3NxuY2nc3G2t+5Ck5a7fyjnshD9X/OgnfeXFKO9dTBGrJqBFqE7ZqLtMI57X
AA==
-----END AGE ENCRYPTED FILE-----
`;

/** All copies of `bytes` with one bit flipped. */
function* flips(bytes: Uint8Array): Generator<Uint8Array> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    yield flipped;
  }
}

function isOurs(error: unknown): boolean {
  return error instanceof DamageError || error instanceof WrongKeyError || error instanceof UnsupportedError;
}

Deno.test("a slot opens with its passphrase and gives the exact text", async () => {
  assert.equal(await openSlot(slot, { passphrase }), text);
});

Deno.test("a slot that the first version wrote opens, and has the pin code that it had", async () => {
  const text = await openSlot(await readSlotInput(GOLDEN_SLOT), { passphrase: "three blind mice" });
  const bundle = parseBundle(text);
  assert.equal(bundle.role, "full");
  assert.equal(formatBundle(bundle), text);
  assert.equal(pinCode(bundleHash(text)), "5axe-6eqq-mpne-qqbp");
});

Deno.test("a slot to several recipients opens with the identity of each", async () => {
  const recipients = await Promise.all([identity, hybrid].map(identityToRecipient));
  const slot = await sealSlot(text, { recipients });
  for (const own of [identity, hybrid]) {
    assert.equal(await openSlot(slot, { identities: [await generateX25519Identity(), own] }), text);
  }
});

Deno.test("a wrong passphrase is a wrong key, with a sentence that helps", async () => {
  for (const wrong of ["", `${passphrase} `, passphrase.toUpperCase()]) {
    await assert.rejects(() => openSlot(slot, { passphrase: wrong }, "key slot home"), (error: Error) => {
      assert.ok(error instanceof WrongKeyError);
      assert.match(error.message, /Wrong passphrase for key slot home\. Generated passphrases are ten/);
      return true;
    });
  }
});

Deno.test("somebody else's identity is a wrong key", async () => {
  const slot = await sealSlot(text, { recipients: [await identityToRecipient(hybrid)] });
  await assert.rejects(() => openSlot(slot, { identities: [identity] }), WrongKeyError);
  await assert.rejects(
    async () => await openSlot(slot, { identities: [await generateHybridIdentity()] }),
    WrongKeyError,
  );
});

Deno.test("a passphrase for a slot of recipients, and the reverse, is told apart without work", async () => {
  const toRecipient = await sealSlot(text, { recipients: [await identityToRecipient(identity)] });
  await assert.rejects(() => openSlot(toRecipient, { passphrase }), /sealed to X25519. Give an age identity file/);
  await assert.rejects(() => openSlot(slot, { identities: [identity] }), /sealed with a passphrase/);
});

Deno.test("a broken identity is a wrong key, and its text is not repeated", async () => {
  const slot = await sealSlot(text, { recipients: [await identityToRecipient(identity)] });
  const broken = `${identity.slice(0, -1)}${identity.endsWith("Q") ? "P" : "Q"}`;
  await assert.rejects(() => openSlot(slot, { identities: [broken] }), (error: Error) => {
    return error instanceof WrongKeyError && !`${error.stack} ${error.cause}`.includes(broken.slice(20));
  });
});

Deno.test("every flipped bit of a passphrase slot is noticed, with the passphrase and by its name without any key", async () => {
  const name = slotName("home", slot);
  checkSlotName(name, slot);
  for (const flipped of flips(slot)) {
    assert.throws(() => checkSlotName(name, flipped), DamageError);
    await assert.rejects(() => openSlot(flipped, { passphrase }), isOurs);
  }
});

Deno.test("every flipped bit of a recipient slot is noticed when it is opened", async () => {
  const slot = await sealSlot("{}", { recipients: [await identityToRecipient(identity)] });
  for (const flipped of flips(slot)) await assert.rejects(() => openSlot(flipped, { identities: [identity] }), isOurs);
});

Deno.test("a slot that is cut short or longer than it was is damage", async () => {
  const header = slot.length - text.length - 32;
  for (const length of [0, 10, 30, header - 5, header, header + 16, header + 31, header + 32, slot.length - 1]) {
    await assert.rejects(() => openSlot(slot.subarray(0, length), { passphrase }), DamageError, `${length}`);
  }
  await assert.rejects(() => openSlot(new Uint8Array([...slot, 0]), { passphrase }), DamageError);
});

Deno.test("scrypt above 2^20 is refused before any work, below it is the writer's choice", async () => {
  const costly = AGE_VECTORS.scrypt_work_factor_23;
  const before = performance.now();
  await assert.rejects(() => openSlot(costly.file, costly), UnsupportedError);
  assert.throws(() => inspectSlot(costly.file), /2\^23 rounds/);
  assert.ok(performance.now() - before < 5000, "2^23 rounds take half a minute");
  for (const workFactor of [0, 21, NaN]) {
    await assert.rejects(() => sealSlot(text, { passphrase, workFactor }), RangeError);
  }
});

Deno.test("a slot whose scrypt stanza is not alone or has no number is damage", () => {
  assert.throws(() => inspectSlot(AGE_VECTORS.scrypt_and_x25519.file), DamageError);
  const header = new TextDecoder("latin1").decode(slot.subarray(0, 80));
  assert.match(header, /-> scrypt \S{22} 1\n/);
  for (const args of ["0", "01", "1x", "-1", "1 1", "x".repeat(3)]) {
    const changed = header.replace(/ 1\n/, ` ${args}\n`);
    const file = new Uint8Array([...encodeText(changed), ...slot.subarray(80)]);
    assert.throws(() => inspectSlot(file), DamageError, args);
  }
});

Deno.test("age files of other tools open", async () => {
  for (const vector of [AGE_VECTORS.scrypt, AGE_VECTORS.x25519, AGE_VECTORS.hybrid, AGE_VECTORS.hybrid_and_x25519]) {
    const opener = "passphrase" in vector ? vector : { identities: [vector.identity] };
    assert.equal(toHex(sha256(await openSlot(vector.file, opener))), vector.payload);
  }
});

Deno.test("an age file that holds no text is no slot", async () => {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity));
  const file = await encrypter.encrypt(new Uint8Array([0xff, 0xfe]));
  await assert.rejects(() => openSlot(file, { identities: [identity] }), DamageError);
});

Deno.test("anyone can read how a slot is sealed, and whether that is post-quantum", async () => {
  const [classic, quantum] = await Promise.all([identity, hybrid].map(identityToRecipient));
  const mixed = inspectSlot(await sealSlot("{}", { recipients: [classic!, quantum!] }));
  assert.deepEqual(inspectSlot(slot), { kind: "passphrase", workFactor: 1 });
  assert.deepEqual(mixed, { kind: "recipients", types: ["X25519", "mlkem768x25519"] });
  assert.ok(isPostQuantum(inspectSlot(slot)));
  assert.ok(isPostQuantum(inspectSlot(await sealSlot("{}", { recipients: [quantum!] }))));
  assert.ok(!isPostQuantum(mixed));
  assert.ok(!isPostQuantum({ kind: "recipients", types: ["mlkem768x25519", "something-new"] }));
});

Deno.test("a slot over 64 KiB is neither written nor read", async () => {
  const recipients = new Array<string>(700).fill(await identityToRecipient(identity));
  await assert.rejects(() => sealSlot(text, { recipients }), /Name fewer recipients/);
  const large = new Uint8Array(SLOT_LIMIT_BYTES + 1);
  large.set(slot);
  assert.throws(() => inspectSlot(large), DamageError);
});

Deno.test("nothing is sealed to nobody, to an empty passphrase or to what is no recipient", async () => {
  await assert.rejects(() => sealSlot(text, { recipients: [] }), /no recipient/);
  await assert.rejects(() => sealSlot(text, { passphrase: "" }), /empty passphrase/);
  await assert.rejects(() => sealSlot(text, { recipients: ["age1xyz"] }), /"age1xyz"/);
  await assert.rejects(() => sealSlot(text, { recipients: ["ssh-ed25519 AAAA"] }), /ssh-ed25519/);
  await assert.rejects(() => sealSlot(text, { recipients: [identity] }), (error: Error) => {
    return error.message.includes("age-keygen -y") && !error.message.includes(identity.slice(20));
  });
});

Deno.test("two seals of one bundle are different slots of the same text", async () => {
  const again = await sealSlot(text, { passphrase, workFactor });
  assert.notEqual(slotName("home", again), slotName("home", slot));
  assert.equal(await openSlot(again, { passphrase }), text);
});

Deno.test("a slot's name is its label and the beginning of its SHA-256", () => {
  const name = slotName("web-1", encodeText("abc"));
  assert.equal(name, "keys/web-1-ba7816bf8f01cfea.age");
  assert.equal(slotLabel(name), "web-1");
  assert.equal(slotLabel("keys/a-0123456789abcdef-ba7816bf8f01cfea.age"), "a-0123456789abcdef");
});

Deno.test("what is not the name of a slot is refused before it names anything", () => {
  for (const label of ["", "-a", "A", "a_b", "../a", "a/b", "a".repeat(33), "a\n"]) {
    assert.throws(() => slotName(label, slot), TypeError, label);
  }
  for (
    const name of [
      "keys/a.age",
      "keys/a-ba7816bf8f01cfe.age",
      "keys/../a-ba7816bf8f01cfea.age",
      "a-ba7816bf8f01cfea.age",
    ]
  ) {
    assert.equal(slotLabel(name), undefined);
    assert.throws(() => checkSlotName(name, slot), DamageError, name);
  }
  assert.throws(() => checkSlotName("keys/home-ba7816bf8f01cfea.age", slot), /Take a copy from elsewhere/);
});
