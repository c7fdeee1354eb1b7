import assert from "node:assert/strict";
import { HEAD_LIMIT_BYTES } from "../../lib/tar/mod.ts";
import { base256, blocks, END, header, latin1, longName, marked, member, octal, pax } from "./archives.ts";
import { concat, entriesOf, namelessOf, rawOf, record } from "./recorder.ts";

/** Names and sizes of what was found, "name:size"; nothing may have been opaque. */
function list(...parts: Uint8Array[]): string[] {
  const recording = record(concat(...parts));
  assert.deepEqual(record(recording.input, () => 1).events, recording.events);
  assert.equal(recording.status.opaqueBytes, 0);
  return entriesOf(recording).map(({ name, size }) => `${name}:${size}`);
}

function incomplete(...parts: Uint8Array[]): string | undefined {
  return record(concat(...parts)).status.incomplete;
}

const second = member({ name: "second" }, "two");

Deno.test("headers, bodies and padding come out apart, in order", () => {
  const { events, status } = record(concat(member({ name: "a" }, "hello"), END));
  assert.deepEqual(events, [
    { kind: "raw", from: 0, to: 512, begins: true },
    { kind: "entry", name: "a", size: 5 },
    { kind: "body", from: 512, to: 517, named: true, ended: true },
    { kind: "raw", from: 517, to: 2048, begins: false },
  ]);
  assert.equal(status.entries, 1);
  assert.equal(status.ended, true);
  assert.equal(status.incomplete, undefined);
});

Deno.test("extended headers and the header they belong to are one set, which begins once", () => {
  const set = concat(pax({ path: "p", size: "3" }), longName("ignored"), header({ size: 3 }));
  const recording = record(concat(set, blocks("abc"), second, END));
  assert.deepEqual(recording.events[0], { kind: "raw", from: 0, to: set.length, begins: true });
  assert.deepEqual(entriesOf(recording)[0]!.head, set);
});

Deno.test("memory that threads share is split like any other", () => {
  const input = concat(pax({ path: "pfad/ü" }), second, longName("läng"), second, END);
  const shared = new Uint8Array(new SharedArrayBuffer(input.length));
  shared.set(input);
  assert.deepEqual(record(shared).events, record(input).events);
});

Deno.test("all three layouts and both checksums are read", () => {
  const name = latin1("caf\xe9");
  assert.deepEqual(
    list(
      member({ name, magic: "v7", type: "\0" }, "1"),
      member({ name, magic: "v7", sum: "signed" }, "12"),
      member({ name, magic: "gnu", sum: "signed" }, "123"),
      member({ name: "n", prefix: "dir", magic: "ustar" }, "1234"),
      member({ name: "n", prefix: "dir", magic: "gnu" }, "12345"),
      END,
    ),
    ["caf\\xe9:1", "caf\\xe9:2", "caf\\xe9:3", "dir/n:4", "n:5"],
  );
});

Deno.test("numbers may be octal with blanks, all twelve digits, or base-256", () => {
  assert.deepEqual(
    list(
      member({ size: "          3 " }, "abc"),
      member({ size: "000000000003" }, "abc"),
      member({ size: "3\0" }, "abc"),
      member({ size: base256(3n) }, "abc"),
      member({ size: "" }),
      END,
    ),
    ["file:3", "file:3", "file:3", "file:3", "file:0"],
  );
});

Deno.test("a size below zero, beyond 2^53 or without sense leaves everything from that header on opaque", () => {
  for (const size of [base256(-1n), base256(1n << 54n), base256(1n << 90n), "-0000000001\0", "12three\0"]) {
    const { status, events } = record(concat(second, header({ size }), second, END));
    assert.equal(status.entries, 1);
    assert.equal(status.opaqueFrom, 1024);
    assert.deepEqual(events.at(-1), { kind: "body", from: 1024, to: 3584, named: false, ended: true });
  }
});

Deno.test("a size of many GiB is taken as it stands", () => {
  const { status, events } = record(concat(header({ size: base256(1n << 50n) }), second));
  assert.deepEqual(events.at(1), { kind: "entry", name: "file", size: 2 ** 50 });
  assert.equal(status.incomplete, `it ends inside the body of "file", ${2 ** 50 - 1024} bytes are missing`);
});

Deno.test("a pax size holds for the next entry, not for the long names in between", () => {
  const size = String(1025);
  const body = marked(1025);
  for (const between of [longName("long"), longName("target", "K"), pax({}, { type: "g" })]) {
    const found = list(pax({ size }), between, header({ size: 0 }), blocks(body), second, END);
    assert.match(found[0]!, /:1025$/);
    assert.equal(found[1], "second:3");
  }
});

Deno.test("a pax size does not outlive its entry, and a later x takes its place as a whole", () => {
  assert.deepEqual(
    list(pax({ size: "3" }), header(), blocks("abc"), second, pax({ size: "9" }), pax({ path: "p" }), second, END),
    ["file:3", "second:3", "p:3"],
  );
});

Deno.test("a size in a global header holds for files without their own, until the archive ends", () => {
  const g = pax({ size: "3" }, { type: "g" });
  const directory = header({ name: "d", type: "5" });
  assert.deepEqual(
    list(
      g,
      header(),
      blocks("abc"),
      directory,
      pax({ size: "4" }),
      header(),
      blocks("abcd"),
      END,
      header({ name: "new" }),
      END,
    ),
    ["file:3", "d:0", "file:4", "new:0"],
  );
  assert.deepEqual(list(g, pax({ size: "" }, { type: "g" }), header(), END), ["file:0"]);
  assert.deepEqual(list(g, header({ type: "1" }), second, END), ["file:0", "second:3"]);
});

Deno.test("a pax size that is no number makes the header unusable", () => {
  for (const size of ["-1", "+3", " 3", "3x", "0x3", "99999999999999999999"]) {
    const { status } = record(concat(pax({ size }), header({ size: 3 }), blocks("abc"), END));
    assert.equal(status.opaqueFrom, 1024);
  }
});

Deno.test("records that cannot be parsed are passed over, unless a size may have been among them", () => {
  const broken = (data: string) => member({ name: "x", type: "x" }, data);
  assert.deepEqual(list(broken("4 x="), second, END), ["second:3"]);
  assert.deepEqual(list(broken("8 path=p\n\0\0\0"), second, END), ["second:3"]);
  assert.deepEqual(list(broken("9 path=p\n\0\0\0"), second, END), ["p:3"]);
  assert.deepEqual(list(broken("9 path=p\n999 path=q\n"), second, END), ["p:3"]);
  for (const data of ["10 path=p\n10 size=99\n", "99 size=1025\n", "x0 size=10\n", "3 size=1025\n"]) {
    assert.equal(record(concat(broken(data), second, END)).status.opaqueFrom, 1024, data);
  }
});

Deno.test("bytes behind the data of an extended header say nothing", () => {
  const dirty = concat(header({ type: "x", size: 9 }), blocks("9 path=p\n9 path=q\n"));
  assert.deepEqual(list(dirty, second, END), ["p:3"]);
});

Deno.test("Solaris X is read as x, and an ACL in front of a file belongs to its headers", () => {
  const acl = member({ name: "file", type: "A" }, "1000004\0user::rw-");
  assert.deepEqual(list(acl, second, pax({ path: "p" }, { type: "X" }), second, END), ["second:3", "p:3"]);
});

Deno.test("the name is GNU.sparse.name, else the pax path, else the long name, else the header's", () => {
  const path = pax({ "GNU.sparse.name": "real", path: "GNUSparseFile.1/real" });
  assert.deepEqual(
    list(
      path,
      longName("long"),
      second,
      pax({ path: "path" }),
      longName("long"),
      second,
      longName("long"),
      second,
      END,
    ),
    ["real:3", "path:3", "long:3"],
  );
  assert.deepEqual(list(longName("one"), longName("other\0tail"), second, END), ["other:3"]);
  assert.deepEqual(list(pax({ path: "" }), second, END), ["second:3"]);
});

Deno.test("old GNU sparse maps go on in blocks that the size does not count", () => {
  const map = octal(0) + octal(512) + octal(4096) + octal(512);
  const sparse = (flag: number) =>
    header({
      name: "s",
      type: "S",
      magic: "gnu",
      size: 1024,
      patch: [[386, map + map], [482, Uint8Array.of(flag)], [483, octal(9999)]],
    });
  const extension = (flag: number) =>
    concat(blocks(latin1(map.repeat(10))).subarray(0, 504), Uint8Array.of(flag), new Uint8Array(7));
  const body = marked(1024);
  assert.deepEqual(list(sparse(0), body, second, END), ["s:1024", "second:3"]);
  assert.deepEqual(list(sparse(1), extension(1), extension(0), body, second, END), ["s:1024", "second:3"]);
});

Deno.test("a block that cannot be a sparse map is not shown", () => {
  const sparse = header({ name: "s", type: "S", magic: "gnu", size: 1024, patch: [[482, Uint8Array.of(1)]] });
  const input = concat(sparse, marked(1024), second, END);
  assert.deepEqual(rawOf(record(input)), sparse);
  for (const wrong of [[504, 7], [511, 1], [0, 0x41], [12, 0xff]] as const) {
    const block = new Uint8Array(512);
    block[wrong[0]] = wrong[1];
    assert.deepEqual(rawOf(record(concat(sparse, block, second, END))), sparse, `byte ${wrong[0]}`);
  }
});

Deno.test("in star and ustar layouts a type S has no blocks of its own", () => {
  const star = header({ name: "s", type: "S", size: 512, patch: [[476, octal(1).slice(0, 11) + " "], [508, "tar\0"]] });
  assert.deepEqual(list(star, marked(512), second, END), ["s:512", "second:3"]);
});

Deno.test("pax sparse files are as long as their stored size says, never as the unpacked one", () => {
  const maps = [
    {
      "GNU.sparse.size": "100000",
      "GNU.sparse.numblocks": "1",
      "GNU.sparse.offset": "0",
      "GNU.sparse.numbytes": "600",
    },
    { "GNU.sparse.size": "100000", "GNU.sparse.map": "0,600", "GNU.sparse.name": "real" },
    { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "100000" },
    { "SCHILY.realsize": "100000", "SUN.holesdata": " 0 600 100000" },
  ];
  for (const map of maps) {
    assert.match(list(pax(map), header({ size: 600 }), blocks(marked(600)), second, END)[0]!, /:600$/);
    assert.match(list(pax({ ...map, size: "600" }), header(), blocks(marked(600)), second, END)[0]!, /:600$/);
  }
});

Deno.test("dumpdirs, continued files, rename scripts and unknown types have bodies, labels have none", () => {
  for (const type of ["D", "M", "N", "7", "\0", "Z", "\xff"]) {
    assert.deepEqual(list(member({ type, magic: "gnu" }, "Yname\0"), second, END), ["file:6", "second:3"]);
  }
  for (const size of [0, 700, base256(-5n)]) {
    assert.deepEqual(list(header({ name: "label", type: "V", magic: "gnu", size }), second, END), [
      "label:0",
      "second:3",
    ]);
  }
});

Deno.test("links, devices, directories and fifos have no body whatever they claim", () => {
  for (const type of "23456") {
    for (const size of [512, base256(-1n), "nonsense"]) {
      assert.deepEqual(list(header({ type, size }), second, END), ["file:0", "second:3"]);
    }
  }
  assert.deepEqual(list(pax({ size: "700" }), header({ type: "5" }), second, END), ["file:0", "second:3"]);
});

Deno.test("a hard link of v7 or GNU has no body, a pax one has what its size says", () => {
  for (const magic of ["v7", "gnu"] as const) {
    assert.deepEqual(list(pax({}), header({ type: "1", size: 600, magic }), second, END), ["file:0", "second:3"]);
  }
  assert.deepEqual(list(pax({}), member({ type: "1" }, "data"), second, END), ["file:4", "second:3"]);
  assert.deepEqual(list(pax({}), member({ type: "1" }, second), END), ["file:1024"]);
  const gnu = member({ name: "gnu", magic: "gnu" });
  assert.deepEqual(list(pax({}), gnu, header({ type: "1", size: 600 }), second, END), ["gnu:0", "file:0", "second:3"]);
  const gnuLink = header({ type: "1", magic: "gnu" });
  assert.deepEqual(list(pax({ size: "4" }), gnuLink, blocks("data"), second, END), ["file:4", "second:3"]);
  assert.deepEqual(list(pax({ size: "4" }), header({ type: "1" }), blocks("data"), second, END), [
    "file:4",
    "second:3",
  ]);
});

Deno.test("whether a ustar hard link, or a file named like a directory, has a body is seen from what follows", () => {
  for (const fields of [{ type: "1" }, { name: "file/" }, { name: "file/", type: "\0", magic: "v7" as const }]) {
    const claims = header({ ...fields, size: 4 });
    const name = fields.name ?? "file";
    assert.deepEqual(list(claims, second, END), [`${name}:0`, "second:3"]);
    assert.deepEqual(list(claims, END), [`${name}:0`]);
    assert.deepEqual(list(claims, blocks("data"), second, END), [`${name}:4`, "second:3"]);
    const cut = record(concat(claims, latin1("dat")));
    assert.equal(cut.status.incomplete, `it ends inside the body of "${name}", 1 byte is missing`);
    const cutHeader = record(concat(claims, second.subarray(0, 300)));
    assert.deepEqual(entriesOf(cutHeader).map(({ size }) => size), [0]);
    assert.equal(cutHeader.status.incomplete, "it ends inside a header");
    assert.equal(record(claims).status.incomplete, "it ends without the zero blocks that close an archive");
  }
});

Deno.test("a damaged header behind a hard link is a damaged header, not its body", () => {
  const nested = member({ name: "hidden" }, "content");
  const link = header({ type: "1", size: 700 });
  const recording = record(concat(link, header({ size: nested.length, sum: "wrong" }), nested, second, END));
  assert.deepEqual(entriesOf(recording).map(({ name }) => name), ["file", "second"]);
});

Deno.test("archives behind one another, a lone zero block and a missing end are read through", () => {
  const lone = new Uint8Array(512);
  assert.deepEqual(list(second, END, second, lone, second, END), ["second:3", "second:3", "second:3"]);
  assert.equal(incomplete(second, lone), undefined);
  assert.equal(incomplete(second), "it ends without the zero blocks that close an archive");
  assert.equal(incomplete(second, END, second), "it ends without the zero blocks that close an archive");
});

Deno.test("zeros are raw for 64 KiB, then a nameless body, then a header may follow", () => {
  const zeros = (count: number) => new Uint8Array(count * 512);
  assert.deepEqual(namelessOf(record(concat(second, zeros(128), second, END))), []);
  const recording = record(concat(second, zeros(300), second, END));
  assert.deepEqual(namelessOf(recording), [zeros(172)]);
  assert.equal(recording.status.entries, 2);
  assert.equal(recording.status.opaqueBytes, 0);
  const empty = record(new Uint8Array(512 * 1000 + 100));
  assert.deepEqual(namelessOf(empty), [new Uint8Array(512 * 872 + 100)]);
  assert.equal(empty.status.incomplete, undefined);
  assert.deepEqual(list(zeros(3), second, END), ["second:3"]);
  assert.deepEqual(namelessOf(record(concat(zeros(130), latin1("end")))), [zeros(2), latin1("end")]);
});

Deno.test("padding that is not zero is a nameless body", () => {
  const dirty = concat(header({ name: "v7", magic: "v7", size: 5 }), blocks("hello", 0x41), second, END);
  const recording = record(dirty);
  assert.deepEqual(namelessOf(recording), [new Uint8Array(507).fill(0x41)]);
  assert.equal(recording.status.entries, 2);
  assert.equal(recording.status.opaqueBytes, 0);
});

Deno.test("a partial last block of zeros is raw, of anything else a nameless body", () => {
  assert.deepEqual(namelessOf(record(concat(second, END, new Uint8Array(200)))), []);
  const signed = record(concat(second, END, latin1("signature")));
  assert.deepEqual(namelessOf(signed), [latin1("signature")]);
  assert.equal(signed.status.incomplete, undefined);
});

Deno.test("where a cut input was cut is told", () => {
  assert.equal(incomplete(), "it is empty");
  assert.equal(incomplete(second.subarray(0, 300)), "it ends inside a header");
  assert.equal(incomplete(second, second.subarray(0, 300)), "it ends inside a header");
  assert.equal(incomplete(pax({ path: "p" }).subarray(0, 515)), "it ends inside a header");
  assert.equal(incomplete(pax({ path: "p" })), "it ends inside a header");
  assert.equal(incomplete(second.subarray(0, 513)), 'it ends inside the body of "second", 2 bytes are missing');
  assert.equal(incomplete(second.subarray(0, 512)), 'it ends inside the body of "second", 3 bytes are missing');
  assert.equal(incomplete(second.subarray(0, 600)), 'it ends inside the padding after "second"');
  assert.equal(
    incomplete(member({ name: "\x1b[2J" }, "abc").subarray(0, 514)),
    'it ends inside the body of "\\x1b[2J", 1 byte is missing',
  );
  assert.equal(incomplete(latin1("no tar at all")), undefined);
});

Deno.test("compressed input is told by name", () => {
  const begin = (...bytes: number[]) => record(Uint8Array.of(...bytes, 0, 0, 0, 0, 0, 0, 0, 0)).status.compressed;
  assert.equal(begin(0x1f, 0x8b, 8), "gzip");
  assert.equal(begin(0x28, 0xb5, 0x2f, 0xfd), "zstd");
  assert.equal(begin(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), "xz");
  assert.equal(begin(0x42, 0x5a, 0x68, 0x39), "bzip2");
  assert.equal(begin(0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9, 0x28, 0xb5, 0x2f, 0xfd), "zstd");
  assert.equal(begin(1, 2, 3), undefined);
  assert.equal(record(second).status.compressed, undefined);
});

Deno.test("a record over the limit is an entry of its own, and its pax size is obeyed still", () => {
  const large = "v".repeat(HEAD_LIMIT_BYTES);
  const recording = record(
    concat(
      longName("long"),
      pax({ comment: large, size: "1025", path: "lost" }),
      header(),
      blocks(marked(1025)),
      second,
      END,
    ),
    () => 100_000,
  );
  assert.equal(recording.status.opaqueBytes, 0);
  assert.deepEqual(entriesOf(recording).map(({ name, size }) => [name, size > HEAD_LIMIT_BYTES ? "large" : size]), [
    ["PaxHeaders/x", "large"],
    ["long", 1025],
    ["second", 3],
  ]);
});

Deno.test("however many records come in a row, no header set grows over the limit", () => {
  const sets = [
    concat(...Array(3000).fill(longName("n"))),
    concat(...Array(5000).fill(header({ type: "g" }))),
    concat(...Array(40).fill(pax({ comment: "c".repeat(100_000) }))),
  ];
  for (const set of sets) {
    const recording = record(concat(set, second, END));
    for (const { head } of entriesOf(recording)) assert.ok(head.length <= HEAD_LIMIT_BYTES + 512);
    assert.equal(entriesOf(recording).at(-1)!.size, 3);
    assert.equal(recording.status.opaqueBytes, 0);
  }
});

Deno.test("a sparse map over the limit is announced before its end, and goes on as raw", () => {
  const extension = (flag: number) => concat(new Uint8Array(504), Uint8Array.of(flag), new Uint8Array(7));
  const sparse = header({ name: "s", type: "S", magic: "gnu", size: 5, patch: [[482, Uint8Array.of(1)]] });
  const recording = record(
    concat(sparse, ...Array(3000).fill(extension(1)), extension(0), blocks("sbody"), second, END),
  );
  assert.deepEqual(entriesOf(recording).map(({ name, size }) => [name, size]), [["s", 5], ["second", 3]]);
  assert.deepEqual(entriesOf(recording)[0]!.body, latin1("sbody"));
  assert.equal(entriesOf(recording)[0]!.head.length, HEAD_LIMIT_BYTES);
});

Deno.test("nothing is allocated for what a header merely claims", () => {
  for (const type of "xgLKAX") {
    const { status } = record(header({ type, size: base256(1n << 52n) }));
    assert.equal(status.entries, 1);
  }
});
