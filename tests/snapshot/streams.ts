/**
 * Streams as the tar splitter and the chunker hand them to a RecipeWriter, made up: a list of parts, each of which knows its
 * bytes and how to hand itself over.
 */
import fc from "fast-check";
import { type PageRef, RecipeWriter } from "../../lib/snapshot/mod.ts";
import type { PageRule } from "../../lib/snapshot/mod.ts";
import { makeHeader } from "../../lib/tar/mod.ts";
import { type Chunks, cut, idOf, join } from "./chunks.ts";

/** A part of a made-up stream. */
export type Part =
  /** An entry: header in so many pieces, then a body that is small, cut into chunks, or missing, then padding. */
  | { part: "entry"; hash: number; header: Uint8Array[]; body: Uint8Array[]; small: boolean; padding: number }
  /** Headers without an entry. */
  | { part: "head"; header: Uint8Array[] }
  | { part: "zeros"; length: number }
  /** A body that belongs to no entry. */
  | { part: "nameless"; body: Uint8Array[] };

/** The bytes of a part. */
export function partBytes(part: Part): Uint8Array {
  switch (part.part) {
    case "entry":
      return join([...part.header, ...part.body, new Uint8Array(part.padding)]);
    case "head":
      return join(part.header);
    case "zeros":
      return new Uint8Array(part.length);
    case "nameless":
      return join(part.body);
  }
}

/** Hands parts to a writer, as the pipeline does; chunks of bodies go to the store as they come. */
export function give(writer: RecipeWriter, parts: Iterable<Part>, chunks: Chunks): void {
  const raw = (pieces: Uint8Array[]) => pieces.forEach((piece, i) => writer.raw(piece, i === 0));
  const cutBody = (body: Uint8Array[]) => {
    for (const chunk of body) {
      chunks.put("D", new Uint8Array(chunk));
      writer.chunk(idOf("D", chunk), chunk.length);
    }
    if (body.length > 0) writer.bodyEnd();
  };
  for (const part of parts) {
    if (part.part === "entry") {
      raw(part.header);
      writer.entry(part.hash);
      if (!part.small) cutBody(part.body);
      else if (part.body.length > 0) {
        for (const piece of part.body) writer.small(piece);
        writer.bodyEnd();
      }
      if (part.padding > 0) writer.raw(new Uint8Array(part.padding), false);
    } else if (part.part === "head") raw(part.header);
    else if (part.part === "zeros") writer.raw(new Uint8Array(part.length), false);
    else cutBody(part.body);
  }
}

/** The recipe of parts: its pages, in order. */
export function write(parts: Iterable<Part>, chunks: Chunks, rule?: PageRule): PageRef[] {
  const pages: PageRef[] = [];
  const onPage = (page: PageRef) => void pages.push(page);
  const writer = new RecipeWriter({ put: chunks.put, cut, onPage, ...(rule === undefined ? {} : { rule }) });
  give(writer, parts, chunks);
  writer.finish();
  return pages;
}

/** An entry with a real header, and no body unless one is given. */
export function entry(name: string, options: { hash?: number; size?: number; mtime?: number } = {}): Part & {
  part: "entry";
} {
  const { hash = 1, size = 0, mtime = 1_700_000_000 } = options;
  const header = makeHeader({ name: new TextEncoder().encode(name), type: "-", size, mtime });
  return { part: "entry", hash, header: [header], body: [], small: false, padding: 0 };
}

/** Bytes of a length, all alike. */
const filled = (most: number) =>
  fc.tuple(fc.integer({ min: 1, max: most }), fc.nat(255)).map(([length, byte]) => new Uint8Array(length).fill(byte));

/** Any part that the splitter may make. Short ones, so that many fit. */
export const anyPart: fc.Arbitrary<Part> = fc.oneof(
  { weight: 6, arbitrary: entryOf(fc.array(filled(20_000), { maxLength: 4 }), false) },
  { weight: 6, arbitrary: entryOf(filled(511).map((body) => [body]), true) },
  { weight: 2, arbitrary: fc.array(filled(9000), { minLength: 1, maxLength: 3 }).map((header) => head(header)) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 70_000 }).map((length): Part => ({ part: "zeros", length })) },
  {
    weight: 2,
    arbitrary: fc.array(filled(30_000), { minLength: 1, maxLength: 3 }).map((body): Part => ({
      part: "nameless",
      body,
    })),
  },
);

function entryOf(body: fc.Arbitrary<Uint8Array[]>, small: boolean): fc.Arbitrary<Part> {
  const header = fc.array(filled(2000), { minLength: 1, maxLength: 3 });
  return fc.record({ hash: fc.nat(255), header, body, padding: fc.nat(511) })
    .map((fields): Part => ({ part: "entry", small, ...fields }));
}

/** Headers without an entry. */
export function head(header: Uint8Array[]): Part {
  return { part: "head", header };
}
