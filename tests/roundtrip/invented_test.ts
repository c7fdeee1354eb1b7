// What fast-check makes up, whole and changed on the way, comes back.

import assert from "node:assert/strict";
import fc from "fast-check";
import { anyStream } from "./kinds.ts";
import { load, prefixComesBack } from "./recipes.ts";
import { inRepository, sha256, SMALL_CHUNKS } from "./repositories.ts";

Deno.test("any stream of well and badly made entries comes back from its recipe", async () => {
  await fc.assert(
    fc.asyncProperty(anyStream, async (stream) => {
      load(stream);
      await prefixComesBack(stream, stream.length);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("any stream of well and badly made entries comes back from a repository", async () => {
  await inRepository(async ({ machine }) => {
    const writer = machine();
    const reader = machine();
    await fc.assert(
      fc.asyncProperty(anyStream, async (stream) => {
        const { snapshot } = await writer.create(stream);
        assert.equal(sha256(await reader.extract(snapshot)), sha256(stream));
      }),
      { numRuns: 40 },
    );
    assert.deepEqual((await reader.verify({ data: true })).problems, []);
  }, SMALL_CHUNKS);
});
