import assert from "node:assert/strict";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { type BrickRecord, LIMITS, MIB, MOST_CHUNKS, openToc, parseHeader, parseTrailer } from "../../lib/brick/mod.ts";
import { randomBytes, sha256, toHex } from "../../lib/crypto/mod.ts";
import { BrickFiller, brickObject } from "../../lib/repository/mod.ts";
import { createMemoryStore, type Store } from "../../lib/store/mod.ts";
import { failing, InjectedError } from "../store/faults.ts";

const KEYS = { macBrick: randomBytes(32), toc: randomBytes(32) };
const DOMAIN = "ab".repeat(16);
const recipient = await identityToRecipient(await generateHybridIdentity());

/** A block that a test hands over, as long as `sealedLength` says. */
interface Block {
  rawLength: number;
  sealedLength: number;
  chunks: number;
}

function blockOf({ rawLength, sealedLength, chunks }: Block) {
  const records = new Uint8Array(chunks * 36);
  const view = new DataView(records.buffer);
  for (let i = 0; i < chunks; i++) view.setUint32(i * 36 + 32, Math.floor(rawLength / chunks), true);
  view.setUint32(chunks * 36 - 4, rawLength - Math.floor(rawLength / chunks) * (chunks - 1), true);
  return { sealed: new Uint8Array(sealedLength), rawLength, records };
}

function filler(store: Store, options: { targetBytes: number; bricks?: BrickRecord[]; whole?: BrickRecord[] }) {
  return new BrickFiller({
    store,
    kind: "D",
    domain: DOMAIN,
    keys: KEYS,
    recipient,
    targetBytes: options.targetBytes,
    onWhole: (brick) => Promise.resolve(void options.whole?.push(brick)),
    onBrick: (brick) => void options.bricks?.push(brick),
  });
}

/** Places blocks as far ahead of appending them as `ahead` says at each; the blocks of each brick. */
async function fill(blocks: Block[], options: { targetBytes: number; ahead: (block: number) => number }) {
  const store = createMemoryStore();
  const bricks: BrickRecord[] = [];
  const target = filler(store, { targetBytes: options.targetBytes, bricks });
  let appended = 0;
  const append = async () => await target.append(blockOf(blocks[appended++]!));
  for (const [number, block] of blocks.entries()) {
    const placed = target.place(block.rawLength, block.chunks).then(() => true);
    // A block that waits for those before it gets them, one at a time.
    while (!await Promise.race([placed, aWhile()])) if (appended < number) await append();
    while (number + 1 - appended > options.ahead(number)) await append();
  }
  while (appended < blocks.length) await append();
  await target.finish();
  return { store, bricks, blocks: bricks.map(({ toc }) => toc.blocks.length / 12) };
}

/** What does not depend on another block has happened by then. */
function aWhile(): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), 1));
}

/** Blocks whose sealed length says nothing about their raw one. */
function variedBlocks(count: number): Block[] {
  return Array.from({ length: count }, (_, i) => ({
    rawLength: MIB + (i * 7919) % 100_000,
    sealedLength: i % 3 === 0 ? 20_000 : MIB / (1 + i % 5),
    chunks: 1 + i % 7,
  }));
}

Deno.test("where bricks end does not depend on how far sealing lags behind", async () => {
  const blocks = variedBlocks(60);
  const ends: string[] = [];
  for (const ahead of [() => 0, () => 17, (i: number) => i % 18]) {
    ends.push(JSON.stringify((await fill(blocks, { targetBytes: 20 * MIB, ahead })).blocks));
  }
  assert.deepEqual(new Set(ends).size, 1, ends.join("\n"));
  assert.ok(JSON.parse(ends[0]!).length > 2);
});

Deno.test("no block is placed further ahead than the rule counts with, however many threads there are", async () => {
  const target = filler(createMemoryStore(), { targetBytes: 64 * MIB });
  const block = { rawLength: MIB, sealedLength: 1000, chunks: 1 };
  for (let i = 0; i < 17; i++) await target.place(block.rawLength, block.chunks);
  const next = target.place(block.rawLength, block.chunks).then(() => true);
  assert.equal(await Promise.race([next, aWhile()]), false);
  await target.append(blockOf(block));
  assert.equal(await next, true);
  await target.abort();
});

Deno.test("no brick is larger than its target, and none but the last is much smaller than it need be", async () => {
  const incompressible = Array.from({ length: 60 }, () => ({ rawLength: MIB, sealedLength: MIB + 17, chunks: 4 }));
  const { bricks } = await fill(incompressible, { targetBytes: 16 * MIB, ahead: () => 5 });
  for (const { bytes } of bricks) assert.ok(bytes <= 16 * MIB, `${bytes}`);
  for (const { bytes } of bricks.slice(0, -1)) assert.ok(bytes >= 14 * MIB, `${bytes}`);
});

Deno.test("a block that is larger than the target still gets a brick", async () => {
  const large = { rawLength: 3 * MIB, sealedLength: 3 * MIB, chunks: 1 };
  const { blocks } = await fill([large, large], { targetBytes: 2 * MIB, ahead: () => 0 });
  assert.deepEqual(blocks, [1, 1]);
});

Deno.test("a brick is closed before it holds more chunks or blocks than a reader takes", async () => {
  const many = { rawLength: 1000 * 1000, sealedLength: 100, chunks: 50_000 };
  const { bricks } = await fill(Array.from({ length: 12 }, () => many), { targetBytes: 1024 * MIB, ahead: () => 0 });
  assert.ok(bricks.length > 1);
  for (const { toc } of bricks) assert.ok(toc.chunks.length / 36 <= MOST_CHUNKS);
  assert.ok(LIMITS.blocks * 12 + MOST_CHUNKS * 36 + 8 < LIMITS.tocFrameBytes, "whatever a writer makes can be read");
});

Deno.test("a brick is what its record says: name, length, toc; the record is known before the brick has its name", async () => {
  const store = createMemoryStore();
  const [bricks, whole]: [BrickRecord[], BrickRecord[]] = [[], []];
  const there: boolean[] = [];
  const target = new BrickFiller({
    store,
    kind: "M",
    domain: DOMAIN,
    keys: KEYS,
    recipient,
    targetBytes: 16 * MIB,
    onWhole: async (brick) => {
      whole.push(brick);
      there.push(await store.head(brickObject("M", brick.name)) !== undefined);
    },
    onBrick: (brick) => void bricks.push(brick),
  });
  await target.place(4000, 2);
  await target.append(blockOf({ rawLength: 4000, sealedLength: 900, chunks: 2 }));
  assert.equal(target.storedChunks, 0);
  await target.finish();
  assert.equal(target.storedChunks, 2);
  assert.deepEqual([bricks, there], [whole, [false]]);
  const { name, bytes, kind, toc } = bricks[0]!;
  const file = await store.get(brickObject(kind, name));
  assert.equal(toHex(sha256(file)), name);
  assert.equal(file.length, bytes);
  const header = parseHeader(file, "the brick");
  assert.equal(header.kind, "M");
  assert.equal(toHex(header.domain), DOMAIN);
  const frameBytes = parseTrailer(file, "the brick");
  const frame = file.slice(bytes - 12 - frameBytes, bytes - 12);
  assert.deepEqual(await openToc(header, { keys: KEYS, frame, fileBytes: bytes, what: "the brick" }), toc);
});

Deno.test("a run without blocks stores nothing", async () => {
  const store = createMemoryStore();
  await filler(store, { targetBytes: MIB }).finish();
  assert.deepEqual(await Array.fromAsync(store.list("")), []);
});

for (const call of ["stage", "write", "commit"] as const) {
  Deno.test(`when the store refuses to ${call}, the run hears of it, and the brick is nowhere`, async () => {
    const store = createMemoryStore();
    const bricks: BrickRecord[] = [];
    const target = filler(failing(store, { call, nth: call === "write" ? 2 : 1 }), { targetBytes: 2 * MIB, bricks });
    await assert.rejects(async () => {
      for (let i = 0; i < 3; i++) {
        await target.place(MIB, 1);
        await target.append(blockOf({ rawLength: MIB, sealedLength: MIB, chunks: 1 }));
      }
      await target.finish();
    }, InjectedError);
    await target.abort();
    assert.ok(bricks.length < 3);
    for (const { name } of bricks) assert.ok(await store.head(brickObject("D", name)));
    assert.equal((await Array.fromAsync(store.list(""))).length, bricks.length);
  });
}

Deno.test("who waits for blocks that will never come is told why", async () => {
  const target = filler(createMemoryStore(), { targetBytes: MIB });
  await target.place(MIB, 1);
  const next = target.place(MIB, 1);
  target.fail(new InjectedError("a thread died"));
  await assert.rejects(next, InjectedError);
  await target.abort();
});
