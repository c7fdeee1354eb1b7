// Hashes the regions of a shared memory again and again, with scratch memory of its own, and posts the ids of each round.

import { createSharedIdHasher } from "../../lib/crypto/ids.ts";

/** What the test gives a worker to do. */
export interface Work {
  memory: WebAssembly.Memory;
  key: Uint8Array;
  scratch: number;
  longest: number;
  table: number;
  count: number;
  out: number;
  rounds: number;
}

/** The worker's end of its Worker object; the type checker takes every file for the main thread's. */
const thread = self as unknown as Pick<Worker, "onmessage" | "postMessage">;

thread.onmessage = async ({ data }: MessageEvent<Work>) => {
  const { memory, table, count, out } = data;
  const hasher = await createSharedIdHasher(memory, data);
  const results: Uint8Array[] = [];
  for (let round = 0; round < data.rounds; round++) {
    hasher.ids(table, count, out);
    results.push(Uint8Array.from(new Uint8Array(memory.buffer, out, 32 * count)));
  }
  thread.postMessage(results);
};
