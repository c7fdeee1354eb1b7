import assert from "node:assert/strict";
import fc from "fast-check";
import { formatBundle, type KeyBundle, parseBundle, SLOT_LIMIT_BYTES } from "../../lib/crypto/bundle.ts";
import { DamageError, UnsupportedError } from "../../lib/crypto/errors.ts";
import { createFullBundle, createListBundle, createWriteBundle } from "../../lib/crypto/grants.ts";
import { bundleHash, pinCode } from "../../lib/crypto/pin.ts";
import { toHex } from "../../lib/crypto/hex.ts";

const root = Uint8Array.from({ length: 32 }, (_, i) => i);
const config = '{"format":"tarzan repository"}\n';
const full = await createFullBundle({ repository: "ab".repeat(16), domainName: "home", config, root });
const bundles: KeyBundle[] = [full, await createListBundle(full), await createWriteBundle(full, "web1")];

/** The text of the full bundle with members replaced, added or (undefined) left out. */
function changed(members: Record<string, unknown>): string {
  return `${JSON.stringify({ ...JSON.parse(formatBundle(full)), ...members })}\n`;
}

Deno.test("a full bundle is this text, member by member", () => {
  assert.equal(
    formatBundle(full),
    '{"format":"tarzan key","version":1,"requires":[],"role":"full","repository":"abababababababababababababababab",' +
      '"domain":{"id":"dfc897096ba53bd27b87b69f31c12d7f","name":"home"},' +
      '"config":"{\\"format\\":\\"tarzan repository\\"}\\n",' +
      '"root":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"}\n',
  );
});

Deno.test("the bundles of every role survive the way through text", () => {
  for (const bundle of bundles) assert.deepEqual(parseBundle(formatBundle(bundle)), bundle);
});

Deno.test("any config text survives unchanged", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 500 }), (text) => {
    assert.equal(parseBundle(formatBundle({ ...full, config: text })).config, text);
  }));
});

Deno.test("the same role and domain make the same bytes, whoever asks and when", async () => {
  const again = await createFullBundle({ repository: full.repository, domainName: "home", config, root: root.slice() });
  const texts = [again, await createListBundle(again), await createWriteBundle(again, "web1")].map(formatBundle);
  assert.deepEqual(texts, bundles.map(formatBundle));
  assert.deepEqual(texts.map((text) => formatBundle(parseBundle(text))), texts);
});

Deno.test("the bundles of a frozen root have the frozen pin codes", () => {
  const codes = bundles.map((bundle) => pinCode(bundleHash(formatBundle(bundle))));
  assert.deepEqual(codes, ["5axe-6eqq-mpne-qqbp", "14cj-1n65-ngxe-a3mp", "60gh-12qc-82yf-fzqv"]);
});

Deno.test("bundles of other roles, domains and roots have other hashes", async () => {
  const others = [
    await createWriteBundle(full, "web2"),
    await createFullBundle({ ...full, domainName: "home", root: new Uint8Array(32) }),
  ];
  const hashes = [...bundles, ...others].map((bundle) => toHex(bundleHash(formatBundle(bundle))));
  assert.equal(new Set(hashes).size, hashes.length);
});

Deno.test("a fresh repository gets a fresh root", async () => {
  const options = { repository: "ab".repeat(16), domainName: "home", config };
  const [one, two] = [await createFullBundle(options), await createFullBundle(options)];
  assert.notDeepEqual(one.root, two.root);
  assert.equal(one.root.length, 32);
});

Deno.test("members that this version does not know are ignored", () => {
  assert.deepEqual(parseBundle(changed({ colour: "green", shapes: 3 })), full);
});

Deno.test("a newer version, requirement or role is unsupported, not damaged", () => {
  for (
    const members of [{ version: 2 }, { requires: ["yubikey"] }, { role: "prune" }, { version: 7, role: 1, root: 1 }]
  ) {
    assert.throws(() => parseBundle(changed(members)), UnsupportedError, JSON.stringify(members));
  }
});

Deno.test("anything malformed is damage", () => {
  const id = full.domain.id;
  for (
    const members of [
      { format: "tarzan index" },
      { format: undefined },
      { version: "1" },
      { version: 0 },
      { version: 1.5 },
      { requires: undefined },
      { requires: "x" },
      { requires: [1] },
      { role: undefined },
      { repository: "AB".repeat(16) },
      { repository: "ab".repeat(15) },
      { config: undefined },
      { config: {} },
      { domain: undefined },
      { domain: null },
      { domain: { id, name: "../x" } },
      { domain: { id: "home", name: "home" } },
      { root: undefined },
      { root: "00".repeat(31) },
      { root: "AA".repeat(32) },
    ]
  ) assert.throws(() => parseBundle(changed(members)), DamageError, JSON.stringify(members));
  for (const text of ["", "null", "[]", "7", '"tarzan key"', formatBundle(full).slice(0, -3)]) {
    assert.throws(() => parseBundle(text), DamageError, text);
  }
});

Deno.test("identities and recipients in list and write bundles must be whole hybrid ones", () => {
  for (const bundle of bundles.slice(1)) {
    const members = JSON.parse(formatBundle(bundle));
    for (const name of ["metaIdentity", "dataRecipient", "metaRecipient"].filter((name) => name in members)) {
      for (const value of [undefined, "", members[name].slice(1), `${members[name]}q`, "age1xyz", 7]) {
        assert.throws(() => parseBundle(JSON.stringify({ ...members, [name]: value })), DamageError);
      }
    }
  }
});

Deno.test("a text longer than a slot is refused before it is parsed", () => {
  const text = formatBundle(full);
  assert.deepEqual(parseBundle(text.padEnd(SLOT_LIMIT_BYTES)), full);
  assert.throws(() => parseBundle(text.padEnd(SLOT_LIMIT_BYTES + 1)), DamageError);
});

Deno.test("no error message repeats a secret", () => {
  const secret = toHex(root);
  for (
    const text of [formatBundle(full).slice(0, -2), changed({ root: secret.toUpperCase() }), changed({ domain: 1 })]
  ) {
    assert.throws(() => parseBundle(text), (error: Error) => {
      assert.ok(!`${error.stack} ${error.cause}`.toLowerCase().includes(secret.slice(0, 12)));
      return true;
    });
  }
});
