import assert from "node:assert/strict";
import {
  ConflictError,
  learn,
  listIndexes,
  newestIndex,
  parseBrickObject,
  publish,
  readIndex,
} from "../../lib/repository/mod.ts";
import type { Store } from "../../lib/store/mod.ts";
import { readBrickList } from "../../lib/snapshot/mod.ts";
import { SnapshotReaders } from "../../lib/verbs/snapshot.ts";
import { END, member } from "../tar/archives.ts";
import { failing, InjectedError } from "../store/faults.ts";
import { backUp, restore, theIndex } from "./backup.ts";
import { type Bench, onBench, snapshotOf } from "./bench.ts";
import { joined, noise } from "./machine.ts";
import { hurriedClock, LARGE, LATE_PIECE, SMALL } from "./streams.ts";

const MIB = 1024 * 1024;

/** What a store was asked to change, in order, as far as it was done. */
function recording(store: Store): { store: Store; changes: string[] } {
  const changes: string[] = [];
  const done = async (what: string, work: Promise<void>) => {
    await work;
    changes.push(what);
  };
  return {
    changes,
    store: {
      location: store.location,
      list: (prefix, options) => store.list(prefix, options),
      head: (name) => store.head(name),
      get: (name, range) => store.get(name, range),
      put: (name, bytes, options) => done(`put ${name}`, store.put(name, bytes, options)),
      delete: (name) => done(`delete ${name}`, store.delete(name)),
      async stage() {
        const staged = await store.stage();
        return {
          get written() {
            return staged.written;
          },
          write: (bytes) => staged.write(bytes),
          commit: (name) => done(`commit ${name}`, staged.commit(name)),
          abort: () => staged.abort(),
        };
      },
      now: () => store.now(),
      close: () => store.close(),
    },
  };
}

/** Which kind of change each is, with repetitions left out. */
function kindsOf(changes: string[]): string[] {
  const kinds = changes.map((change) =>
    change.replace(/^commit (?:bricks|meta)\/.*/, "brick").replace(/^put ledger\/.*/, "ledger")
      .replace(/^(put|delete) index\/.*(\.open|\.json)$/, "$1 $2")
  );
  return kinds.filter((kind, i) => kind !== kinds[i - 1]);
}

/** Bricks of the store, as [kind, name]. */
async function bricksIn(store: Store): Promise<{ kind: string; name: string }[]> {
  const objects = await Array.fromAsync(store.list(""));
  return objects.flatMap(({ name }) => parseBrickObject(name) ?? []);
}

Deno.test(
  "a backup writes bricks, ledger, .open, then looks, then the index, and removes the .open",
  onBench(async ({ store, open }) => {
    const { store: recorded, changes } = recording(store);
    await backUp(await open({ store: recorded }), SMALL);
    assert.deepEqual(kindsOf(changes), ["brick", "ledger", "put .open", "put .json", "delete .open"]);
  }),
);

Deno.test(
  "a long backup writes an .open behind its first brick, and never one that is ahead of bricks and ledger",
  onBench(async ({ store, open }) => {
    const { store: recorded, changes } = recording(store);
    await backUp(await open({ store: recorded }), LARGE);
    const kinds = kindsOf(changes);
    assert.equal(kinds[0], "brick");
    assert.ok(kinds.indexOf("ledger") < kinds.indexOf("put .open"));
    assert.ok(kinds.indexOf("put .open") < kinds.lastIndexOf("brick"), "the first one comes while the backup runs");
    assert.deepEqual(kinds.slice(-5), ["brick", "ledger", "put .open", "put .json", "delete .open"]);
  }),
);

Deno.test(
  "a brick that is finished while others are being put on record is put on record with the next",
  onBench(async ({ store, open, domain }) => {
    const { store: recorded, changes } = recording(store);
    let publishing = 0;
    let overtaken = 0;
    // A brick that is finished waits for the ledger to be busy, and the ledger for the brick; neither for ever.
    const until = async (isSo: () => boolean) => {
      for (let i = 0; i < 50 && !isSo(); i++) await new Promise((resolve) => setTimeout(resolve, 1));
    };
    const slow: Store = {
      ...recorded,
      async stage() {
        const staged = await recorded.stage();
        return {
          ...staged,
          get written() {
            return staged.written;
          },
          async commit(name) {
            if (changes.length > 0) await until(() => publishing > 0);
            await staged.commit(name);
          },
        };
      },
      async put(name, bytes, options) {
        const before = changes.length;
        if (name.startsWith("ledger/")) {
          publishing++;
          await until(() => changes.length > before);
          publishing--;
          if (changes.length > before) overtaken++;
        }
        await recorded.put(name, bytes, options);
      },
    };
    await backUp(await open({ store: slow }), LARGE);
    assert.ok(overtaken > 0, "no brick was finished meanwhile: this test shows nothing");
    const other = await open();
    await learn(other, domain);
    const known = new Set([...other.catalog.bricks()].map(({ name }) => name));
    for (const { name } of await bricksIn(store)) assert.ok(known.has(name), `no ledger object tells of brick ${name}`);
  }),
);

Deno.test(
  "a store that refuses to delete anything does not spoil a finished backup",
  onBench(async ({ store, repository, open }) => {
    await backUp(await open({ store: failing(store, { call: "delete" }) }), SMALL);
    const index = await theIndex(repository, ".json");
    assert.deepEqual((await restore(repository, index)).bytes, SMALL);
    const objects = await Array.fromAsync(store.list("index/"));
    assert.equal(objects.length, 2, "the .open stays, and nobody lists it");
  }),
);

Deno.test(
  "a checkpoint can be restored as far as it goes, is listed as unfinished, and names all that it needs",
  onBench(async ({ repository, open, domain }) => {
    let checked = false;
    const afterPiece = async (piece: number) => {
      if (piece !== LATE_PIECE) return;
      // Somebody else looks at the store now, as if this run were dead.
      const other = await open();
      const index = await theIndex(other, ".open");
      const { bytes, sealed } = await restore(other, index);
      assert.ok(bytes.length >= MIB && bytes.length < LARGE.length);
      assert.equal(sealed.bytes, bytes.length);
      assert.deepEqual(bytes, LARGE.slice(0, bytes.length));
      assert.equal(await newestIndex(other, domain), null, "it is nobody's predecessor");
      assert.equal((await readIndex(other, index)).complete, false);
      checked = true;
    };
    await backUp(repository, LARGE, { afterPiece, now: hurriedClock() });
    assert.ok(checked);
    await theIndex(repository, ".json");
    assert.equal((await listIndexes(repository)).length, 1);
  }),
);

Deno.test(
  "a run that dies behind a checkpoint leaves what the next one needs not store again",
  onBench(async ({ repository, store, open }) => {
    await assert.rejects(
      backUp(repository, LARGE, {
        now: hurriedClock(),
        afterPiece: (piece) => {
          if (piece === LATE_PIECE) throw new InjectedError("died");
        },
      }),
      InjectedError,
    );
    const other = await open();
    const index = await theIndex(other, ".open");
    const { bytes } = await restore(other, index);
    assert.deepEqual(bytes, LARGE.slice(0, bytes.length));
    const before = new Set((await bricksIn(store)).map(({ name }) => name));
    const { writer } = await backUp(await open(), LARGE);
    assert.ok(writer.counts.knownBytes >= bytes.length - 64 * 1024, `${writer.counts.knownBytes} of ${bytes.length}`);
    for (const name of writer.counts.bricks) assert.ok(!before.has(name));
    assert.deepEqual((await restore(await open(), await theIndex(repository, ".json"))).bytes, LARGE);
  }),
);

Deno.test(
  "bricks that a dead run left to its journal are on record before the first lookup, if they are there",
  onBench(async ({ store, repository, open, domain }) => {
    const first = await open();
    await backUp(first, LARGE);
    const left = [...first.catalog.bricks()].filter(({ kind }) => kind === "D").map(({ number }) => {
      const { name, kind, bytes, treeHash, blocks, chunks } = first.catalog.brick(number)!;
      const toc = { blocks: new Uint8Array(blocks), chunks: new Uint8Array(chunks) };
      return { name, kind, bytes, treeHash, toc };
    });
    // As if that run had died before it published anything, and one of its bricks had never got its name.
    for (const folder of ["ledger/", "index/", "meta/"]) {
      for (const { name } of await Array.fromAsync(store.list(folder))) await store.delete(name);
    }
    const lost = left[3]!;
    await store.delete(`bricks/${lost.name.slice(0, 2)}/${lost.name}`);
    const { writer } = await backUp(repository, LARGE, { found: left });
    const newData = writer.counts.newBytes;
    assert.ok(newData >= 0.9 * MIB && newData <= 1.2 * MIB, `stored again: ${newData}`);
    assert.deepEqual((await restore(await open(), await theIndex(repository, ".json"))).bytes, LARGE);
    const names = [...repository.catalog.bricks({ domain })].map(({ name }) => name);
    assert.ok(!names.includes(lost.name), "what is not there is not put on record");
  }),
);

Deno.test(
  "the list of bricks names exactly those that a restore needs, from this run and earlier ones",
  onBench(async ({ repository, store, open }) => {
    await backUp(await open(), SMALL);
    await backUp(await open(), joined([member({ name: "unrelated" }, noise(300_000, 500)), END]));
    const both = joined([member({ name: "small" }, noise(100_000, 99)), member({ name: "new" }, noise(9000, 7)), END]);
    const { name } = await backUp(repository, both);
    const needed = new Set(await bricksOf(await open(), name));
    for (const { kind, name: brick } of await bricksIn(store)) {
      const object = `${kind === "D" ? "bricks" : "meta"}/${brick.slice(0, 2)}/${brick}`;
      const bytes = await store.get(object);
      await store.delete(object);
      const restored = await restore(await open(), await named(repository, name)).then(
        ({ bytes }) => bytes,
        () => null,
      );
      if (needed.has(brick)) assert.equal(restored, null, `${object} is said to be needed`);
      else assert.deepEqual(restored, both);
      await store.put(object, bytes);
    }
  }),
);

async function named(repository: Bench["repository"], snapshot: string) {
  return (await listIndexes(repository)).find((index) => index.snapshot === snapshot)!;
}

async function bricksOf(repository: Bench["repository"], snapshot: string): Promise<string[]> {
  const readers = new SnapshotReaders(repository);
  try {
    const index = await readIndex(repository, await named(repository, snapshot));
    // Tells the catalogue of the bricks, too.
    await restore(repository, await named(repository, snapshot));
    const { sealed, get } = await readers.open(index);
    const names = await readBrickList(sealed, get);
    assert.equal(names.length, sealed.bricks);
    return names;
  } finally {
    readers.close();
  }
}

/** A repository with a backup, and a run over the same input to which something happens before it looks. */
async function conflict(
  { store, open }: Bench,
  happens: (brick: { object: string; name: string }) => Promise<void>,
): Promise<{ error: unknown; relied: string }> {
  await backUp(await open(), LARGE);
  const { name } = (await bricksIn(store)).find(({ kind }) => kind === "D")!;
  const error = await backUp(await open(), LARGE, {
    afterPiece: async (piece) => {
      if (piece === LATE_PIECE) await happens({ object: `bricks/${name.slice(0, 2)}/${name}`, name });
    },
  }).then(() => undefined, (error) => error);
  return { error, relied: name };
}

const took: Record<string, (bench: Bench) => (brick: { object: string; name: string }) => Promise<void>> = {
  "was sentenced": ({ store }) => ({ name }) => store.put(`condemned/${name}.sentence`, new Uint8Array()),
  "is gone by the ledger": ({ repository, domain }) => async ({ name }) => {
    await publish(repository, domain, [{ type: "gone", name }]);
  },
  "is absent": ({ store }) => ({ object }) => store.delete(object),
  "became shorter": ({ store }) => async ({ object }) => {
    await store.put(object, (await store.get(object)).slice(1));
  },
};
for (const [what, happens] of Object.entries(took)) {
  Deno.test(
    `a backup that relies on a brick which ${what} meanwhile ends in a conflict, stays unfinished, and the next one heals`,
    onBench(async (bench) => {
      const { open } = bench;
      const { error } = await conflict(bench, happens(bench));
      assert.ok(error instanceof ConflictError, String(error));
      const indexes = await listIndexes(bench.repository);
      assert.deepEqual(indexes.map(({ ending }) => ending), [".json", ".open"]);
      const { name } = await backUp(await open(), LARGE);
      assert.deepEqual((await restore(await open(), await named(bench.repository, name))).bytes, LARGE);
    }),
  );
}

Deno.test(
  "a brick that is only condemned may be relied on: the pruner will see that it is needed",
  onBench(async (bench) => {
    const { error } = await conflict(bench, ({ name }) => bench.store.put(`condemned/${name}`, new Uint8Array()));
    assert.equal(error, undefined);
  }),
);

Deno.test(
  "a brick that is condemned from the start is not relied on",
  onBench(async (bench) => {
    const { store, open } = bench;
    await backUp(await open(), SMALL);
    for (const { name } of await bricksIn(store)) await store.put(`condemned/${name}`, new Uint8Array());
    const { writer } = await backUp(await open(), SMALL);
    assert.equal(writer.counts.knownBytes, 0);
  }),
);

Deno.test(
  "announcing and looking that took an hour is done again before the index is written",
  onBench(async ({ store, open }) => {
    const { store: recorded, changes } = recording(store);
    let nowMs = 0;
    let looks = 0;
    const slow: Store = {
      ...recorded,
      list(prefix, options) {
        if (prefix === "condemned/" && changes.some((change) => change.endsWith(".open"))) {
          looks++;
          changes.push("look");
          // The lid is closed while the first two looks are under way.
          if (looks < 3) nowMs += 3600 * 1000;
        }
        return recorded.list(prefix, options);
      },
    };
    await backUp(await open({ store: slow }), SMALL, { now: () => nowMs });
    const kinds = kindsOf(changes).filter((kind) => kind !== "brick" && kind !== "ledger");
    assert.deepEqual(kinds, [
      "put .open",
      "look",
      "put .open",
      "look",
      "put .open",
      "look",
      "put .json",
      "delete .open",
    ]);
  }),
);

Deno.test(
  "an input that was incomplete gets an index that says so",
  onBench(async ({ repository, open }) => {
    await backUp(repository, SMALL, { complete: false });
    const other = await open();
    const index = await theIndex(other, ".json");
    assert.equal((await readIndex(other, index)).complete, false);
    assert.equal((await restore(other, index)).sealed.incomplete, "the test said so");
  }),
);

Deno.test(
  "each backup names the newest genuine one before it, whatever else lies in the folder",
  onBench(async ({ store, domain, repository, open, setTime }) => {
    const first = await backUp(await open(), SMALL);
    await store.put(`index/${domain}/99991231T235959Z-00000000.json`, new TextEncoder().encode("{}"));
    setTime("2026-05-05T00:00:00Z");
    const second = await backUp(await open(), SMALL);
    const previous = async (name: string) =>
      (await readIndex(repository, { domain, snapshot: name, ending: ".json" })).previous;
    assert.equal(await previous(first.name), null);
    assert.equal(await previous(second.name), first.name);
  }),
);

Deno.test(
  "the same input again stores no brick",
  onBench(async ({ store, open }) => {
    await backUp(await open(), SMALL);
    const before = (await bricksIn(store)).length;
    const { writer } = await backUp(await open(), SMALL);
    assert.equal(writer.counts.newBytes, 0);
    const after = (await bricksIn(store)).length;
    assert.ok(after <= before + 1, `${after - before} bricks more`);
    const objects = await snapshotOf(store);
    const { writer: third } = await backUp(await open(), SMALL);
    assert.equal(third.counts.storedBytes, 0);
    assert.equal((await snapshotOf(store)).size, objects.size + 1, "only an index more");
  }),
);

for (
  const place of [
    { call: "commit" as const, prefix: "bricks/", nth: 2 },
    { call: "commit" as const, prefix: "meta/" },
    { call: "put" as const, prefix: "ledger/" },
    { call: "put" as const, prefix: "index/", nth: 1 },
    { call: "put" as const, prefix: "index/", nth: 2 },
    { call: "list" as const, prefix: "condemned/" },
  ]
) {
  Deno.test(
    `a run whose store fails at ${place.call} ${place.nth ?? 1} of ${place.prefix} leaves no index that looks complete`,
    onBench(async ({ store, open }) => {
      await assert.rejects(backUp(await open({ store: failing(store, place) }), LARGE), InjectedError);
      const other = await open();
      for (const index of await listIndexes(other)) {
        assert.equal(index.ending, ".open");
        const { bytes } = await restore(other, index);
        assert.deepEqual(bytes, LARGE.slice(0, bytes.length));
      }
      await backUp(await open(), LARGE);
      assert.deepEqual((await restore(await open(), await theIndex(other, ".json"))).bytes, LARGE);
    }),
  );
}
