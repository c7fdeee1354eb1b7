import assert from "node:assert/strict";
import { DamageError, UnsupportedError } from "../../lib/crypto/mod.ts";
import {
  CONFIG_NAME,
  formatConfig,
  NoRepositoryError,
  parseConfig,
  readConfigText,
  restoreConfig,
} from "../../lib/repository/mod.ts";
import { onBench, REPOSITORY, snapshotOf } from "./bench.ts";
import { SMALL_CHUNKS } from "./machine.ts";

const CONFIG = { repository: REPOSITORY, created: "2026-05-04T03:02:01.000Z", chunks: SMALL_CHUNKS };
const text = (changes: Record<string, unknown>) => JSON.stringify({ ...JSON.parse(formatConfig(CONFIG)), ...changes });

Deno.test("what a repository says of itself is read back, and members of later versions are no obstacle", () => {
  assert.deepEqual(parseConfig(formatConfig(CONFIG), "the config"), CONFIG);
  assert.deepEqual(parseConfig(text({ motto: "later" }), "the config"), CONFIG);
});

Deno.test("a place for cold storage is read back, and kept as it was written", () => {
  for (
    const cold of ["glacier://us-east-1/vault", "s3://archive/tarzan?class=DEEP_ARCHIVE&endpoint=http://127.0.0.1:1"]
  ) {
    assert.deepEqual(parseConfig(formatConfig({ ...CONFIG, cold }), "the config"), { ...CONFIG, cold });
  }
  // A kind of place that is not known yet is no reason to refuse the backups.
  assert.equal(parseConfig(text({ cold: "tape://drawer/3" }), "the config").cold, "tape://drawer/3");
  assert.ok(!formatConfig(CONFIG).includes("cold"));
});

Deno.test("a newer version, or anything that it requires, is unsupported and not damaged", () => {
  for (const changes of [{ version: 2 }, { requires: ["ice"] }]) {
    assert.throws(() => parseConfig(text(changes), "the config"), UnsupportedError);
  }
});

Deno.test("what no tarzan wrote is damage, with the reason", () => {
  const wrong = [
    {},
    { format: "other" },
    { version: "1" },
    { version: 0 },
    { requires: undefined },
    { repository: "x" },
    { chunks: undefined },
    { chunks: { min: 4096, average: 4096, max: 8192 } },
    { chunks: { min: 4096, average: 8191, max: 16384 } },
    { chunks: { min: 4096, average: 8192, max: 2 ** 40 } },
    { cold: 7 },
    { cold: "" },
    { cold: "s3://a b" },
    { cold: "x".repeat(1025) },
  ];
  for (const changes of wrong.slice(1)) {
    assert.throws(() => parseConfig(text(changes), "the config"), DamageError, JSON.stringify(changes));
  }
  for (const garbage of ["", "[]", "null", "{", "\0"]) {
    assert.throws(() => parseConfig(garbage, "the config"), DamageError);
  }
});

Deno.test(
  "a config that is not the one of the key is refused, and a newer one as such",
  onBench(async ({ store, full, open }) => {
    await store.put(CONFIG_NAME, new TextEncoder().encode(full.config.replace("8192", "8194")));
    await assert.rejects(open(), (error: Error) => error instanceof DamageError && error.message.includes(CONFIG_NAME));
    await store.put(CONFIG_NAME, new TextEncoder().encode(full.config.replace('"version":1', '"version":2')));
    const before = await snapshotOf(store);
    await assert.rejects(open(), UnsupportedError);
    assert.deepEqual(await snapshotOf(store), before);
  }),
);

Deno.test(
  "a config that was lost is no obstacle for a key, and is written again as it was",
  onBench(async ({ store, open }) => {
    const text = await readConfigText(store);
    await store.delete(CONFIG_NAME);
    await assert.rejects(readConfigText(store), NoRepositoryError);
    await restoreConfig(await open());
    assert.equal(await readConfigText(store), text);
  }),
);

Deno.test(
  "a config that is too large to be one is not read",
  onBench(async ({ store, open }) => {
    await store.put(CONFIG_NAME, new Uint8Array(64 * 1024 + 1));
    await assert.rejects(open(), DamageError);
  }),
);
