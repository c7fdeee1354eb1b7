/**
 * From pages back to the stream: which bytes come next, and from which chunk. Nothing is read here but recipes, so a
 * caller can fetch bodies ahead, in parallel, or not at all.
 */
import { DamageError } from "../crypto/mod.ts";
import { openAhead } from "./ahead.ts";
import type { GetChunk } from "./chunk_io.ts";
import { type BodyList, bodyRecords, type HeadOp, isZero, type PageRef, parseHeads, parseLists } from "./page.ts";
import { recordLength } from "./stream.ts";

/** The next bytes of a stream: here, or a part of a data chunk; `whole`: all of it, so that it must have this length. */
export type Segment = { bytes: Uint8Array } | { id: Uint8Array; from: number; length: number; whole: boolean };

/** A page whose recipe was read. */
export interface OpenPage {
  ref: PageRef;
  ops: HeadOp[];
  small: Uint8Array | undefined;
  bodies: BodyList[];
}

/** Reads `heads`, and `lists` unless only names are wanted. */
export async function openPage(ref: PageRef, get: GetChunk): Promise<OpenPage> {
  const ops = await openHeads(ref, get);
  const lists = isZero(ref.lists) ? undefined : await get("M", ref.lists);
  const { small, bodies } = parseLists(lists, ops.filter((op) => op.op === "body").length);
  if (small === undefined && ops.some((op) => op.op === "small")) {
    throw new DamageError("Cannot read a page of a recipe: its small bodies are missing");
  }
  return { ref, ops, small, bodies };
}

/** Reads `heads` alone: names and sizes. */
export async function openHeads(ref: PageRef, get: GetChunk): Promise<HeadOp[]> {
  const ops = parseHeads(await get("M", ref.heads));
  const bytes = ops.reduce((sum, op) => sum + op.length, 0);
  if (bytes !== ref.bytes) {
    throw new DamageError(`Cannot read a recipe: a page of ${ref.bytes} bytes stands for ${bytes} bytes`);
  }
  return ops;
}

/** An operation of a page together with where its body is. */
export interface PlacedOp {
  op: HeadOp;
  segments: () => AsyncIterable<Segment> | Iterable<Segment>;
}

/** The operations of a page in order, each with the way to its bytes. */
export function* placedOps(page: OpenPage, get: GetChunk): Generator<PlacedOp> {
  let body = 0;
  let smallAt = 0;
  for (const op of page.ops) {
    if (op.op === "body") {
      const list = page.bodies[body++]!;
      yield { op, segments: () => bodySegments(list, op.length, get) };
    } else if (op.op === "small") {
      const segment = { id: page.small!, from: smallAt, length: op.length, whole: false };
      smallAt += op.length;
      yield { op, segments: () => [segment] };
    } else {
      const { bytes } = op as HeadOp & { bytes: Uint8Array };
      yield { op, segments: () => [{ bytes }] };
    }
  }
}

function bodySegments(list: BodyList, length: number, get: GetChunk): Segment[] | AsyncIterable<Segment> {
  const records = bodyRecords(list, length, get);
  return Symbol.iterator in records ? records.map(wholeChunk) : wholeChunks(records);
}

async function* wholeChunks(records: AsyncIterable<Uint8Array>): AsyncGenerator<Segment> {
  for await (const record of records) yield wholeChunk(record);
}

function wholeChunk(record: Uint8Array): Segment {
  return { id: record.subarray(0, 32), from: 0, length: recordLength(record), whole: true };
}

/** The segments of some operations in order, in runs of what is known without waiting. */
export async function* runsOf(ops: Iterable<PlacedOp>): AsyncGenerator<Segment[]> {
  let run: Segment[] = [];
  for (const { segments } of ops) {
    const found = segments();
    if (Symbol.iterator in found) {
      for (const segment of found) run.push(segment);
      continue;
    }
    yield run;
    run = [];
    for await (const segment of found) yield [segment];
  }
  yield run;
}

/** The whole stream of some pages in order, in runs of segments. */
export async function* replay(pages: AsyncIterable<PageRef>, get: GetChunk): AsyncGenerator<Segment[]> {
  for await (const page of openAhead(pages, (ref) => openPage(ref, get))) yield* runsOf(placedOps(page, get));
}
