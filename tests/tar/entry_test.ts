import assert from "node:assert/strict";
import { type Entry, modeString, printableName, readEntry, typeLetter } from "../../lib/tar/mod.ts";
import { base256, header, latin1, longName, member, octal, pax, paxRecord } from "./archives.ts";
import { concat } from "./recorder.ts";

function read(...parts: Uint8Array[]): Entry & { text: string; target: string } {
  const entry = readEntry(concat(...parts));
  return { ...entry, text: printableName(entry.name), target: printableName(entry.linkName) };
}

Deno.test("a plain header is read field by field", () => {
  const entry = read(header({ name: "a/b", size: 77, mode: "0104755\0", mtime: octal(1234567890) }));
  assert.deepEqual(
    [entry.text, entry.type, entry.size, entry.realSize, entry.mode, entry.uid, entry.gid, entry.mtime],
    ["a/b", "-", 77, 77, 0o4755, 0o1750, 0o144, 1234567890],
  );
  assert.deepEqual([entry.user, entry.group, entry.sparse, entry.target], ["owner", "staff", false, ""]);
});

Deno.test("every type has its letter", () => {
  const letters = [..."01234567DVMSLZ\0"].map((type) => read(header({ type, magic: "gnu" })).type).join("");
  assert.equal(letters, "-hlcbdp-DVM-??-");
  assert.equal(read(header({ name: "dir/", type: "\0", magic: "v7" })).type, "d");
  assert.equal(typeLetter("D"), "d");
  assert.equal(typeLetter("h"), "h");
});

Deno.test("a v7 header has no owner's name, a GNU one no prefix", () => {
  const v7 = read(header({ magic: "v7", patch: [[265, "junk"]], prefix: "junk" }));
  assert.deepEqual([v7.text, v7.user, v7.group], ["file", "", ""]);
  assert.equal(read(header({ magic: "gnu", prefix: "junk" })).text, "file");
  assert.equal(read(header({ prefix: "p" })).text, "p/file");
  assert.equal(
    read(header({ name: "n".repeat(100), prefix: "p".repeat(155) })).text,
    "p".repeat(155) + "/" + "n".repeat(100),
  );
});

Deno.test("pax records override the header, and are there to be seen", () => {
  const records = {
    path: "päth",
    linkpath: "target",
    size: "99",
    uid: "3000000000",
    gid: "-5",
    uname: "ünser",
    gname: "gruppe",
    mtime: "-1.25",
    "SCHILY.xattr.user.x": "a\0b",
  };
  const entry = read(pax(records), header({ type: "2", link: "short" }));
  assert.deepEqual([entry.text, entry.target, entry.size, entry.uid, entry.gid], ["päth", "target", 0, 3e9, -5]);
  assert.deepEqual([entry.user, entry.group, entry.mtime], ["ünser", "gruppe", -1.25]);
  assert.deepEqual(entry.pax.get("SCHILY.xattr.user.x"), latin1("a\0b"));
  assert.equal(read(pax(records), header()).size, 99);
});

Deno.test("empty or unreadable pax values leave the header's", () => {
  const entry = read(pax({ path: "", uid: "ten", mtime: "1e9", size: "", uname: "" }), header({ size: 5 }));
  assert.deepEqual([entry.text, entry.uid, entry.mtime, entry.size, entry.user], [
    "file",
    0o1750,
    1700000000,
    5,
    "owner",
  ]);
});

Deno.test("records of a global header are kept apart", () => {
  const entry = read(pax({ comment: "commit", path: "no" }, { type: "g" }), pax({ atime: "1" }), header());
  assert.deepEqual([[...entry.globalPax.keys()], [...entry.pax.keys()], entry.text], [
    ["comment", "path"],
    ["atime"],
    "file",
  ]);
  const alone = read(pax({ comment: "commit" }, { type: "g", name: "pax_global_header" }));
  assert.deepEqual([alone.text, alone.type, alone.globalPax.size], ["pax_global_header", "?", 1]);
});

Deno.test("GNU long names and links count, of several the last, and pax over both", () => {
  const link = header({ type: "1", link: "cut", magic: "gnu" });
  const entry = read(longName("first"), longName("target", "K"), longName("long\0rest"), link);
  assert.deepEqual([entry.text, entry.target, entry.type], ["long", "target", "h"]);
  const both = read(longName("long"), pax({ path: "pax", linkpath: "paxlink" }), longName("k", "K"), link);
  assert.deepEqual([both.text, both.target], ["pax", "paxlink"]);
});

Deno.test("sparse files show their real name and size", () => {
  const old = header({ type: "S", magic: "gnu", size: 512, patch: [[483, octal(100000)]] });
  assert.deepEqual([read(old).realSize, read(old).size, read(old).sparse], [100000, 512, true]);
  const star = header({ type: "S", size: 512, patch: [[452, octal(200000)], [508, "tar\0"]] });
  assert.equal(read(star).realSize, 200000);
  for (const key of ["GNU.sparse.size", "GNU.sparse.realsize", "SCHILY.realsize"]) {
    const entry = read(
      pax({ [key]: "300000", "GNU.sparse.name": "real", path: "GNUSparseFile.1/x" }),
      header({ size: 512 }),
    );
    assert.deepEqual([entry.text, entry.size, entry.realSize, entry.sparse], ["real", 512, 300000, true]);
  }
});

Deno.test("device numbers are read for devices only", () => {
  const numbers: [number, string][] = [[329, "0000010\0"], [337, "0000021\0"]];
  const device = read(header({ type: "3", patch: numbers }));
  assert.deepEqual([device.devMajor, device.devMinor], [8, 17]);
  const large = read(pax({ "SCHILY.devmajor": "70000", "SCHILY.devminor": "1" }), header({ type: "4" }));
  assert.deepEqual([large.devMajor, large.devMinor], [70000, 1]);
  assert.equal(read(header({ patch: numbers })).devMajor, 0);
});

Deno.test("base-256 times may lie before 1970 or far ahead, and sizes that are none read as 0", () => {
  assert.equal(read(header({ mtime: base256(-100n) })).mtime, -100);
  assert.equal(read(header({ mtime: base256(1n << 40n) })).mtime, 2 ** 40);
  assert.equal(read(header({ size: base256(1n << 40n) })).size, 2 ** 40);
  assert.deepEqual(["junk", base256(-1n), base256(1n << 90n)].map((size) => read(header({ size })).size), [0, 0, 0]);
});

Deno.test("an extended header that stands for itself has its own name", () => {
  const entry = read(longName("of the next"), header({ name: "PaxHeaders/x", type: "x", size: 2_000_000 }));
  assert.deepEqual([entry.text, entry.type, entry.size], ["PaxHeaders/x", "?", 2_000_000]);
});

Deno.test("pieces of headers and nothing at all read as an entry", () => {
  assert.deepEqual([read().text, read().type, read().size], ["", "-", 0]);
  const whole = concat(pax({ path: "p" }), header());
  for (let length = 0; length < whole.length; length += 13) readEntry(whole.subarray(0, length));
  assert.equal(read(member({ type: "x" }, paxRecord("path", "p") + "junk"), header()).text, "p");
});

Deno.test("memory that threads share reads like any other, and nothing of the entry points into it", () => {
  const whole = concat(longName("läng"), pax({ linkpath: "zïel", uname: "ü" }), header({ type: "2" }));
  const shared = new Uint8Array(new SharedArrayBuffer(whole.length));
  shared.set(whole);
  const entry = readEntry(shared);
  shared.fill(0);
  assert.deepEqual(entry, readEntry(whole));
  assert.deepEqual([printableName(entry.name), entry.user], ["läng", "ü"]);
});

Deno.test("user names cannot drive a terminal", () => {
  assert.equal(read(header({ patch: [[265, "\x1b[2J\0"]] })).user, "\\x1b[2J");
});

Deno.test("modes print as ls prints them", () => {
  const print = (type: Entry["type"], mode: number) => modeString({ type, mode });
  assert.equal(print("-", 0o644), "-rw-r--r--");
  assert.equal(print("D", 0o755), "drwxr-xr-x");
  assert.equal(print("-", 0o7777), "-rwsrwsrwt");
  assert.equal(print("l", 0o7000), "l--S--S--T");
});
