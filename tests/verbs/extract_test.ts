// `extract`: the whole stream, or a valid tar of some of its entries.

import assert from "node:assert/strict";
import { create, extract } from "../../lib/verbs/mod.ts";
import { noise } from "../repository/machine.ts";
import { base256, blocks, END, type Fields, header, longName, marked, member, pax } from "../tar/archives.ts";
import { concat, record } from "../tar/recorder.ts";
import { extracted, extractedBytes, inRepository, sha256, streamed, tarOf } from "./session.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const TREE = tarOf(
  [{ name: "./", type: "5" }],
  [{ name: "./etc/", type: "5" }],
  ["./etc/passwd", "root:x:0:0\n"],
  ["./etc/large", noise(70_000, 1)],
  ["./etc/empty"],
  [{ name: "./home/", type: "5" }],
  ["./home/notes.txt", "notes"],
  ["./home/more.txt", noise(513, 2)],
);

Deno.test("the whole stream comes back byte for byte, and its length is told", async () => {
  await inRepository(async (machine) => {
    const { snapshot } = await machine.create(TREE);
    const pieces: Uint8Array[] = [];
    const result = await extract(machine.session, { snapshot, paths: [], output: (b) => void pieces.push(b.slice()) });
    assert.deepEqual(result, { snapshot, bytes: TREE.length });
    assert.equal(sha256(concat(...pieces)), sha256(TREE));
  });
});

Deno.test("some entries make a valid tar of just these, in their order, with their bodies", async () => {
  await inRepository(async (machine) => {
    await machine.create(TREE);
    const some = async (...paths: string[]) => (await extracted(machine.session, paths)).map(({ name }) => name);
    assert.deepEqual(await some("etc"), ["./etc/", "./etc/passwd", "./etc/large", "./etc/empty"]);
    assert.deepEqual(await some("home/*.txt", "etc/passwd"), ["./etc/passwd", "./home/notes.txt", "./home/more.txt"]);
    assert.deepEqual(await some("/etc/empty"), ["./etc/empty"]);
    assert.equal((await some(".")).length, 8);
    const [large] = await extracted(machine.session, ["etc/large"]);
    assert.deepEqual(new Uint8Array(large!.body), noise(70_000, 1));
    const { status } = record(await extractedBytes(machine.session, ["etc"]));
    assert.deepEqual([status.incomplete, status.opaqueBytes, status.ended], [undefined, 0, true]);
  });
});

Deno.test("how many entries were written is told", async () => {
  await inRepository(async (machine) => {
    const { snapshot } = await machine.create(TREE);
    let bytes = 0;
    const output = (piece: Uint8Array) => void (bytes += piece.length);
    const result = await extract(machine.session, { snapshot, paths: ["home"], output });
    assert.deepEqual(result, { snapshot, bytes, entries: 3 });
  });
});

Deno.test("a path that matches nothing is an error, after everything else was written", async () => {
  await inRepository(async (machine) => {
    await machine.create(TREE);
    const pieces: Uint8Array[] = [];
    const output = (bytes: Uint8Array) => void pieces.push(bytes.slice());
    const options = { snapshot: undefined, paths: ["etc/passwd", "nothing", "no*"], output };
    await assert.rejects(extract(machine.session, options), /Not in snapshot .*: nothing, no\*/);
    assert.match(text(concat(...pieces)), /root:x:0:0/);
  });
});

Deno.test("entries keep their extended headers", async () => {
  const long = "long/".repeat(40) + "name";
  const tar = concat(
    pax({ path: "päth", "SCHILY.xattr.user.x": "value", mtime: "1.25" }),
    member({ name: "short" }, "pax body"),
    longName(long),
    member({ name: long.slice(0, 100), magic: "gnu" }, "gnu body"),
    longName("target/".repeat(30), "K"),
    header({ name: "link", type: "2", magic: "gnu" }),
    END,
  );
  await inRepository(async (machine) => {
    await machine.create(tar);
    const [one] = await extracted(machine.session, ["päth"]);
    assert.equal(text(one!.body), "pax body");
    assert.match(text(one!.head), /SCHILY.xattr.user.x=value/);
    const [two] = await extracted(machine.session, [long]);
    assert.deepEqual([two!.name, text(two!.body)], [long, "gnu body"]);
    const [three] = await extracted(machine.session, ["link"]);
    assert.match(text(three!.head), /target\/target\//);
  });
});

Deno.test("a hard link brings what it points to, wherever that stands, once", async () => {
  const tar = tarOf(
    ["dir/target", "the body"],
    ["dir/other", "not wanted"],
    [{ name: "links/one", type: "1", link: "dir/target" }],
    [{ name: "links/two", type: "1", link: "./dir/target" }],
    [{ name: "links/early", type: "1", link: "late" }],
    ["late", "comes later"],
    [{ name: "links/soft", type: "2", link: "dir/other" }],
  );
  await inRepository(async (machine) => {
    await machine.create(tar);
    const some = async (...paths: string[]) => (await extracted(machine.session, paths)).map(({ name }) => name);
    assert.deepEqual(await some("links/one"), ["dir/target", "links/one"]);
    assert.deepEqual(await some("links/one", "links/two"), ["dir/target", "links/one", "links/two"]);
    assert.deepEqual(await some("links/one", "dir/target"), ["dir/target", "links/one"]);
    assert.deepEqual(await some("links/early"), ["links/early", "late"]);
    assert.deepEqual(await some("links/soft"), ["links/soft"]);
    const [target] = await extracted(machine.session, ["links/two"]);
    assert.equal(text(target!.body), "the body");
  });
});

Deno.test("padding that is not zero is not handed on as a part of an entry", async () => {
  const tar = concat(header({ name: "a", size: 5 }), blocks("hello", 0x55), member({ name: "b" }, "b"), END);
  await inRepository(async (machine) => {
    await machine.create(tar);
    const [a] = await extracted(machine.session, ["a"]);
    assert.equal(text(a!.body), "hello");
    const bytes = await extractedBytes(machine.session, ["a"]);
    assert.equal(bytes.length, 512 + 512 + 1024);
    assert.ok(!bytes.includes(0x55));
  });
});

Deno.test("what stands behind an entry without a body is not handed on with it", async () => {
  // A directory, a damaged header with what it stands for, and a good one.
  const lost = concat(header({ name: "lost", size: 600, sum: "wrong" }), blocks(marked(600)));
  const tar = concat(header({ name: "dir/", type: "5" }), lost, member({ name: "dir/file" }, "x"), END);
  await inRepository(async (machine) => {
    const { snapshot } = await machine.create(tar);
    const found = await extracted(machine.session, ["dir"], snapshot);
    assert.deepEqual(found.map(({ name }) => name), ["dir/", "dir/file"]);
    assert.equal((await extractedBytes(machine.session, ["dir"], snapshot)).length, 512 + 1024 + 1024);
  });
});

Deno.test("sparse files keep their maps", async () => {
  const map = new Uint8Array(512);
  map.set(new TextEncoder().encode("00000001000\x0000000001000\x00"));
  const patch: Fields["patch"] = [[482, "\x01"], [483, base256(1_000_000n)]];
  const tar = concat(
    header({ name: "sparse", size: 512, type: "S", magic: "gnu", patch }),
    map,
    blocks(marked(512)),
    member({ name: "next" }, "n"),
    END,
  );
  await inRepository(async (machine) => {
    await machine.create(tar);
    const [sparse] = await extracted(machine.session, ["sparse"]);
    assert.equal(sparse!.head.length, 1024);
    assert.deepEqual(new Uint8Array(sparse!.body), marked(512));
  });
});

Deno.test("the same name twice gives both entries", async () => {
  await inRepository(async (machine) => {
    await machine.create(tarOf(["twice", "one"], ["between", "x"], ["twice", "two"]));
    assert.deepEqual((await extracted(machine.session, ["twice"])).map(({ body }) => text(body)), ["one", "two"]);
  });
});

Deno.test("entries of many pages come out in the order of the stream", async () => {
  const names = Array.from({ length: 700 }, (_, i) => `f${i}`);
  await inRepository(async (machine) => {
    await machine.create(tarOf(...names.map((name): [string, string] => [name, name])));
    const wanted = names.filter((name) => name.endsWith("7"));
    const found = await extracted(machine.session, ["f*7"]);
    assert.deepEqual(found.map(({ name, body }) => [name, text(body)]), wanted.map((name) => [name, name]));
  });
});

Deno.test("an index file finds its repository again, where this machine last saw it", async () => {
  await inRepository(async (machine, { folder, location }) => {
    const out = `${folder}/backup.idx`;
    await create(machine.session, streamed(TREE, { out }));
    await machine.create(tarOf(["newer", "x"]));
    // The user names no repository, and the default place is empty.
    const places = { ...machine.session.places, repository: () => `${folder}/default` };
    const session = { ...machine.session, repositoryGiven: false, places };
    assert.equal(sha256(await extractedBytes(session, [], out)), sha256(TREE));
    assert.deepEqual((await extracted(session, ["home/notes.txt"], out)).map(({ name }) => name), ["./home/notes.txt"]);
    // Without the index file, the default place counts.
    await assert.rejects(extractedBytes(session), /There is no repository at .*default/);
    assert.ok(location !== `${folder}/default`);
  });
});

Deno.test("an index file of another repository is refused", async () => {
  await inRepository(async (machine, { folder }) => {
    const out = `${folder}/backup.idx`;
    await create(machine.session, streamed(TREE, { out }));
    await inRepository(async (other) => {
      await assert.rejects(extractedBytes(other.session, [], out), /belongs to repository/);
    });
    await Deno.writeTextFile(out, "{}");
    await assert.rejects(extractedBytes(machine.session, [], out), /Cannot read/);
    await assert.rejects(extractedBytes(machine.session, [], `${folder}/none.idx`), /Cannot read index/);
  });
});

Deno.test("a snapshot is found by its name, by the beginning of it, and by its last digits", async () => {
  await inRepository(async (machine) => {
    const { snapshot } = await machine.create(TREE);
    for (const ref of [snapshot, snapshot.slice(0, -2), snapshot.slice(-8), "latest", undefined]) {
      assert.equal((await extract(machine.session, { snapshot: ref, paths: [], output() {} })).snapshot, snapshot, ref);
    }
    await machine.create(tarOf(["b", "b"]));
    await assert.rejects(extractedBytes(machine.session, [], "2"), /is the beginning of 2 snapshots/);
    await assert.rejects(extractedBytes(machine.session, [], "3"), /There is no snapshot "3"/);
  });
});

Deno.test("an output that fails ends the restore with its reason", async () => {
  await inRepository(async (machine) => {
    await machine.create(TREE);
    const output = () => Promise.reject(new Error("broken pipe"));
    await assert.rejects(extract(machine.session, { snapshot: undefined, paths: [], output }), /broken pipe/);
  });
});
