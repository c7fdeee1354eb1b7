// Streams that stop anywhere. What there was must come back, whatever the byte behind it would have meant.

import { noise } from "../repository/machine.ts";
import { absent, corpus } from "./corpus.ts";
import { manyKinds } from "./kinds.ts";
import { chance } from "./random.ts";
import { load, prefixComesBack } from "./recipes.ts";
import { comeBack, SMALL_CHUNKS, type Stream } from "./repositories.ts";

const SEED = 20261120;
/** All beginnings of files up to this length; of longer ones those that end near a block, and a sample. */
const SHORT = 5120;
const SAMPLE = 250;

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

function* every(length: number): Generator<number> {
  for (let i = 1; i <= length; i++) yield i;
}

function someOf(length: number): Set<number> {
  const random = chance(SEED + length);
  const chosen = new Set<number>();
  for (let block = 512; block <= Math.min(length, 40 * 512); block += 512) {
    for (let i = block - 2; i <= Math.min(length, block + 2); i++) chosen.add(i);
  }
  for (let i = 0; i < SAMPLE; i++) chosen.add(1 + random(length));
  return chosen.add(length);
}

Deno.test({
  name: "every beginning of every short file of the corpus comes back from its recipe",
  ignore: absent,
  async fn() {
    for (const stream of corpus()) {
      if (stream.bytes.length <= SHORT) await beginningsComeBack(stream, every(stream.bytes.length));
    }
  },
});

Deno.test({
  name: "beginnings of the longer files of the corpus, above all those near a block, come back from their recipes",
  ignore: absent,
  async fn() {
    for (const stream of corpus()) {
      if (stream.bytes.length > SHORT) await beginningsComeBack(stream, someOf(stream.bytes.length));
    }
  },
});

Deno.test("every beginning of a tar of all kinds of entries comes back from its recipe", async () => {
  const bytes = manyKinds();
  await beginningsComeBack({ name: "many kinds", bytes }, every(bytes.length));
});

Deno.test("a hundred beginnings of a tar of all kinds of entries come back from a repository", async () => {
  const bytes = manyKinds();
  const random = chance(SEED);
  const lengths = new Set([1, 2, 511, 512, 513, bytes.length - 1, bytes.length]);
  while (lengths.size < 100) lengths.add(1 + random(bytes.length));
  const streams = [...lengths].map((length) => ({
    name: `the first ${length} bytes (seed ${SEED})`,
    bytes: bytes.subarray(0, length),
  }));
  await comeBack(streams, SMALL_CHUNKS);
});

Deno.test("noise of any short length comes back from its recipe", async () => {
  const bytes = noise(2000, SEED);
  await beginningsComeBack({ name: "noise", bytes }, every(bytes.length));
});
