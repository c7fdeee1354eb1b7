// Streams that stop anywhere come back from their recipes, whatever the byte behind their end would have meant.

import assert from "node:assert/strict";
import { noise } from "../repository/machine.ts";
import { absent, corpus } from "./corpus.ts";
import { manyKinds } from "./kinds.ts";
import { chance } from "./random.ts";
import { load, prefixComesBack } from "./recipes.ts";
import type { Stream } from "./repositories.ts";

const SEED = 20261120;
/** Of files up to this length all beginnings are tried; of longer ones those that end near a block, and a sample. */
const SHORT = 20 * 1024;
const SAMPLE = 250;
/** In a run of zeros, what is further behind its start than this is like what is before. */
const ZEROS = 1100;

async function beginningsComeBack({ name, bytes }: Stream, lengths: Iterable<number>): Promise<void> {
  load(bytes);
  for (const length of lengths) {
    try {
      await prefixComesBack(bytes, length);
    } catch (error) {
      throw new Error(`${name} (seed ${SEED}): ${(error as Error).message}`, { cause: error });
    }
  }
}

/** Every length of a beginning; of the zeros at the end only those near a block. */
function every(bytes: Uint8Array): Set<number> {
  const chosen = nearBlocks(bytes.length);
  const content = bytes.findLastIndex((byte) => byte !== 0) + 1;
  for (let i = 1; i <= Math.min(bytes.length, content + ZEROS); i++) chosen.add(i);
  return chosen;
}

/** The length of the whole, and those around the ends of the first forty blocks. */
function nearBlocks(length: number): Set<number> {
  const chosen = new Set([length]);
  for (let block = 512; block <= Math.min(length, 40 * 512); block += 512) {
    for (let i = block - 2; i <= Math.min(length, block + 2); i++) chosen.add(i);
  }
  return chosen;
}

Deno.test({
  name: "every beginning of every short file of the corpus comes back",
  ignore: absent,
  async fn() {
    let count = 0;
    for (const stream of corpus()) {
      if (stream.bytes.length > SHORT) continue;
      const lengths = every(stream.bytes);
      await beginningsComeBack(stream, lengths);
      count += lengths.size;
    }
    assert.ok(count > 200_000, `${count} beginnings`);
  },
});

Deno.test({
  name: "beginnings of the longer files of the corpus, above all those near a block, come back",
  ignore: absent,
  async fn() {
    for (const stream of corpus()) {
      const { length } = stream.bytes;
      if (length <= SHORT) continue;
      const random = chance(SEED + length);
      const lengths = nearBlocks(length);
      for (let i = 0; i < SAMPLE; i++) lengths.add(1 + random(length));
      await beginningsComeBack(stream, lengths);
    }
  },
});

Deno.test("every beginning of a tar of all kinds of entries comes back", async () => {
  const bytes = manyKinds();
  await beginningsComeBack({ name: "many kinds", bytes }, every(bytes));
});

Deno.test("noise of any short length comes back", async () => {
  const bytes = noise(2000, SEED);
  await beginningsComeBack({ name: "noise", bytes }, every(bytes));
});
