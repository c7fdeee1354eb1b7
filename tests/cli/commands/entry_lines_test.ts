import assert from "node:assert/strict";
import { entryJson, longLine, shortLine } from "../../../lib/cli/commands/entry_lines.ts";
import type { Entry } from "../../../lib/tar/mod.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function entry(members: Partial<Entry> = {}): Entry {
  return {
    name: encode("home/ann/thesis.tex"),
    type: "-",
    size: 1234,
    realSize: 1234,
    sparse: false,
    mode: 0o644,
    uid: 1000,
    gid: 1001,
    user: "ann",
    group: "users",
    mtime: 1_785_844_800.75,
    linkName: new Uint8Array(0),
    devMajor: 0,
    devMinor: 0,
    pax: new Map(),
    globalPax: new Map(),
    ...members,
  };
}

Deno.test("a long line is that of tar tv, in UTC", () => {
  assert.equal(longLine(entry()), "-rw-r--r-- ann/users       1234 2026-08-04T12:00:00Z home/ann/thesis.tex");
  const link = entry({ type: "l", name: encode("a"), linkName: encode("b"), mode: 0o777, realSize: 0 });
  assert.match(longLine(link), /^lrwxrwxrwx ann\/users +0 \S+ a -> b$/);
  assert.match(longLine({ ...link, type: "h" }), /^h.* a link to b$/);
  const device = entry({ type: "c", devMajor: 1, devMinor: 3, user: "", group: "" });
  assert.match(longLine(device), /^crw-r--r-- 1000\/1001 +1,3 2026/);
});

Deno.test("owners and sizes of any length keep a blank between them", () => {
  const line = longLine(entry({ user: "somebody-with-a-long-name", realSize: 2 ** 53 - 1 }));
  assert.match(line, /somebody-with-a-long-name\/users 9007199254740991 2026/);
});

Deno.test("a time that no calendar has is shown as the number it is", () => {
  assert.match(longLine(entry({ mtime: 1e40 })), / @1e\+40 home/);
  assert.match(longLine(entry({ mtime: -1 })), / 1969-12-31T23:59:59Z /);
});

Deno.test("a name cannot move the cursor, forge a line or reorder the text", () => {
  const nasty = Uint8Array.of(...encode("a\x1b[2J\n\u202eb\\"), 0xff);
  const shown = "a\\x1b[2J\\x0a\\xe2\\x80\\xaeb\\\\\\xff";
  assert.equal(shortLine(entry({ name: nasty })), shown);
  assert.ok(longLine(entry({ name: nasty, type: "l", linkName: nasty })).endsWith(`${shown} -> ${shown}`));
  const json = JSON.parse(entryJson(entry({ name: nasty })));
  assert.equal(json.name, shown);
  assert.deepEqual(Uint8Array.fromBase64(json.nameBase64), nasty);
});

Deno.test("JSON has the name as it is where it can be printed, umlauts included", () => {
  assert.deepEqual(JSON.parse(entryJson(entry({ name: encode("Grüße/日本") }))), {
    schema: "tarzan.entry/1",
    name: "Grüße/日本",
    type: "file",
    bytes: 1234,
    mode: "0644",
    uid: 1000,
    gid: 1001,
    user: "ann",
    group: "users",
    mtime: 1_785_844_800.75,
  });
});

Deno.test("JSON of links, devices and sparse files has what is special about them", () => {
  const link = JSON.parse(entryJson(entry({ type: "l", linkName: Uint8Array.of(0x62, 0xfe) })));
  assert.deepEqual([link.type, link.link, link.linkBase64], ["symbolic link", "b\\xfe", "Yv4="]);
  const device = JSON.parse(entryJson(entry({ type: "b", devMajor: 8, devMinor: 1 })));
  assert.deepEqual(device.device, { major: 8, minor: 1 });
  const sparse = JSON.parse(entryJson(entry({ sparse: true, size: 512, realSize: 1 << 30 })));
  assert.deepEqual([sparse.bytes, sparse.archiveBytes], [1 << 30, 512]);
});
