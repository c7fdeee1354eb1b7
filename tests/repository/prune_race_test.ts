/**
 * The real writer against a model of the pruner, in every order in which their operations can come with few changes of
 * turns, and in many others: no index that looks finished may ever lack a brick.
 */
import assert from "node:assert/strict";
import { Catalog } from "../../lib/catalog/mod.ts";
import { ConflictError, learn, listIndexes } from "../../lib/repository/mod.ts";
import { createMemoryStore, type Store } from "../../lib/store/mod.ts";
import { END, member } from "../tar/archives.ts";
import { backUp, restore } from "./backup.ts";
import { type Bench, onBench } from "./bench.ts";
import { joined, noise } from "./machine.ts";
import { bricksIn, IndexReader, prune } from "./pruner.ts";
import { KilledError, type Schedule, Turns } from "./turns.ts";

const OLD = member({ name: "old" }, noise(20_000, 1));
const FORGOTTEN = joined([OLD, END]);
const AGAIN = joined([OLD, member({ name: "new" }, noise(20_000, 2)), END]);

/** What a play begins with: bricks of a snapshot that was forgotten, and one that is kept. */
async function prepared({ store, open }: Bench): Promise<Map<string, Uint8Array>> {
  await backUp(await open(), FORGOTTEN);
  for await (const { name } of store.list("index/")) await store.delete(name);
  await backUp(await open(), joined([member({ name: "kept" }, noise(9000, 3)), END]));
  const objects = new Map<string, Uint8Array>();
  for await (const { name } of store.list("")) objects.set(name, await store.get(name));
  return objects;
}

interface Play {
  /** How many of each. */
  writers: number;
  pruners: number;
  schedule: Schedule;
  /** Kills a writer before its operation with this number. */
  killAt?: number;
}

/** Plays once; who ended how, and what was done. */
async function play(bench: Bench, start: Map<string, Uint8Array>, { writers, pruners, schedule, killAt }: Play) {
  const store = createMemoryStore({ now: () => new Date("2026-06-01T00:00:00Z") });
  for (const [name, bytes] of start) await store.put(name, bytes);
  const needs = new IndexReader();
  const outside = await bench.open({ store });
  const turns = new Turns(async (done) => {
    const changes = /: (?:put index|delete (?:bricks|meta))/.test(done);
    if (changes) await nothingLacks(store, (bytes) => needs.one(outside, bytes), turns.done);
  });
  const catalogs: Catalog[] = [];
  const actor = async (name: string) => {
    const catalog = Catalog.open(":memory:", { repository: bench.full.repository });
    catalogs.push(catalog);
    const repository = await bench.open({ store, catalog });
    await learn(repository, bench.domain);
    return { ...repository, store: turns.store(name, store) };
  };
  const actors: Record<string, () => Promise<unknown>> = {};
  for (let i = 0; i < writers; i++) {
    const repository = await actor(`writer ${i}`);
    actors[`writer ${i}`] = () => backUp(repository, AGAIN);
  }
  for (let i = 0; i < pruners; i++) {
    const repository = await actor(`pruner ${i}`);
    actors[`pruner ${i}`] = () => prune(repository, needs);
  }
  let writerOperations = 0;
  const ends = await turns.play(actors, (waiting) => {
    const next = schedule(waiting);
    if (next === "writer 0" && writerOperations++ === killAt) turns.kill(next);
    return next;
  });
  for (const [name, end] of Object.entries(ends)) {
    if (end.status === "fulfilled") continue;
    const expected = end.reason instanceof ConflictError || end.reason instanceof KilledError;
    assert.ok(expected && name.startsWith("writer"), `${name}: ${end.reason.stack}\n${turns.done.join("\n")}`);
  }
  return { store, ends, done: turns.done };
}

/** Every index that looks finished has all its bricks. */
async function nothingLacks(
  store: Store,
  bricksOf: (index: Uint8Array) => Promise<string[]>,
  done: string[],
): Promise<void> {
  const there = await bricksIn(store);
  for await (const { name } of store.list("index/")) {
    if (!name.endsWith(".json")) continue;
    for (const brick of await bricksOf(await store.get(name))) {
      assert.ok(there.has(brick), `${name} lacks brick ${brick} after\n${done.join("\n")}`);
    }
  }
}

/** The actor whose turn it is goes on until it has done so many operations; then the next one, round and round. */
function runs(lengths: number[], order: string[]): Schedule {
  let at = 0;
  let left = lengths[0] ?? Infinity;
  return (waiting) => {
    while (left === 0 || !waiting.includes(order[at % order.length]!)) {
      at++;
      left = lengths[at] ?? Infinity;
    }
    left--;
    return order[at % order.length]!;
  };
}

/** Numbers that follow from a seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return (state >>> 8) % below;
  };
}

/** How many operations each does at most: when it comes first, and has all to itself. */
async function lengthsAlone(bench: Bench, start: Map<string, Uint8Array>): Promise<{ writer: number; pruner: number }> {
  const length = async (name: string, other: string) => {
    const { done } = await play(bench, start, { writers: 1, pruners: 1, schedule: runs([], [name, other]) });
    return done.filter((line) => line.startsWith(name)).length;
  };
  return { writer: await length("writer 0", "pruner 0"), pruner: await length("pruner 0", "writer 0") };
}

Deno.test(
  "a prune in the middle of a backup, wherever either is interrupted once: nothing that looks finished lacks a brick",
  onBench(async (bench) => {
    const start = await prepared(bench);
    const { writer, pruner } = await lengthsAlone(bench, start);
    assert.ok(writer > 8 && pruner > 8, `${writer} and ${pruner} operations`);
    let plays = 0;
    let conflicts = 0;
    // Before its first brick the writer only reads: there it is interrupted in fewer places.
    for (let first = 0; first <= writer; first += first < 6 ? 3 : 1) {
      for (let second = 1; second <= pruner; second++, plays++) {
        const schedule = runs([first, second], ["writer 0", "pruner 0"]);
        const { ends } = await play(bench, start, { writers: 1, pruners: 1, schedule });
        if (ends["writer 0"]!.status === "rejected") conflicts++;
      }
    }
    assert.ok(plays > 200 && conflicts > 0 && conflicts < plays, `${plays} plays, ${conflicts} conflicts`);
  }),
);

Deno.test(
  "two backups and two prunes in any order, one of the backups killed: what is finished can be restored",
  onBench(async (bench) => {
    const start = await prepared(bench);
    const seed = Math.floor(Math.random() * 2 ** 31);
    const next = numbers(seed);
    let finished = 0;
    for (let round = 0; round < 60; round++) {
      // Long runs of one actor reach states that a fair die never does.
      let current = "";
      const schedule: Schedule = (waiting) => {
        if (!waiting.includes(current) || next(4) === 0) current = waiting[next(waiting.length)]!;
        return current;
      };
      const killAt = next(40);
      const { store, done } = await play(bench, start, { writers: 2, pruners: 2, schedule, killAt });
      const reader = await bench.open({ store });
      for (const index of await listIndexes(reader)) {
        if (index.ending === ".open" || start.has(`index/${index.domain}/${index.snapshot}.json`)) continue;
        const { bytes } = await restore(await bench.open({ store }), index);
        assert.deepEqual(bytes, AGAIN, `seed ${seed}, round ${round}\n${done.join("\n")}`);
        finished++;
      }
    }
    assert.ok(finished > 20, `${finished} backups were finished`);
  }),
);
