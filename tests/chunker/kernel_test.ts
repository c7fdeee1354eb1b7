import assert from "node:assert/strict";
import { Kernel } from "../../lib/chunker/mod.ts";
import { randomBytes, TABLE } from "./generated.ts";

Deno.test("a kernel keeps the memory it is given, and makes a shared one otherwise", () => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 4, shared: true });
  assert.equal(new Kernel(memory).memory, memory);
  assert.ok(new Kernel().memory.buffer instanceof SharedArrayBuffer);
});

Deno.test("a memory that is not shared is refused with a reason", () => {
  assert.throws(() => new Kernel(new WebAssembly.Memory({ initial: 1, maximum: 1 })), /shared: true/);
});

Deno.test("the portable kernel finds the same bytes, at every offset and alignment", () => {
  const kernel = new Kernel();
  const portable = new Kernel(kernel.memory, { portable: true });
  const memory = new Uint8Array(kernel.memory.buffer);
  memory.set(TABLE, 1);
  memory.set(randomBytes(20_000, 33), 3000);
  const mask = 0xffn << 56n;
  let hash = 0n;
  for (let from = 3000; from < 20_000; from += 37) {
    const to = from + from % 613;
    const start = { table: 1, hash, mask };
    assert.equal(kernel.scan(from, to, start), portable.scan(from, to, start));
    hash = portable.hash;
  }
});

for (const portable of [false, true]) {
  Deno.test(`${portable ? "the portable kernel" : "the kernel"} copies within its memory, also where places overlap`, () => {
    const kernel = new Kernel(undefined, { portable });
    const memory = new Uint8Array(kernel.memory.buffer);
    memory.set(randomBytes(memory.length, 35));
    for (
      const [from, length, to] of [[3, 5000, 20_001], [100, 3000, 101], [101, 3000, 100], [7, 0, 9], [
        0,
        1,
        65_535,
      ]] as const
    ) {
      const expected = Uint8Array.from(memory);
      expected.set(expected.slice(from, from + length), to);
      kernel.copy(from, length, to);
      assert.deepEqual(Uint8Array.from(memory), expected);
    }
  });
}

Deno.test("scanning writes nothing into the memory", () => {
  const kernel = new Kernel();
  const memory = new Uint8Array(kernel.memory.buffer);
  memory.set(randomBytes(memory.length, 34));
  const before = Uint8Array.from(memory);
  kernel.scan(2048, memory.length, { table: 0, hash: 0n, mask: 2n ** 64n - 1n });
  assert.deepEqual(Uint8Array.from(memory), before);
});

Deno.test("bytes outside the memory are a trap, not a wrong answer", () => {
  const kernel = new Kernel();
  const end = kernel.memory.buffer.byteLength;
  new Uint8Array(kernel.memory.buffer).set(TABLE, 0);
  assert.throws(
    () => kernel.scan(end - 8, end + 8, { table: 0, hash: 0n, mask: 2n ** 64n - 1n }),
    WebAssembly.RuntimeError,
  );
});
