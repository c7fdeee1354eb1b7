import assert from "node:assert/strict";
import { Catalog, type PlacedRow } from "../../lib/catalog/mod.ts";

const hex = (digit: string, length = 64) => digit.repeat(length);
const repository = hex("9", 32);

function placed(handle: string, fields: Partial<PlacedRow> = {}): PlacedRow {
  return {
    domain: hex("d", 32),
    location: "s3://bucket",
    handle,
    class: "DEEP_ARCHIVE",
    bytes: 1000,
    sha256: hex("a"),
    treeHash: hex("b"),
    placedAt: new Date(1000),
    bricks: [{ name: hex("1"), kind: "D", offset: 0, bytes: 1000 }],
    ...fields,
  };
}

function withCatalog(work: (catalog: Catalog) => void): void {
  const catalog = Catalog.open(":memory:", { repository });
  try {
    work(catalog);
  } finally {
    catalog.close();
  }
}

Deno.test("a brick is found where it was placed, the newest place first", () => {
  withCatalog((catalog) => {
    const bundle = placed("bundle", {
      placedAt: new Date(2000),
      bricks: [{ name: hex("1"), kind: "D", offset: 512, bytes: 400 }, {
        name: hex("2"),
        kind: "M",
        offset: 1024,
        bytes: 5,
      }],
    });
    catalog.addPlaced([placed("alone"), bundle]);
    const found = catalog.placementsOf(hex("1"));
    assert.deepEqual(found.map(({ object, offset, bytes }) => [object.handle, offset, bytes]), [
      ["bundle", 512, 400],
      ["alone", 0, 1000],
    ]);
    const { bricks: _, ...object } = placed("alone");
    assert.deepEqual(found[1]!.object, object);
    assert.deepEqual(catalog.placementsOf(hex("3")), []);
  });
});

Deno.test("all objects are listed, those without a brick too, but not those that were lost", () => {
  withCatalog((catalog) => {
    catalog.addPlaced([placed("a"), placed("empty", { bricks: [] }), placed("gone")]);
    catalog.addLost([{ domain: hex("d", 32), location: "s3://bucket", handle: "gone", at: new Date(9000) }]);
    assert.deepEqual([...catalog.placedObjects()].map(({ handle }) => handle), ["a", "empty"]);
  });
});

Deno.test("a record that is told twice holds once", () => {
  withCatalog((catalog) => {
    catalog.addPlaced([placed("a")]);
    catalog.addPlaced([placed("a", { placedAt: new Date(5000) }), placed("a", { domain: hex("e", 32) })]);
    assert.equal(catalog.placementsOf(hex("1")).length, 2);
    assert.equal(catalog.placementsOf(hex("1"), { domain: hex("d", 32) }).length, 1);
  });
});

Deno.test("an object that was lost is nowhere until it is placed again, in whatever order that is told", () => {
  const domain = hex("d", 32);
  const lost = { domain, location: "s3://bucket", handle: "a", at: new Date(2000) };
  const again = placed("a", { placedAt: new Date(3000) });
  const tellings: { tell: ((catalog: Catalog) => void)[]; found: number }[] = [
    { tell: [(c) => c.addPlaced([placed("a")]), (c) => c.addLost([lost])], found: 0 },
    { tell: [(c) => c.addLost([lost]), (c) => c.addPlaced([placed("a")])], found: 0 },
    { tell: [(c) => c.addPlaced([again]), (c) => c.addLost([lost]), (c) => c.addPlaced([placed("a")])], found: 1 },
    { tell: [(c) => c.addPlaced([placed("a")]), (c) => c.addLost([lost]), (c) => c.addPlaced([again])], found: 1 },
    { tell: [(c) => c.addPlaced([placed("a")]), (c) => c.addLost([{ ...lost, handle: "b" }])], found: 1 },
    { tell: [(c) => c.addPlaced([placed("a")]), (c) => c.addLost([{ ...lost, domain: hex("e", 32) }])], found: 1 },
  ];
  for (const { tell, found } of tellings) {
    withCatalog((catalog) => {
      for (const step of tell) step(catalog);
      assert.equal(catalog.placementsOf(hex("1")).length, found);
      assert.equal([...catalog.placements()].length, found);
      assert.equal(catalog.placedBricks().size, found);
    });
  }
});

Deno.test("placements are listed by domain and by place", () => {
  withCatalog((catalog) => {
    const many = Array.from({ length: 2500 }, (_, i) => {
      const name = i.toString(16).padStart(64, "0");
      return placed(`h${i}`, { bricks: [{ name, kind: "D", offset: 0, bytes: 10 }] });
    });
    const elsewhere = placed("vault", { location: "glacier://r/v", domain: hex("e", 32) });
    catalog.addPlaced([...many, elsewhere]);
    const names = [...catalog.placements({ location: "s3://bucket" })].map(({ brick }) => brick);
    assert.deepEqual(names, many.map(({ bricks }) => bricks[0]!.name).sort());
    assert.equal([...catalog.placements()].length, 2501);
    assert.deepEqual([...catalog.placedBricks({ domain: hex("e", 32) })], [hex("1")]);
    assert.equal(catalog.placedBricks({ location: "nowhere" }).size, 0);
  });
});

Deno.test("a record that contradicts another hides nothing of it", () => {
  withCatalog((catalog) => {
    const lie = placed("a", { sha256: hex("f"), placedAt: new Date(9000) });
    const elsewhere = placed("a", { bricks: [{ name: hex("1"), kind: "D", offset: 100, bytes: 900 }] });
    catalog.addPlaced([lie, placed("a"), elsewhere]);
    const found = catalog.placementsOf(hex("1"));
    assert.deepEqual(found.map(({ object, offset }) => [object.sha256[0], offset]).sort(), [
      ["a", 0],
      ["a", 100],
      ["f", 0],
    ]);
    assert.equal([...catalog.placements()].length, 3);
  });
});

Deno.test("what is said to be lost is found last by whoever reads", () => {
  withCatalog((catalog) => {
    const { domain, location } = placed("a");
    catalog.addPlaced([placed("a", { placedAt: new Date(5000) }), placed("b")]);
    catalog.addLost([{ domain, location, handle: "a", at: new Date(6000) }]);
    const found = catalog.placementsOf(hex("1"), { evenLost: true });
    assert.deepEqual(found.map(({ object, lost }) => [object.handle, lost]), [["b", false], ["a", true]]);
    assert.deepEqual(catalog.placementsOf(hex("1")).map(({ object }) => object.handle), ["b"]);
  });
});
