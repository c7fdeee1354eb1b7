/** docs/FORMAT.md says what is true: its numbers, its example, and the golden repository that the example is about. */
import assert from "node:assert/strict";
import { LEDGER_OBJECT_LIMIT, LIMITS } from "../../lib/brick/mod.ts";
import { JSON_LIMIT_BYTES, openSlot, SLOT_LIMIT_BYTES, toHex } from "../../lib/crypto/mod.ts";
import { PAGE_RULE, SMALL_BODY_BYTES, STREAM_SIZES } from "../../lib/snapshot/mod.ts";
import { extract, verify } from "../../lib/verbs/mod.ts";
import { copyTree } from "./copy_tree.ts";
import { exampleBundle, exampleRecipe, exampleTar, join, PASSPHRASE } from "./example.ts";
import { DOCUMENT, exampleBlocks, withBlocks } from "./example_blocks.ts";
import { golden, openGoldenBrick } from "./golden.ts";
import { testSession } from "./session.ts";

const text = await Deno.readTextFile(DOCUMENT);
/** Tables and paragraphs without what the formatter does to them. */
const words = text.replace(/\s+/g, " ");

Deno.test("the numbers of the worked example are those that the code gives", async () => {
  const blocks = await exampleBlocks();
  for (const name of blocks.keys()) assert.ok(text.includes(`<!-- example: ${name} -->`), `no place for ${name}`);
  const expected = withBlocks(text, blocks);
  // To write them anew: deno run -A tests/format/example_blocks.ts
  assert.equal(text, expected);
});

Deno.test("the golden bricks hold the chunks that the code makes of the example's input today", async () => {
  const { chunks, table } = await exampleRecipe();
  const [data, meta] = [await openGoldenBrick("D"), await openGoldenBrick("M")];
  const idsIn = (records: Uint8Array) =>
    Array.from({ length: records.length / 36 }, (_, i) => toHex(records.subarray(36 * i, 36 * i + 32)));
  const idsOf = (kind: "D" | "M") => chunks.filter((chunk) => chunk.kind === kind).map(({ id }) => toHex(id));
  assert.deepEqual(idsIn(data.toc.chunks), idsOf("D"));
  // The page table is the last chunk of the meta brick; the example's recipe does not store it.
  assert.deepEqual(idsIn(meta.toc.chunks).slice(0, -1), idsOf("M"));
  assert.equal(table.length, 76);
});

Deno.test("the golden repository is restored and verified, with its key and with its passphrase", async () => {
  const home = await Deno.makeTempDir({ prefix: "tarzan-golden-" });
  try {
    const repository = `${home}/repository`;
    await copyTree(golden.url.pathname, repository);
    const bundle = await exampleBundle();
    assert.equal(await openSlot(await golden.read(golden.slot), { passphrase: PASSPHRASE }), bundle);
    for (const key of [{ identities: [bundle] }, { passphrase: PASSPHRASE }]) {
      const session = testSession({ repository, home, ...key });
      const pieces: Uint8Array[] = [];
      await extract(session, { snapshot: undefined, paths: [], output: (bytes) => void pieces.push(bytes.slice()) });
      assert.deepEqual(join(pieces), exampleTar());
    }
    const session = testSession({ repository, home, identities: [bundle] });
    const { problems } = await verify(session, { backups: [], bricks: true, dataPercent: 100 });
    assert.deepEqual(problems, []);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
});

Deno.test("the table of limits has the limits of the code", () => {
  const limits: [string, number | string][] = [
    ["slot, and the bundle inside", `${SLOT_LIMIT_BYTES / 1024} KiB`],
    ["JSON object, any", `${JSON_LIMIT_BYTES / 2 ** 20} MiB`],
    ["age file of a brick's key; header of any age file but a slot's", `${LIMITS.ageFileBytes / 1024} KiB`],
    ["blocks in a brick", LIMITS.blocks.toLocaleString("en")],
    ["raw bytes of a block", `${LIMITS.blockRawBytes / 2 ** 20} MiB (1 MiB and a chunk)`],
    ["chunk", `1 byte to ${LIMITS.chunkBytes / 2 ** 20} MiB`],
    ["toc frame", `${LIMITS.tocFrameBytes / 2 ** 20} MiB`],
    ["brick", `${LIMITS.brickBytes / 2 ** 30} GiB (writers: 1 GiB)`],
    ["ledger object", `${LEDGER_OBJECT_LIMIT / 2 ** 20} MiB (writers: about 16 MiB)`],
  ];
  for (const [what, limit] of limits) assert.ok(words.includes(`| ${what} | ${limit} |`), `${what}: ${limit}`);
});

Deno.test("the rules for pages and streams are those of the code", () => {
  const { leastEntries, mask, mostEntries, mostHeadBytes } = PAGE_RULE;
  const sentences = [
    `if the page has ${leastEntries} entries and \`h & ${mask}\` is 0`,
    `if it has ${mostEntries} entries, or its heads hold ${mostHeadBytes / 1024} KiB`,
    `A body under ${SMALL_BODY_BYTES} bytes is not cut`,
    `Bodies of 1 to ${SMALL_BODY_BYTES - 1} bytes`,
    `${Object.values(STREAM_SIZES).map((bytes) => `${bytes / 1024} KiB`).join(" / ")} in every repository`,
  ];
  for (const sentence of sentences) assert.ok(words.includes(sentence), sentence);
});
