import assert from "node:assert/strict";
import fc from "fast-check";
import { type BrickRow, Catalog, type Kind, type Reason } from "../../lib/catalog/mod.ts";
import { brickOf, collidingId, domain, idOf, joined, nameOf, otherDomain } from "./bricks.ts";

/**
 * The catalogue against what it should be: a list of bricks that is searched from one end to the other. Ids come from a
 * small pool in which many share their first 52 bits, so that bricks overlap in every way.
 */
const pool = [
  ...Array.from({ length: 12 }, (_, i) => idOf(`${i}`)),
  ...Array.from({ length: 8 }, (_, i) => collidingId("collision", i)),
];
const reasons: Reason[] = ["absent", "condemned", "damaged", "gone"];
const brickCount = 8;

const brick = fc.record({
  number: fc.nat({ max: brickCount - 1 }),
  ids: fc.array(fc.nat({ max: pool.length - 1 }), { maxLength: 7 }),
  kind: fc.constantFrom<Kind>("D", "D", "D", "M"),
  domain: fc.constantFrom(domain, domain, domain, otherDomain),
});
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("add" as const), bricks: fc.array(brick, { maxLength: 3 }) }) },
  fc.record({
    do: fc.constant("exclude" as const),
    reason: fc.constantFrom(...reasons),
    numbers: fc.array(fc.nat({ max: brickCount - 1 }), { maxLength: 2 }),
    mode: fc.constantFrom("replace" as const, "add" as const),
  }),
  fc.record({
    do: fc.constant("damage" as const),
    number: fc.nat({ max: brickCount - 1 }),
    blocks: fc.oneof(fc.constant("all" as const), fc.array(fc.nat({ max: 4 }), { maxLength: 2 })),
  }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Model {
  readonly rows: BrickRow[] = [];
  readonly #excluded = new Map<Reason, Map<string, Set<number> | "all">>(reasons.map((reason) => [reason, new Map()]));

  apply(catalog: Catalog, one: Step): void {
    if (one.do === "add") {
      const rows = one.bricks.map(({ number, ids, ...rest }) =>
        brickOf(number, ids.map((i) => pool[i] ?? assert.fail()), { ...rest, perBlock: 2 })
      );
      catalog.addBricks(rows);
      // A brick is named by its content: what else claims its name in the same place of the ledger does not exist.
      for (const row of rows) {
        if (!this.rows.some((known) => known.name === row.name && known.domain === row.domain)) this.rows.push(row);
      }
    } else if (one.do === "exclude") {
      const names = this.#excluded.get(one.reason);
      if (one.mode === "replace") names?.clear();
      for (const number of one.numbers) names?.set(nameOf(number), "all");
      catalog.exclude(one.reason, one.numbers.map(nameOf), one.mode);
    } else {
      const damaged = this.#excluded.get("damaged");
      const before = damaged?.get(nameOf(one.number)) ?? new Set();
      const after = before === "all" || one.blocks === "all" ? "all" : new Set([...before, ...one.blocks]);
      damaged?.set(nameOf(one.number), after);
      catalog.markDamaged(nameOf(one.number), one.blocks);
    }
  }

  /** Names of the bricks that hold an id, in the order of `Catalog.candidates`, with how good each is. */
  places(kind: Kind, of: string, id: Uint8Array): { name: string; rank: number }[] {
    return this.rows
      .filter((row) => row.kind === kind && row.domain === of)
      .map((row) => ({ row, rank: this.#rank(row, id) }))
      .filter(({ rank }) => rank < Infinity)
      .sort((a, b) => a.rank - b.rank || age(a.row).localeCompare(age(b.row)))
      .map(({ row, rank }) => ({ name: row.name, rank }));
  }

  #rank(row: BrickRow, id: Uint8Array): number {
    const damaged = this.#excluded.get("damaged")?.get(row.name) ?? new Set();
    let rank = Infinity;
    for (let i = 0; i * 36 < row.chunks.length; i++) {
      if (row.chunks.subarray(i * 36, i * 36 + 32).some((byte, j) => byte !== id[j])) continue;
      const isLost = this.#is("absent", row) || this.#is("gone", row);
      const isDamaged = damaged === "all" || damaged.has(i >> 1);
      rank = Math.min(rank, isLost ? 3 : isDamaged ? 2 : this.#is("condemned", row) ? 1 : 0);
    }
    return rank;
  }

  #is(reason: Reason, row: BrickRow): boolean {
    return this.#excluded.get(reason)?.has(row.name) ?? false;
  }
}

function age(row: BrickRow): string {
  return `${row.ledgerObject} ${row.position}`;
}

function agree(catalog: Catalog, model: Model): void {
  for (const [kind, of] of [["D", domain], ["M", domain], ["D", otherDomain]] as const) {
    const answers = catalog.lookup(kind, of, joined(pool));
    for (const [i, id] of pool.entries()) {
      const places = model.places(kind, of, id);
      const usable = places.find((place) => place.rank === 0)?.name;
      assert.equal(catalog.brick(answers[i] ?? -1)?.name, usable);
      const candidates = catalog.candidates(kind, of, id).map((number) => catalog.brick(number)?.name);
      assert.deepEqual(candidates, places.map((place) => place.name));
    }
    assert.equal(
      catalog.hasChunks(kind, of),
      model.rows.some((row) => row.kind === kind && row.domain === of && row.chunks.length > 0),
    );
  }
}

Deno.test("whatever is added, excluded and damaged, the catalogue answers as a search through all bricks would", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.boolean(), (steps, askBetween) => {
      const catalog = Catalog.open(":memory:", { repository: "test", cacheBytes: 1 << 16 });
      try {
        const model = new Model();
        for (const one of steps) {
          model.apply(catalog, one);
          if (askBetween) agree(catalog, model);
        }
        agree(catalog, model);
        agree(catalog, model);
      } finally {
        catalog.close();
      }
    }),
    { numRuns: 150 },
  );
});

Deno.test("the order in which bricks are added changes no answer", () => {
  const bricks = fc.uniqueArray(brick, { maxLength: brickCount, selector: (one) => one.number });
  fc.assert(
    fc.property(bricks, fc.infiniteStream(fc.nat()), fc.nat({ max: brickCount }), (all, order, split) => {
      const shuffled = all.map((one) => ({ one, at: order.next().value ?? 0 })).sort((a, b) => a.at - b.at);
      const batches = [shuffled.slice(0, split), shuffled.slice(split)];
      const [straight, mixed] = [0, 1].map(() => Catalog.open(":memory:", { repository: "test" }));
      assert.ok(straight && mixed);
      try {
        new Model().apply(straight, { do: "add", bricks: all });
        const model = new Model();
        for (const batch of batches) model.apply(mixed, { do: "add", bricks: batch.map(({ one }) => one) });
        agree(mixed, model);
        const names = (catalog: Catalog) =>
          Array.from(catalog.lookup("D", domain, joined(pool)), (number) => catalog.brick(number)?.name);
        assert.deepEqual(names(mixed), names(straight));
        const list = (catalog: Catalog) => Array.from(catalog.bricks(), ({ number: _, ...rest }) => rest);
        assert.deepEqual(list(mixed), list(straight));
      } finally {
        straight.close();
        mixed.close();
      }
    }),
    { numRuns: 60 },
  );
});
