// What the role that may list, but not read, gets to see: no byte of a body, and nothing of what is no tar.

import assert from "node:assert/strict";
import { base256, blocks, END, header, latin1, longName, marked, member, pax } from "./archives.ts";
import { concat, entriesOf, namelessOf, rawOf, record } from "./recorder.ts";

/** A tar that is somebody's file: its names and contents are nobody's business. */
const nested = concat(
  member({ name: "SECRET/directory/", type: "5" }),
  longName("SECRET/long"),
  member({ name: "SECRET/a" }, "SECRET content"),
  pax({ path: "SECRET/b" }),
  member({ name: "b" }, "SECRET too"),
  END,
);
const after = member({ name: "after" }, "x");

/** Fails if a piece of the nested tar is raw; returns the names that are listed. */
function names(...parts: Uint8Array[]): string[] {
  const input = concat(...parts);
  const recording = record(input);
  assert.deepEqual(record(input, () => 1).events, recording.events);
  const shown = new TextDecoder("latin1").decode(rawOf(recording));
  assert.ok(!shown.includes("SECRET"), "a body was shown");
  return entriesOf(recording).map(({ name }) => name);
}

Deno.test("a tar inside a body is never listed", () => {
  assert.deepEqual(names(member({ name: "inner.tar" }, nested), after, END), ["inner.tar", "after"]);
});

Deno.test("a damaged header takes its body along, and reading goes on behind it", () => {
  for (const magic of ["ustar", "gnu"] as const) {
    const damaged = member({ name: "SECRET.tar", magic, sum: "wrong" }, nested);
    const recording = record(concat(after, damaged, after, END));
    assert.deepEqual(names(recording.input), ["after", "after"]);
    assert.deepEqual(namelessOf(recording), [damaged]);
    assert.equal(recording.status.opaqueBytes, damaged.length);
    assert.equal(recording.status.incomplete, undefined);
  }
});

Deno.test("zeros behind a damaged entry are the end of the archive", () => {
  const recording = record(concat(after, member({ sum: "wrong" }, nested), END));
  assert.equal(recording.status.ended, true);
  assert.equal(recording.status.incomplete, undefined);
});

Deno.test("nothing is listed any more when no header stands where a damaged one says", () => {
  const wrong = header({ name: "SECRET.tar", size: nested.length, sum: "wrong" });
  const { status } = record(concat(after, wrong, nested, marked(512), after, END));
  assert.equal(status.incomplete, "its end cannot be found after a damaged header");
  assert.deepEqual(names(after, wrong, nested, marked(512), after, END), ["after"]);
  const wrongAgain = member({ sum: "wrong" }, nested);
  assert.deepEqual(names(after, wrongAgain, wrongAgain, after, END), ["after"]);
});

Deno.test("a damaged header without a magic, or without a usable size, ends the listing", () => {
  for (const fields of [{ magic: "v7" as const }, { size: "" }, { size: "junk" }, { size: base256(-1n) }]) {
    assert.deepEqual(names(after, header({ ...fields, sum: "wrong" }), nested, after, END), ["after"]);
  }
});

Deno.test("a damaged header that has a pax size is skipped by that, not by its field", () => {
  const size = String(nested.length);
  const damaged = header({ name: "SECRET.tar", size: 0, sum: "wrong" });
  assert.deepEqual(names(after, pax({ size, path: "p" }), damaged, nested, after, END), ["after", "after"]);
  assert.equal(record(concat(pax({ size }), damaged, nested, after, END)).status.incomplete, undefined);
  assert.deepEqual(names(after, pax({ size: "?" }), damaged, nested, after, END), ["after"]);
});

Deno.test("a damaged extended header ends the listing, since it may have held a size", () => {
  for (const type of "xXg") {
    const extended = pax({ size: String(nested.length) }, { type, sum: "wrong" });
    assert.deepEqual(names(after, extended, header({ size: 0 }), nested, after, END), ["after"]);
  }
});

Deno.test("a damaged long name costs only the name", () => {
  const long = member({ name: "././@LongLink", type: "L", magic: "gnu", sum: "wrong" }, "SECRET/long/name\0");
  assert.deepEqual(names(after, long, member({ name: "cut" }, nested), END), ["after", "cut"]);
});

Deno.test("records that could not be parsed and may have held a size end the listing", () => {
  const broken = member({ name: "x", type: "x" }, `8 mtime=1\n20 size=${nested.length}\n`);
  assert.deepEqual(names(after, broken, header({ size: 0 }), nested, after, END), ["after"]);
});

Deno.test("what is no tar is one nameless body, whatever stands in it", () => {
  for (const begin of [latin1("#!/bin/sh\n"), marked(512), marked(511), marked(5000)]) {
    const input = concat(blocks(begin, 0x20), nested, after, END);
    assert.deepEqual(namelessOf(record(input)), [input]);
    assert.equal(record(input).status.incomplete, undefined);
    assert.equal(record(input).status.opaqueFrom, 0);
  }
});

Deno.test("a damaged first header is skipped like any other", () => {
  assert.deepEqual(names(member({ sum: "wrong" }, nested), after, END), ["after"]);
});

Deno.test("behind the end of an archive only an archive is listed", () => {
  assert.deepEqual(names(after, END, marked(512), nested), ["after"]);
  assert.deepEqual(names(after, END, header({ size: 0, sum: "wrong" }), nested), ["after"]);
  assert.deepEqual(names(after, END, marked(100)), ["after"]);
  assert.deepEqual(names(after, new Uint8Array(512 * 200), marked(512), nested), ["after"]);
});

Deno.test("a cut header is not shown", () => {
  const cut = header({ name: "SECRET" }).subarray(0, 511);
  assert.deepEqual(names(after, cut), ["after"]);
  assert.deepEqual(names(cut), []);
});

Deno.test("what an old writer left in its buffer is not shown", () => {
  const padded = concat(header({ name: "v7", magic: "v7", size: 3 }), blocks("abcSECRET", 0x53));
  assert.deepEqual(names(padded, after, END), ["v7", "after"]);
});
