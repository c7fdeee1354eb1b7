/** CRCs against the check values of the catalogue of parametrised CRC algorithms (CRC of "123456789"). */
import assert from "node:assert/strict";
import { hasher } from "./s3/checksums.ts";

Deno.test("the checksums of S3 have their published check values", () => {
  const check = new TextEncoder().encode("123456789");
  const hex = (name: Parameters<typeof hasher>[0], pieces: Uint8Array[]) => {
    const hash = hasher(name);
    for (const piece of pieces) hash.update(piece);
    return [...hash.digest()].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const pieces = [check.subarray(0, 2), check.subarray(2)];
  assert.equal(hex("CRC32", pieces), "cbf43926");
  assert.equal(hex("CRC32C", pieces), "e3069283");
  assert.equal(hex("CRC64NVME", pieces), "ae8b14860a799888");
  assert.equal(hex("CRC64NVME", [...check].map((byte) => Uint8Array.of(byte))), "ae8b14860a799888");
  const long = Uint8Array.from({ length: 10_007 }, (_, at) => at * 7);
  assert.equal(hex("CRC64NVME", [long]), hex("CRC64NVME", [...long].map((byte) => Uint8Array.of(byte))));
});
