/** Tars made by hand: one of everything, and whatever fast-check makes of the same parts. */
import fc from "fast-check";
import { noise } from "../repository/machine.ts";
import { base256, blocks, END, type Fields, header, longName, member, octal, pax, paxRecord } from "../tar/archives.ts";
import { concat } from "../tar/recorder.ts";

/** Every type of entry and header that there is, and some that there are not. */
const TYPES = [..."01234567\0DMNSVZ"];
/** Types that have no body, whatever their size field says. */
const BARE = new Set([..."123456V"]);
const MAGICS = ["ustar", "gnu", "v7"] as const;

/** An old sparse file of 700 stored bytes, with a map that goes on in a block of its own. */
function oldSparse(): Uint8Array {
  const map = new Uint8Array(512);
  map.set(new TextEncoder().encode(octal(4096) + octal(700)));
  const first = header({ name: "sparse", type: "S", magic: "gnu", size: 700, patch: [[482, Uint8Array.of(1)]] });
  return concat(first, map, blocks(noise(700, 5)));
}

/** A sparse file whose map stands at the head of its body. */
function paxSparse(): Uint8Array {
  const body = new Uint8Array(512 + 600);
  body.set(new TextEncoder().encode("1\n4096\n600\n"));
  body.set(noise(600, 6), 512);
  const records = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "holes" };
  return concat(pax({ ...records, "GNU.sparse.realsize": "9000" }), member({ name: "GNUSparseFile.1/holes" }, body));
}

/** A tar with everything in it once, 38 KiB long. */
export function manyKinds(): Uint8Array {
  return concat(
    member({ name: "LABEL", type: "V", magic: "gnu" }),
    pax({ comment: "for all that follow" }, { type: "g" }),
    ...TYPES.filter((type) => type !== "S").map((type) =>
      member({ name: `type ${type}`, type }, BARE.has(type) ? "" : "a body of its own")
    ),
    ...[0, 1, 511, 512, 513].map((length) => member({ name: `of ${length}` }, noise(length, length + 1))),
    longName("l".repeat(700)),
    longName("k".repeat(300), "K"),
    member({ type: "2", magic: "gnu" }),
    pax({ path: "p".repeat(900), size: "600", "SCHILY.xattr.user.x": "a\nb" }),
    member({ size: 0 }).subarray(0, 512),
    blocks(noise(600, 3)),
    oldSparse(),
    paxSparse(),
    member({ name: "signed", sum: "signed", mtime: base256(-5n) }, "old"),
    member({ name: "padded" }, "").subarray(0, 512),
    // Padding that is not zero, a lone zero block, a header with a wrong sum, and an end in the middle.
    header({ name: "padded", size: 100 }),
    blocks(noise(100, 4), 0x55),
    new Uint8Array(512),
    member({ name: "behind" }, noise(1300, 7)),
    member({ name: "broken", sum: "wrong" }, noise(700, 8)),
    END,
    member({ name: "second archive" }, "concatenated"),
    END,
    new Uint8Array(512),
    noise(77, 9),
  );
}

const anyBody = fc.tuple(
  fc.oneof(
    fc.constantFrom(0, 1, 511, 512, 513, 1024, 4095, 4096, 4097, 16_383, 16_384, 16_385),
    fc.nat(2000),
    fc.nat(60_000),
  ),
  fc.nat(50),
).map(([length, seed]) => seed === 0 ? new Uint8Array(length) : noise(length, seed));

const anyFields: fc.Arbitrary<Fields> = fc.record({
  name: fc.string({ minLength: 1, maxLength: 99 }).map((name) => new TextEncoder().encode(name).subarray(0, 99)),
  magic: fc.constantFrom(...MAGICS),
  type: fc.oneof({ weight: 3, arbitrary: fc.constant("0") }, fc.constantFrom(...TYPES)),
  sum: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom("unsigned" as const, "signed" as const) },
    fc.constant("wrong" as const),
  ),
});

/** Records that mean something to tars, with values that do and values that do not. */
const anyRecords = fc.dictionary(
  fc.constantFrom("path", "linkpath", "size", "mtime", "comment", "GNU.sparse.map", "SCHILY.realsize", "hdrcharset"),
  fc.oneof(fc.string(), fc.nat(5000).map(String), fc.constant("0,512,4096,100")),
  { maxKeys: 4 },
);

const anyPax = fc.tuple(anyRecords, fc.constantFrom("x", "x", "g", "X", "A"), fc.boolean()).map(
  ([records, type, broken]) => {
    const data = Object.entries(records).map(([key, value]) => paxRecord(key, value)).join("");
    return member({ name: "PaxHeaders/x", type }, broken ? data.slice(1) : data);
  },
);

/** One thing that may stand in a tar, well or badly made. */
const anyPart: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(anyFields, anyBody).map(([fields, body]) => member(fields, body)) },
  // A size that is not that of what follows.
  {
    weight: 1,
    arbitrary: fc.tuple(anyFields, fc.nat(9000), anyBody).map(([fields, size, body]) =>
      concat(header({ ...fields, size }), blocks(body, 0x20))
    ),
  },
  { weight: 3, arbitrary: anyPax },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(900), fc.constantFrom("L", "K")).map(([length, type]) =>
      longName("n".repeat(length), type)
    ),
  },
  { weight: 1, arbitrary: fc.constant(oldSparse()) },
  { weight: 1, arbitrary: fc.constant(paxSparse()) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 9 }).map((count) => new Uint8Array(512 * count)) },
  { weight: 1, arbitrary: anyBody },
);

/** What happens to a stream on its way; `at` and `length` are in bytes, where they fit. */
const anyChange = fc.record({
  kind: fc.constantFrom("flip", "cut", "double", "insert", "stop"),
  at: fc.nat(400_000),
  length: fc.oneof(fc.constantFrom(1, 511, 512, 513, 1024), fc.nat(5000)),
});

/** Tars, as they should be and changed in up to four places; at least a byte long. */
export const anyStream: fc.Arbitrary<Uint8Array> = fc.tuple(
  fc.array(anyPart, { minLength: 1, maxLength: 15 }),
  fc.boolean(),
  fc.array(anyChange, { maxLength: 4 }),
).map(([parts, ends, changes]) => {
  let bytes: Uint8Array = concat(...parts, ends ? END : new Uint8Array());
  for (const { kind, at: anywhere, length } of changes) {
    const at = anywhere % (bytes.length + 1);
    const [before, behind] = [bytes.subarray(0, at), bytes.subarray(at)];
    if (kind === "flip") {
      bytes = bytes.slice();
      if (at < bytes.length) bytes[at]! ^= 1 << length % 8;
    } else if (kind === "cut") bytes = concat(before, behind.subarray(length));
    else if (kind === "double") bytes = concat(before, behind.subarray(0, length), behind);
    else if (kind === "insert") bytes = concat(before, noise(length, at), behind);
    else bytes = before;
  }
  return bytes;
}).filter(({ length }) => length > 0);
