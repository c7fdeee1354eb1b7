// One thread or several: the same blocks with the same chunks in the same data bricks, and the same recipe. Only what is random
// by design differs: the key of each brick, how it is wrapped, and what follows from both. (Where meta bricks end depends on when
// a checkpoint comes, and that on the clock and on how fast the first brick is stored.)

import assert from "node:assert/strict";
import { Keyring, Opener, toHex, unwrapKey } from "../../lib/crypto/mod.ts";
import { openToc, packBlock, parseHeader, parseTrailer, tocBlocks, TRAILER_BYTES } from "../../lib/brick/mod.ts";
import { openSealed, type StreamRoot, verifyIndex } from "../../lib/snapshot/mod.ts";
import { create } from "../../lib/verbs/mod.ts";
import { found, type Founded, inFolder, noise } from "../repository/machine.ts";
import { objectsIn, sha256, streamed, tarOf, withFile } from "./session.ts";

/** Bodies of every kind: small ones, compressible ones, random ones, the same again, and a large one. */
const TAR = tarOf(
  ...Array.from({ length: 400 }, (_, i): [string, Uint8Array] => [`small/${i}`, noise(i, i + 1)]),
  ...Array.from({ length: 12 }, (_, i): [string, Uint8Array] => [`random/${i}`, noise(700_000, i % 9 + 1)]),
  ...Array.from({ length: 12 }, (_, i): [string, Uint8Array] => [`zeros/${i}`, new Uint8Array(1_500_000 + i)]),
  ["text", "a line of text, again and again\n".repeat(40_000)],
  ["large", noise(24_000_000, 77)],
);

/** What is in a brick, without what is random: kind, size, and each block opened: its codec, payload and chunks. */
async function contentOf(place: Founded, path: string): Promise<unknown[]> {
  const keyring = new Keyring(place.full);
  const { macBrick, toc: tocKey } = await keyring.shapeKeys(keyring.defaultDomain.id);
  const bytes = await Deno.readFile(`${place.location}/${path}`);
  const header = parseHeader(bytes, path);
  const tocTo = bytes.length - TRAILER_BYTES;
  const frame = bytes.slice(tocTo - parseTrailer(bytes.subarray(-TRAILER_BYTES), path), tocTo);
  const keys = { macBrick, toc: tocKey };
  const toc = await openToc(header, { keys, frame, fileBytes: bytes.length, what: path });
  const identity = header.kind === "D" ? await keyring.dataIdentity() : await keyring.metaIdentity();
  const opener = new Opener(await unwrapKey(header.ageFile, identity!, path), header.hm);
  const blocks = await Promise.all(
    tocBlocks(toc).map(async ({ offset, sealedLength }, number) => {
      const from = header.bytes.length + offset;
      return sha256(await opener.open("B", number, bytes.slice(from, from + sealedLength)));
    }),
  );
  return [header.kind, bytes.length, toHex(toc.blocks), toHex(toc.chunks), blocks];
}

/** The root of the recipe in the one index that is there. */
async function recipeOf(place: Founded): Promise<StreamRoot> {
  const keyring = new Keyring(place.full);
  const { macIndex } = await keyring.shapeKeys(keyring.defaultDomain.id);
  const [index] = await objectsIn(place.location, "index");
  const verified = verifyIndex(await Deno.readFile(`${place.location}/${index}`), { macIndex, what: "the index" });
  return (await openSealed(verified, (await keyring.metaIdentity())!)).pageTable;
}

Deno.test("data bricks and the recipe do not depend on how many threads wrote them", async () => {
  await inFolder(async (folder) => {
    const place = await found(folder);
    const contents: string[] = [];
    await withFile(TAR, async (path) => {
      for (const threads of [1, 2, 3]) {
        // The same repository, emptied: ids and cuts follow from its key.
        for (const part of ["bricks", "meta", "ledger", "index"]) {
          await Deno.remove(`${place.location}/${part}`, { recursive: true }).catch((error) => {
            if (!(error instanceof Deno.errors.NotFound)) throw error;
          });
        }
        const { session } = place.machine(place.fullKey);
        const source = threads === 1 ? streamed(TAR).source : { kind: "file", path } as const;
        const options = streamed([], { source, level: 3, brickSizeBytes: 16 << 20 });
        assert.equal((await create({ ...session, threads }, options)).complete, true);
        const bricks = await Promise.all(
          (await objectsIn(place.location, "bricks")).map((path) => contentOf(place, path)),
        );
        assert.ok(bricks.length >= 2, `${bricks.length} bricks`);
        const { length, depth, records } = await recipeOf(place);
        // Names are hashes of random keys: the order is that of what is in them.
        contents.push(
          JSON.stringify([length, depth, toHex(records), ...bricks.map((brick) => JSON.stringify(brick)).sort()]),
        );
      }
    });
    assert.equal(new Set(contents).size, 1, "other bricks from another number of threads");
  });
});

Deno.test("packing a block is the same every time, so that what is compared here is all there is", () => {
  const raw = noise(100_000, 5).map((byte) => byte & 7);
  assert.deepEqual(packBlock(raw, 3), packBlock(raw, 3));
});
