// Ledger objects: the inverse, every flipped bit, and what a newer program or a forger may have put into one.

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type BrickRecord,
  brickRecordBytes,
  chunkCount,
  decodeLedger,
  encodeLedger,
  LEDGER_OBJECT_LIMIT,
  LIMITS,
  parseLedgerHeader,
  type WrittenRecord,
} from "../../lib/brick/mod.ts";
import {
  DamageError,
  fromHex,
  openRecordFrame,
  sealRecordFrame,
  toHex,
  UnsupportedError,
} from "../../lib/crypto/mod.ts";
import { concat, DOMAIN, flipped, LEDGER_KEY, noise, writeBrick } from "./bricks.ts";

const NAME = `ledger/${DOMAIN}/20260102T030405Z-0badcafe`;
const HEADER_BYTES = 64;
const options = { key: LEDGER_KEY, domain: fromHex(DOMAIN), name: NAME };
const { record: brick } = await writeBrick([[noise(700, 1), noise(50, 2)], [noise(900, 3)]]);
const gone = toHex(noise(32, 4));

/** A ledger object around any plaintext, sealed with the right key for the right name. */
async function sealed(plain: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(new TextEncoder().encode("TARZANL1"));
  header.set(fromHex(DOMAIN), 16);
  const salt = noise(32, 5);
  header.set(salt, 32);
  const padded = new Uint8Array(Math.ceil((plain.length + 16) / 4096) * 4096 - 16);
  padded.set(plain);
  const aad = concat([header, new TextEncoder().encode(NAME)]);
  return concat([header, await sealRecordFrame(LEDGER_KEY, { salt, aad, plain: padded })]);
}

/** The bytes of a record: length of its payload, type, flags, payload. */
function recordBytes(
  type: number,
  payload: Uint8Array,
  change: { length?: number; flags?: number[] } = {},
): Uint8Array {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setUint32(0, change.length ?? payload.length, true);
  head[4] = type;
  head.set(change.flags ?? [], 5);
  return concat([head, payload]);
}

/** The payload of the brick's record, as the encoder writes it. */
async function brickPayload(record: BrickRecord = brick): Promise<Uint8Array<ArrayBuffer>> {
  const object = await encodeLedger([{ type: "brick", brick: record }], options);
  const aad = concat([object.subarray(0, HEADER_BYTES), new TextEncoder().encode(NAME)]);
  const salt = object.slice(32, HEADER_BYTES);
  const plain = await openRecordFrame(LEDGER_KEY, { salt, aad, frame: object.slice(HEADER_BYTES), what: "it" });
  return plain.slice(8, 8 + new DataView(plain.buffer).getUint32(0, true));
}

Deno.test("records come back in order, bricks with their tocs", async () => {
  const records: WrittenRecord[] = [{ type: "brick", brick }, { type: "gone", name: gone }, { type: "brick", brick }];
  assert.deepEqual(await decodeLedger(await encodeLedger(records, options), options), records);
});

Deno.test("any list of records comes back", async () => {
  const name = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
  const record: fc.Arbitrary<WrittenRecord> = fc.oneof(
    name.map((name): WrittenRecord => ({ type: "gone", name })),
    fc.record({
      name,
      treeHash: name,
      bytes: fc.nat(LIMITS.brickBytes),
      kind: fc.constantFrom("D" as const, "M" as const),
    })
      .map((facts): WrittenRecord => ({ type: "brick", brick: { ...brick, ...facts } })),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(record, { maxLength: 12 }), async (records) => {
      const object = await encodeLedger(records, options);
      assert.equal((object.length - HEADER_BYTES) % 4096, 0);
      assert.deepEqual(await decodeLedger(object, options), records);
    }),
    { numRuns: 50 },
  );
});

Deno.test("the same records never make the same object twice", async () => {
  const records: WrittenRecord[] = [{ type: "gone", name: gone }];
  assert.notDeepEqual(await encodeLedger(records, options), await encodeLedger(records, options));
});

Deno.test("a record takes no more than was said for it, and chunks are counted", () => {
  assert.equal(chunkCount(brick.toc), 3);
  assert.ok(brickRecordBytes(brick.toc) >= 88 + 4096 - 16);
});

Deno.test("every flipped bit of a ledger object is noticed", async () => {
  const object = await encodeLedger([{ type: "gone", name: gone }], options);
  assert.equal(object.length, HEADER_BYTES + 4096);
  let next = 0;
  const lane = async () => {
    while (next < object.length * 8) {
      const bit = next++;
      const notice = (error: unknown) => error instanceof DamageError || error instanceof UnsupportedError;
      await assert.rejects(decodeLedger(flipped(object, bit), options), notice, `bit ${bit}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
});

Deno.test("a ledger object cut short, or with anything added, is damage", async () => {
  const object = await encodeLedger([{ type: "brick", brick }], options);
  for (const length of [0, 1, 63, 64, 65, 4096, HEADER_BYTES + 4096, object.length - 1]) {
    await assert.rejects(decodeLedger(object.slice(0, length), options), DamageError, `${length} bytes`);
  }
  for (const more of [1, 16, 4096]) {
    await assert.rejects(decodeLedger(concat([object, new Uint8Array(more)]), options), DamageError, `${more} more`);
  }
});

Deno.test("a ledger object under another name, in another domain or for another key is damage", async () => {
  const object = await encodeLedger([{ type: "gone", name: gone }], options);
  const others = [
    { ...options, name: NAME.replace("0badcafe", "0badcaff") },
    { ...options, name: "journal" },
    { ...options, domain: new Uint8Array(16) },
    { ...options, key: new Uint8Array(32) },
  ];
  for (const other of others) await assert.rejects(decodeLedger(object, other), DamageError);
});

Deno.test("a newer magic and reserved bytes are unsupported, other beginnings are damage", async () => {
  const object = await encodeLedger([], options);
  const begins = (text: string) => concat([new TextEncoder().encode(text), object.subarray(8)]);
  for (const digit of [2, 9]) assert.throws(() => parseLedgerHeader(begins(`TARZANL${digit}`), NAME), UnsupportedError);
  for (const text of ["TARZANL0", "TARZANLx", "TARZANB1"]) {
    assert.throws(() => parseLedgerHeader(begins(text), NAME), DamageError, text);
  }
  for (let at = 8; at < 16; at++) {
    assert.throws(() => parseLedgerHeader(flipped(object, at * 8 + 3), NAME), UnsupportedError, `byte ${at}`);
  }
  assert.equal(toHex(parseLedgerHeader(object, NAME).domain), DOMAIN);
});

Deno.test("an object over the limit is refused by its length alone", () => {
  // Length without bytes: what is behind the header must not be looked at.
  const huge = new Uint8Array(new ArrayBuffer(64, { maxByteLength: LEDGER_OBJECT_LIMIT + 8192 }));
  huge.set(new TextEncoder().encode("TARZANL1"));
  (huge.buffer as ArrayBuffer).resize(HEADER_BYTES + LEDGER_OBJECT_LIMIT);
  assert.throws(() => parseLedgerHeader(huge, NAME), DamageError);
});

Deno.test("record types, kinds and flags that are not known are unsupported, never damage", async () => {
  const payload = await brickPayload();
  const kind = payload.slice();
  kind[72] = "X".charCodeAt(0);
  const reserved = Array.from({ length: 7 }, (_, i) => flipped(payload, (73 + i) * 8));
  const newer = [
    ...[3, 6, 127].map((type) => recordBytes(type, new Uint8Array(10))),
    ...[[1], [0, 1], [0, 0, 0x80]].map((flags) => recordBytes(4, noise(32, 1), { flags })),
    recordBytes(1, payload, { flags: [0, 0, 1] }),
    recordBytes(1, kind),
    ...reserved.map((bytes) => recordBytes(1, bytes)),
  ];
  for (const plain of newer) await assert.rejects(decodeLedger(await sealed(plain), options), UnsupportedError);
});

Deno.test("record types from 128 on are passed over, and said to be there", async () => {
  const plain = concat([
    recordBytes(128, new Uint8Array(10)),
    recordBytes(4, noise(32, 1)),
    recordBytes(255, noise(3, 2)),
  ]);
  const records = await decodeLedger(await sealed(plain), options);
  assert.deepEqual(records.map(({ type }) => type), ["later", "gone", "later"]);
});

Deno.test("malformed records are damage", async () => {
  const payload = await brickPayload();
  const tooLarge = payload.slice();
  new DataView(tooLarge.buffer).setBigUint64(64, BigInt(LIMITS.brickBytes) + 1n, true);
  const brokenToc = payload.slice();
  brokenToc[80] = 9;
  const malformed = [
    recordBytes(4, noise(31, 1)),
    recordBytes(4, noise(33, 1)),
    recordBytes(4, new Uint8Array()),
    recordBytes(4, noise(32, 1), { length: 5000 }),
    recordBytes(4, noise(32, 1), { length: 0xffffffff }),
    recordBytes(1, payload.subarray(0, 79)),
    recordBytes(1, payload.subarray(0, -1)),
    recordBytes(1, tooLarge),
    recordBytes(1, brokenToc),
    concat([new Uint8Array(8), Uint8Array.of(1)]),
    concat([recordBytes(4, noise(32, 1)), new Uint8Array(4000), Uint8Array.of(1)]),
    recordBytes(0, new Uint8Array(), { length: 5 }),
  ];
  for (const [i, plain] of malformed.entries()) {
    await assert.rejects(decodeLedger(await sealed(plain), options), DamageError, `malformed ${i}`);
  }
});

Deno.test("whatever stands in a genuine object, reading it ends with records, damage or unsupported", async () => {
  const payload = await brickPayload();
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.tuple(fc.nat(6), fc.uint8Array({ maxLength: 40 })).map(([type, bytes]) => recordBytes(type, bytes)),
    fc.nat(payload.length * 8 - 1).map((bit) => recordBytes(1, flipped(payload, bit))),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 4 }), async (pieces) => {
      try {
        await decodeLedger(await sealed(concat(pieces)), options);
      } catch (error) {
        assert.ok(error instanceof DamageError || error instanceof UnsupportedError, String(error));
      }
    }),
    { numRuns: 200 },
  );
});
