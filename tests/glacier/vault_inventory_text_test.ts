// Inventories, cut out of their text however it comes.

import assert from "node:assert/strict";
import fc from "fast-check";
import { BrokenAnswerError } from "../../lib/glacier/vault/errors.ts";
import { inventoryItems } from "../../lib/glacier/vault/inventory_text.ts";

const encoder = new TextEncoder();

async function itemsOf(text: string | Uint8Array, pieceBytes = Infinity) {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  async function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      yield await Promise.resolve(bytes.subarray(at, at + pieceBytes));
    }
  }
  return await Array.fromAsync(inventoryItems(pieces()));
}

// Amazon Glacier developer guide, Get Job Output.
const printed = `{
 "VaultARN": "arn:aws:glacier:us-west-2:012345678901:vaults/examplevault",
 "InventoryDate": "2011-12-12T14:19:01Z",
 "ArchiveList": [
   {
     "ArchiveId": "DMTmICA2n5Tdqq5BV2z7og-A20xnpAPKt3UXwWxdWsn_D6auTUrW6kwy5Qyj9xd1MCE1mBYvMQ63LWaT8yTMzMaCxB_9VBWrW4Jw4zsvg5kehAPDVKcppUD1X7b24JukOr4mMAq-oA",
     "ArchiveDescription": "my archive1",
     "CreationDate": "2012-05-15T17:19:46.700Z",
     "Size": 2140123,
     "SHA256TreeHash": "6b9d4cf8697bd3af6aa1b590a0b27b337da5b18988dbcc619a3e608a554a1e62"
   },
   {
     "ArchiveId": "2lHzwhKhgF2JHyvCS-ZRuF08IQLuyB4265Hs3AXj9MoAIhz7tbXAvcFeHusgU_hViO1WeCBe0N5lsYYHRyZ7rrmRkNRuYrXUs_sjl2K8ume_7mKO_0i7C-uHE1oHqaW9d37pabXrSA",
     "ArchiveDescription": "my archive2",
     "CreationDate": "2012-05-15T17:21:39.339Z",
     "Size": 2140123,
     "SHA256TreeHash": "7f2fe580edb35154041fa3d4b41dd6d3adaef0c85d2ff6309f1d4b520eeecda3"
   }
  ]
}`;

Deno.test("the inventory that Amazon prints as its example is read, whole and byte by byte", async () => {
  const { VaultARN, InventoryDate, ArchiveList } = JSON.parse(printed);
  const expected = [
    { kind: "member", name: "VaultARN", value: VaultARN },
    { kind: "member", name: "InventoryDate", value: InventoryDate },
    ...ArchiveList.map((value: unknown) => ({ kind: "archive", value })),
  ];
  for (const size of [Infinity, 7, 1]) assert.deepEqual(await itemsOf(printed, size), expected);
});

Deno.test("archives are cut out whatever is in their descriptions, and wherever the members stand", async () => {
  const archive = fc.record({ ArchiveDescription: fc.string({ unit: "binary" }), Size: fc.nat(), Nested: fc.json() });
  await fc.assert(fc.asyncProperty(
    fc.array(archive, { maxLength: 5 }),
    fc.boolean(),
    fc.boolean(),
    fc.integer({ min: 1, max: 40 }),
    async (archives, last, pretty, size) => {
      const date = { InventoryDate: "2026-01-01T00:00:00Z" };
      const document = last ? { ArchiveList: archives, ...date } : { ...date, ArchiveList: archives };
      const items = await itemsOf(JSON.stringify(document, null, pretty ? 2 : undefined), size);
      const found = items.filter(({ kind }) => kind === "archive").map(({ value }) => value);
      assert.deepEqual(found, JSON.parse(JSON.stringify(archives)));
      assert.deepEqual(items.filter(({ kind }) => kind === "member").map(({ value }) => value), [date.InventoryDate]);
    },
  ));
});

Deno.test("what is cut short, is no inventory or grows without bound is refused", async () => {
  const text = JSON.stringify(JSON.parse(printed));
  for (let length = 0; length < text.length; length += 11) {
    await assert.rejects(itemsOf(text.slice(0, length)), BrokenAnswerError);
  }
  const wrong = [
    ...["[]", "null", '"text"', "{}{}", "{}x", '{"ArchiveList":{}}', '{"Other":[]}', '{"a":[[', "}"],
    `{"ArchiveList":[{"ArchiveDescription":"${"x".repeat(20_000)}"}]}`,
    `{"VaultARN":"${"x".repeat(20_000)}"}`,
    '{"ArchiveList":[{"a":}]}',
  ];
  for (const each of wrong) await assert.rejects(itemsOf(each), BrokenAnswerError, each);
  await assert.rejects(itemsOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)));
});
