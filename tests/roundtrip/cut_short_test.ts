// Streams that stop anywhere are backed up as far as they go, and come back.

import assert from "node:assert/strict";
import { manyKinds } from "./kinds.ts";
import { chance } from "./random.ts";
import { comeBack, SMALL_CHUNKS } from "./repositories.ts";

const SEED = 20261120;

Deno.test("a hundred beginnings of a tar of all kinds of entries come back from a repository", async () => {
  const bytes = manyKinds();
  const random = chance(SEED);
  const lengths = new Set([1, 2, 511, 512, 513, bytes.length - 1, bytes.length]);
  while (lengths.size < 100) lengths.add(1 + random(bytes.length));
  const streams = [...lengths].map((length) => ({
    name: `the first ${length} bytes (seed ${SEED})`,
    bytes: bytes.subarray(0, length),
  }));
  const results = await comeBack(streams, SMALL_CHUNKS);
  // Within an entry, it says which one; where an archive could have ended, there is nothing to say.
  const incomplete = [...results.values()].filter(({ complete }) => !complete);
  assert.ok(incomplete.length > 50, `${incomplete.length} are incomplete`);
  for (const { incomplete: why } of incomplete) assert.ok(why, "incomplete, but not why");
});
