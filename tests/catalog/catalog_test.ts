import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Catalog } from "../../lib/catalog/mod.ts";
import { brickOf, collidingId, domain, idOf, idsOf, joined, nameOf, otherDomain } from "./bricks.ts";

function catalogTest(name: string, test: (catalog: Catalog) => void): void {
  Deno.test(name, () => {
    const catalog = Catalog.open(":memory:", { repository: "test" });
    try {
      test(catalog);
    } finally {
      catalog.close();
    }
  });
}

/** The names of the bricks that a lookup answers with. */
function found(catalog: Catalog, ids: Uint8Array[], kind: "D" | "M" = "D", of = domain): (string | undefined)[] {
  return Array.from(catalog.lookup(kind, of, joined(ids)), (number) => catalog.brick(number)?.name);
}

function candidates(catalog: Catalog, id: Uint8Array): (string | undefined)[] {
  return catalog.candidates("D", domain, id).map((number) => catalog.brick(number)?.name);
}

catalogTest("each chunk is found in the brick that holds it, and an unknown one in none", (catalog) => {
  const [a, b] = [idsOf("a", 10), idsOf("b", 5)];
  catalog.addBricks([brickOf(1, a), brickOf(2, b)]);
  for (let again = 0; again < 3; again++) {
    assert.deepEqual(found(catalog, [...a, idOf("none"), ...b]), [
      ...a.map(() => nameOf(1)),
      undefined,
      ...b.map(() => nameOf(2)),
    ]);
  }
  assert.deepEqual(catalog.lookup("D", domain, joined([idOf("none")])), Int32Array.of(-1));
  assert.deepEqual(catalog.lookup("D", domain, new Uint8Array()), new Int32Array());
});

catalogTest("ids may lie anywhere in memory", (catalog) => {
  catalog.addBricks([brickOf(1, idsOf("a", 4))]);
  for (let offset = 0; offset < 8; offset++) {
    const buffer = new Uint8Array(32 * 4 + 8);
    buffer.set(joined(idsOf("a", 4)), offset);
    const ids = buffer.subarray(offset, offset + 32 * 4);
    for (const view of [ids, Buffer.from(ids.buffer, offset, ids.length)]) {
      const numbers = catalog.lookup("D", domain, view);
      assert.ok(numbers.every((number) => catalog.brick(number)?.name === nameOf(1)));
    }
  }
});

catalogTest("kinds and domains are kept apart", (catalog) => {
  const ids = idsOf("a", 3);
  assert.ok(!catalog.hasChunks("D", domain));
  catalog.addBricks([brickOf(1, ids), brickOf(2, ids, { kind: "M", domain: otherDomain }), brickOf(3, [])]);
  assert.deepEqual(found(catalog, ids), ids.map(() => nameOf(1)));
  assert.deepEqual(found(catalog, ids, "M", otherDomain), ids.map(() => nameOf(2)));
  for (const [kind, of] of [["M", domain], ["D", otherDomain], ["D", "ff".repeat(16)]] as const) {
    assert.deepEqual(found(catalog, ids, kind, of), ids.map(() => undefined));
    assert.ok(!catalog.hasChunks(kind, of));
    assert.deepEqual(catalog.candidates(kind, of, idOf("a 0")), []);
  }
  assert.ok(catalog.hasChunks("D", domain) && catalog.hasChunks("M", otherDomain));
});

catalogTest("a domain whose bricks hold no chunk has nothing to find", (catalog) => {
  catalog.addBricks([brickOf(1, [])]);
  assert.ok(!catalog.hasChunks("D", domain));
  assert.deepEqual(catalog.brick(catalog.brickByName(nameOf(1))!.number)?.chunks, new Uint8Array());
});

catalogTest("ids with equal first 52 bits are told apart by the bricks' own lists", (catalog) => {
  const ids = Array.from({ length: 40 }, (_, i) => collidingId("x", i));
  catalog.addBricks([brickOf(1, ids.slice(0, 10)), brickOf(2, ids.slice(10, 30))]);
  const expected = ids.map((_, i) => i < 10 ? nameOf(1) : i < 30 ? nameOf(2) : undefined);
  for (let again = 0; again < 2; again++) assert.deepEqual(found(catalog, ids), expected);
  assert.deepEqual(candidates(catalog, collidingId("x", 12)), [nameOf(2)]);
  assert.deepEqual(candidates(catalog, collidingId("x", 35)), []);
});

catalogTest("one id alone behind a prefix does not answer for another with that prefix", (catalog) => {
  catalog.addBricks([brickOf(1, [collidingId("x", 1)])]);
  assert.deepEqual(found(catalog, [collidingId("x", 2), collidingId("x", 1), collidingId("x", 2)]), [
    undefined,
    nameOf(1),
    undefined,
  ]);
});

catalogTest("of several bricks with one chunk the oldest in ledger order answers, whenever it was added", (catalog) => {
  const id = idOf("shared");
  catalog.addBricks([brickOf(7, [id])]);
  assert.deepEqual(found(catalog, [id]), [nameOf(7)]);
  catalog.addBricks([brickOf(9, [id])]);
  assert.deepEqual(found(catalog, [id]), [nameOf(7)]);
  catalog.addBricks([brickOf(6, [id])]);
  assert.deepEqual(found(catalog, [id]), [nameOf(6)]);
  catalog.addBricks([brickOf(1, [id], { kind: "M" }), brickOf(2, [id], { domain: otherDomain })]);
  assert.deepEqual(found(catalog, [id]), [nameOf(6)]);
  assert.deepEqual(candidates(catalog, id), [nameOf(6), nameOf(7), nameOf(9)]);
});

catalogTest("a brick may hold a chunk twice", (catalog) => {
  const [id, far] = [idOf("twice"), idsOf("between", 1500)];
  catalog.addBricks([brickOf(1, [id, id]), brickOf(2, [idOf("b"), ...far, idOf("b")])]);
  assert.deepEqual(found(catalog, [id, idOf("b"), id]), [nameOf(1), nameOf(2), nameOf(1)]);
  assert.deepEqual(candidates(catalog, idOf("b")), [nameOf(2)]);
});

for (const reason of ["absent", "condemned", "gone", "damaged"] as const) {
  catalogTest(`a brick that is ${reason} answers no lookup until that is taken back`, (catalog) => {
    const id = idOf("a");
    catalog.exclude(reason, [nameOf(1)], "add");
    catalog.addBricks([brickOf(1, [id, idOf("b")]), brickOf(2, [id])]);
    assert.deepEqual(found(catalog, [id, idOf("b")]), [nameOf(2), undefined]);
    assert.equal(catalog.brickByName(nameOf(1))?.usable, false);
    catalog.exclude(reason, [nameOf(2)], "replace");
    assert.deepEqual(catalog.excluded(reason), [nameOf(2)]);
    assert.deepEqual(found(catalog, [id, idOf("b")]), [nameOf(1), nameOf(1)]);
    catalog.exclude(reason, [nameOf(1)], "add");
    assert.deepEqual(catalog.excluded(reason), [nameOf(1), nameOf(2)].sort());
    assert.deepEqual(found(catalog, [id, idOf("b")]), [undefined, undefined]);
    assert.ok(catalog.hasChunks("D", domain));
    catalog.exclude(reason, [], "replace");
    assert.deepEqual(found(catalog, [id, idOf("b")]), [nameOf(1), nameOf(1)]);
  });
}

catalogTest("a brick with two reasons against it needs both taken back", (catalog) => {
  catalog.addBricks([brickOf(1, [idOf("a")])]);
  catalog.exclude("absent", [nameOf(1)], "add");
  catalog.exclude("condemned", [nameOf(1)], "add");
  catalog.exclude("absent", [], "replace");
  assert.deepEqual(found(catalog, [idOf("a")]), [undefined]);
  catalog.exclude("condemned", [], "replace");
  assert.deepEqual(found(catalog, [idOf("a")]), [nameOf(1)]);
});

catalogTest("damage in some blocks takes only their chunks out", (catalog) => {
  const ids = idsOf("a", 3000);
  catalog.addBricks([brickOf(1, ids, { perBlock: 100 })]);
  catalog.markDamaged(nameOf(1), [3]);
  catalog.markDamaged(nameOf(1), [20, 3]);
  const isDamaged = (i: number) => [3, 20].includes(Math.floor(i / 100));
  assert.deepEqual(found(catalog, ids), ids.map((_, i) => isDamaged(i) ? undefined : nameOf(1)));
  const brick = catalog.brickByName(nameOf(1));
  assert.deepEqual(brick?.excluded.damaged, [3, 20]);
  assert.equal(brick?.usable, true);
  catalog.markDamaged(nameOf(1), "all");
  catalog.markDamaged(nameOf(1), [5]);
  assert.deepEqual(found(catalog, ids), ids.map(() => undefined));
  assert.equal(catalog.brickByName(nameOf(1))?.excluded.damaged, "all");
});

catalogTest("a chunk that a brick holds in a damaged and in a whole block is still found", (catalog) => {
  for (const [number, damaged] of [[1, 0], [2, 1]] as const) {
    const id = idOf(`twice ${number}`);
    const others = idsOf(`other ${number}`, 2);
    catalog.addBricks([brickOf(number, [id, ...others, id], { perBlock: 2 })]);
    catalog.markDamaged(nameOf(number), [damaged]);
    found(catalog, others);
    for (let again = 0; again < 3; again++) assert.deepEqual(found(catalog, [id]), [nameOf(number)]);
    assert.deepEqual(candidates(catalog, id), [nameOf(number)]);
  }
});

catalogTest("for reading, intact bricks come first, then condemned, damaged and lost ones", (catalog) => {
  const id = idOf("a");
  catalog.addBricks(Array.from({ length: 9 }, (_, i) => brickOf(i, [id, idOf(`own ${i}`)], { perBlock: 1 })));
  catalog.exclude("damaged", [nameOf(0)], "add");
  catalog.exclude("condemned", [nameOf(1), nameOf(2)], "add");
  catalog.markDamaged(nameOf(2), [0]);
  catalog.markDamaged(nameOf(3), [1]);
  catalog.exclude("absent", [nameOf(5)], "add");
  catalog.exclude("gone", [nameOf(6)], "add");
  const order = [3, 4, 7, 8, 1, 0, 2, 5, 6];
  assert.deepEqual(candidates(catalog, id), order.map(nameOf));
  assert.deepEqual(found(catalog, [id]), [nameOf(3)]);
});

catalogTest("a brick is told back as it was added", (catalog) => {
  for (const count of [0, 1, 1023, 1024, 1025, 5000]) {
    const row = brickOf(count, idsOf(`count ${count}`, count), { kind: count % 2 ? "M" : "D" });
    catalog.addBricks([row]);
    const known = catalog.brickByName(row.name);
    assert.ok(known);
    const brick = catalog.brick(known.number)!;
    assert.deepEqual(brick, { ...known, blocks: catalog.blocks(known.number), chunks: brick.chunks });
    const { number: _number, usable, excluded, chunkCount, ...rest } = brick;
    assert.deepEqual(rest, row);
    assert.equal(chunkCount, count);
    assert.ok(usable);
    assert.deepEqual(excluded, { absent: false, condemned: false, gone: false, damaged: [] });
  }
  assert.equal(catalog.brick(999), undefined);
  assert.equal(catalog.brickByName(nameOf(999_999)), undefined);
});

catalogTest("bricks are listed in ledger order, all or some, also while the catalogue changes", (catalog) => {
  const numbers = Array.from({ length: 2100 }, (_, i) => i * 1009 % 2100);
  catalog.addBricks(
    numbers.map((number) =>
      brickOf(number, [], {
        kind: number % 3 ? "D" : "M",
        domain: number % 2 ? domain : otherDomain,
        ledgerObject: String(10_000 + (number >> 2)),
      })
    ),
  );
  const sorted = numbers.toSorted((a, b) => a - b);
  assert.deepEqual(Array.from(catalog.bricks(), (brick) => brick.name), sorted.map(nameOf));
  assert.deepEqual(
    Array.from(catalog.bricks({ kind: "M", domain: otherDomain }), (brick) => brick.name),
    sorted.filter((number) => number % 6 === 0).map(nameOf),
  );
  let seen = 0;
  for (const brick of catalog.bricks()) {
    if (seen++ % 100 === 0) catalog.exclude("absent", [brick.name], "add");
    assert.ok(!("chunks" in brick));
  }
  assert.equal(seen, 2100);
  assert.equal(Array.from(catalog.bricks()).filter((brick) => !brick.usable).length, 21);
});

catalogTest("a record that comes again changes nothing", (catalog) => {
  const rows = [brickOf(1, idsOf("a", 5)), brickOf(2, idsOf("b", 5))];
  catalog.addBricks(rows);
  const before = Array.from(catalog.bricks());
  catalog.addBricks(rows.toReversed());
  catalog.addBricks([...rows, ...rows]);
  assert.deepEqual(Array.from(catalog.bricks()), before);
  assert.deepEqual(candidates(catalog, idOf("a 1")), [nameOf(1)]);
});

catalogTest("of different records of one brick the oldest counts, in whatever order they come", (catalog) => {
  const [old, young] = [{ ledgerObject: "ledger/x/1" }, { ledgerObject: "ledger/x/2" }];
  const rows = [
    [brickOf(1, idsOf("a", 5), old), brickOf(1, idsOf("b", 2000), young)],
    [brickOf(2, idsOf("d", 2000), young), brickOf(2, [...idsOf("c", 5), idOf("a 0")], old)],
    [brickOf(3, idsOf("e", 5), young), brickOf(3, idsOf("e", 5), old)],
  ];
  catalog.addBricks([brickOf(9, [idOf("d 7")], { ledgerObject: "ledger/x/9" })]);
  for (const row of rows.flat()) catalog.addBricks([row]);
  assert.deepEqual(found(catalog, [idOf("d 7")]), [nameOf(9)]);
  assert.deepEqual(found(catalog, [idOf("a 0"), idOf("b 1"), idOf("c 1"), idOf("d 1"), idOf("e 1")]), [
    nameOf(1),
    undefined,
    nameOf(2),
    undefined,
    nameOf(3),
  ]);
  const places = Array.from(catalog.bricks(), (brick) => brick.ledgerObject);
  assert.deepEqual(places, [...Array(3).fill("ledger/x/1"), "ledger/x/9"]);
  assert.equal(catalog.brickByName(nameOf(2))?.chunkCount, 6);
});

catalogTest("another domain's claim on a brick's name hides nothing", (catalog) => {
  const forged = brickOf(1, idsOf("lies", 3), { domain: otherDomain, ledgerObject: "ledger/0" });
  catalog.addBricks([forged, brickOf(1, idsOf("a", 3))]);
  assert.deepEqual(found(catalog, idsOf("a", 3)), Array(3).fill(nameOf(1)));
  assert.deepEqual(found(catalog, idsOf("lies", 3)), Array(3).fill(undefined));
  assert.equal(catalog.brickByName(nameOf(1), { domain })?.domain, domain);
  assert.equal(catalog.brickByName(nameOf(1), { domain: otherDomain })?.domain, otherDomain);
});

catalogTest("what is no record of a brick is refused, and with it all that came along", (catalog) => {
  const good = brickOf(1, idsOf("a", 5));
  const bad = [
    { name: "ab" },
    { name: nameOf(2).toUpperCase() },
    { domain: "" },
    { treeHash: "x".repeat(64) },
    { kind: "X" as "D" },
    { bytes: -1 },
    { position: 0.5 },
    { ledgerObject: "" },
    { chunks: new Uint8Array(35) },
    { chunks: new Uint8Array(36 * 4) },
    { blocks: new Uint8Array(13) },
    { blocks: new Uint8Array() },
  ];
  for (const change of bad) {
    assert.throws(
      () => catalog.addBricks([good, brickOf(2, idsOf("b", 5), change)]),
      TypeError,
      JSON.stringify(change),
    );
    assert.deepEqual(found(catalog, [idOf("a 0")]), [undefined]);
  }
  assert.deepEqual(Array.from(catalog.bricks()), []);
  for (
    const call of [
      () => catalog.lookup("D", domain, new Uint8Array(31)),
      () => catalog.candidates("D", domain, new Uint8Array(64)),
      () => catalog.lookup("D", "d", new Uint8Array(32)),
      () => catalog.hasChunks("Q" as "D", domain),
      () => catalog.exclude("gone", ["../x"], "add"),
      () => catalog.markDamaged("", "all"),
      () => catalog.cursor("x"),
    ]
  ) assert.throws(call, TypeError);
});

catalogTest("a brick that is replaced, even by one that came with it, costs those beside it nothing", (catalog) => {
  const newer = { ledgerObject: "ledger/z", bytes: 5 };
  catalog.addBricks([brickOf(1, [idOf("new")], newer)]);
  catalog.addBricks([
    brickOf(2, [idOf("before")]),
    brickOf(3, [idOf("new too")], newer),
    brickOf(1, [idOf("old")]),
    brickOf(3, [idOf("old too")]),
    brickOf(4, [idOf("after")]),
  ]);
  const texts = ["before", "old", "old too", "after", "new", "new too"];
  const names = [nameOf(2), nameOf(1), nameOf(3), nameOf(4), undefined, undefined];
  assert.deepEqual(found(catalog, texts.map(idOf)), names);
});

catalogTest("a transaction that fails leaves no trace, in the file or in memory", (catalog) => {
  catalog.addBricks([brickOf(5, [idOf("a")])]);
  assert.deepEqual(found(catalog, [idOf("a")]), [nameOf(5)]);
  assert.throws(() =>
    catalog.transaction(() => {
      catalog.addBricks([brickOf(1, [idOf("a"), idOf("b")])]);
      catalog.exclude("gone", [nameOf(5)], "add");
      catalog.markLedgerSeen(["ledger/1"]);
      catalog.setCursor(domain, "ledger/1");
      assert.deepEqual(found(catalog, [idOf("a"), idOf("b")]), [nameOf(1), nameOf(1)]);
      throw new Error("malformed ledger object");
    }), /^Error: malformed ledger object$/);
  assert.deepEqual(found(catalog, [idOf("a"), idOf("b")]), [nameOf(5), undefined]);
  assert.equal(catalog.hasSeenLedger("ledger/1"), false);
  assert.equal(catalog.cursor(domain), undefined);
});

catalogTest("a part of a transaction that fails takes only itself back", (catalog) => {
  catalog.transaction(() => {
    catalog.addBricks([brickOf(1, [idOf("a")])]);
    assert.throws(
      () => catalog.addBricks([brickOf(2, [idOf("b")]), brickOf(3, [idOf("c")], { bytes: -1 })]),
      TypeError,
    );
    catalog.addBricks([brickOf(4, [idOf("d")])]);
  });
  assert.deepEqual(found(catalog, ["a", "b", "c", "d"].map(idOf)), [nameOf(1), undefined, undefined, nameOf(4)]);
});

catalogTest("the place in the ledger is kept for each domain", (catalog) => {
  assert.equal(catalog.cursor(domain), undefined);
  catalog.setCursor(domain, "ledger/d/1");
  catalog.setCursor(otherDomain, "ledger/e/9");
  catalog.setCursor(domain, "ledger/d/2");
  assert.equal(catalog.cursor(domain), "ledger/d/2");
  assert.equal(catalog.cursor(otherDomain), "ledger/e/9");
  catalog.markLedgerSeen(["ledger/d/1", "ledger/d/2"]);
  catalog.markLedgerSeen(["ledger/d/2", "ledger/d/3"]);
  const names = ["ledger/d/0", "ledger/d/1", "ledger/d/2", "ledger/d/3"];
  assert.deepEqual(names.map((name) => catalog.hasSeenLedger(name)), [false, true, true, true]);
});

catalogTest("opened indexes are kept, replaced and dropped by name", (catalog) => {
  catalog.keepOpenedIndex("index/d/2.json", "{}");
  catalog.keepOpenedIndex("index/d/1.json", `{"host":"ä"}`);
  catalog.keepOpenedIndex("index/d/2.json", "[]");
  assert.deepEqual(catalog.openedIndexes(), ["index/d/1.json", "index/d/2.json"]);
  assert.equal(catalog.openedIndex("index/d/1.json"), `{"host":"ä"}`);
  assert.equal(catalog.openedIndex("index/d/2.json"), "[]");
  catalog.dropOpenedIndex("index/d/2.json");
  catalog.dropOpenedIndex("index/d/3.json");
  assert.equal(catalog.openedIndex("index/d/2.json"), undefined);
});
