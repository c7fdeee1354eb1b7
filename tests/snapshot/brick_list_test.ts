// The bricks that a snapshot needs: a stream of names, and the few names behind it.

import assert from "node:assert/strict";
import fc from "fast-check";
import { DamageError, toHex } from "../../lib/crypto/mod.ts";
import {
  readBrickList,
  type SealedIndex,
  type StreamRoot,
  StreamWriter,
  writeBrickList,
} from "../../lib/snapshot/mod.ts";
import { randomBytes } from "../chunker/generated.ts";
import { Chunks, cut } from "./chunks.ts";

function sealedWith(brickList: StreamRoot, lastBricks: string[] = []): SealedIndex {
  return { brickList, lastBricks } as unknown as SealedIndex;
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => toHex(randomBytes(32, i + 1)));
}

Deno.test("any list of bricks comes back in its order, the last ones behind the others", async () => {
  const name = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(name, { maxLength: 50 }), fc.nat(50), async (all, last) => {
      const chunks = new Chunks();
      const root = writeBrickList(all.slice(last), { put: chunks.put, cut });
      const sealed = sealedWith(root, all.slice(0, last));
      assert.deepEqual(await readBrickList(sealed, chunks.get), [...all.slice(last), ...all.slice(0, last)]);
    }),
  );
});

Deno.test("a name that stands in both lists is named once", async () => {
  const chunks = new Chunks();
  const [one, two] = names(2);
  const root = writeBrickList([one!, two!], { put: chunks.put, cut });
  assert.deepEqual(await readBrickList(sealedWith(root, [two!, one!]), chunks.get), [one, two]);
});

Deno.test("no bricks are no chunk", async () => {
  const chunks = new Chunks();
  const root = writeBrickList([], { put: chunks.put, cut });
  assert.equal(chunks.kept.size, 0);
  assert.deepEqual(await readBrickList(sealedWith(root), chunks.get), []);
});

Deno.test("a longer list stores its old stretches once", async () => {
  const chunks = new Chunks();
  const all = names(60_000);
  writeBrickList(all.slice(0, 59_000), { put: chunks.put, cut });
  const before = chunks.newBytes.M;
  assert.equal(before, 59_000 * 32);
  const root = writeBrickList(all, { put: chunks.put, cut });
  // What is new, and the last chunk of the list before.
  assert.ok(chunks.newBytes.M - before < 32_000 + 256 * 1024, `${chunks.newBytes.M - before} bytes`);
  assert.deepEqual(await readBrickList(sealedWith(root), chunks.get), all);
});

Deno.test("a list that ends inside a name is damage", async () => {
  const chunks = new Chunks();
  const stream = new StreamWriter(chunks.put, cut);
  stream.write(new Uint8Array(randomBytes(33, 1)));
  await assert.rejects(readBrickList(sealedWith(stream.root()), chunks.get), DamageError);
});
