import assert from "node:assert/strict";
import fc from "fast-check";
import { endOfArchive, type HeaderFields, makeHeader, paddingLength, readEntry } from "../../lib/tar/mod.ts";
import { concat, entriesOf, record } from "./recorder.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const hasTar = (() => {
  try {
    return new TextDecoder().decode(new Deno.Command("tar", { args: ["--version"] }).outputSync().stdout).includes(
      "GNU",
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
})();

/** A listing-only tar. */
function tarOf(...entries: HeaderFields[]): Uint8Array {
  return concat(...entries.map(makeHeader), endOfArchive());
}

const text = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 300 }),
  fc.string({ minLength: 1, maxLength: 300 }).map(bytes),
)
  .filter((value) => value[value.length - 1] !== 0x2f);
const number = fc.oneof(fc.nat(), fc.maxSafeNat());

Deno.test("what is written is read back, whatever it is", () => {
  const fields = fc.record({
    name: text,
    type: fc.constantFrom<HeaderFields["type"][]>("-", "h", "l", "c", "b", "d", "p"),
    size: number,
    mode: fc.nat(0o7777),
    mtime: fc.oneof(number, fc.constant(-1), fc.integer({ min: -2000, max: 2000 }).map((n) => n / 8)),
    uid: number,
    gid: number,
    user: text,
    group: text,
    link: text,
    devMajor: number,
    devMinor: number,
  });
  fc.assert(fc.property(fields, (written) => {
    const header = makeHeader(written);
    assert.equal(header.length % 512, 0);
    const entry = readEntry(header);
    const { name, type, mode, mtime, uid, gid } = entry;
    assert.deepEqual({ name, type, mode, mtime, uid, gid }, {
      name: written.name,
      type: written.type,
      mode: written.mode,
      mtime: written.mtime,
      uid: written.uid,
      gid: written.gid,
    });
    if (type === "-") assert.equal(entry.size, written.size);
    if (type === "h" || type === "l") assert.deepEqual(entry.linkName, written.link);
    if (type === "c" || type === "b") {
      assert.deepEqual([entry.devMajor, entry.devMinor], [written.devMajor, written.devMinor]);
    }
  }));
});

Deno.test("what fits needs one block, what does not a pax header", () => {
  const length = (fields: Partial<HeaderFields>) =>
    makeHeader({ name: bytes("n"), type: "-", size: 0, ...fields }).length;
  assert.equal(length({}), 512);
  assert.equal(length({ name: bytes("d".repeat(155) + "/" + "n".repeat(100)) }), 512);
  assert.equal(length({ name: bytes("n".repeat(101)) }), 1536);
  assert.equal(length({ link: bytes("l".repeat(100)) }), 512);
  assert.equal(length({ link: bytes("l".repeat(101)) }), 1536);
  assert.equal(length({ size: 8 ** 11 - 1 }), 512);
  assert.equal(length({ size: 8 ** 11 }), 1536);
  assert.equal(length({ mtime: 1.5 }), 1536);
  assert.equal(length({ mtime: NaN }), 512);
});

Deno.test("the Splitter finds the entries of a written tar", () => {
  const body = bytes("content");
  const header = makeHeader({ name: bytes("ä".repeat(200)), type: "-", size: body.length });
  const input = concat(header, body, new Uint8Array(paddingLength(body.length)), endOfArchive());
  const [found] = entriesOf(record(input));
  assert.deepEqual([found!.name, found!.body, found!.head], ["ä".repeat(200), body, header]);
  assert.equal(record(input).status.incomplete, undefined);
});

Deno.test({
  name: "GNU tar lists what was written",
  ignore: !hasTar,
  fn() {
    const long = "d".repeat(90) + "/";
    const latin = concat(bytes("n".repeat(120)), Uint8Array.of(0xe9));
    const file = Deno.makeTempFileSync();
    try {
      const owner = { user: bytes("me"), group: bytes("us"), mtime: 86400 };
      Deno.writeFileSync(
        file,
        tarOf(
          { name: bytes("file"), type: "-", size: 0, mode: 0o4755, ...owner },
          { name: bytes("dir/"), type: "d", size: 0, mode: 0o755, ...owner },
          { name: bytes(long + long + long + "f"), type: "-", size: 0, ...owner },
          { name: bytes("soft"), type: "l", size: 0, link: bytes("t".repeat(150)), ...owner },
          { name: bytes("hard"), type: "h", size: 0, link: bytes("file"), ...owner },
          { name: bytes("null"), type: "c", size: 0, devMajor: 1, devMinor: 3, ...owner },
          { name: latin, type: "p", size: 0, ...owner, mtime: -86400 },
        ),
      );
      const { stdout, stderr, success } = new Deno.Command("tar", {
        args: ["-tvf", file, "--quoting-style=escape", "--full-time", "--utc", "--warning=no-unknown-keyword"],
        env: { LC_ALL: "C" },
      }).outputSync();
      assert.equal(new TextDecoder().decode(stderr), "");
      assert.ok(success);
      assert.deepEqual(new TextDecoder().decode(stdout).trim().split("\n").map((line) => line.replace(/ +/g, " ")), [
        "-rwsr-xr-x me/us 0 1970-01-02 00:00:00 file",
        "drwxr-xr-x me/us 0 1970-01-02 00:00:00 dir/",
        `-rw-r--r-- me/us 0 1970-01-02 00:00:00 ${long + long + long}f`,
        `lrw-r--r-- me/us 0 1970-01-02 00:00:00 soft -> ${"t".repeat(150)}`,
        "hrw-r--r-- me/us 0 1970-01-02 00:00:00 hard link to file",
        "crw-r--r-- me/us 1,3 1970-01-02 00:00:00 null",
        `prw-r--r-- me/us 0 1969-12-31 00:00:00 ${"n".repeat(120)}\\351`,
      ]);
    } finally {
      Deno.removeSync(file);
    }
  },
});
