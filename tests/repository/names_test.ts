import assert from "node:assert/strict";
import {
  brickObject,
  domainOf,
  indexObject,
  newStamp,
  parseBrickObject,
  parseIndexObject,
  stampTime,
} from "../../lib/repository/mod.ts";
import { parseCondemned } from "../../lib/repository/names.ts";

const HASH = "ab".repeat(32);
const DOMAIN = "cd".repeat(16);

Deno.test("names of bricks and indexes give back what they were made of", () => {
  for (const kind of ["D", "M"] as const) {
    assert.deepEqual(parseBrickObject(brickObject(kind, HASH)), { kind, name: HASH });
  }
  const snapshot = newStamp(new Date("2026-01-02T03:04:05.678Z"));
  assert.match(snapshot, /^20260102T030405Z-[0-9a-f]{8}$/);
  for (const ending of [".json", ".open"] as const) {
    assert.deepEqual(parseIndexObject(indexObject(DOMAIN, snapshot, ending)), { domain: DOMAIN, snapshot, ending });
  }
});

Deno.test("what is named otherwise is none of ours", () => {
  const strange = [
    `bricks/ab/${HASH.toUpperCase()}`,
    `bricks/cd/${HASH}`,
    `bricks/ab/${HASH}/x`,
    `bricks/ab/${HASH.slice(1)}`,
    `bricks/${HASH}`,
    `other/ab/${HASH}`,
    `meta/ab/${HASH}.tmp`,
  ];
  for (const name of strange) assert.equal(parseBrickObject(name), undefined, name);
  const stamp = "20260102T030405Z-00000000";
  const noIndexes = [
    `index/${DOMAIN}/${stamp}`,
    `index/${DOMAIN}/${stamp}.json.open`,
    `index/${DOMAIN}/latest.json`,
    `index/${DOMAIN.slice(1)}/${stamp}.json`,
    `index/${DOMAIN}/x/${stamp}.json`,
    `ledger/${DOMAIN}/${stamp}.json`,
  ];
  for (const name of noIndexes) assert.equal(parseIndexObject(name), undefined, name);
  assert.equal(domainOf(`ledger/${DOMAIN}/anything`), DOMAIN);
  for (const name of [`ledger/${DOMAIN}x/y`, `keys/${DOMAIN}/y`, `ledger/${DOMAIN}`]) {
    assert.equal(domainOf(name), undefined, name);
  }
});

Deno.test("a stamp is a time that exists", () => {
  assert.deepEqual(stampTime("20260102T030405Z-0123abcd"), new Date("2026-01-02T03:04:05Z"));
  const never = [
    "20261302T030405Z-00000000",
    "20260132T030405Z-00000000",
    "99999999T999999Z-00000000",
    "20260102T030405Z-0000000G",
    "20260102T030405Z-000000000",
    "20260102T030405Z",
    "",
  ];
  for (const text of never) assert.equal(stampTime(text), undefined, text);
});

Deno.test("marks of a prune are read, and nothing else is taken for one", () => {
  assert.deepEqual(parseCondemned(`condemned/${HASH}`), { name: HASH, sentence: false });
  assert.deepEqual(parseCondemned(`condemned/${HASH}.sentence`), { name: HASH, sentence: true });
  for (const name of [`condemned/${HASH}.sentence.sentence`, `condemned/${HASH.slice(2)}`, `condemned/x/${HASH}`]) {
    assert.equal(parseCondemned(name), undefined, name);
  }
});
