import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cutReference, Cutter, gearTable, Kernel } from "../../lib/chunker/mod.ts";
import { scanGear } from "../../lib/chunker/gear.ts";
import vectors from "../vectors/fastcdc_rs.json" with { type: "json" };
import { cutInPieces, TABLE_AT } from "./streams.ts";

const imagePath = new URL(`../../../shared/${vectors.image.path}`, import.meta.url);
const image = await Deno.readFile(imagePath).catch((error: unknown) => {
  if (error instanceof Deno.errors.NotFound) return undefined;
  throw error;
});

/** The library's table as the bytes of ours. */
function tableBytes(seed: number): Uint8Array {
  const bytes = new Uint8Array(2048);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 256; i++) {
    const digest = createHash("md5").update(new Uint8Array(64).fill(i)).digest();
    view.setBigUint64(8 * i, digest.readBigUInt64BE() ^ BigInt(seed), true);
  }
  return bytes;
}

const masksOfCase = (each: { maskSmall: string; maskLarge: string }) => ({
  small: BigInt(`0x${each.maskSmall}`),
  large: BigInt(`0x${each.maskLarge}`),
});

Deno.test("the table is the one that fastcdc-rs prints", () => {
  const { low, high } = gearTable(tableBytes(0));
  const entry = (i: number) => ((BigInt(high[i]!) << 32n) | BigInt(low[i]!)).toString(16);
  assert.deepEqual([entry(0), entry(255)], [vectors.table.first, vectors.table.last]);
});

for (const each of vectors.cases) {
  const { min, average, max, level, seed } = each;
  Deno.test({
    name: `cuts the image like fastcdc-rs: ${min}/${average}/${max}, level ${level}, seed ${seed}`,
    ignore: image === undefined,
    fn() {
      const data = image!;
      assert.equal(createHash("sha256").update(data).digest("hex"), vectors.image.sha256);
      const masks = masksOfCase(each);
      const table = tableBytes(seed);
      assert.deepEqual(cutReference(data, gearTable(table), each, masks), each.lengths);
      const kernel = new Kernel(new WebAssembly.Memory({ initial: 8, maximum: 8, shared: true }));
      new Uint8Array(kernel.memory.buffer).set(table, TABLE_AT);
      const cutter = new Cutter(kernel, TABLE_AT, each, masks);
      for (const piece of [data.length, 4096, 1]) {
        assert.deepEqual(cutInPieces(kernel, cutter, data, () => piece), each.lengths, `pieces of ${piece}`);
      }
    },
  });
}

Deno.test({
  name: "the hash at each cut of the image is the one fastcdc-rs gives",
  ignore: image === undefined,
  fn() {
    const published = vectors.cases.find((each) => each.hashes)!;
    const table = gearTable(tableBytes(0));
    const { small, large } = masksOfCase(published);
    let start = 0;
    published.lengths.forEach((length, i) => {
      const end = Math.min(start + length + 1, image!.length);
      const average = Math.min(start + published.average, end);
      const first = scanGear(image!, start + published.min, average, { table, hash: 0n, mask: small });
      const last = first.at < average
        ? first
        : scanGear(image!, first.at, end, { table, hash: first.hash, mask: large });
      assert.equal(last.at, start + length);
      assert.equal(last.hash.toString(), published.hashes![i]);
      start += length;
    });
  },
});

Deno.test("zeros are cut at the maximum, with the hash fastcdc-rs gives", () => {
  const { zeros } = vectors;
  const kernel = new Kernel();
  new Uint8Array(kernel.memory.buffer).set(tableBytes(0), TABLE_AT);
  const cutter = new Cutter(kernel, TABLE_AT, zeros, masksOfCase(zeros));
  assert.deepEqual(cutInPieces(kernel, cutter, new Uint8Array(zeros.length), () => zeros.length), zeros.lengths);
  assert.equal(kernel.hash.toString(), zeros.hash);
});
