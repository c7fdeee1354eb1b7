import assert from "node:assert/strict";
import fc from "fast-check";
import { PaxReader, readDecimal } from "../../lib/tar/pax.ts";
import { latin1, paxRecord } from "./archives.ts";

function read(data: string | Uint8Array, { pieceLength = 1 << 20, limitBytes = 1 << 20, keys }: {
  pieceLength?: number;
  limitBytes?: number;
  keys?: Set<string>;
} = {}): PaxReader {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const reader = new PaxReader({ limitBytes, ...(keys && { keys }) });
  for (let at = 0; at < bytes.length; at += pieceLength) {
    reader.push(bytes, at, Math.min(at + pieceLength, bytes.length));
  }
  reader.end();
  return reader;
}

function text(reader: PaxReader): Record<string, string> {
  return Object.fromEntries([...reader.records].map(([key, value]) => [key, new TextDecoder().decode(value)]));
}

Deno.test("what was written is read, in pieces of any length", () => {
  const key = fc.stringMatching(/^[a-zA-Z.]{1,30}$/);
  const records = fc.dictionary(key, fc.string({ unit: "binary", maxLength: 300 }), { noNullPrototype: true });
  fc.assert(fc.property(records, fc.integer({ min: 1, max: 50 }), (written, pieceLength) => {
    const data = Object.entries(written).map(([key, value]) => paxRecord(key, value)).join("");
    const reader = read(data, { pieceLength });
    assert.equal(reader.malformed, false);
    assert.deepEqual(new Map(Object.entries(text(reader))), new Map(Object.entries(written)));
  }));
});

Deno.test("the length counts itself, at every change of its digits", () => {
  for (const length of [1, 2, 3, 84, 85, 86, 982, 983, 984, 9980, 9981]) {
    const record = paxRecord("key", "v".repeat(length));
    assert.equal(parseInt(record), record.length);
    assert.equal(text(read(record))["key"]!.length, length);
  }
});

Deno.test("what is no record ends the reading, and what came before it holds", () => {
  const good = paxRecord("a", "1");
  for (
    const bad of [
      "x",
      "0 b=2\n",
      "3 =\n",
      "6 b2\n\n",
      "7 b=22x",
      "99 b=2\n",
      "6b=2\n",
      "6 b=2",
      " 6 b=2\n",
      "5 =2\n",
      "9999999999999999 b=2\n",
    ]
  ) {
    const reader = read(good + bad + paxRecord("c", "3"));
    assert.deepEqual([text(reader), reader.malformed], [{ a: "1" }, true], bad);
  }
});

Deno.test("zeros behind the records are a clean end", () => {
  assert.equal(read(paxRecord("a", "1") + "\0\0\0").malformed, false);
  assert.equal(read("").malformed, false);
});

Deno.test("the last record of a key wins, and values may hold newlines and zeros", () => {
  assert.deepEqual(text(read(paxRecord("a", "1") + paxRecord("a", "x\n9 b=2\n\0"))), { a: "x\n9 b=2\n\0" });
});

Deno.test("only wanted keys are kept, and a wanted one over the limit is told", () => {
  const keys = new Set(["size"]);
  const long = paxRecord("path", "p".repeat(10000));
  const reader = read(long + paxRecord("size", "5"), { limitBytes: 100, keys, pieceLength: 7 });
  assert.deepEqual([text(reader), reader.malformed], [{ size: "5" }, false]);
  assert.equal(read(paxRecord("size", "0".repeat(200)), { limitBytes: 100, keys }).malformed, true);
});

Deno.test("a size is noticed anywhere in the data", () => {
  assert.equal(read("x 12 size=3", { pieceLength: 1 }).mentionsSize, true);
  assert.equal(read(paxRecord("comment", "  size=3"), { pieceLength: 3 }).mentionsSize, true);
  assert.equal(read(paxRecord("GNU.sparse.size", "3")).mentionsSize, false);
});

Deno.test("decimal numbers are digits, up to 2^53", () => {
  const read = (value: string) => readDecimal(latin1(value));
  assert.deepEqual([read("0"), read("007"), read("9007199254740991")], [0, 7, Number.MAX_SAFE_INTEGER]);
  for (const value of ["", "-1", "+1", " 1", "1 ", "1.0", "9007199254740992", "1".repeat(400)]) {
    assert.ok(Number.isNaN(read(value)), value);
  }
});
