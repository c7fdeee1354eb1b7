import assert from "node:assert/strict";
import fc from "fast-check";
import { HEAD_LIMIT_BYTES, readEntry } from "../../lib/tar/mod.ts";
import { END, header, longName, marked, octal, pax } from "./archives.ts";
import { concat, entriesOf, randomLengths, record } from "./recorder.ts";

/** Whole blocks of a generated tar that belong together, and how many of their bytes are a body. */
interface Part {
  bytes: Uint8Array;
  bodyLength: number;
}

type Change =
  | { kind: "flip"; part: number; bit: number }
  | { kind: "cut"; part: number }
  | { kind: "double"; part: number; count: number }
  | { kind: "insert"; part: number; seed: number }
  | { kind: "end"; byte: number };

const arbitraryMember = fc.record({
  size: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2000 })),
  magic: fc.constantFrom<("ustar" | "gnu" | "v7")[]>("ustar", "gnu", "v7"),
  type: fc.constantFrom("0", "0", "0", "\0", "7", "1", "2", "5", "D", "M", "S", "V", "Z"),
  extension: fc.constantFrom("none", "none", "L", "K", "path", "size", "g", "map"),
  length: fc.integer({ min: 1, max: 700 }),
  seed: fc.nat(60),
}).map(({ size, magic, type, extension, length, seed }): Part[] => {
  const body = marked("1225V".includes(type) ? 0 : size, seed);
  const name = "n".repeat(length);
  const parts: Part[] = [];
  const add = (bytes: Uint8Array) => parts.push({ bytes, bodyLength: 0 });
  if (extension === "L" || extension === "K") add(longName(name, extension));
  if (extension === "path") add(pax({ path: name, mtime: "1.5" }));
  if (extension === "size") add(pax({ size: String(body.length) }));
  if (extension === "g") add(pax({ comment: name }, { type: "g" }));
  const hasMap = type === "S" && magic === "gnu" && extension === "map";
  add(header({
    type,
    magic,
    size: extension === "size" ? 0 : body.length,
    patch: hasMap ? [[482, Uint8Array.of(1)]] : [],
  }));
  if (hasMap) {
    const map = new Uint8Array(512);
    map.set(new TextEncoder().encode(octal(0) + octal(512)));
    add(map);
  }
  return [...parts, ...bodyParts(body)];
});

const arbitraryTar = fc.array(arbitraryMember, { minLength: 1, maxLength: 8 })
  .map((members) => [...members.flat(), { bytes: END, bodyLength: 0 }]);

const where = fc.nat(10_000);
const arbitraryChange: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant("flip" as const), part: where, bit: fc.nat(100_000) }),
  fc.record({ kind: fc.constant("cut" as const), part: where }),
  fc.record({ kind: fc.constant("double" as const), part: where, count: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ kind: fc.constant("insert" as const), part: where, seed: fc.nat(60) }),
  fc.record({ kind: fc.constant("end" as const), byte: fc.nat(1600) }),
);
const arbitraryChanges = fc.array(arbitraryChange, { minLength: 1, maxLength: 6 });

function bodyParts(body: Uint8Array): Part[] {
  return Array.from({ length: Math.ceil(body.length / 512) }, (_, i) => {
    const bytes = new Uint8Array(512);
    bytes.set(body.subarray(i * 512, i * 512 + 512));
    return { bytes, bodyLength: Math.min(512, body.length - i * 512) };
  });
}

/** The same tar in single blocks. */
function singleBlocks(parts: Part[]): Part[] {
  return parts.flatMap(({ bytes, bodyLength }) =>
    Array.from(
      { length: bytes.length / 512 },
      (_, i) => ({ bytes: bytes.subarray(i * 512, i * 512 + 512), bodyLength }),
    )
  );
}

/** The changed parts, and how many bytes of them are there. At most one flip a part: two may cancel each other in a checksum. */
function change(original: Part[], changes: Change[]): { parts: Part[]; input: Uint8Array } {
  const parts = original.map(({ bytes, bodyLength }) => ({ bytes: new Uint8Array(bytes), bodyLength }));
  const flipped = new Set<Part>();
  let missing = 0;
  for (const one of changes) {
    if (one.kind === "end") missing = one.byte;
    else if (parts.length > 0) {
      const at = one.part % parts.length;
      const part = parts[at]!;
      if (one.kind === "flip" && !flipped.has(part)) {
        const bit = one.bit % (part.bytes.length * 8);
        part.bytes[bit >> 3]! ^= 1 << (bit & 7);
        flipped.add(part);
      } else if (one.kind === "cut") parts.splice(at, 1);
      else if (one.kind === "double") parts.splice(at, 0, ...parts.slice(at, at + one.count));
      else if (one.kind === "insert") {
        parts.splice(at, 0, { bytes: new Uint8Array(marked(512, one.seed)), bodyLength: 512 });
      }
    }
  }
  const input = concat(...parts.map(({ bytes }) => bytes));
  return { parts, input: input.subarray(0, Math.max(0, input.length - missing)) };
}

Deno.test("generated tars are read to the end", () => {
  fc.assert(fc.property(fc.array(arbitraryMember, { minLength: 1, maxLength: 8 }), (members) => {
    const { status } = record(concat(...members.flat().map(({ bytes }) => bytes), END));
    assert.equal(status.opaqueBytes, 0);
    assert.equal(status.incomplete, undefined);
    assert.equal(status.entries, members.length);
  }));
});

Deno.test("damaged tars are covered whole and in order, the same however they are cut, within bounds", () => {
  fc.assert(
    fc.property(arbitraryTar, arbitraryChanges, fc.nat(), (original, changes, seed) => {
      const { input } = change(singleBlocks(original), changes);
      const whole = record(input);
      const pieces = record(input, randomLengths(seed));
      assert.deepEqual(pieces.events, whole.events);
      assert.deepEqual(pieces.status, whole.status);
      for (const { head } of entriesOf(whole)) assert.ok(head.length <= HEAD_LIMIT_BYTES + 512);
    }),
    { numRuns: 400 },
  );
});

Deno.test("damage never makes a body raw", () => {
  // Extended headers are changed as a whole: bytes that take the place of missing data would be what such a header declares.
  fc.assert(
    fc.property(arbitraryTar, arbitraryChanges, (original, changes) => {
      const { parts, input } = change(original, changes);
      const isRaw = new Uint8Array(input.length);
      for (const event of record(input).events) if (event.kind === "raw") isRaw.fill(1, event.from, event.to);
      let from = 0;
      for (const { bytes, bodyLength } of parts) {
        for (let at = from; at < Math.min(from + bodyLength, input.length); at++) {
          if (isRaw[at] === 1 && input[at] !== 0) assert.fail(`byte ${at} of a body is raw`);
        }
        from += bytes.length;
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("noise is covered whole, and reads as an entry without complaint", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(), (noise, seed) => {
      assert.deepEqual(record(noise, randomLengths(seed)).events, record(noise).events);
      readEntry(noise);
    }),
  );
});

Deno.test("damaged headers read as an entry without complaint", () => {
  fc.assert(
    fc.property(arbitraryTar, arbitraryChanges, (original, changes) => {
      const entry = readEntry(change(singleBlocks(original), changes).input);
      for (const number of [entry.size, entry.realSize, entry.mode, entry.uid, entry.gid, entry.mtime]) {
        assert.ok(Number.isFinite(number));
      }
    }),
  );
});
