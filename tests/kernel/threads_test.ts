import assert from "node:assert/strict";
import { createIdHasher, idScratchBytes } from "../../lib/crypto/ids.ts";
import { randomBytes } from "../chunker/generated.ts";
import type { Work } from "./threads_worker.ts";

Deno.test("two threads hash in one memory at the same time without disturbing each other", async () => {
  const memory = new WebAssembly.Memory({ initial: 32, maximum: 32, shared: true });
  const bytes = new Uint8Array(memory.buffer);
  const data = randomBytes(400_000, 7);
  const input = 1 << 20;
  bytes.set(data, input);
  const lengths = [5, 1024, 1025, 5000, 65_536, 100_001, 227_409];
  const table = new DataView(memory.buffer, 0, 8 * lengths.length);
  let offset = input;
  lengths.forEach((length, i) => {
    table.setUint32(8 * i, offset, true);
    table.setUint32(8 * i + 4, length, true);
    offset += length;
  });
  const key = randomBytes(32, 8);
  const hasher = await createIdHasher(key);
  const expected = lengths.map((length, i) => {
    const at = table.getUint32(8 * i, true) - input;
    return hasher.id(data.subarray(at, at + length));
  });
  const longest = 400_000;
  const run = (part: number) =>
    hashInWorker({
      ...{ memory, key, longest, table: 0, count: lengths.length, rounds: 20 },
      ...{ scratch: (part + 1) << 17, out: 1024 * (part + 1) },
    });
  assert.ok(idScratchBytes(longest) < 1 << 17);
  for (const rounds of await Promise.all([run(0), run(1)])) {
    assert.equal(rounds.length, 20);
    for (const ids of rounds) expected.forEach((id, i) => assert.deepEqual(ids.subarray(32 * i, 32 * i + 32), id));
  }
});

function hashInWorker(work: Work): Promise<Uint8Array[]> {
  const worker = new Worker(new URL("./threads_worker.ts", import.meta.url), { type: "module" });
  return new Promise<Uint8Array[]>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Uint8Array[]>) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(work);
  }).finally(() => worker.terminate());
}
