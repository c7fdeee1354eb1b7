/**
 * Which bricks a snapshot needs: a stream of 32-byte names in ledger order. The order keeps old stretches of the list equal
 * from run to run, so that they are stored once.
 */
import { fromHex, toHex } from "../crypto/mod.ts";
import type { GetChunk, PutChunk } from "./chunk_io.ts";
import type { SealedIndex } from "./sealed_index.ts";
import { wholeRecords } from "./records.ts";
import { type CutStream, readStream, type StreamRoot, StreamWriter } from "./stream.ts";

/** Stores the list; `names` are in ledger order. */
export function writeBrickList(names: string[], options: { put: PutChunk; cut: CutStream }): StreamRoot {
  const stream = new StreamWriter(options.put, options.cut);
  for (const name of names) stream.write(fromHex(name));
  return stream.root();
}

/** All bricks that a snapshot needs. */
export async function readBrickList(sealed: SealedIndex, get: GetChunk): Promise<string[]> {
  const names: string[] = [];
  const pieces = readStream(sealed.brickList, get);
  for await (const name of wholeRecords(pieces, { recordBytes: 32, what: "a list of bricks" })) names.push(toHex(name));
  return [...new Set([...names, ...sealed.lastBricks])];
}
