import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatBytes,
  formatCount,
  formatCounted,
  formatDuration,
  formatPercent,
  formatRate,
  formatTime,
  parseBytes,
  parsePercent,
} from "../../lib/cli/units.ts";

const kib = 1024;
const mib = 1024 * kib;
const gib = 1024 * mib;

Deno.test("bytes are written with one digit after the point where it says something", () => {
  const expected: [number, string][] = [
    [0, "0 B"],
    [1, "1 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [64 * kib, "64 KiB"],
    [99.95 * kib, "100 KiB"],
    [mib - 1, "1 MiB"],
    [128 * mib, "128 MiB"],
    [1.4 * gib, "1.4 GiB"],
    [20 * gib, "20 GiB"],
    [2 ** 53, "8 PiB"],
    [9000 * 1024 ** 5, "9000 PiB"],
  ];
  for (const [bytes, text] of expected) assert.equal(formatBytes(bytes), text, String(bytes));
});

Deno.test("durations name the two largest units, rounded up into the next where they fill it", () => {
  const expected: [number, string][] = [
    [-5, "0 ms"],
    [0, "0 ms"],
    [450, "450 ms"],
    [999.6, "1.0 s"],
    [3210, "3.2 s"],
    [59_940, "59.9 s"],
    [59_960, "1 min 00 s"],
    [245_000, "4 min 05 s"],
    [3_599_600, "1 h 00 min"],
    [7_620_000, "2 h 07 min"],
    [86_399_000, "1 d 00 h"],
    [3 * 86_400_000 + 4 * 3_600_000, "3 d 04 h"],
  ];
  for (const [ms, text] of expected) assert.equal(formatDuration(ms), text, String(ms));
});

Deno.test("counts have separators, percentages are rounded down, rates have no time of zero", () => {
  assert.equal(formatCount(0), "0");
  assert.equal(formatCount(999), "999");
  assert.equal(formatCount(67_960), "67,960");
  assert.equal(formatCount(1_000_000), "1,000,000");
  assert.equal(formatPercent(0, 10), "0 %");
  assert.equal(formatPercent(9_999, 10_000), "99 %");
  assert.equal(formatPercent(10, 10), "100 %");
  assert.equal(formatPercent(0, 0), "100 %");
  assert.equal(formatRate(236 * mib, 2000), "118 MiB/s");
  assert.equal(formatRate(5, 0), "-");
});

Deno.test("one thing is named otherwise than many", () => {
  assert.deepEqual([0, 1, 1234].map((count) => formatCounted(count, "brick")), ["0 bricks", "1 brick", "1,234 bricks"]);
  assert.equal(formatCounted(2, "entry", "entries"), "2 entries");
});

Deno.test("times are UTC, to the second", () => {
  assert.equal(formatTime(new Date(Date.UTC(2026, 7, 6, 12, 0, 5, 678))), "2026-08-06T12:00:05Z");
});

Deno.test("sizes are read with and without units, in any case", () => {
  const expected: [string, number][] = [
    ["4096", 4096],
    ["512B", 512],
    ["64K", 64 * kib],
    ["64k", 64 * kib],
    ["64KiB", 64 * kib],
    ["64 kib", 64 * kib],
    ["128MiB", 128 * mib],
    ["1.5GiB", 1.5 * gib],
    ["2T", 2048 * gib],
    ["0", 0],
  ];
  for (const [text, bytes] of expected) assert.equal(parseBytes(text), bytes, text);
});

Deno.test("a size that makes no sense is refused with what would have been right", () => {
  const expected: [string, RegExp][] = [
    ["", /is not a size/],
    ["big", /is not a size; write for example/],
    ["-5", /is not a size/],
    ["1e3", /is not a size/],
    ["10MB", /could mean 1000s or 1024s; write 10MiB/],
    ["10kb", /write 10KiB/],
    ["10X", /unknown unit; write KiB, MiB or GiB/],
    ["0.3", /whole number of bytes/],
    ["99999999999T", /whole number of bytes/],
  ];
  for (const [text, message] of expected) {
    assert.throws(
      () => parseBytes(text),
      (error: Error) => error instanceof SyntaxError && message.test(error.message),
    );
  }
});

Deno.test("every size that is written can be read again, near enough for its digits", () => {
  fc.assert(fc.property(fc.nat({ max: 2 ** 50 }), (bytes) => {
    const read = parseBytesLoosely(formatBytes(bytes));
    assert.ok(Math.abs(read - bytes) <= bytes * 0.05, `${bytes} became ${read}`);
  }));
});

/** One digit after the point need not be a whole number of bytes. */
function parseBytesLoosely(text: string): number {
  const [number, unit] = text.split(" ");
  return Number(number) * parseBytes(`1${unit?.replace("PiB", "TiB")}`) * (unit === "PiB" ? 1024 : 1);
}

Deno.test("percentages are read with and without the sign, and never 0 or above 100", () => {
  assert.equal(parsePercent("10%"), 10);
  assert.equal(parsePercent("0.5 %"), 0.5);
  assert.equal(parsePercent("100"), 100);
  for (const text of ["0", "0%", "100.1%", "-1%", "ten", "", "%"]) {
    assert.throws(() => parsePercent(text), /is not a percentage; write for example 10%/, text);
  }
});
