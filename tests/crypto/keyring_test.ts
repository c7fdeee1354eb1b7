import assert from "node:assert/strict";
import { formatBundle } from "../../lib/crypto/bundle.ts";
import { WrongKeyError } from "../../lib/crypto/errors.ts";
import { createFullBundle, createListBundle, createWriteBundle } from "../../lib/crypto/grants.ts";
import { toHex } from "../../lib/crypto/hex.ts";
import { type Ability, Keyring } from "../../lib/crypto/keyring.ts";
import { deriveBodies, deriveDomainSecret, deriveShapes } from "../../lib/crypto/keys.ts";
import { unwrapKey, wrapKey } from "../../lib/crypto/wrap.ts";

const root = Uint8Array.from({ length: 32 }, (_, i) => 7 * i);
const fullBundle = await createFullBundle({ repository: "ab".repeat(16), domainName: "home", config: "{}\n", root });
const listBundle = await createListBundle(fullBundle);
const writeBundle = await createWriteBundle(fullBundle, "web1");
const full = new Keyring(fullBundle);
const list = new Keyring(listBundle);
const write = new Keyring(writeBundle);
const web1 = writeBundle.domain.id;
const home = fullBundle.domain.id;

Deno.test("each role has exactly the abilities of the table", () => {
  const abilities: Ability[] = ["create", "list", "extract", "control"];
  assert.deepEqual(abilities.filter((ability) => full.can(ability)), abilities);
  assert.deepEqual(abilities.filter((ability) => list.can(ability)), ["list"]);
  assert.deepEqual(abilities.filter((ability) => write.can(ability)), ["create"]);
});

Deno.test("a keyring says to which repository, config and domain its key belongs", () => {
  assert.equal(write.role, "write");
  assert.equal(write.repository, "ab".repeat(16));
  assert.equal(write.config, "{}\n");
  assert.deepEqual(write.defaultDomain, { id: web1, name: "web1" });
  assert.deepEqual(list.defaultDomain, { id: home, name: "home" });
});

Deno.test("roles that may derive a key derive the same one", async () => {
  assert.deepEqual(await list.shapeKeys(web1), await full.shapeKeys(web1));
  assert.deepEqual(await write.shapeKeys(web1), await full.shapeKeys(web1));
  assert.deepEqual(await write.bodyKeys(web1), await full.bodyKeys(web1));
  assert.equal(await list.domainId("web1"), web1);
  assert.equal(await full.domainId("web1"), web1);
  assert.equal(await write.domainId("web1"), web1);
  assert.equal(await list.metaIdentity(), await full.metaIdentity());
  for (const keyring of [list, write]) {
    assert.equal(await keyring.dataRecipient(), await full.dataRecipient());
    assert.equal(await keyring.metaRecipient(), await full.metaRecipient());
  }
});

Deno.test("the keys of two domains have nothing in common", async () => {
  const keys = [await full.shapeKeys(web1), await full.shapeKeys(home)].flatMap((keys) => Object.values(keys));
  const bodies = [await full.bodyKeys(web1), await full.bodyKeys(home)].flatMap((keys) => Object.values(keys));
  const texts = [...keys, ...bodies, await full.controlKey()].map(toHex);
  assert.equal(new Set(texts).size, texts.length);
});

Deno.test("a list key is refused everything about bodies and control", async () => {
  await assert.rejects(() => list.bodyKeys(home), WrongKeyError);
  await assert.rejects(() => list.bodyKeys(web1), WrongKeyError);
  await assert.rejects(() => list.controlKey(), WrongKeyError);
  assert.equal(await list.dataIdentity(), undefined);
});

Deno.test("a write key is refused other domains, identities and control", async () => {
  await assert.rejects(() => write.shapeKeys(home), WrongKeyError);
  await assert.rejects(() => write.bodyKeys(home), WrongKeyError);
  await assert.rejects(() => write.domainId("home"), WrongKeyError);
  await assert.rejects(() => write.controlKey(), WrongKeyError);
  assert.equal(await write.dataIdentity(), undefined);
  assert.equal(await write.metaIdentity(), undefined);
});

Deno.test("the text of a smaller key holds no secret from which a larger one follows", async () => {
  const shapes = await deriveShapes(root);
  const bodies = await deriveBodies(root);
  const above = {
    root: toHex(root),
    bodies: toHex(bodies),
    control: toHex(await full.controlKey()),
    data: (await full.dataIdentity())!,
    homeBodies: toHex(await deriveDomainSecret(bodies, home)),
  };
  const aboveWrite = {
    ...above,
    shapes: toHex(shapes),
    meta: (await full.metaIdentity())!,
    homeShapes: toHex(await deriveDomainSecret(shapes, home)),
  };
  const web1Bodies = toHex(await deriveDomainSecret(bodies, web1));
  const listText = formatBundle(listBundle);
  const writeText = formatBundle(writeBundle);
  for (const [name, secret] of Object.entries({ ...above, web1Bodies })) assert.ok(!listText.includes(secret), name);
  for (const [name, secret] of Object.entries(aboveWrite)) assert.ok(!writeText.includes(secret), name);
  // The check above would also pass for secrets spelled in another way: what must be there is found.
  assert.ok(listText.includes(aboveWrite.shapes) && listText.includes(aboveWrite.meta));
  assert.ok(writeText.includes(web1Bodies));
  assert.ok(formatBundle(fullBundle).includes(above.root));
});

Deno.test("what is wrapped to a recipient opens with the identity of the same kind alone", async () => {
  const key = new Uint8Array(32).fill(9);
  const data = await wrapKey(key, await write.dataRecipient());
  const meta = await wrapKey(key, await write.metaRecipient());
  assert.deepEqual(await unwrapKey(data, (await full.dataIdentity())!, "a data brick"), key);
  assert.deepEqual(await unwrapKey(meta, (await list.metaIdentity())!, "a meta brick"), key);
  await assert.rejects(async () => await unwrapKey(data, (await list.metaIdentity())!, "a data brick"), WrongKeyError);
});

Deno.test("every key is derived once", async () => {
  assert.equal(await full.shapeKeys(home), await full.shapeKeys(home));
  assert.equal(await full.bodyKeys(home), await full.bodyKeys(home));
});

Deno.test("a domain id that is none is refused, whoever asks", async () => {
  await assert.rejects(() => full.shapeKeys("home"), TypeError);
  await assert.rejects(() => full.domainId("../home"), TypeError);
});
