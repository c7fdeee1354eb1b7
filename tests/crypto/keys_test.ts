import assert from "node:assert/strict";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { encodeBech32 } from "../../lib/crypto/bech32.ts";
import { sha256 } from "../../lib/crypto/hash.ts";
import { fromHex, toHex } from "../../lib/crypto/hex.ts";
import {
  CHUNKER_TABLE_BYTES,
  deriveBodies,
  deriveBodyKeys,
  deriveControlKey,
  deriveDomainId,
  deriveDomainSecret,
  deriveIdentity,
  deriveShapeKeys,
  deriveShapes,
  encodeHybridIdentity,
} from "../../lib/crypto/keys.ts";
import { deriveKey } from "../../lib/crypto/derive.ts";

const root = Uint8Array.from({ length: 32 }, (_, i) => i);

// Computed with Python's hmac and hashlib from docs/FORMAT.md. They never change: a change orphans every repository.
const DOMAIN_ID = "dfc897096ba53bd27b87b69f31c12d7f";
const SHAPES = {
  toc: "579f60c31f9240a7e50503e04ab98652173183074b1392acab7ef8d08c129e3e",
  ledger: "d34257df924ac4a315f7e4e6904d56249a93d55aba6bcb54cb2309b2caaaf1ca",
  metaId: "243eea98c544cb44034a9574caa3274daae457332c5700107424d328189accb1",
  pages: "18ce2928f5bfe63880a8c22dbcbfefc816c538861a876c1685ae647b78cfe035",
  macBrick: "37ad21a7aff622e553a0b97f7de59128a07d7c3df7e3739031d5e13f814c49b1",
  macIndex: "4d1999e1d85551b2aee5a60a4f76e21b17c211d157440869b04e58b989419bcf",
};

Deno.test("the tree of keys gives the frozen values for a frozen root", async () => {
  assert.equal(
    toHex(await deriveControlKey(root)),
    "dc737e7f0260ddf668858e60c38edd72b2b5e00d691f5707ff2824fd4a5c3840",
  );
  const shapes = await deriveShapes(root);
  assert.equal(await deriveDomainId(shapes, "home"), DOMAIN_ID);
  const shapeKeys = await deriveShapeKeys(await deriveDomainSecret(shapes, DOMAIN_ID));
  assert.deepEqual(Object.fromEntries(Object.entries(shapeKeys).map(([name, key]) => [name, toHex(key)])), SHAPES);
  const { dataId, chunker } = await deriveBodyKeys(await deriveDomainSecret(await deriveBodies(root), DOMAIN_ID));
  assert.equal(toHex(dataId), "be146242e3b40aabeab82cfab8dc26fd68e917265a2dddaa8ed802a965895659");
  assert.equal(chunker.length, CHUNKER_TABLE_BYTES);
  assert.equal(toHex(sha256(chunker)), "464e4fa2d7090351a67c6cc3a02225b9d62eafefc04a5c37ab5484e380ac217e");
});

Deno.test("the key of one brick's toc gives the frozen value", async () => {
  assert.equal(
    toHex(await deriveKey(fromHex(SHAPES.toc), "toc", { salt: new Uint8Array(32).fill(7) })),
    "7d5fa46ed70fcc2df9dc6f8000cf3f3374b2b2789dd5977b1c41770af3214f90",
  );
});

Deno.test("the identities of a root are the frozen ones, and age knows their recipients", async () => {
  const data = await deriveIdentity(root, "data");
  const meta = await deriveIdentity(root, "meta");
  assert.equal(data, "AGE-SECRET-KEY-PQ-1THG5J7J4UZPWK7FUYP5WNDUXFC3ET2UYES9XZRXWFAYQSTZ2ZG5SRS9LAR");
  assert.equal(meta, "AGE-SECRET-KEY-PQ-1M8JLV934MFG6JGZFGUMN6SJ5DHXFVESTNA7Y6UH3DVK74CYGP33SJZX0FP");
  assert.match(await identityToRecipient(data), /^age1pq1[02-9ac-hj-np-z]{1952}$/);
  assert.notEqual(await identityToRecipient(data), await identityToRecipient(meta));
});

Deno.test("an identity made here has the form of one that age makes", async () => {
  const theirs = await generateHybridIdentity();
  const ours = encodeHybridIdentity(root);
  assert.equal(ours.length, theirs.length);
  assert.equal(ours.slice(0, 19), theirs.slice(0, 19));
  assert.throws(() => encodeHybridIdentity(new Uint8Array(31)), TypeError);
});

Deno.test("Bech32 gives the valid strings of BIP 173", () => {
  assert.equal(encodeBech32("a", new Uint8Array(0)), "a12uel5l");
  assert.equal(
    encodeBech32("abcdef", fromHex("00443214c74254b635cf84653a56d7c675be77df")),
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
  );
  assert.equal(
    encodeBech32("split", fromHex("c5f38b70305f519bf66d85fb6cf03058f3dde463ecd7918f2dc743918f2d")),
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
  );
});

Deno.test("domains of other names and other repositories have other ids and secrets", async () => {
  const shapes = await deriveShapes(root);
  const other = await deriveShapes(new Uint8Array(32));
  const ids = await Promise.all([
    deriveDomainId(shapes, "home"),
    deriveDomainId(shapes, "home2"),
    deriveDomainId(other, "home"),
  ]);
  assert.equal(new Set(ids).size, 3);
  const secrets = await Promise.all(ids.map((id) => deriveDomainSecret(shapes, id)));
  assert.equal(new Set(secrets.map(toHex)).size, 3);
});

Deno.test("what cannot be a domain's name or id is refused", async () => {
  const shapes = await deriveShapes(root);
  for (const name of ["", "-a", "A", "a b", "ä", "a".repeat(33), "../x"]) {
    await assert.rejects(() => deriveDomainId(shapes, name), TypeError, name);
  }
  for (const id of ["", "home", DOMAIN_ID.toUpperCase(), `${DOMAIN_ID}00`]) {
    await assert.rejects(() => deriveDomainSecret(shapes, id), TypeError, id);
  }
});
