/**
 * An inventory as it comes: a JSON document as long as the vault has archives, a hundred megabytes and more. It is never
 * in memory as a whole: the archives are cut out of the text one after the other, and only they are parsed.
 *
 *     {"VaultARN":"…","InventoryDate":"…","ArchiveList":[{"ArchiveId":"…",…},…]}
 */
import { BrokenAnswerError } from "./errors.ts";

/** A piece of an inventory: a member of the document that is no list, or one archive of its list. */
export type InventoryItem = { kind: "member"; name: string; value: unknown } | { kind: "archive"; value: unknown };

const longestItem = 16 * 1024;
const longestMember = 1024;

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Cuts a JSON document, in pieces of any size, into its items. Throws a BrokenAnswerError where it is no inventory. */
export async function* inventoryItems(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<InventoryItem> {
  // Depth 1 is the document, 2 its list of archives, 3 an archive; brackets within an archive count on from there.
  let depth = 0;
  let inString = false;
  let escaped = false;
  let done = false;
  let name = "";
  let item: number[] = [];

  /** The end of a member or of an archive at this byte. */
  const ended = function* (byte: number): Generator<InventoryItem> {
    const text = decoder.decode(new Uint8Array(item)).trim();
    item = [];
    if (depth === 1 && text !== "") yield { kind: "member", name, value: parsed(text) };
    if (depth === 2 && text !== "") yield { kind: "archive", value: parsed(text) };
    if (depth === 1 && byte === comma) name = "";
  };

  for await (const piece of pieces) {
    for (const byte of piece) {
      if (inString) {
        item.push(byte);
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inString = false;
      } else if (byte === openBrace || byte === openBracket) {
        if (done || (depth === 0 && byte !== openBrace)) throw noInventory();
        if (depth === 1 && (byte !== openBracket || name !== "ArchiveList")) throw noInventory();
        if (depth >= 2) item.push(byte);
        depth++;
      } else if (byte === closeBrace || byte === closeBracket) {
        if (depth === 0) throw noInventory();
        if (depth > 2) item.push(byte);
        else yield* ended(byte);
        depth--;
        done = depth === 0;
        if (depth === 1) name = "";
      } else if (byte === comma && depth <= 2) yield* ended(byte);
      else if (byte === colon && depth === 1) {
        name = String(parsed(decoder.decode(new Uint8Array(item))));
        item = [];
      } else {
        if (byte === quote) inString = true;
        if (depth > 0 || byte > 0x20) item.push(byte);
      }
      if (item.length > (depth > 1 ? longestItem : longestMember)) throw noInventory();
    }
  }
  if (!done || item.some((byte) => byte > 0x20)) throw noInventory();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw noInventory(error);
  }
}

function noInventory(cause?: unknown): BrokenAnswerError {
  return new BrokenAnswerError("the inventory is not what an inventory looks like", { cause });
}
