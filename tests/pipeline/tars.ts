/** Tars made up by fast-check: of entries of every kind of length, and of what breaks them. */
import fc from "fast-check";
import { blocks, END, header, longName, member, pax } from "../tar/archives.ts";
import { randomBytes } from "../chunker/generated.ts";
import { concat } from "./plans.ts";

const bytes = fc.tuple(fc.nat(12_000), fc.nat(1000)).map(([length, seed]) => randomBytes(length, seed + 1));
const around = fc.tuple(fc.constantFrom(0, 1, 511, 512, 513, 1023, 1024, 4095, 4096, 4097), fc.nat(1000))
  .map(([length, seed]) => randomBytes(length, seed + 1));
const name = fc.string({ minLength: 1, maxLength: 90 });

/** One thing that may stand in a tar. */
const piece: fc.Arbitrary<Uint8Array> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(name, fc.oneof(bytes, around)).map(([name, body]) => member({ name: latin(name) }, body)),
  },
  { weight: 2, arbitrary: name.map((name) => header({ name: latin(name), type: "5" })) },
  { weight: 2, arbitrary: fc.tuple(name, around).map(([path, body]) => concat([pax({ path }), member({}, body)])) },
  {
    weight: 1,
    arbitrary: fc.nat(400).map((n) => concat([longName("n".repeat(n + 1)), member({ magic: "gnu" }, "x")])),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 150 }).map((count) => new Uint8Array(512 * count)) },
  // Padding that is not zero, a damaged header with a size, headers that lead nowhere, and no header at all.
  { weight: 1, arbitrary: around.map((body) => concat([header({ size: body.length }), blocks(body, 0x55)])) },
  { weight: 1, arbitrary: around.map((body) => member({ sum: "wrong" }, body)) },
  { weight: 1, arbitrary: fc.constant(pax({ comment: "alone" }, { type: "g" })) },
  { weight: 1, arbitrary: bytes },
);

/** A stream of such pieces, with or without an end, maybe cut short. */
export const anyTar: fc.Arbitrary<Uint8Array> = fc.tuple(
  fc.array(piece, { maxLength: 25 }),
  fc.boolean(),
  fc.option(fc.nat(60_000)),
).map(([pieces, ends, cut]) => {
  const whole = concat(ends ? [...pieces, END] : pieces);
  return cut === null ? whole : whole.subarray(0, cut);
});

function latin(name: string): Uint8Array {
  return new TextEncoder().encode(name).subarray(0, 99);
}
