import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { BrickRow } from "../../lib/catalog/mod.ts";

export const domain = "d0".repeat(16);
export const otherDomain = "e1".repeat(16);

/** The id of a chunk that stands for a text. */
export function idOf(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}

/** Different ids that agree in their first 52 bits, which is all that the chunk table sees. */
export function collidingId(text: string, variant: number): Uint8Array {
  const id = idOf(text);
  id[6] = ((id[6] ?? 0) & 0x0f) | (variant & 0x0f) << 4;
  id[31] = (id[31] ?? 0) ^ (variant >> 4);
  return id;
}

/** A brick with these ids, `perBlock` of them in a block; its name and age follow from `number` unless said otherwise. */
export function brickOf(
  number: number,
  ids: Uint8Array[],
  changes: Partial<BrickRow> & { perBlock?: number } = {},
): BrickRow {
  const { perBlock = 3, ...fields } = changes;
  const blocks = new Uint32Array(Math.ceil(ids.length / perBlock) * 3);
  for (let i = 0; i * 3 < blocks.length; i++) {
    blocks.set([1000 + i, 2000 + i, Math.min(perBlock, ids.length - i * perBlock)], i * 3);
  }
  const chunks = new Uint8Array(ids.length * 36);
  for (const [i, id] of ids.entries()) {
    chunks.set(id, i * 36);
    new DataView(chunks.buffer).setUint32(i * 36 + 32, 100 + i, true);
  }
  return {
    name: nameOf(number),
    kind: "D",
    domain,
    bytes: 1_000_000 + number,
    treeHash: Buffer.from(idOf(`tree of ${number}`)).toString("hex"),
    ledgerObject: `ledger/${domain}/${String(number >> 2).padStart(6, "0")}`,
    position: number & 3,
    blocks: new Uint8Array(blocks.buffer),
    chunks,
    ...fields,
  };
}

/** The name of a brick by its number in a test. */
export function nameOf(number: number): string {
  return Buffer.from(idOf(`brick ${number}`)).toString("hex");
}

/** Ids as `lookup` takes them. */
export function joined(ids: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(ids));
}

/** As many ids as wanted, each the id of a text. */
export function idsOf(prefix: string, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => idOf(`${prefix} ${i}`));
}
