import assert from "node:assert/strict";
import { pbkdf2Sync, scryptSync } from "node:crypto";
import fc from "fast-check";
import { kernelModule } from "../../kernel/wasm.ts";
import { fromHex, toHex } from "../../lib/crypto/hex.ts";
import { roMix } from "../../lib/crypto/ro_mix.ts";
import { randomBytes } from "../chunker/generated.ts";
import vectors from "../vectors/scrypt.json" with { type: "json" };

/** scrypt as RFC 7914 builds it around ROMix, with any p. */
function scryptByRoMix(passphrase: string, options: { salt: Uint8Array; N: number; r: number; p: number }): string {
  const { salt, N, r, p } = options;
  const blocks = new Uint8Array(pbkdf2Sync(passphrase, salt, 1, 128 * r * p, "sha256"));
  for (let at = 0; at < blocks.length; at += 128 * r) blocks.set(roMix(blocks.subarray(at, at + 128 * r), N), at);
  return toHex(pbkdf2Sync(passphrase, blocks, 1, 64, "sha256"));
}

Deno.test("ROMix is that of RFC 7914, and leaves its input as it is", () => {
  const { input, output, N } = vectors.roMix;
  const block = fromHex(input);
  assert.equal(toHex(roMix(block, N)), output);
  assert.equal(toHex(block), input);
});

Deno.test("scrypt around ROMix gives the keys of RFC 7914", () => {
  for (const { passphrase, salt, key, ...cost } of vectors.scrypt) {
    assert.equal(scryptByRoMix(passphrase, { salt: new TextEncoder().encode(salt), ...cost }), key);
  }
});

Deno.test("scrypt around ROMix agrees with another implementation at every cost", () => {
  const cost = { N: fc.integer({ min: 1, max: 11 }).map((log) => 2 ** log), r: fc.integer({ min: 1, max: 9 }) };
  const property = fc.property(
    fc.string({ unit: "binary" }),
    fc.uint8Array({ maxLength: 80 }),
    fc.record({ ...cost, p: fc.constantFrom(1, 2) }),
    (passphrase, salt, cost) => {
      const expected = scryptSync(passphrase, salt, 64, cost);
      assert.equal(scryptByRoMix(passphrase, { salt, ...cost }), toHex(expected));
    },
  );
  fc.assert(property, { numRuns: 60 });
});

Deno.test("in a used memory, at any address, the kernel's ROMix touches only the block and its scratch region", () => {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(randomBytes(bytes.length, 46));
  const before = Uint8Array.from(bytes);
  const [block, size, n, scratch] = [131, 384, 64, 5003] as const;
  const kernel = new WebAssembly.Instance(kernelModule(), { env: { memory } }).exports;
  (kernel.scryptRoMix as (...numbers: number[]) => void)(block, size, n, scratch);
  assert.deepEqual(bytes.slice(block, block + size), roMix(before.subarray(block, block + size), n));
  const end = scratch + (n / 2 + 4) * size;
  for (const [from, to] of [[0, block], [block + size, scratch], [end, bytes.length]] as const) {
    assert.deepEqual(bytes.slice(from, to), before.subarray(from, to));
  }
});
