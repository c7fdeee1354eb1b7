// What the second backup costs: nothing for what is the same, little for what has moved, pages for what has changed.

import assert from "node:assert/strict";
import { noise } from "../repository/machine.ts";
import { LARGE } from "../repository/streams.ts";
import { END, header, member } from "../tar/archives.ts";
import { concat } from "../tar/recorder.ts";
import { chance } from "./random.ts";
import { type Item, makeTree, RecipeStore } from "./recipe_cost.ts";
import { inRepository, sha256 } from "./repositories.ts";

const MIB = 1024 * 1024;
const SEED = 20261120;

/** The paths of all objects of a repository. */
function objects(location: string, folder = ""): Set<string> {
  const found = new Set<string>();
  for (const { name, isDirectory } of Deno.readDirSync(`${location}/${folder}`)) {
    if (!isDirectory) found.add(folder + name);
    else for (const path of objects(location, `${folder}${name}/`)) found.add(path);
  }
  return found;
}

Deno.test("the same tar again adds an index and nothing else, from the same machine and from a new one", async () => {
  await inRepository(async ({ location, machine }) => {
    const first = machine();
    const { bricks, newBytes } = await first.create(LARGE, { brickBytes: 2 * MIB });
    assert.ok(bricks > 5 && newBytes > 12 * MIB);
    for (const writer of [first, machine(), first]) {
      const before = objects(location);
      const result = await writer.create(LARGE, { brickBytes: 2 * MIB });
      assert.deepEqual([result.bricks, result.newBytes, result.storedBytes], [0, 0, 0]);
      const added = [...objects(location).difference(before)];
      assert.equal(added.length, 1, added.join(", "));
      assert.match(added[0]!, new RegExp(`^index/.*${result.snapshot}\\.json$`));
      assert.deepEqual([...before.difference(objects(location))], []);
    }
  });
});

Deno.test("a file more costs that file, a data brick, a meta brick, a ledger object and an index", async () => {
  await inRepository(async ({ location, machine }) => {
    const writer = machine();
    const files = Array.from({ length: 50 }, (_, i) => member({ name: `file ${i}` }, noise(20_000, i + 1)));
    await writer.create(concat(...files, END));
    const before = objects(location);
    const more = concat(...files, member({ name: "more" }, noise(30_000, 99)), END);
    const { newBytes, bricks } = await writer.create(more);
    assert.deepEqual([newBytes, bricks], [30_000, 2]);
    const added = [...objects(location).difference(before)].map((path) => path.split("/")[0]);
    assert.deepEqual(added.sort(), ["bricks", "index", "ledger", "meta"]);
  });
});

Deno.test("a byte in front of a body of 96 MiB costs a few chunks, and so does one less in the middle", async () => {
  await inRepository(async ({ machine }) => {
    const [writer, reader] = [machine(), machine()];
    const body = noise(96 * MIB, SEED);
    const create = async (...pieces: Uint8Array[]) => {
      const size = pieces.reduce((sum, { length }) => sum + length, 0);
      const padding = new Uint8Array(511 - (size + 511) % 512);
      const tar = concat(header({ name: "body", size }), ...pieces, padding, END);
      const result = await writer.create(tar, { level: 0 });
      assert.equal(sha256(await reader.extract(result.snapshot)), sha256(tar));
      return result;
    };
    assert.equal((await create(body)).newBytes, body.length);
    const front = await create(Uint8Array.of(1), body);
    assert.ok(front.newBytes > 0 && front.newBytes <= 4 * MIB, `${front.newBytes} bytes`);
    const middle = await create(body.subarray(0, 40 * MIB), body.subarray(40 * MIB + 1));
    assert.ok(middle.newBytes > 0 && middle.newBytes <= 4 * MIB, `${middle.newBytes} bytes`);
  });
});

/** A recipe of 100,000 entries, which is made once. */
let stored: { items: Item[]; store: RecipeStore; bytes: number } | undefined;

/** What share of that recipe is stored again when the tree has changed so. */
function storedAgain(change: (items: Item[]) => Item[]): number {
  if (stored === undefined) {
    const items = makeTree(100_000, SEED);
    const store = new RecipeStore();
    stored = { items, store, bytes: store.add(items) };
  }
  const { items, store, bytes } = stored;
  assert.ok(bytes > items.length * 20, `a recipe of ${bytes} bytes`);
  return new RecipeStore(store).add(change(items)) / bytes;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} % of the recipe`;
}

Deno.test("a tree of 100,000 entries that has not changed stores nothing of its recipe again", () => {
  assert.equal(storedAgain((items) => items), 0);
});

Deno.test("0.1 % of 100,000 entries changed, scattered, store at most 8 % of the recipe again", () => {
  const random = chance(SEED + 1);
  const share = storedAgain((items) => {
    const changed = items.slice();
    const numbers = new Set<number>();
    while (numbers.size < 100) numbers.add(random(items.length));
    for (const i of numbers) changed[i] = { ...items[i]!, version: 1, mtime: 1_750_000_000 + random(1_000_000) };
    return changed;
  });
  assert.ok(share > 0 && share <= 0.08, percent(share));
});

Deno.test("all times of 100,000 entries changed store at most 60 % of the recipe again", () => {
  const random = chance(SEED + 2);
  const share = storedAgain((items) => items.map((item) => ({ ...item, mtime: 1_750_000_000 + random(86_400) })));
  assert.ok(share > 0 && share <= 0.6, percent(share));
});

Deno.test("an entry in front of 100,000 others stores less than 1 % of the recipe again", () => {
  const first: Item = { name: "a new one", type: "-", size: 70_000, mtime: 1_750_000_000, version: 0 };
  const share = storedAgain((items) => [first, ...items]);
  assert.ok(share > 0 && share < 0.01, percent(share));
});
